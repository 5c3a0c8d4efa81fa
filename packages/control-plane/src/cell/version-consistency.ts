import type { Transaction } from './cell.ts'
import { ofServiceKey, serviceKey, type ServiceRevisionRecord, taskDefinitionKey, type TaskRecord } from './records.ts'
import { revisionIdOf } from './service-deployments.ts'
import type { ReadonlyTables } from './tables.ts'

/**
 * Writes the image digests that a service's task is reported with to its revision, where it has none yet: from then on every task of
 * that deployment runs the same image, whatever becomes of the tag (ECS developer guide, "Container image resolution"). Containers
 * with `versionConsistency: disabled` are left out, and so are images without a digest, which were made on their host.
 */
export function pinImageDigests(tx: Transaction, task: TaskRecord): void {
  const revision = revisionOfTask(tx.tables, task)
  if (revision === undefined || revision.containerImages.every(({ imageDigest }) => imageDigest !== undefined)) return
  const reported = new Map(task.containers.map(({ name, imageDigest }) => [name, imageDigest]))
  const unpinned = unpinnedContainers(tx.tables, task)
  const containerImages = revision.containerImages.map((image) => {
    const imageDigest = reported.get(image.containerName)
    if (image.imageDigest !== undefined || imageDigest === undefined || unpinned.has(image.containerName)) return image
    return { ...image, imageDigest }
  })
  if (containerImages.some((image, index) => image !== revision.containerImages[index]))
    tx.put('serviceRevisions', ofServiceKey(revision.service, revision.id), { ...revision, containerImages })
}

/** The digest that each container of a task must run, by name. A task that had come to an image of its own keeps that. */
export function pinnedDigests(tables: ReadonlyTables, task: TaskRecord): ReadonlyMap<string, string> {
  const pinned = new Map<string, string>()
  for (const { containerName, imageDigest } of revisionOfTask(tables, task)?.containerImages ?? [])
    if (imageDigest !== undefined) pinned.set(containerName, imageDigest)
  for (const { name, imageDigest } of task.containers) if (imageDigest !== undefined) pinned.set(name, imageDigest)
  return pinned
}

function revisionOfTask(tables: ReadonlyTables, task: TaskRecord): ServiceRevisionRecord | undefined {
  const { cluster, serviceName, deploymentId } = task
  if (serviceName === undefined || deploymentId === undefined) return undefined
  return tables.serviceRevisions.get(ofServiceKey(serviceKey(cluster, serviceName), revisionIdOf({ id: deploymentId })))
}

function unpinnedContainers(tables: ReadonlyTables, { family, revision }: TaskRecord): ReadonlySet<string | undefined> {
  const containers = tables.taskDefinitions.get(taskDefinitionKey(family, revision))?.definition.containerDefinitions
  const disabled = (containers ?? []).filter(({ versionConsistency }) => versionConsistency === 'disabled')
  return new Set(disabled.map(({ name }) => name))
}
