import type { Cell } from '../cell/cell.ts'

/**
 * Watches the cell and writes the one kind of transition that it owns. Controllers never call one another; what one writes, others see.
 * Lives as long as one leadership.
 */
export interface Controller {
  readonly name: string
  start(cell: Cell): void
  stop(): void
}
