import { expect, test } from 'vitest'
import { blockView } from './live-view.ts'
import type { DeploymentProgress } from './progress-lines.ts'

const progress: DeploymentProgress = {
  target: { taskDefinition: 'web:10', wanted: 4, running: 2, pending: 1 },
  others: [{ taskDefinition: 'web:9', running: 4, pending: 0 }],
  status: 'IN_PROGRESS',
  failures: { count: 0 },
  failed: [],
  noRoom: [],
  away: false,
}

function drawn(width: number, ...steps: DeploymentProgress[]) {
  const said: string[] = []
  const view = blockView(
    (text) => void said.push(text),
    () => width,
  )
  for (const [at, step] of steps.entries()) view.show(step, at * 1000)
  return said
}

test('a block shows how far each revision is', () => {
  expect(drawn(80, progress)).toEqual([
    [
      '\u001B[Jweb:10  [############++++++      ]  2 of 4 running, 1 pending',
      'web:9   [########################]  4 running',
      'IN_PROGRESS, 0.0 s',
    ].join('\n'),
  ])
})

test('it is drawn over the one before, however many lines that had', () => {
  const failed = [{ taskId: 'a', stopCode: 'TaskFailedToStart', stoppedReason: 'no', containers: [], stoppedAt: 1 }]
  const [, second, third] = drawn(
    80,
    progress,
    { ...progress, failed, failures: { count: 1, threshold: 3 } },
    { ...progress, others: [] },
  )
  expect(second?.startsWith('\u001B[3A\u001B[J')).toBe(true)
  expect(second).toContain('\n1 task failed, the circuit breaker trips at 3; the last: no\n')
  expect(third?.startsWith('\u001B[4A\u001B[J')).toBe(true)
})

test('no line is as wide as the terminal: it would wrap, and the next block would be drawn too low', () => {
  const lines = (drawn(20, progress)[0] ?? '').replace('\u001B[J', '').split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBe(19)
})
