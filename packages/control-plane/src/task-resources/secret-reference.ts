import { parseArn } from '@berth/shared/arn.ts'

/** What a `valueFrom` or a `credentialsParameter` names. */
export type SecretReference =
  | { readonly kind: 'parameter'; readonly name: string }
  | {
      readonly kind: 'secret'
      /** The name that the secret was made under, or its full ARN's last part, with the six characters that Secrets Manager adds. */
      readonly name: string
      /** One member of a JSON secret; the whole text where absent. */
      readonly jsonKey?: string
      /** `AWSCURRENT` where neither this nor the version's id is named. */
      readonly versionStage?: string
      readonly versionId?: string
    }

/**
 * Reads a reference as ECS does: the ARN of a parameter or of a secret, or else the name of a parameter (of a secret
 * where `named` says so). Behind a secret's name may stand
 * `:json-key:version-stage:version-id`, each of which may be empty (ECS developer guide, "Pass Secrets Manager secrets").
 *
 * @throws Error that says why it is none.
 */
export function parseSecretReference(text: string, named: SecretReference['kind'] = 'parameter'): SecretReference {
  if (!text.startsWith('arn:')) return { kind: named, name: text }
  const service = parseArn(text)?.service
  if (service === 'ssm') return parameterOfArn(text)
  if (service === 'secretsmanager') return secretOfArn(text)
  throw new Error(`invalid ARN: ${text} is of neither SSM Parameter Store nor Secrets Manager`)
}

/** `arn:aws:ssm:region:account:parameter/path/name`: the slash belongs to the name only where there are more. */
function parameterOfArn(arn: string): SecretReference {
  const resource = arn.split(':').slice(5).join(':')
  const path = resource.replace(/^parameter\//, '')
  if (path === resource || path === '') throw new Error(`invalid ARN: ${arn} names no parameter`)
  return { kind: 'parameter', name: path.includes('/') ? `/${path}` : path }
}

function secretOfArn(arn: string): SecretReference {
  const [type, name = '', jsonKey = '', versionStage = '', versionId = '', ...rest] = arn.split(':').slice(5)
  if (type !== 'secret' || name === '' || rest.length > 0) throw new Error(`invalid ARN: ${arn} names no secret`)
  return {
    kind: 'secret',
    name,
    ...(jsonKey !== '' && { jsonKey }),
    ...(versionStage !== '' && { versionStage }),
    ...(versionId !== '' && { versionId }),
  }
}
