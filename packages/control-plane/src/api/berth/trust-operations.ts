import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { ControlPlaneDeps } from '../../control-plane-deps.ts'
import { CaNotRotatableError, type CertificateAuthority, pemCertificates } from '../../trust/certificate-authority.ts'
import { certificateHash } from '../../trust/issue-certificate.ts'
import { resealAccessKeys } from '../../trust/access-keys.ts'
import type { Sealer } from '../../trust/seal.ts'
import { clientException } from '../errors.ts'
import type { ApiOperation } from '../service.ts'
import {
  createAccessKey,
  createAccessKeyInput,
  deleteAccessKey,
  deleteAccessKeyInput,
  listAccessKeys,
  listAccessKeysInput,
  updateAccessKey,
  updateAccessKeyInput,
} from './access-keys.ts'
import {
  createJoinToken,
  createJoinTokenInput,
  listJoinTokens,
  listJoinTokensInput,
  revokeJoinToken,
  revokeJoinTokenInput,
} from './join-tokens.ts'
import { decodeInput, readOperation, timestamp, writeOperation } from './read-operation.ts'

/** What operations about trust need beside the cell. */
export interface TrustDeps {
  readonly sealer: Sealer
  readonly ca: CertificateAuthority
  /** Has this control plane take up a rotated CA at once. */
  readonly caChanged: () => Promise<void>
}

const caInput = z.strictObject({})
const resealInput = z.strictObject({})
const rotateCaInput = z.strictObject({
  /** How long what the old root signed is still trusted. */
  overlapSeconds: z
    .int()
    .min(60)
    .max(365 * 24 * 3600)
    .default(30 * 24 * 3600),
})

/** One root that is trusted. */
export interface CaRootSummary {
  readonly sha256: string
  readonly subject: string
  /** In seconds since the epoch. */
  readonly notAfter: number
}

export interface CaAnswer {
  /** PEM of all of them, the one that signs first. */
  readonly bundle: string
  readonly roots: readonly CaRootSummary[]
}

/** What is sealed anew, under the first key of BERTH_SECRET_KEY_FILE. */
export interface ResealSecretsAnswer {
  readonly accessKeys: number
  readonly caKeys: number
}

type Operations = readonly (readonly [name: string, operation: ApiOperation])[]

/** Join tokens, access keys and the CA. Without a secret key, those that need one say so. */
export function trustOperations(deps: ControlPlaneDeps, trust: TrustDeps | undefined): Operations {
  const needed = (): TrustDeps => {
    if (trust !== undefined) return trust
    throw clientException('This control plane has no secret key: set BERTH_SECRET_KEY_FILE, and restart it.')
  }
  return [
    [
      'CreateJoinToken',
      writeOperation(deps, createJoinTokenInput, (change, input) => createJoinToken(change, input, needed().ca.hash())),
    ],
    ['ListJoinTokens', readOperation(deps, listJoinTokensInput, listJoinTokens)],
    ['RevokeJoinToken', writeOperation(deps, revokeJoinTokenInput, revokeJoinToken)],
    [
      'CreateAccessKey',
      writeOperation(deps, createAccessKeyInput, (change, input) => createAccessKey(change, input, needed().sealer)),
    ],
    ['ListAccessKeys', readOperation(deps, listAccessKeysInput, listAccessKeys)],
    ['UpdateAccessKey', writeOperation(deps, updateAccessKeyInput, updateAccessKey)],
    ['DeleteAccessKey', writeOperation(deps, deleteAccessKeyInput, deleteAccessKey)],
    ['GetCa', readOperation(deps, caInput, () => caAnswer(needed().ca))],
    ['RotateCa', rotateCa(needed)],
    ['ResealSecrets', resealSecrets(deps, needed)],
  ]
}

/** May be asked for again whenever it failed half way: what is sealed by any key of the file opens. */
const resealSecrets = ({ cell }: ControlPlaneDeps, needed: () => TrustDeps): ApiOperation => ({
  decode: (body) => decodeInput(resealInput, body),
  async handle(): Promise<ResealSecretsAnswer> {
    const { sealer, ca } = needed()
    const accessKeys = await cell().transact((tx) => resealAccessKeys(tx, sealer))
    return { accessKeys, caKeys: await ca.reseal() }
  },
  encode: (output) => output,
})

/** Only the leader is asked, so that two do not rotate at once; what it writes lies beside the cell's records. */
const rotateCa = (needed: () => TrustDeps): ApiOperation => ({
  decode: (body) => decodeInput(rotateCaInput, body),
  async handle(input) {
    const { ca, caChanged } = needed()
    try {
      await ca.rotate((input as z.infer<typeof rotateCaInput>).overlapSeconds * 1000)
    } catch (error) {
      if (error instanceof CaNotRotatableError) throw clientException(error.message)
      throw error
    }
    await caChanged()
    return caAnswer(ca)
  },
  encode: (output) => output,
})

function caAnswer(ca: CertificateAuthority): CaAnswer {
  const bundle = ca.bundle()
  const roots = pemCertificates(bundle).map((pem) => {
    const { subject, validTo } = new X509Certificate(pem)
    return { sha256: certificateHash(pem), subject, notAfter: timestamp(Date.parse(validTo)) }
  })
  return { bundle, roots }
}
