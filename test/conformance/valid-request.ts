import { ecsConstraints, type MemberConstraint } from '@berth/control-plane/api/model/ecs-constraints.ts'
import { ecsModel } from '@berth/control-plane/api/model/gen/ecs-model.ts'
import { structureMembers, type TypeExpression } from '@berth/control-plane/api/model/service-model.ts'
import { type Random, randomBelow } from '@berth/shared/random.ts'

/** Any JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const names = ['default', 'web', 'a', 'api-7', 'family:3', 'arn:aws:ecs:local:000000000000:cluster/default', '']

const pick = <Item>(random: Random, items: readonly Item[]): Item => items[randomBelow(random, items.length)] as Item

/** Members are rarer the deeper they stand, so that requests stay small. */
const wants = (random: Random, depth: number) => randomBelow(random, 4 + 3 * depth) < 2

function whole(random: Random, { min = 0, max = min + 1000 }: MemberConstraint): number {
  return min + randomBelow(random, max - min + 1)
}

function text(random: Random, { minLength = 0 }: MemberConstraint): string {
  return pick(
    random,
    names.filter((name) => name.length >= minLength),
  )
}

function valueOf(type: TypeExpression, constraint: MemberConstraint, random: Random, depth: number): Json {
  switch (type.kind) {
    case 'boolean':
      return randomBelow(random, 2) === 0
    case 'integer':
    case 'long':
      return whole(random, constraint)
    case 'double':
      return whole(random, constraint) - 0.5 * Number((constraint.min ?? 0) < 0)
    case 'timestamp':
      return 1_700_000_000 + randomBelow(random, 1_000_000) + 0.25
    case 'document':
      return { free: ['json', 1, null] }
    case 'list': {
      const length = Math.max(constraint.minLength ?? 0, randomBelow(random, 3))
      return Array.from({ length }, () => valueOf(type.of, {}, random, depth))
    }
    case 'map':
      return Object.fromEntries(
        names.slice(0, randomBelow(random, 3)).map((key) => [key, valueOf(type.of, {}, random, depth)]),
      )
    case 'named': {
      const values = ecsModel.enums[type.name]
      return values ? pick(random, values) : structureOf(type.name, random, depth + 1)
    }
    default:
      return text(random, constraint)
  }
}

function structureOf(name: string, random: Random, depth: number): Json {
  const members = [...structureMembers(ecsModel, name)]
  const chosen = ecsModel.unions.includes(name)
    ? [pick(random, members)]
    : members.filter(([, { required }]) => required || wants(random, depth))
  return Object.fromEntries(
    chosen.map(([member, { type }]) => [
      member,
      valueOf(type, ecsConstraints[`${name}.${member}`] ?? {}, random, depth),
    ]),
  )
}

/** A request that the model allows for `operation`: required members, some others, values in range. */
export const validRequest = (operation: string, random: Random): Json =>
  structureOf(ecsModel.operations[operation]?.input ?? '', random, 0)
