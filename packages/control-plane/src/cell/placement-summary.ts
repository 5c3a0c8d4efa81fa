/** What is kept with a task about its placement, short enough for a million tasks. */
export interface PlacementSummary {
  /** One sentence for people: why this host, or why none. */
  readonly why: string
  /** How many hosts were looked at. */
  readonly hosts: number
}
