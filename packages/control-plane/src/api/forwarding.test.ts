import { silentLog } from '@berth/shared/log.ts'
import { type VirtualClock, virtualClock } from '@berth/shared/virtual-clock.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import { CellClosedError, CellNotLedError, CellNotWritableError } from '../cell/cell.ts'
import { ApiError, invalidParameter } from './errors.ts'
import { type Forwarding, forwarding, UnknownOutcomeError } from './forwarding.ts'
import type { Answer } from './http-answer.ts'
import { forwardedHeader, type LeaderOutcome } from './leader-request.ts'

const answered = (body: string): Answer => ({ requestId: 'r', status: 200, contentType: 'json', body })
const write = { method: 'POST', url: '/', rawHeaders: ['X-Amz-Target', 'Ecs.RunTask'], body: Buffer.from('{}') }
const look = { ...write, rawHeaders: ['X-Amz-Target', 'Ecs.DescribeTasks'] }
const forever = new AbortController().signal

let clock: VirtualClock
let world: { leading: boolean; leader: string | undefined; storeAway: boolean }
/** What each call of another process comes to, in order; the last for all that follow. */
let outcomes: (LeaderOutcome | 'silence')[]
let asked: string[]
let forward: Forwarding
beforeEach(() => {
  clock = virtualClock()
  world = { leading: false, leader: undefined, storeAway: false }
  outcomes = [{ kind: 'answered', answer: answered('there') }]
  asked = []
  forward = forwarding({
    leading: () => world.leading,
    leaderApi: () => world.leader,
    storeAway: () => world.storeAway,
    requests: {
      send(baseUrl, _request, signal) {
        asked.push(baseUrl)
        const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0]
        if (outcome !== undefined && outcome !== 'silence') return Promise.resolve(outcome)
        return new Promise((resolve) =>
          signal.addEventListener('abort', () =>
            resolve({ kind: 'unknown', reason: (signal.reason as Error).message }),
          ),
        )
      },
      close() {},
    },
    clock,
    log: silentLog,
    patienceMs: 10_000,
    answerWithinMs: 35_000,
  })
})

