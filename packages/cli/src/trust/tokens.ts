import type {
  CreateJoinTokenAnswer,
  JoinTokenSummary,
  ListJoinTokensAnswer,
  RevokeJoinTokenAnswer,
} from '@berth/control-plane/api/berth/join-tokens.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { textTable } from '../text-table.ts'

type Out = Pick<CommandContext, 'out' | 'err'>

export interface NewToken {
  readonly cluster: string | undefined
  readonly uses: number
  readonly lifetimeSeconds: number
}

/** Prints the token alone on standard output, so that a script can take it, and what it is good for beside it. */
export async function createToken(berth: EcsClient, wanted: NewToken, { out, err }: Out): Promise<number> {
  const { token, joinToken } = await berth<CreateJoinTokenAnswer>('CreateJoinToken', wanted)
  const hosts = joinToken.uses === 1 ? 'one host' : `${joinToken.uses} hosts`
  err(`Lets ${hosts} into cluster ${joinToken.cluster} until ${time(joinToken.expiresAt)}. It is shown this once.`)
  out(token)
  return 0
}

export async function listTokens(berth: EcsClient, json: boolean, { out }: Out): Promise<number> {
  const answer = await berth<ListJoinTokensAnswer>('ListJoinTokens', {})
  if (json) out(JSON.stringify(answer, undefined, 2))
  else if (answer.joinTokens.length === 0) out('There are no join tokens.')
  else
    textTable(
      [
        { head: 'ID' },
        { head: 'CLUSTER' },
        { head: 'STATUS' },
        { head: 'USED' },
        { head: 'EXPIRES' },
        { head: 'MADE BY' },
      ],
      answer.joinTokens.map(row),
    ).forEach((line) => out(line))
  return 0
}

export async function revokeToken(berth: EcsClient, id: string, { out }: Out): Promise<number> {
  const { joinToken } = await berth<RevokeJoinTokenAnswer>('RevokeJoinToken', { id })
  out(`Join token ${joinToken.id} lets nobody in any more. Hosts that it let in keep their certificates.`)
  return 0
}

const row = ({ id, cluster, status, used, uses, expiresAt, createdBy }: JoinTokenSummary): readonly string[] => [
  id,
  cluster,
  status,
  `${used} of ${uses}`,
  time(expiresAt),
  createdBy,
]

const time = (seconds: number): string => new Date(seconds * 1000).toISOString()
