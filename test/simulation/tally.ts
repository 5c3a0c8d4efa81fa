/** What a run can go through. A set of seeds in which one of these never happens shows less than it seems to. */
export const experiences = [
  'a control plane took the lead',
  'a late commit was fenced',
  'a caller could not know what happened',
  'a request was refused',
  'a host was disconnected',
  'a host was lost',
  'a host came back after it was lost',
  'an engine was away',
  'an agent restarted among running containers',
  'an agent died while a start was on its way to the engine',
  'a journal lost what was not confirmed',
  'a host asked for a full set',
  'a message came twice',
  'a stream lost messages',
  'a task had no room',
  'a task failed to start',
  'a task was given up',
  'a task that waited was started',
  'a gang was started',
  'a task waited for too long',
  'a task ran',
  'a task was stopped by its user',
  'a task was stopped by its service',
  'a task was moved',
  'a task was described',
  'a deployment was completed',
  'a deployment replaced another',
] as const

export type Experience = (typeof experiences)[number]

/** How often each thing happened. */
export class Tally {
  readonly counts = new Map<Experience, number>()

  add(what: Experience): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }
}
