/** The part of vitest's JSON report that is counted. */
export interface TestReport {
  readonly success: boolean
  readonly testResults: readonly {
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

export interface TestCount {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Counts a report's tests. A file that failed without a failed test (it did not load, or a hook threw) counts as one
 * failure, and so does a run that failed for any other reason (an error nobody awaited): no failure goes uncounted.
 */
export function countTests(report: TestReport): TestCount {
  let passed = 0
  let failed = 0
  let skipped = 0
  for (const { status, assertionResults } of report.testResults) {
    const failedTests = assertionResults.filter((test) => test.status === 'failed').length
    failed += failedTests === 0 && status === 'failed' ? 1 : failedTests
    passed += assertionResults.filter((test) => test.status === 'passed').length
    skipped += assertionResults.filter((test) => test.status !== 'passed' && test.status !== 'failed').length
  }
  if (!report.success && failed === 0) failed = 1
  return { passed, failed, skipped }
}
