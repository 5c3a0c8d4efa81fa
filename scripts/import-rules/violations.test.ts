import { describe, expect, test } from 'vitest'
import { violationsOf } from './violations.ts'

describe('a file that keeps to its room', () => {
  test.each([
    ['packages/control-plane/src/main.ts', `import { r } from './store/redis/redis-store.ts'`],
    ['packages/control-plane/src/cell/cell.ts', `import type { Store } from '../store/store.ts'`],
    ['packages/control-plane/src/cell/cell.ts', `import { place } from '../scheduler/place.ts'`],
    ['packages/control-plane/src/cell/cell.test.ts', `import { memory } from '../store/memory/memory-store.ts'`],
    ['packages/control-plane/src/cell/cell.integration.test.ts', `import { r } from '../store/redis/redis-store.ts'`],
    ['packages/control-plane/src/api/ecs/tasks.ts', `import { cell } from '../../cell/cell.ts'`],
    ['packages/control-plane/src/api/ecs/tasks.ts', `import type { D } from '../../control-plane-deps.ts'`],
    ['packages/control-plane/src/api/testing/cell.ts', `import type { Store } from '../../store/store.ts'`],
    ['packages/control-plane/src/scheduler/place.ts', `import { clock } from '@berth/shared/clock.ts'`],
    ['packages/control-plane/src/cell/cell.ts', `import type { Task } from '@aws-sdk/client-ecs'`],
    ['packages/agent/src/engine/next-step.ts', `import type { R } from '../runtime/container-runtime.ts'`],
    ['packages/agent/src/runtime/docker/d.integration.test.ts', `import { i } from '../../../../../test/images/i.ts'`],
    ['test/e2e/walk.test.ts', `import { agent } from '@berth/agent/main.ts'`],
  ])('%s with %s passes', (file, source) => {
    expect(violationsOf(file, source)).toEqual([])
  })
})

describe('a file that reaches out of its room', () => {
  test.each([
    ['packages/shared/src/log.ts', `import { c } from '@berth/control-plane/cell/cell.ts'`, 'shared may not know'],
    ['packages/control-plane/src/scheduler/place.ts', `import { cell } from '../cell/cell.ts'`, 'may not know'],
    ['packages/control-plane/src/scheduler/place.ts', `import { now } from 'node:perf_hooks'`, 'is pure'],
    ['packages/control-plane/src/cell/cell.ts', `import { r } from '../store/redis/redis-store.ts'`, 'may not know'],
    [
      'packages/control-plane/src/cell/cell.test.ts',
      `import { r } from '../store/redis/redis-store.ts'`,
      'may not know',
    ],
    ['packages/control-plane/src/cell/cell.ts', `import { api } from '../api/server.ts'`, 'may not know'],
    ['packages/control-plane/src/api/server.ts', `import type { D } from '../dispatch/session.ts'`, 'may not know'],
    ['packages/control-plane/src/api/server.ts', `export * from '../store/redis/redis-store.ts'`, 'may not know'],
    ['packages/control-plane/src/controllers/services.ts', `let x: import('../api/server.ts').X`, 'may not know'],
    ['packages/control-plane/src/dispatch/session.ts', `await import('../api/server.ts')`, 'may not know'],
    ['packages/control-plane/src/main.ts', `import type { A } from '@berth/agent/main.ts'`, 'may not know agent'],
    ['packages/agent/src/main.ts', `import { c } from '@berth/control-plane/main.ts'`, 'may not know control-plane'],
    ['packages/agent/src/engine/next-step.ts', `import { d } from '../runtime/docker/docker.ts'`, 'may not know'],
    ['packages/agent/src/main.ts', `import { clock } from '../../shared/src/clock.ts'`, 'leaves its package'],
    ['packages/agent/src/main.ts', 'await import(`./${process.argv[2]}.ts`)', 'computed name'],
    ['packages/control-plane/src/api/ecs/tasks.ts', `import { c } from './testing/cell.ts'`, 'for tests only'],
    ['packages/control-plane/src/api/ecs/tasks.ts', `import { main } from '../../main.ts'`, 'may not know'],
    ['packages/control-plane/src/cell/cell.ts', `import type { D } from '../control-plane-deps.ts'`, 'may not know'],
    ['packages/agent/src/main.ts', `import { i } from '../../../test/images/i.ts'`, 'leaves its package'],
    ['packages/agent/src/attic/old.ts', '', 'stands in no room'],
    ['packages/control-plane/src/cell/cell.ts', `import { ECSClient } from '@aws-sdk/client-ecs'`, 'types only'],
    ['packages/control-plane/src/cell/cell.ts', `import { type Task } from '@aws-sdk/client-ecs'`, 'types only'],
    ['packages/agent/src/main.ts', `import { e } from './engine/index.ts'`, 'not an index'],
    ['test/e2e/walk.test.ts', `import { e } from './lab/index.ts'`, 'not an index'],
  ])('%s with %s is refused: %s', (file, source, reason) => {
    expect(violationsOf(file, source)).toEqual([expect.stringContaining(reason)])
  })
})

test('a violation names its file and line', () => {
  expect(violationsOf('packages/shared/src/log.ts', `// first\nimport '@berth/agent/main.ts'`)).toEqual([
    'packages/shared/src/log.ts:2: shared may not know agent, of which it imports @berth/agent/main.ts',
  ])
})

test('a file that does not parse is refused', () => {
  expect(() => violationsOf('packages/shared/src/log.ts', 'import { from')).toThrow('does not parse')
})
