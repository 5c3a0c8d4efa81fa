/**
 * The agent with a place to die at (BERTH_FAILPOINT) or a bug (BERTH_PLANTED_BUG): a program of the tests. What is shipped begins in the
 * agent's own `main.ts`, which knows neither.
 */
import { runAgentProcess } from '@berth/agent/agent-process.ts'
import { readAgentConfig } from '@berth/agent/config/agent-config.ts'
import { nodeJournalFs } from '@berth/agent/journal/journal-fs.ts'
import { systemClock } from '@berth/shared/clock.ts'
import { jsonLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { diskReaching, journalReaching, killAt, runtimeReaching, transportReaching } from '../failpoints/failpoint.ts'
import { agentBug } from '../plants/agent-bugs.ts'

const reach = killAt(process.env['BERTH_FAILPOINT'])
const bug = agentBug(process.env['BERTH_PLANTED_BUG'])
const { config } = await readAgentConfig({}, process.env)
await runAgentProcess(config, {
  clock: systemClock,
  random: systemRandom(),
  log: jsonLog(config.logLevel, { program: 'agent', pid: process.pid }),
  journalFs: diskReaching(reach, bug.journalFs?.(nodeJournalFs) ?? nodeJournalFs),
  // So small that a run of minutes has the journal rewritten.
  journalOptions: { compactAtBytes: 4096 },
  aroundJournal: journalReaching(reach),
  aroundRuntime: (runtime) => runtimeReaching(reach)(bug.runtime?.(runtime) ?? runtime),
  aroundTransport: (transport) => transportReaching(reach)(bug.transport?.(transport) ?? transport),
})
