import { changeLines, type DeploymentProgress, progressBlock } from './progress-lines.ts'

/** Shows a deployment while it goes on. */
export interface LiveView {
  show(progress: DeploymentProgress, elapsedMs: number): void
}

/** A line for each change, with the time since the beginning: for pipes and files. */
export function lineView(say: (line: string) => void): LiveView {
  let before: DeploymentProgress | undefined
  return {
    show(progress, elapsedMs) {
      for (const line of changeLines(before, progress)) say(`${(elapsedMs / 1000).toFixed(1).padStart(6)} s  ${line}`)
      before = progress
    },
  }
}

const upBy = (lines: number): string => (lines === 0 ? '' : `\u001B[${lines}A`)
/** Clears from the cursor to the end of the screen. */
const clearBelow = '\u001B[J'

/** A block that is drawn over the one before, as wide as the terminal is now at most: a line that wraps would be counted wrong. */
export function blockView(say: (text: string) => void, columns: () => number): LiveView {
  let drawn = 0
  return {
    show(progress, elapsedMs) {
      const width = columns() - 1
      const lines = progressBlock(progress, elapsedMs).map((line) =>
        line.length > width ? line.slice(0, width) : line,
      )
      say(`${upBy(drawn)}${clearBelow}${lines.join('\n')}`)
      drawn = lines.length
    },
  }
}
