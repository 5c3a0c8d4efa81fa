import { readFile, stat } from 'node:fs/promises'
import type { Log } from '@berth/shared/log.ts'
import { ResourceError, type SecretStore } from './secret-store.ts'
import { lookUpSecret, parseSecretsFile, type SecretsFile } from './secrets-file.ts'

/**
 * Secrets from a JSON file, which is read anew whenever one is asked for: what is changed there counts for the next task. A file that
 * others than its owner can read is said so once for each time that it changed.
 */
export function fileSecretStore(path: string, log: Log): SecretStore {
  let warnedOf = 0
  return {
    async valueOf(reference, signal) {
      let file: SecretsFile
      try {
        const { mode, mtimeMs } = await stat(path)
        if ((mode & 0o077) !== 0 && warnedOf !== mtimeMs) {
          warnedOf = mtimeMs
          log.warn('the secrets can be read by others than their owner', { path })
        }
        file = parseSecretsFile(await readFile(path, { encoding: 'utf8', signal }))
      } catch (error) {
        signal.throwIfAborted()
        log.error('the file of secrets cannot be read', { path, reason: (error as Error).message })
        throw new ResourceError('the secrets store of the control plane cannot be read; its log says why')
      }
      return lookUpSecret(file, reference)
    },
  }
}

/** Where there is no store, every secret is missing, and the reason says what to set. */
export const noSecretStore: SecretStore = {
  valueOf: () => Promise.reject(new ResourceError('the control plane has no secrets store: set BERTH_SECRETS_FILE')),
}
