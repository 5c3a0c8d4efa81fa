import { type Random, randomBelow, randomDecimal, randomHex } from './random.ts'

/** 32 hex digits: the id of a task, a container instance or an attachment, as ECS's own newer ids. */
export const newId = (random: Random): string => randomHex(random, 32)

/** `ecs-svc/<19 digits>`: the id of a service's deployment. */
export const newDeploymentId = (random: Random): string => `ecs-svc/${randomDecimal(random, 19)}`

const deploymentIdCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'

/** 21 characters of letters, digits, `_` and `-`: the id of a service deployment, which is not that of its `ecs-svc/...`. */
export const newServiceDeploymentId = (random: Random): string =>
  Array.from({ length: 21 }, () => deploymentIdCharacters[randomBelow(random, deploymentIdCharacters.length)]).join('')

/** `ecs-pause-<43 characters>`: the id of a pause of a service deployment at a lifecycle hook. */
export const newHookId = (random: Random): string =>
  `ecs-pause-${Array.from({ length: 43 }, () => deploymentIdCharacters[randomBelow(random, deploymentIdCharacters.length)]).join('')}`

/** `i-<17 hex digits>`: what a host that is no EC2 instance shows as its instance id. */
export const newInstanceId = (random: Random): string => `i-${randomHex(random, 17)}`
