import type { ResealSecretsAnswer } from '@berth/control-plane/api/berth/trust-operations.ts'
import type { CommandContext } from '../command-context.ts'
import { counted } from '../counted.ts'
import type { EcsClient } from '../ecs/ecs-client.ts'

/** Has everything that is sealed in Redis sealed by the first key of the file, and says so. */
export async function resealSecrets(berth: EcsClient, { out }: Pick<CommandContext, 'out'>): Promise<number> {
  const { accessKeys, caKeys } = await berth<ResealSecretsAnswer>('ResealSecrets', {})
  const what = `${counted(accessKeys, 'access key')} and ${counted(caKeys, 'key')} of the CA`
  out(`${what}: sealed by the first key of BERTH_SECRET_KEY_FILE. The older ones may be taken out of the file.`)
  return 0
}
