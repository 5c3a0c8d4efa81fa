import type { KeyValue } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** What a container is made with beside its assignment. Secret in part: never logged, journaled or reported. */
export interface ContainerResources {
  /** Variables that are added to those of its definition, or take their place. */
  readonly environment: readonly KeyValue[]
  readonly logOptions: readonly KeyValue[]
  readonly repositoryCredentials?: { readonly username: string; readonly password: string } | undefined
}

/** Who knows them: the control plane. */
export interface ResourceSource {
  /**
   * Waits as long as nobody can be asked.
   *
   * @throws ResourceError with the reason when they cannot be had; the signal's reason.
   */
  resourcesOf(taskArn: string, containerName: string, signal: AbortSignal): Promise<ContainerResources>
}

/** A container cannot be made for want of something. The message is ECS's, behind `ResourceInitializationError: `. */
export class ResourceError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ResourceError'
  }
}
