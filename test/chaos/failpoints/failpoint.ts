import type { JournalFs } from '@berth/agent/journal/journal-fs.ts'
import type { Journal } from '@berth/agent/journal/journal.ts'
import type { ContainerRuntime } from '@berth/agent/runtime/container-runtime.ts'
import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { Store } from '@berth/control-plane/store/store.ts'
import { type Boundary, failpointNames } from './failpoint-names.ts'

/** Called at each place by its name. */
export type Reach = (name: string) => void

/**
 * Dies as by `kill -9` when the place called `armed` is reached.
 *
 * @throws Error for a name that there is not.
 */
export function killAt(armed: string | undefined): Reach {
  if (armed === undefined) return () => {}
  if (!failpointNames.includes(armed)) throw new Error(`there is no failpoint ${armed}`)
  return (name) => {
    if (name !== armed) return
    process.stderr.write(`failpoint ${name}\n`)
    process.kill(process.pid, 'SIGKILL')
    // Nothing more is done until the signal has come.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
}

export const storeReaching = (reach: Reach) => (store: Store) => around('store', store, reach)
export const runtimeReaching = (reach: Reach) => (runtime: ContainerRuntime) => around('docker', runtime, reach)

export const journalReaching =
  (reach: Reach) =>
  (journal: Journal): Journal => ({
    get state() {
      return journal.state
    },
    async append(record) {
      reach(`journal.${record.kind}:before`)
      await journal.append(record)
      reach(`journal.${record.kind}:after`)
    },
    close: () => journal.close(),
  })

export const diskReaching = (reach: Reach, fs: JournalFs): JournalFs => {
  const reaching = around('disk', fs, reach)
  return {
    open: async (path, how) => around('disk', await reaching.open(path, how), reach),
    replace: (from, to) => reaching.replace(from, to),
  }
}

export const transportReaching =
  (reach: Reach) =>
  (transport: SessionTransport): SessionTransport => ({
    connect(address, onMessage, onClose) {
      const channel = transport.connect(address, onMessage, onClose)
      return {
        send(message) {
          reach(`wire.${message.message?.$case}:before`)
          channel.send(message)
          reach(`wire.${message.message?.$case}:after`)
        },
        close: () => channel.close(),
      }
    },
  })

/** The same object, whose every operation reaches a place before and one after. */
function around<Part extends object>(boundary: Boundary, part: Part, reach: Reach): Part {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: readonly unknown[]) => {
        reach(`${boundary}.${String(name)}:before`)
        const answer: unknown = Reflect.apply(member, target, args)
        if (!(answer instanceof Promise)) return answer
        return answer.then((value: unknown) => {
          reach(`${boundary}.${String(name)}:after`)
          return value
        })
      }
    },
  })
}
