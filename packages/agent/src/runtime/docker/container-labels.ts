/** ECS's own labels, by which tasks are found again, and two of Berth's. */
export const taskArnLabel = 'com.amazonaws.ecs.task-arn'
export const containerNameLabel = 'com.amazonaws.ecs.container-name'
/** Whose container it is: several hosts may share one engine. */
export const hostLabel = 'io.berth.host'
/** The name as the task engine knows it, where Docker's rules for names made another of it. */
export const runtimeNameLabel = 'io.berth.name'

/** A name that Docker accepts: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`. Only what ECS forbids in names itself, as `~`, is left out. */
export const dockerName = (runtimeName: string): string =>
  runtimeName.replace(/[^a-zA-Z0-9_.-]/g, '').replace(/^[^a-zA-Z0-9]+/, '')
