import type {
  AccessKeyAnswer,
  AccessKeySummary,
  CreateAccessKeyAnswer,
  ListAccessKeysAnswer,
} from '@berth/control-plane/api/berth/access-keys.ts'
import type { CommandContext } from '../command-context.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { textTable } from '../text-table.ts'

type Out = Pick<CommandContext, 'out' | 'err'>

/** Prints the key as shells set it; the secret is shown this once. */
export async function createAccessKey(berth: EcsClient, name: string, { out, err }: Out): Promise<number> {
  const { accessKey, secretAccessKey } = await berth<CreateAccessKeyAnswer>('CreateAccessKey', { name })
  err(`An access key for ${accessKey.name}. Its secret is shown this once.`)
  out(`export AWS_ACCESS_KEY_ID=${accessKey.accessKeyId}`)
  out(`export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`)
  return 0
}

export async function listAccessKeys(berth: EcsClient, json: boolean, { out }: Out): Promise<number> {
  const answer = await berth<ListAccessKeysAnswer>('ListAccessKeys', {})
  if (json) out(JSON.stringify(answer, undefined, 2))
  else if (answer.accessKeys.length === 0) out('There are no access keys but those of the file.')
  else
    textTable(
      [{ head: 'ACCESS KEY ID' }, { head: 'NAME' }, { head: 'STATUS' }, { head: 'MADE' }, { head: 'MADE BY' }],
      answer.accessKeys.map(row),
    ).forEach((line) => out(line))
  return 0
}

export async function setAccessKeyStatus(
  berth: EcsClient,
  accessKeyId: string,
  status: 'ACTIVE' | 'INACTIVE',
  { out }: Out,
): Promise<number> {
  const { accessKey } = await berth<AccessKeyAnswer>('UpdateAccessKey', { accessKeyId, status })
  out(`Access key ${accessKey.accessKeyId} of ${accessKey.name} is ${accessKey.status}.`)
  return 0
}

export async function deleteAccessKey(berth: EcsClient, accessKeyId: string, { out }: Out): Promise<number> {
  const { accessKey } = await berth<AccessKeyAnswer>('DeleteAccessKey', { accessKeyId })
  out(`Access key ${accessKey.accessKeyId} of ${accessKey.name} is deleted.`)
  return 0
}

const row = ({ accessKeyId, name, status, createdAt, createdBy }: AccessKeySummary): readonly string[] => [
  accessKeyId,
  name,
  status,
  new Date(createdAt * 1000).toISOString(),
  createdBy,
]
