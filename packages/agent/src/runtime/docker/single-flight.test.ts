import { expect, it } from 'vitest'
import { singleFlight } from './single-flight.ts'

const forever = new AbortController().signal

it('does the same work once for all that want it at the same time, and again later', async () => {
  const flight = singleFlight<number>()
  let works = 0
  const work = async () => {
    works += 1
    await Promise.resolve()
    return works
  }
  const together = await Promise.all([1, 2, 3].map(() => flight.run('a', work, forever)))
  expect(together).toEqual([1, 1, 1])
  expect(await flight.run('a', work, forever)).toBe(2)
})

it('does different work for different keys', async () => {
  const flight = singleFlight<string>()
  const work = (of: string) => flight.run(of, () => Promise.resolve(of), forever)
  expect(await Promise.all([work('a'), work('b')])).toEqual(['a', 'b'])
})

it('tells everybody of a failure, and forgets it', async () => {
  const flight = singleFlight<string>()
  const fail = () => flight.run('a', () => Promise.reject(new Error('no')), forever)
  const [one, two] = await Promise.allSettled([fail(), fail()])
  expect([one.status, two.status]).toEqual(['rejected', 'rejected'])
  expect(await flight.run('a', () => Promise.resolve('yes'), forever)).toBe('yes')
})

it('aborts the work only when everybody has left, and then begins anew', async () => {
  const flight = singleFlight<string>()
  let aborted = 0
  const work = (signal: AbortSignal) =>
    new Promise<string>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted += 1
        reject(signal.reason as Error)
      })
    })
  const [first, second] = [new AbortController(), new AbortController()]
  const runs = [first, second].map(({ signal }) => flight.run('a', work, signal))
  const settled = Promise.allSettled(runs)
  first.abort(new Error('first'))
  await expect(runs[0]).rejects.toThrow('first')
  expect(aborted).toBe(0)
  second.abort(new Error('second'))
  await expect(runs[1]).rejects.toThrow('second')
  await settled
  expect(aborted).toBe(1)
  expect(await flight.run('a', () => Promise.resolve('anew'), forever)).toBe('anew')
})
