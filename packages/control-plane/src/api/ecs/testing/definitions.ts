import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { EcsInput } from '../../operation.ts'

/** The least that ECS takes for a container. */
export const container = (more: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
  name: 'app',
  image: 'busybox',
  memory: 128,
  ...more,
})

/** The least that ECS takes for a task definition, of the containers given. */
export const definitionOf = (
  containers: readonly ContainerDefinition[] = [container()],
  more: Partial<EcsInput<'RegisterTaskDefinition'>> = {},
): EcsInput<'RegisterTaskDefinition'> => ({ family: 'web', containerDefinitions: [...containers], ...more })

/** A definition that FARGATE takes. */
export const fargateDefinition = (
  more: Partial<EcsInput<'RegisterTaskDefinition'>> = {},
): EcsInput<'RegisterTaskDefinition'> =>
  definitionOf([{ name: 'app', image: 'busybox' }], {
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    ...more,
  })
