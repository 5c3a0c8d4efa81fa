import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import { clientException } from '../errors.ts'
import { defaultNetworkMode, type NormalizedDefinition } from './task-definition-defaults.ts'

type ContainersByName = ReadonlyMap<string, ContainerDefinition>

/** Whom a container must wait for: the names in `dependsOn`, `links` and `volumesFrom`. */
const waitsFor = (container: ContainerDefinition): readonly string[] => [
  ...(container.dependsOn ?? []).map(({ containerName = '' }) => containerName),
  ...(container.links ?? []).map(linkedContainer),
  ...(container.volumesFrom ?? []).map(({ sourceContainer = '' }) => sourceContainer),
]

/**
 * Refuses containers that name others which do not exist, cannot meet the condition, or wait for each other in a ring.
 *
 * @throws ClientException
 */
export function validateContainerReferences({ containerDefinitions, networkMode }: NormalizedDefinition): void {
  const mode = networkMode ?? defaultNetworkMode
  const containers: ContainersByName = new Map(
    containerDefinitions.map((container) => [container.name ?? '', container]),
  )
  for (const container of containerDefinitions) {
    if (container.links?.length && mode !== 'bridge')
      throw clientException(`Links are not supported when networkMode=${mode}.`)
    for (const name of waitsFor(container)) assertOther(containers, container, name)
    validateConditions(containers, container)
  }
  refuseCycle(containers)
}

function assertOther(containers: ContainersByName, { name }: ContainerDefinition, other: string): void {
  if (!containers.has(other)) throw clientException(`Container '${name}' refers to an unknown container '${other}'.`)
  if (other === name) throw clientException(`Container '${name}' cannot refer to itself.`)
}

function validateConditions(containers: ContainersByName, { dependsOn = [] }: ContainerDefinition): void {
  for (const { containerName = '', condition } of dependsOn) {
    const dependency = containers.get(containerName)
    if ((condition === 'SUCCESS' || condition === 'COMPLETE') && dependency?.essential !== false)
      throw clientException(
        'A dependency container with SUCCESS or COMPLETE condition cannot be an essential container',
      )
    if (condition === 'HEALTHY' && dependency?.healthCheck === undefined)
      throw clientException(
        `A dependency container with HEALTHY condition must have a health check: '${containerName}'.`,
      )
  }
}

function refuseCycle(containers: ContainersByName): void {
  const finished = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (finished.has(name)) return
    if (path.includes(name))
      throw clientException(
        `The containers of the task definition depend on each other in a cycle: ${[...path.slice(path.indexOf(name)), name].join(' -> ')}.`,
      )
    const container = containers.get(name)
    if (container !== undefined) for (const other of waitsFor(container)) visit(other, [...path, name])
    finished.add(name)
  }
  for (const name of containers.keys()) visit(name, [])
}

/** `name` or `name:alias`. */
const linkedContainer = (link: string): string => link.split(':')[0] ?? link
