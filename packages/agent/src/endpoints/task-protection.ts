/** Protection of a task against scale-in, as it asks for it itself. */
export interface TaskProtectionSource {
  /**
   * Tells how a task is protected; `change` sets it before. Waits until the control plane answers.
   *
   * @throws Error with the control plane's words; the signal's reason.
   */
  protection(taskArn: string, change: ProtectionChange | undefined, signal: AbortSignal): Promise<ProtectionState>
}

export interface ProtectionChange {
  readonly enabled: boolean
  /** 0 for the default of two hours. */
  readonly expiresInMinutes: number
}

export interface ProtectionState {
  readonly enabled: boolean
  /** ms since the epoch; 0 while it is not enabled. */
  readonly expiresAt: number
  /** Why the task can have none; empty for one that can. */
  readonly failure: string
}
