import { expect, it } from 'vitest'
import { type PullSituation, type PullStep, pullStep } from './image-pull.ts'

const there: PullSituation = {
  behavior: 'default',
  present: true,
  byId: false,
  byDigest: false,
  pulledBefore: false,
  unreachable: false,
}

it.each<[Partial<PullSituation>, PullStep]>([
  [{}, 'pull-or-use-present'],
  [{ pulledBefore: true }, 'pull-or-use-present'],
  [{ unreachable: true }, 'use-present'],
  [{ present: false }, 'pull'],
  [{ present: false, unreachable: true }, 'pull'],
  [{ behavior: 'always' }, 'pull'],
  [{ behavior: 'always', unreachable: true }, 'pull'],
  [{ behavior: 'once' }, 'pull-or-use-present'],
  [{ behavior: 'once', pulledBefore: true }, 'use-present'],
  [{ behavior: 'once', pulledBefore: true, present: false }, 'pull'],
  [{ behavior: 'prefer-cached' }, 'use-present'],
  [{ behavior: 'prefer-cached', present: false }, 'pull'],
  [{ behavior: 'always', byId: true }, 'use-present'],
  [{ byId: true, present: false }, 'refuse'],
  [{ behavior: 'always', byDigest: true }, 'use-present'],
  [{ byDigest: true, present: false }, 'pull'],
])('%o: %s', (situation, step) => {
  expect(pullStep({ ...there, ...situation })).toBe(step)
})
