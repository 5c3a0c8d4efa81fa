import type { EcsClient } from '../ecs/ecs-client.ts'
import type { TaskTimes } from './lab-report.ts'
import { type Spread, spreadOf } from './percentiles.ts'

interface DescribedTask {
  readonly taskArn: string
  readonly createdAt?: number
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly startedAt?: number
}

/** Tasks of one DescribeTasks. */
const perCall = 100
/** Calls in one go: what is asked for measuring is to be little against what is measured. */
const callsAtOnce = 2
/** A task that is not RUNNING in the record after so many looks has ended first. */
const looks = 10

/** Learns from the control plane's own records how long tasks took until they were RUNNING. */
export class TaskClock {
  readonly #ecs: EcsClient
  readonly #cluster: string
  #waiting: { readonly taskArn: string; readonly looks: number }[] = []
  readonly #toRunning: number[] = []
  readonly #toHost: number[] = []
  readonly #pulling: number[] = []
  readonly #starting: number[] = []

  constructor(ecs: EcsClient, cluster: string) {
    this.#ecs = ecs
    this.#cluster = cluster
  }

  /** Asks about tasks that have just started on their host. @returns the times to RUNNING that it learnt now. */
  async learn(taskArns: readonly string[]): Promise<Spread> {
    const asked = [...this.#waiting, ...taskArns.map((taskArn) => ({ taskArn, looks: 0 }))].slice(
      -perCall * callsAtOnce,
    )
    this.#waiting = []
    const learnt: number[] = []
    for (let at = 0; at < asked.length; at += perCall) {
      const some = asked.slice(at, at + perCall)
      const { tasks } = await this.#ecs<{ tasks: readonly DescribedTask[] }>('DescribeTasks', {
        cluster: this.#cluster,
        tasks: some.map(({ taskArn }) => taskArn),
      })
      const known = new Map(tasks.map((task) => [task.taskArn, task]))
      for (const each of some) {
        const task = known.get(each.taskArn)
        if (task?.createdAt !== undefined && task.startedAt !== undefined) learnt.push(this.#keep(task))
        else if (each.looks < looks) this.#waiting.push({ taskArn: each.taskArn, looks: each.looks + 1 })
      }
    }
    return spreadOf(learnt)
  }

  times(): TaskTimes {
    return {
      toRunning: spreadOf(this.#toRunning),
      toHost: spreadOf(this.#toHost),
      pulling: spreadOf(this.#pulling),
      starting: spreadOf(this.#starting),
    }
  }

  #keep({ createdAt = 0, pullStartedAt, pullStoppedAt, startedAt = 0 }: DescribedTask): number {
    const toRunning = msBetween(createdAt, startedAt)
    this.#toRunning.push(toRunning)
    if (pullStartedAt !== undefined && pullStoppedAt !== undefined) {
      this.#toHost.push(msBetween(createdAt, pullStartedAt))
      this.#pulling.push(msBetween(pullStartedAt, pullStoppedAt))
      this.#starting.push(msBetween(pullStoppedAt, startedAt))
    }
    return toRunning
  }
}

/** The API's times are in seconds, with a fraction. */
const msBetween = (from: number, to: number): number => Math.max(0, Math.round((to - from) * 1000))