const notHere = () => Promise.reject(new Error('asked here'))
/** Runs `work` to its end while virtual time goes on. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {})
  await clock.advanceBy(ms)
  return work
}

test('who leads answers by itself', async () => {
  world.leading = true
  expect((await forward(write, async () => answered('here'), forever)).body).toBe('here')
  expect(asked).toEqual([])
})

test('who does not lead has the leader answer, errors too', async () => {
  world.leader = 'http://leader'
  const refused = { ...answered('no'), status: 400, errorType: 'ClientException' }
  outcomes = [{ kind: 'answered', answer: refused }]
  expect(await forward(write, notHere, forever)).toEqual(refused)
  expect(asked).toEqual(['http://leader'])
})

test('a request that was sent on is not sent on again', async () => {
  world.leader = 'http://leader'
  const sentOn = { ...write, rawHeaders: [...write.rawHeaders, forwardedHeader, '1'] }
  await expect(forward(sentOn, () => Promise.reject(new CellNotLedError()), forever)).rejects.toThrow(CellNotLedError)
  expect(asked).toEqual([])
})

describe('without a leader', () => {
  test('a request waits for one, be it this process or another', async () => {
    const first = forward(write, async () => answered('here'), forever)
    await clock.advanceBy(3000)
    world.leading = true
    expect((await within(100, first)).body).toBe('here')
    world.leading = false
    const second = forward(write, notHere, forever)
    await clock.advanceBy(3000)
    world.leader = 'http://new'
    expect((await within(100, second)).body).toBe('there')
  })

  test('it does not wait for ever', async () => {
    await expect(within(10_100, forward(write, notHere, forever))).rejects.toThrow(CellNotLedError)
  })

  test('it does not wait for a client that has left', async () => {
    const gone = new AbortController()
    const waiting = forward(write, notHere, gone.signal)
    waiting.catch(() => {})
    await clock.advanceBy(100)
    gone.abort(new Error('left'))
    await expect(waiting).rejects.toThrow('left')
  })
})

describe('while the store is away', () => {
  test('a request without a leader is refused soon, since nobody may come to lead', async () => {
    world.storeAway = true
    await expect(within(3100, forward(write, notHere, forever))).rejects.toThrow(CellNotLedError)
  })

  test('a request to a leader that cannot write is refused soon', async () => {
    world.leading = true
    const here = () => Promise.reject(new CellNotWritableError())
    await expect(within(3100, forward(write, here, forever))).rejects.toThrow(CellNotWritableError)
  })

  test('a request is taken if the store comes back within its patience', async () => {
    world.storeAway = true
    const waiting = forward(write, async () => answered('here'), forever)
    await clock.advanceBy(2500)
    world.storeAway = false
    await clock.advanceBy(2500)
    world.leading = true
    expect((await within(100, waiting)).body).toBe('here')
  })

  test('a leader that is reached answers, though this process is cut off', async () => {
    world.storeAway = true
    world.leader = 'http://leader'
    expect((await forward(write, notHere, forever)).body).toBe('there')
  })
})

describe('a write', () => {
  test('is made again where it was certainly not done', async () => {
    world.leader = 'http://dead'
    outcomes = [
      { kind: 'not processed', reason: 'ECONNREFUSED' },
      { kind: 'answered', answer: answered('there') },
    ]
    expect((await within(100, forward(write, notHere, forever))).body).toBe('there')
    expect(asked).toHaveLength(2)
  })

  test('is never made again where nobody knows', async () => {
    world.leader = 'http://leader'
    outcomes = [{ kind: 'unknown', reason: 'ECONNRESET' }]
    await expect(within(20_000, forward(write, notHere, forever))).rejects.toThrow(UnknownOutcomeError)
    expect(asked).toHaveLength(1)
  })

  test('is given up when the one that was asked does not lead any more and has not answered', async () => {
    world.leader = 'http://frozen'
    outcomes = ['silence']
    const waiting = forward(write, notHere, forever)
    waiting.catch(() => {})
    await clock.advanceBy(5000)
    world.leader = 'http://new'
    await expect(within(300, waiting)).rejects.toThrow(UnknownOutcomeError)
  })

  test.each([
    ['this process stopped leading before it was looked at', new CellNotLedError()],
    ['the store does not take writes', new CellNotWritableError()],
  ])('waits while %s', async (_why, error) => {
    world.leading = true
    let tries = 0
    const here = async () => {
      if (++tries < 10) throw error
      return answered('at last')
    }
    expect((await within(1000, forward(write, here, forever))).body).toBe('at last')
  })

  test.each([
    ['may have been done', new CellClosedError('fenced')],
    ['was refused', invalidParameter('no')],
  ])('that %s is answered so at once', async (_what, error) => {
    world.leading = true
    let tries = 0
    const here = () => {
      tries += 1
      return Promise.reject(error)
    }
    await expect(within(20_000, forward(write, here, forever))).rejects.toBe(error)
    expect(tries).toBe(1)
  })
})

describe('a look', () => {
  test('is taken again wherever it failed in passing', async () => {
    world.leader = 'http://frozen'
    outcomes = ['silence', { kind: 'answered', answer: answered('there') }]
    const waiting = forward(look, notHere, forever)
    await clock.advanceBy(5000)
    world.leader = 'http://new'
    expect((await within(500, waiting)).body).toBe('there')
    expect(asked).toEqual(['http://frozen', 'http://new'])

    world.leading = true
    const failures = [new CellClosedError('fenced')]
    const here = async () => {
      const failure = failures.shift()
      if (failure) throw failure
      return answered('here')
    }
    expect((await within(100, forward(look, here, forever))).body).toBe('here')
  })

  test('that is refused is refused', async () => {
    world.leading = true
    await expect(forward(look, () => Promise.reject(invalidParameter('no')), forever)).rejects.toThrow(ApiError)
  })
})
