import type { HostsLabOptions } from '../hosts/hosts-lab.ts'
import { runChaos } from './chaos-run.ts'
import type { FaultName } from './faults.ts'

/** A protection that is taken out, the faults under which that must show, and the words that it must show by. */
export interface PlantedBug {
  /** What is wrong. */
  readonly says: string
  readonly in: 'control plane' | 'agent' | 'lab'
  readonly faults: readonly FaultName[]
  readonly noticedBy: RegExp
  readonly lab?: Pick<HostsLabOptions, 'redis'>
  readonly liveRestore?: boolean
}

const repeated = (times: number, ...names: readonly FaultName[]): readonly FaultName[] =>
  Array.from({ length: times }, () => names).flat()

const controlPlaneAndRedis = repeated(3, 'kill Redis and all control planes', 'kill the leader')

export const plantedBugs: Readonly<Record<string, PlantedBug>> = {
  fence: {
    says: 'the store takes batches of whoever sends them',
    in: 'control plane',
    faults: repeated(6, 'cut the leader off from Redis'),
    noticedBy: /after one of epoch|the store went back|in the store/,
  },
  'answers before durability': {
    says: 'callers are answered before Redis has what they are told',
    in: 'control plane',
    faults: controlPlaneAndRedis,
    noticedBy:
      // Dispatch is told as early as callers are.
      /acknowledged and does not exist|and there are \d+|was acknowledged, and it is|asked for was|a reader saw|was never stored/,
  },
  'orders before durability': {
    says: 'hosts are told of decisions before Redis has them',
    in: 'control plane',
    faults: controlPlaneAndRedis,
    noticedBy: /which was never stored|does not exist/,
  },
  claims: {
    says: 'the fleet forgets what tasks claim of their hosts',
    in: 'control plane',
    faults: repeated(4, 'kill a container'),
    noticedBy: /and has \d+ and \d+|remain|taken|is promised more/,
  },
  dedupe: {
    says: 'what a client token was used for is not kept',
    in: 'control plane',
    faults: repeated(5, 'kill the leader'),
    noticedBy: /was answered with \d+ tasks, and there are/,
  },
  adoption: {
    says: 'an agent that starts again does not find what runs',
    in: 'agent',
    faults: repeated(4, 'kill the agent'),
    noticedBy:
      /its container \w+ ran on|and the task STOPPED|still (PENDING|RUNNING)|has 0 containers|two containers|runs on h\d/,
  },
  'container names': {
    says: 'each try to create a container takes another name',
    in: 'agent',
    faults: repeated(6, 'kill the agent'),
    noticedBy: /two containers|has 2 containers|ran on|runs on h\d/,
  },
  'freed before STOPPED': {
    says: 'a task is told to have STOPPED when it begins to',
    in: 'agent',
    faults: repeated(3, 'kill a container'),
    noticedBy: /ran on on/,
  },
  'port leak': {
    says: 'the end of tasks is not told, so that nobody gets their ports any more',
    in: 'agent',
    faults: repeated(2, 'kill a container'),
    noticedBy: /was acknowledged, and it is|is still|has 0 containers/,
  },
  'doubles are kept': {
    says: 'what was replaced while its host was away runs on',
    in: 'agent',
    faults: ['unplug a host', 'freeze a whole host', 'unplug a host', 'freeze a whole host'],
    noticedBy: /runs on h\d, and the task STOPPED/,
  },
  'journal forgotten': {
    says: 'an agent that starts again has lost its journal',
    in: 'agent',
    faults: repeated(3, 'kill the agent'),
    noticedBy: /is not connected|runs on h\d|two containers|is still|has 0 containers/,
  },
  'live-restore off': {
    says: 'containers end with their daemon',
    in: 'lab',
    faults: repeated(2, 'kill dockerd'),
    noticedBy: /ended by itself: EssentialContainerExited/,
    liveRestore: false,
  },
  everysec: {
    says: 'Redis brings its log to the disk once a second',
    in: 'lab',
    faults: repeated(6, 'cut the power of Redis'),
    noticedBy: /the store went back|acknowledged and does not exist/,
    lab: { redis: { appendfsync: 'everysec' } },
  },
  'Redis without its log': {
    says: 'Redis keeps nothing on disk',
    in: 'lab',
    faults: ['kill Redis'],
    noticedBy: /the store went back|acknowledged and does not exist/,
    lab: { redis: { appendonly: 'no' } },
  },
}

export interface PlantedReport {
  readonly bug: string
  readonly says: string
  readonly noticed: boolean
  /** By which words it was noticed first; else all that was said. */
  readonly words: string
  readonly seed: number
  readonly seconds: number
}

/** Runs a cluster with one bug through the faults under which it must show; up to `tries` seeds, since chance decides what a fault meets. */
export async function runPlanted(name: string, firstSeed: number, tries = 3): Promise<PlantedReport> {
  const bug = plantedBugs[name]
  if (bug === undefined) throw new Error(`there is no planted bug ${name}`)
  const said: string[] = []
  const began = performance.now()
  const planted = { BERTH_PLANTED_BUG: name }
  for (let seed = firstSeed; seed < firstSeed + tries; seed++) {
    const report = await runChaos({
      seed,
      faults: bug.faults,
      stopAtFirst: true,
      quietWithinMs: 30_000,
      lab: {
        ...bug.lab,
        ...(bug.in === 'control plane' && {
          controlPlaneMain: 'test/chaos/programs/control-plane.ts',
          controlPlane: planted,
        }),
      },
      host: {
        ...(bug.in === 'agent' && { agentMain: 'test/chaos/programs/agent.ts', agent: planted }),
        ...(bug.liveRestore === false && { liveRestore: false }),
      },
      ...(name === 'claims' && { size: { cpu: 256, memoryMib: 128 } }),
    })
    const words = report.violations.find((each) => bug.noticedBy.test(each))
    const seconds = Math.round((performance.now() - began) / 1000)
    if (words !== undefined) return { bug: name, says: bug.says, noticed: true, words, seed, seconds }
    said.push(...report.violations)
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  return { bug: name, says: bug.says, noticed: false, words: said.join('; ') || 'nothing', seed: firstSeed, seconds }
}
