import { globSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { INSTRUMENTER_CONSTANTS, type InstrumenterContext } from '@stryker-mutator/api/core'
import { PluginKind, declareClassPlugin } from '@stryker-mutator/api/plugin'
import {
  type DryRunResult,
  DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
  determineHitLimitReached,
} from '@stryker-mutator/api/test-runner'
import { type CollectedTest, collect } from './collected-tests.ts'

const TESTS = 'packages/control-plane/src/scheduler/**/*.test.ts'

/** Properties run on fewer random cases than in `pnpm test:unit`, because each mutant pays for them. */
const PROPERTY_RUNS = '10'

/** Stryker lets a mutant be met a hundred times as often as without it before it counts as a loop without end: minutes, in hot code. */
const OF_HITS = 0.1

/** What Stryker's instrumented code looks at: which mutant is active, and whom to tell which were met. */
const context: InstrumenterContext = ((globalThis as Record<string, unknown>)[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {})

/**
 * Runs the tests of the scheduler in Stryker's own process, which loads them once for all mutants. Vitest makes a worker and loads them
 * for each mutant, which takes some hundred times as long as most of these tests.
 *
 * What tests share, and what the code remembers, outlives a mutant: a later one may seem to be noticed for it, or not be met any more. So a test
 * that fails is run once more without the mutant, and where it fails then too, or where no test failed, everything is loaded anew and the
 * mutant tried again.
 */
class OneProcessRunner implements TestRunner {
  private tests: readonly CollectedTest[] = []
  /** Ms that each test took when it last passed: the quick ones go first, most mutants die of the first test that meets them. */
  private readonly took = new Map<string, number>()
  /** How often everything was loaded: part of each module's address, for Node loads an address once. */
  private round = 0

  /** Nothing is to be loaded anew for a mutant, as long as none is active while the code loads. */
  capabilities(): { reloadEnvironment: boolean } {
    return { reloadEnvironment: true }
  }

  async init(): Promise<void> {
    process.env['BERTH_PROPERTY_RUNS'] = PROPERTY_RUNS
    const sandbox = pathToFileURL(`${process.cwd()}/packages/`).href
    const collectedTests = new URL('collected-tests.ts', import.meta.url).href
    registerHooks({
      resolve: (specifier, parent, next) => {
        const isOurs = parent.parentURL?.startsWith(sandbox) === true
        if (isOurs && specifier === 'vitest') return { url: collectedTests, shortCircuit: true }
        const found = next(specifier, parent)
        return found.url.startsWith(sandbox) ? { ...found, url: `${found.url.split('?')[0]}?${this.round}` } : found
      },
    })
    return Promise.resolve()
  }

  async dryRun(): Promise<DryRunResult> {
    await this.load()
    const tests: TestResult[] = []
    for (const test of this.tests) {
      context.currentTestId = test.id
      tests.push(await this.run(test))
    }
    delete context.currentTestId
    return {
      status: DryRunStatus.Complete,
      tests,
      mutantCoverage: context.mutantCoverage ?? { static: {}, perTest: {} },
    }
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    if (options.mutantActivation === 'static')
      throw new RangeError('mutants of what runs while code loads: ignoreStatic must be on')
    if (this.round === 0) await this.load()
    const result = await this.tryMutant(options)
    if (result.status === MutantRunStatus.Killed) {
      const killer = this.tests.find(({ id }) => id === result.killedBy[0])
      if (killer !== undefined && (await this.run(killer)).status === TestStatus.Success) return result
    } else if (result.status !== MutantRunStatus.Survived) {
      return result
    }
    await this.load()
    return this.tryMutant(options)
  }

  private async tryMutant({ activeMutant, testFilter, ...limits }: MutantRunOptions): Promise<MutantRunResult> {
    const hitLimit = limits.hitLimit && limits.hitLimit * OF_HITS
    const wanted = testFilter && new Set(testFilter)
    const tests = this.tests.filter(({ id }) => wanted === undefined || wanted.has(id))
    let nrOfTests = 0
    context.activeMutant = activeMutant.id
    try {
      if (hitLimit !== undefined) Object.assign(context, { hitCount: 0, hitLimit })
      for (const test of tests.toSorted((a, b) => (this.took.get(a.id) ?? 0) - (this.took.get(b.id) ?? 0))) {
        nrOfTests++
        const result = await this.run(test)
        const looped = determineHitLimitReached(context.hitCount, hitLimit)
        if (looped !== undefined)
          return { status: MutantRunStatus.Timeout, ...(looped.reason && { reason: looped.reason }) }
        if (result.status !== TestStatus.Failed) continue
        return { status: MutantRunStatus.Killed, killedBy: [test.id], failureMessage: result.failureMessage, nrOfTests }
      }
      return { status: MutantRunStatus.Survived, nrOfTests }
    } finally {
      delete context.activeMutant
      delete context.hitCount
    }
  }

  private async load(): Promise<void> {
    this.round++
    const isProperty = (file: string) => Number(file.includes('.property.'))
    const files = globSync(TESTS).toSorted((a, b) => isProperty(a) - isProperty(b) || (a < b ? -1 : 1))
    this.tests = await collect(files, (file) => import(pathToFileURL(resolve(file)).href) as Promise<unknown>)
  }

  private async run(test: CollectedTest): Promise<TestResult> {
    const { id } = test
    const began = performance.now()
    try {
      await test.run()
    } catch (error) {
      const failureMessage = error instanceof Error ? error.message : String(error)
      return { id, name: id, timeSpentMs: performance.now() - began, status: TestStatus.Failed, failureMessage }
    }
    const timeSpentMs = performance.now() - began
    this.took.set(id, timeSpentMs)
    return { id, name: id, timeSpentMs, status: TestStatus.Success }
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'one-process', OneProcessRunner)]
