import { InvalidArgumentError } from 'commander'

/** A step of a placement strategy, as the API takes it. */
export interface StrategyStep {
  readonly type: string
  readonly field?: string
}

/** `binpack:memory,spread:attribute:ecs.availability-zone` */
export const strategySteps = (text: string): readonly StrategyStep[] =>
  text.split(',').map((step) => {
    const [, type = '', field] = /^\s*(\w+)(?::(.+?))?\s*$/.exec(step) ?? []
    if (type === '') throw new InvalidArgumentError('It is not a list such as spread:instanceId,binpack:memory.')
    return field === undefined ? { type } : { type, field }
  })

/** A placement constraint, as the API takes it. */
export interface Constraint {
  readonly type: string
  readonly expression?: string
}

/** `distinctInstance` or `memberOf:EXPRESSION`; each further one is added. */
export function moreConstraints(text: string, before: readonly Constraint[] = []): readonly Constraint[] {
  if (text === 'distinctInstance') return [...before, { type: text }]
  const [, expression] = /^memberOf:(.+)$/s.exec(text) ?? []
  if (expression === undefined)
    throw new InvalidArgumentError('It is neither distinctInstance nor memberOf:EXPRESSION.')
  return [...before, { type: 'memberOf', expression }]
}

/** A host to be added, as the API takes it. */
export interface AddedHost {
  readonly [name: string]: string | number | Readonly<Record<string, string>>
}

const numbers: Readonly<Record<string, string>> = {
  cpu: 'cpu',
  memory: 'memory',
  count: 'count',
  gpus: 'gpus',
  'network-interfaces': 'networkInterfaces',
}

/** `cpu=4096,memory=16384,zone=a,count=3,attribute:rack=r1`; each further one is added. */
export function moreHosts(text: string, before: readonly AddedHost[] = []): readonly AddedHost[] {
  const host: Record<string, string | number> = {}
  const attributes: Record<string, string> = {}
  for (const part of text.split(',')) {
    const [, name = '', value = ''] = /^\s*([^=]+)=(.*?)\s*$/.exec(part) ?? []
    const number = numbers[name]
    if (name === 'zone') host['zone'] = value
    else if (name.startsWith('attribute:')) attributes[name.slice('attribute:'.length)] = value
    else if (number !== undefined && /^\d+$/.test(value)) host[number] = Number(value)
    else
      throw new InvalidArgumentError(
        `"${part}" is none of cpu=, memory=, zone=, count=, gpus=, network-interfaces=, attribute:NAME=.`,
      )
  }
  if (host['cpu'] === undefined || host['memory'] === undefined)
    throw new InvalidArgumentError('A host needs cpu= and memory=.')
  return [...before, Object.keys(attributes).length === 0 ? host : { ...host, attributes }]
}

/** Each further one is added. */
export const moreNames = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]
