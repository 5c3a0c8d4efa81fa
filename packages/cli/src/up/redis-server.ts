import { connect } from 'node:net'
import type { DataDirectory } from '../cluster/data-directory.ts'

export interface RedisConfiguration {
  readonly directory: DataDirectory
  readonly port: number
  readonly password: string
  readonly fsync: 'always' | 'everysec'
}

/**
 * The configuration of a cluster's own Redis: only this machine, only with the password; every write in its log before it is
 * acknowledged (or within a second, by choice); no snapshots beside the log, and never a key given up for room.
 */
export function redisConfiguration({ directory, port, password, fsync }: RedisConfiguration): string {
  const settings = [
    ['bind', '127.0.0.1'],
    ['port', String(port)],
    ['protected-mode', 'yes'],
    ['requirepass', password],
    ['dir', quoted(directory.redis)],
    ['daemonize', 'no'],
    ['supervised', 'no'],
    ['logfile', '""'],
    ['loglevel', 'notice'],
    ['appendonly', 'yes'],
    ['appendfsync', fsync],
    ['no-appendfsync-on-rewrite', 'no'],
    // A log of this size is read in about a second; smaller ones would be written anew over and over while a cluster grows.
    ['auto-aof-rewrite-min-size', '256mb'],
    ['rdbcompression', 'no'],
    ['save', '""'],
    ['maxmemory', '0'],
    ['maxmemory-policy', 'noeviction'],
  ]
  return ['# Written anew by each "berth up".', ...settings.map((pair) => pair.join(' ')), ''].join('\n')
}

/** As Redis reads a word in double quotes. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** Longer than Redis ever takes to say that it is still loading. */
const answerWithinMs = 1000

/** Whether Redis answers, with its data loaded. */
export function redisAnswers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: answerWithinMs })
    let said = ''
    const end = (answers: boolean): void => {
      socket.destroy()
      resolve(answers)
    }
    socket.on('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`))
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('+PONG\r\n')) end(true)
      else if (/^-/m.test(said)) end(false)
    })
    socket.on('timeout', () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
  })
}
