import type { Clock } from '@berth/shared/clock.ts'
import type { Log, LogFields } from '@berth/shared/log.ts'

/** A log for a person who watches: the time of day, the message, and its fields behind it. */
export function personLog(clock: Clock, say: (line: string) => void, fields: LogFields = {}): Log {
  const write = (message: string, more: LogFields = {}): void => {
    const time = new Date(clock.now()).toISOString().slice(11, 19)
    const said = Object.entries({ ...fields, ...more }).map(([name, value]) => ` ${name}=${show(value)}`)
    say(`${time}  ${message}${said.join('')}`)
  }
  return {
    debug() {},
    info: write,
    warn: write,
    error: write,
    with: (more) => personLog(clock, say, { ...fields, ...more }),
  }
}

const show = (value: unknown): string =>
  value instanceof Error ? value.message : typeof value === 'string' ? value : JSON.stringify(value)
