import type { TaskRecord } from './records.ts'

/** Minutes that protection lasts when nothing is said, and at most: two hours, and two days (ECS API reference). */
export const protectionMinutes = { fallback: 120, least: 1, most: 2880 } as const

/** Only tasks of services can be protected, and only while they are to run. */
export const canBeProtected = ({ serviceName, desiredStatus }: TaskRecord): boolean =>
  serviceName !== undefined && desiredStatus === 'RUNNING'

/** The task, protected until then, or not at all. */
export function withProtection(task: TaskRecord, protectedUntil: number | undefined): TaskRecord {
  const { protectedUntil: _before, ...rest } = task
  return protectedUntil === undefined ? rest : { ...rest, protectedUntil }
}

/** Until when a task is protected; `undefined` for one that is not, or not any more. */
export const protectedUntil = ({ protectedUntil: until }: TaskRecord, now: number): number | undefined =>
  until !== undefined && until > now ? until : undefined
