import type { SecretReference } from './secret-reference.ts'

/**
 * Where secrets come from: a stand-in for SSM Parameter Store and Secrets Manager, and later those themselves or another vault.
 */
export interface SecretStore {
  /**
   * The value as it is now.
   *
   * @throws ResourceError that names what is not there, and never a value.
   */
  valueOf(reference: SecretReference, signal: AbortSignal): Promise<string>
}

/** Something that a container needs cannot be had. The message is shown to the user as the reason of the task. */
export class ResourceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ResourceError'
  }
}
