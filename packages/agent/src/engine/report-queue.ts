import type { TaskReport } from '@berth/shared/gen/berth/agent/v1/agent.ts'

/** Whose word is reported. */
export interface Reporter {
  readonly taskArn: string
  /** The newest word; the same object until there is news or it was told. */
  readonly report: TaskReport
  readonly released: boolean
  /** The control plane has the newest word on disk: it need not be kept. */
  told(): void
}

/** Tasks whose newest word the control plane does not have on disk, the longest waiting first. */
export class ReportQueue {
  readonly #waiting = new Map<string, Reporter>()
  /** Called when there is something to report. */
  listener: () => void = () => {}

  add(reporter: Reporter): void {
    if (reporter.released) return
    this.#waiting.set(reporter.taskArn, reporter)
    this.listener()
  }

  remove(reporter: Reporter): void {
    this.#waiting.delete(reporter.taskArn)
  }

  /** The newest word of at most `limit` tasks. */
  pending(limit: number): readonly TaskReport[] {
    const reports: TaskReport[] = []
    for (const { report } of this.#waiting.values()) {
      if (reports.length === limit) break
      reports.push(report)
    }
    return reports
  }

  /** What was reported is on disk; a task that has had news since stays. */
  acknowledge(reports: readonly TaskReport[]): void {
    for (const report of reports) {
      const reporter = this.#waiting.get(report.taskArn)
      if (reporter?.report !== report) continue
      this.#waiting.delete(report.taskArn)
      reporter.told()
    }
  }
}
