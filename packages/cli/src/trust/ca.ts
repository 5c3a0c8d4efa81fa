import type { CaAnswer } from '@berth/control-plane/api/berth/trust-operations.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'

type Out = Pick<CommandContext, 'out' | 'err'>

/** Prints the roots in PEM on standard output, ready for a file that clients are given, and what they are beside it. */
export async function showCa(berth: EcsClient, { out, err }: Out): Promise<number> {
  const answer = await berth<CaAnswer>('GetCa', {})
  rootLines(answer).forEach((line) => err(line))
  out(answer.bundle.trimEnd())
  return 0
}

/** The bundle of both roots is printed as `showCa` does. */
export async function rotateCa(berth: EcsClient, overlapSeconds: number, { out, err }: Out): Promise<number> {
  const answer = await berth<CaAnswer>('RotateCa', { overlapSeconds })
  err('The CA signs by a new root. Hosts hear of it when they renew their certificates; give API clients this bundle:')
  rootLines(answer).forEach((line) => err(line))
  out(answer.bundle.trimEnd())
  return 0
}

const rootLines = ({ roots }: CaAnswer): readonly string[] =>
  roots.map(({ subject, sha256 }, index) => `${index === 0 ? 'signs  ' : 'trusted'}  ${subject}  SHA-256 ${sha256}`)
