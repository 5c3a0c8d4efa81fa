/** Names that the resources of a container instance have in ECS already. */
const namesOfEcs: ReadonlySet<string> = new Set(['CPU', 'MEMORY', 'PORTS', 'PORTS_UDP', 'GPU'])

/** Whether a host may offer a resource of this name beside those of ECS, and a task ask for it. */
export const isCustomResourceName = (name: string): boolean =>
  /^[A-Za-z0-9_.-]{1,128}$/.test(name) && !namesOfEcs.has(name.toUpperCase())
