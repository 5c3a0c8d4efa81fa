/**
 * One text that all control planes of a cell share, whoever leads: it lies beside the cell's records, not among them, and is
 * written without the lease.
 *
 * @throws StoreUnavailableError from every operation.
 */
export interface SharedDocument {
  /** `undefined` when nobody has written it yet. */
  read(): Promise<string | undefined>
  /**
   * Writes `next` if the document still is `expected` (`undefined`: if there is none), and says what it is now: `next`, or what
   * somebody else wrote before. What was written is as durable as a committed batch.
   */
  swap(expected: string | undefined, next: string): Promise<string>
}
