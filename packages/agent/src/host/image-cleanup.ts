import { type Clock, sleep } from '@berth/shared/clock.ts'
import type { Log } from '@berth/shared/log.ts'
import type { AgentConfig } from '../config/agent-settings.ts'
import type { ContainerRuntime } from '../runtime/container-runtime.ts'
import type { ImageLedger, LedgerImage } from './image-ledger.ts'

/** When images go. */
export type ImageCleanupRules = Pick<
  AgentConfig,
  'disableImageCleanup' | 'imageCleanupIntervalMs' | 'imageMinimumCleanupAgeMs' | 'imagesDeletedPerCycle'
>

export interface ImageCleanupDeps {
  readonly runtime: Pick<ContainerRuntime, 'list' | 'removeImage'>
  readonly ledger: ImageLedger
  readonly clock: Clock
  readonly log: Log
}

/**
 * The images to remove now: those that no container has and that nobody used for long enough, the longest unused first, so
 * many as the rules allow at one time.
 */
export function imagesToRemove(
  images: readonly LedgerImage[],
  inUse: ReadonlySet<string>,
  now: number,
  rules: ImageCleanupRules,
): readonly LedgerImage[] {
  return images
    .filter(({ imageId }) => !inUse.has(imageId))
    .filter(({ pulledAt, lastUsedAt }) => now - Math.max(pulledAt, lastUsedAt) >= rules.imageMinimumCleanupAgeMs)
    .sort((a, b) => a.lastUsedAt - b.lastUsedAt)
    .slice(0, rules.imagesDeletedPerCycle)
}

/**
 * Removes what `imagesToRemove` says. An image that Docker does not let go, as one that a container of somebody else has,
 * counts as used just now.
 *
 * @throws RuntimeError when the containers cannot be listed; the signal's reason.
 */
export async function cleanUpImages(
  deps: ImageCleanupDeps,
  rules: ImageCleanupRules,
  signal: AbortSignal,
): Promise<void> {
  const { runtime, ledger, clock, log } = deps
  const inUse = new Set((await runtime.list(signal)).map((container) => container.imageId))
  ledger.used(inUse)
  for (const { imageId } of imagesToRemove(ledger.images(), inUse, clock.now(), rules)) {
    try {
      await runtime.removeImage(imageId, signal)
      ledger.forget(imageId)
      log.info('an image was removed that no task needs', { imageId })
    } catch (error) {
      signal.throwIfAborted()
      ledger.used(new Set([imageId]))
      log.info('an image could not be removed', { imageId, error })
    }
  }
  await ledger.save()
}

/** Cleans up once an interval until the signal aborts; rejects with its reason only. Does nothing where it is disabled. */
export async function keepImagesClean(
  deps: ImageCleanupDeps,
  rules: ImageCleanupRules,
  signal: AbortSignal,
): Promise<void> {
  while (!rules.disableImageCleanup) {
    await sleep(deps.clock, rules.imageCleanupIntervalMs, signal)
    try {
      await cleanUpImages(deps, rules, signal)
    } catch (error) {
      signal.throwIfAborted()
      deps.log.warn('images could not be looked through', { error })
    }
  }
}
