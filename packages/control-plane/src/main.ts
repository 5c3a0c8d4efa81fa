import { systemClock } from '@berth/shared/clock.ts'
import { answerTo } from '@berth/shared/config/program-questions.ts'
import { ConfigError, misconfiguredExitCode } from '@berth/shared/config/read-settings.ts'
import { jsonLog } from '@berth/shared/log.ts'
import { systemRandom } from '@berth/shared/random.ts'
import { flagsOf } from '@berth/shared/config/flags.ts'
import { controlPlaneConfigFiles, readControlPlaneConfig } from './config/control-plane-config.ts'
import { controlPlaneSettings } from './config/control-plane-settings.ts'
import { startControlPlane } from './start-control-plane.ts'

const program = {
  name: 'berth control-plane',
  about: "Answers ECS's API and tells agents what to run.",
  settings: controlPlaneSettings,
  files: controlPlaneConfigFiles,
}

/** The control plane as a process: reads its settings, runs until it is told to stop. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2)
  const answer = answerTo(argv, program)
  if (answer !== undefined) return void process.stdout.write(`${answer}\n`)
  const { 'no-files': noFiles, ...flags } = flagsOf(argv, controlPlaneSettings)
  const config = await readControlPlaneConfig(flags, process.env, noFiles === undefined ? program.files : [])
  const log = jsonLog(config.logLevel, { program: 'control-plane', pid: process.pid })
  const running = await startControlPlane(config, { clock: systemClock, random: systemRandom(), log })
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) return
    stopping = true
    log.info('stopping', { signal })
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error('did not stop cleanly', { error })
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

main().catch((error: unknown) => {
  const isMisconfigured = error instanceof ConfigError
  process.stderr.write(`${isMisconfigured ? error.message : String((error as Error).stack)}\n`)
  process.exit(isMisconfigured ? misconfiguredExitCode : 1)
})
