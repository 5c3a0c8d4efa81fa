import type { JournalFs } from '@berth/agent/journal/journal-fs.ts'
import { TaskActor } from '@berth/agent/engine/task-actor.ts'
import type { ContainerRuntime } from '@berth/agent/runtime/container-runtime.ts'
import type { SessionTransport } from '@berth/agent/session/session-transport.ts'
import type { TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { taskStatusRank } from '@berth/shared/task-status.ts'

/** What a bug puts in the place of a part; what it changes elsewhere it has changed when it is returned. */
export interface AgentBug {
  readonly journalFs?: (fs: JournalFs) => JournalFs
  readonly runtime?: (runtime: ContainerRuntime) => ContainerRuntime
  readonly transport?: (transport: SessionTransport) => SessionTransport
}

/** Each takes one protection out of the agent. */
const bugs: Readonly<Record<string, () => AgentBug>> = {
  /** The agent that starts again does not find the containers that run. */
  adoption: () => ({ runtime: (runtime) => over(runtime, { list: async () => [] }) }),
  /** Each try to create a container takes another name, and the last try's container is not looked for. */
  'container names': () => {
    let tries = 0
    return {
      runtime: (runtime) =>
        over(runtime, {
          list: async () => [],
          async create(container, signal) {
            const runtimeName = `${container.identity.runtimeName}-${process.pid}-${++tries}`
            const id = await runtime.create({ ...container, identity: { ...container.identity, runtimeName } }, signal)
            await runtime.start(id, signal)
            await new Promise((resolve) => setTimeout(resolve, 1500))
            return id
          },
        }),
    }
  },
  /** A task is told to have STOPPED when it has been asked to, so that its room is given away. */
  'freed before STOPPED': () =>
    reporting((task) =>
      task.status >= taskStatusRank.DEACTIVATING ? { ...task, status: taskStatusRank.STOPPED } : task,
    ),
  /** The end of a task that holds a fixed port is never told, so that nobody gets the port any more. */
  'port leak': () =>
    reporting((task) => (task.taskArn.endsWith('0') || task.status < taskStatusRank.STOPPED ? task : undefined)),
  /** What was replaced while the host was away runs on. */
  'doubles are kept'() {
    TaskActor.prototype.release = () => {}
    return {}
  },
  /** Nothing that the host promised is there after a restart of the agent, its own name included. */
  'journal forgotten': () => ({ journalFs: (fs) => ({ ...fs, open: (path) => fs.open(path, 'empty') }) }),
}

/** @throws Error for a bug that there is not. */
export function agentBug(name: string | undefined): AgentBug {
  if (name === undefined) return {}
  const plant = bugs[name]
  if (plant === undefined) throw new Error(`there is no bug "${name}" to plant in an agent`)
  return plant()
}

/** An agent that tells something else of its tasks than it knows. */
function reporting(told: (task: TaskReport) => TaskReport | undefined): AgentBug {
  return {
    transport: (transport) => ({
      connect(address, onMessage, onClose) {
        const channel = transport.connect(address, onMessage, onClose)
        return {
          send({ message }) {
            if (message?.$case !== 'statusReport') return channel.send({ message })
            const tasks = message.value.tasks.flatMap((task) => told(task) ?? [])
            channel.send({ message: { ...message, value: { ...message.value, tasks } } })
          },
          close: () => channel.close(),
        }
      },
    }),
  }
}

/** A runtime some of whose operations are others. */
const over = (runtime: ContainerRuntime, changed: Partial<ContainerRuntime>): ContainerRuntime =>
  new Proxy(runtime, {
    get(target, name) {
      const member: unknown = Reflect.get(changed, name) ?? Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(name in changed ? changed : target) : member
    },
  })
