import { request as httpRequest } from 'node:http'
import { benchLabel } from '../engine/bare-engine.ts'

/** When containers of the bench started and ended since the watch began, by the engine's own clock, in ms since the epoch. */
export interface ContainerEvents {
  readonly starts: readonly number[]
  readonly ends: readonly number[]
  /** Resolves when so many have started, or ended, since the watch began. @throws after two minutes. */
  untilStarted(count: number): Promise<void>
  untilEnded(count: number): Promise<void>
  close(): void
}

const patienceMs = 120_000

/** Watches an engine's containers that carry the bench's label, with this value where one is given. */
export function watchContainers(socketPath: string, value?: string): Promise<ContainerEvents> {
  const label = value === undefined ? benchLabel : `${benchLabel}=${value}`
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start', 'die'], label: [label] }))
  const seen: Record<'start' | 'die', number[]> = { start: [], die: [] }
  const waiters = new Set<() => void>()
  const until = (kind: 'start' | 'die', count: number) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`only ${seen[kind].length} of ${count} events "${kind}"`)),
        patienceMs,
      )
      const look = () => {
        if (seen[kind].length < count) return
        clearTimeout(timer)
        waiters.delete(look)
        resolve()
      }
      waiters.add(look)
      look()
    })

  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, path: `/v1.41/events?filters=${filters}` }, (response) => {
      let rest = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines.filter((each) => each !== '')) {
          const { Action, timeNano } = JSON.parse(line) as { Action: 'start' | 'die'; timeNano: number }
          seen[Action].push(timeNano / 1e6)
        }
        for (const look of waiters) look()
      })
      resolve({
        starts: seen.start,
        ends: seen.die,
        untilStarted: (count) => until('start', count),
        untilEnded: (count) => until('die', count),
        close: () => request.destroy(),
      })
    })
    request.on('error', reject)
    request.end()
  })
}

/** The moment now on the clock of the engine's events, finer than a millisecond. */
export const engineTime = (): number => performance.timeOrigin + performance.now()
