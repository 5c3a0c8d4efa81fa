/**
 * Who may know whom: the rooms of `packages/`, and for each the rooms that its files may import from. The table is the
 * rule; `pnpm rules` holds every import in the repository against it, type-only imports and tests included.
 */
export interface Room {
  /** `package` or `package/folder`, as it lies under `packages/<package>/src/`; or one file there, with its `.ts`. */
  readonly name: string
  /** Rooms that may be imported from, beside the room itself. `package/**` stands for all rooms of a package. */
  readonly knows: readonly string[]
  /** Rooms that tests of this room, and what stands in its `testing/`, may import from as well. */
  readonly testsKnow?: readonly string[]
  /** Rooms that integration tests (`*.integration.test.ts`) may import from as well. */
  readonly integrationTestsKnow?: readonly string[]
  /** Whether the room does without Node's own modules: no I/O, no time, no chance. Tests are free. */
  readonly pure?: boolean
}

const deps = 'control-plane/control-plane-deps.ts'
const memoryStore = ['control-plane/store', 'control-plane/store/memory']
const redisStore = ['control-plane/store/redis']

/** A folder that stands in no row is refused: whoever opens a new room says here what it may know. */
export const ROOMS: readonly Room[] = [
  { name: 'shared', knows: [] },

  // The files directly under src/ are the wiring: they alone know everything, `store/redis` among it.
  { name: 'control-plane', knows: ['shared', 'control-plane/**'] },
  // What operations, controllers and dispatch are given; the one file there that they may know.
  { name: deps, knows: ['shared', 'control-plane/cell'] },
  { name: 'control-plane/config', knows: ['shared'] },
  { name: 'control-plane/task-resources', knows: ['shared'] },
  { name: 'control-plane/scheduler', knows: ['shared'], pure: true },
  { name: 'control-plane/store', knows: ['shared'], testsKnow: memoryStore, integrationTestsKnow: redisStore },
  { name: 'control-plane/store/memory', knows: ['shared', 'control-plane/store'] },
  { name: 'control-plane/store/redis', knows: ['shared', 'control-plane/store'] },
  // Secrets at rest, the CA, who may join: whatever says who somebody is.
  {
    name: 'control-plane/trust',
    knows: ['shared', deps, 'control-plane/cell', 'control-plane/store'],
    testsKnow: memoryStore,
    integrationTestsKnow: redisStore,
  },
  {
    name: 'control-plane/cell',
    knows: ['shared', 'control-plane/scheduler', 'control-plane/store'],
    testsKnow: [...memoryStore, 'control-plane/api'],
    integrationTestsKnow: redisStore,
  },
  {
    name: 'control-plane/api',
    knows: ['shared', deps, 'control-plane/cell', 'control-plane/store', 'control-plane/task-resources'],
    testsKnow: memoryStore,
    integrationTestsKnow: redisStore,
  },
  // Explanations and what-if are the scheduler's own words, so this service speaks to it.
  {
    name: 'control-plane/api/berth',
    knows: [
      'shared',
      deps,
      'control-plane/api',
      'control-plane/cell',
      'control-plane/scheduler',
      'control-plane/store',
      'control-plane/trust',
    ],
    testsKnow: memoryStore,
    integrationTestsKnow: redisStore,
  },
  {
    name: 'control-plane/controllers',
    knows: ['shared', deps, 'control-plane/cell', 'control-plane/scheduler', 'control-plane/store'],
    testsKnow: [...memoryStore, 'control-plane/api', 'control-plane/api/berth'],
    integrationTestsKnow: redisStore,
  },
  {
    name: 'control-plane/dispatch',
    knows: ['shared', deps, 'control-plane/cell', 'control-plane/store', 'control-plane/task-resources'],
    testsKnow: [...memoryStore, 'control-plane/api', 'control-plane/controllers'],
    integrationTestsKnow: redisStore,
  },

  { name: 'agent', knows: ['shared', 'agent/**'] },
  { name: 'agent/config', knows: ['shared', 'agent/runtime'] },
  { name: 'agent/runtime', knows: ['shared'], testsKnow: ['agent/runtime/fake'] },
  { name: 'agent/runtime/docker', knows: ['shared', 'agent/runtime'] },
  { name: 'agent/runtime/fake', knows: ['shared', 'agent/runtime'] },
  { name: 'agent/journal', knows: ['shared'] },
  // What the host proves itself with: how it joins, and how its certificate is renewed.
  { name: 'agent/trust', knows: ['shared'] },
  {
    name: 'agent/engine',
    knows: ['shared', 'agent/runtime', 'agent/journal'],
    testsKnow: ['agent/runtime/fake'],
    integrationTestsKnow: ['agent/runtime/docker'],
  },
  { name: 'agent/host', knows: ['shared', 'agent/config', 'agent/runtime'], testsKnow: ['agent/runtime/fake'] },
  {
    name: 'agent/session',
    knows: ['shared', 'agent/config', 'agent/engine', 'agent/journal', 'agent/host'],
    testsKnow: ['agent/runtime/fake'],
  },
  {
    name: 'agent/endpoints',
    knows: ['shared', 'agent/config', 'agent/engine', 'agent/host'],
    testsKnow: ['agent/runtime/fake'],
  },

  { name: 'cli', knows: ['shared', 'control-plane/**', 'agent/**'] },
]

/** Packages of npm that code in `packages/` may name in types only; at run time they are for tests. */
export const TYPES_ONLY = ['@aws-sdk/client-ecs']

const ROOM_OF_NAME = new Map(ROOMS.map((room) => [room.name, room]))
const DIVIDED = new Set(ROOMS.filter((room) => room.name.includes('/')).map((room) => room.name.split('/')[0]))

/**
 * The room that a file of `packages/` stands in: the deepest row whose folder holds it; undefined when there is none.
 * In a package that is divided into rooms the package's own row is for the files directly under `src/` only.
 */
export function roomOf(file: string): Room | undefined {
  const match = /^packages\/([^/]+)\/src\/(?:(.+)\/)?[^/]+$/.exec(file)
  if (match === null) return undefined
  const [, pkg = '', folder] = match
  const folders = folder === undefined ? [] : folder.split('/')
  const ofItsOwn = ROOM_OF_NAME.get([pkg, ...folders, file.slice(file.lastIndexOf('/') + 1)].join('/'))
  if (ofItsOwn !== undefined) return ofItsOwn
  for (let depth = folders.length; depth > 0; depth--) {
    const room = ROOM_OF_NAME.get([pkg, ...folders.slice(0, depth)].join('/'))
    if (room !== undefined) return room
  }
  return folders.length > 0 && DIVIDED.has(pkg) ? undefined : ROOM_OF_NAME.get(pkg)
}

/** Whether a file of the room may import from the other room. */
export function mayKnow(room: Room, other: Room, file: string): boolean {
  if (room === other) return true
  const known = [
    ...room.knows,
    ...(isTest(file) ? (room.testsKnow ?? []) : []),
    ...(file.endsWith('.integration.test.ts') ? (room.integrationTestsKnow ?? []) : []),
  ]
  return known.some((name) =>
    name.endsWith('/**')
      ? other.name === name.slice(0, -3) || other.name.startsWith(name.slice(0, -2))
      : other.name === name,
  )
}

/** Tests, and what only tests use: it stands in a folder `testing/`. */
export function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || file.includes('/testing/')
}
