import { CliError } from '../cli-error.ts'

/** What is read of a container's definition; all else is passed on as it is. */
export interface ContainerPlan {
  readonly name: string
  readonly image: string
  /** Default: true. */
  readonly essential?: boolean
}

/** A task definition as DescribeTaskDefinition answers it: what is read of it, and all that it has. */
export interface DescribedDefinition {
  readonly taskDefinitionArn: string
  readonly containerDefinitions: readonly ContainerPlan[]
}

/** A tag of a task definition. DescribeTaskDefinition answers them beside it. */
export interface Tag {
  readonly key: string
  readonly value?: string
}

export interface ImageChange {
  readonly container: string
  /** What the container's image was. */
  readonly before: string
  /** The input of RegisterTaskDefinition; nothing where the container has the image already. */
  readonly registration?: object
}

/** What ECS answers of a task definition and does not take at a registration. */
const answeredOnly: ReadonlySet<string> = new Set([
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'registeredBy',
  'deregisteredAt',
  'deleteRequestedAt',
])

/**
 * What registers the same definition with another image in one container: the named one, else the only one, else the only essential one.
 *
 * @throws CliError when that leaves a choice, or there is no container of that name.
 */
export function imageChange(
  definition: DescribedDefinition,
  tags: readonly Tag[],
  { image, container: name }: { readonly image: string; readonly container?: string | undefined },
): ImageChange {
  const container = chosenContainer(definition.containerDefinitions, name)
  const change = { container: container.name, before: container.image }
  if (container.image === image) return change
  const containerDefinitions = definition.containerDefinitions.map((each) =>
    each === container ? { ...each, image } : each,
  )
  const kept = Object.entries(definition).filter(([member]) => !answeredOnly.has(member))
  return {
    ...change,
    registration: { ...Object.fromEntries(kept), containerDefinitions, ...(tags.length > 0 && { tags }) },
  }
}

function chosenContainer(containers: readonly ContainerPlan[], name: string | undefined): ContainerPlan {
  const names = containers.map((each) => each.name).join(', ')
  if (name !== undefined) {
    const named = containers.find((each) => each.name === name)
    if (named === undefined) throw new CliError(`There is no container ${name}: there is ${names}.`)
    return named
  }
  const essential = containers.filter((each) => each.essential !== false)
  const [only, ...others] = containers.length === 1 ? containers : essential
  if (only === undefined || others.length > 0) throw new CliError(`Say with --container whose image it is: ${names}.`)
  return only
}
