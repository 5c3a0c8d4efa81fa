import type { JournalFile, JournalFs } from '@berth/agent/journal/journal-fs.ts'
import type { JournalRecord } from '@berth/agent/journal/journal-record.ts'
import type { ContainerRuntime } from '@berth/agent/runtime/container-runtime.ts'
import type { Store } from '@berth/control-plane/store/store.ts'

/**
 * Every operation at the boundaries to store, journal, disk, Docker and wire: `true` where a run gets there by itself. The types make a
 * new operation an error here, until it is said.
 */
export const boundaries = {
  store: {
    commit: true,
    load: true,
    acquireLease: true,
    renewLease: true,
    safety: true,
    // Only a control plane that ends in order gives its lease back and closes its store.
    releaseLease: false,
    close: false,
    feed: false,
  } satisfies Record<keyof Store, boolean>,
  journal: {
    // Written once in a host's life, before it has anything to lose.
    identity: false,
    assignments: true,
    result: true,
    dropped: true,
  } satisfies Record<JournalRecord['kind'], boolean>,
  disk: {
    open: true,
    replace: true,
    readAll: true,
    write: true,
    sync: true,
    // After a torn write, and when the agent ends in order.
    truncate: false,
    close: true,
  } satisfies Record<keyof JournalFile | keyof JournalFs, boolean>,
  docker: {
    info: true,
    pull: true,
    create: true,
    start: true,
    stop: true,
    remove: true,
    inspect: true,
    list: true,
    createVolume: true,
    removeVolume: true,
    preparePause: true,
    // An image is first looked at after ten minutes; nothing kills without having asked; the watch never ends.
    removeImage: false,
    kill: false,
    watch: false,
  } satisfies Record<keyof ContainerRuntime, boolean>,
  wire: {
    hello: true,
    assignmentAck: true,
    statusReport: true,
    heartbeat: true,
    // Said to a control plane that has made a mistake, and when the agent ends in order.
    assignmentReject: false,
    goodbye: false,
  },
} as const

export type Boundary = keyof typeof boundaries

/** In which program a boundary is. */
export const programOf = (boundary: string): 'control-plane' | 'agent' =>
  boundary.startsWith('store.') ? 'control-plane' : 'agent'

/** As `journal.assignments:before`: every place at which a process can be told to die. */
export const failpointNames: readonly string[] = Object.entries(boundaries).flatMap(([boundary, operations]) =>
  Object.entries(operations).flatMap(([operation, reached]) =>
    reached ? [`${boundary}.${operation}:before`, `${boundary}.${operation}:after`] : [],
  ),
)
