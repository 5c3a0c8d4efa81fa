import { describe, expect, test } from 'vitest'
import { ResourceError } from './container-resources.ts'
import { engineLab } from './testing/engine-lab.ts'
import { container, task } from './testing/task-builder.ts'

const needy = task('needy', [
  container('app', {
    needsResources: true,
    environment: [
      { key: 'A', value: 'declared' },
      { key: 'B', value: 'declared' },
    ],
    logConfiguration: { driver: 'fluentd', options: [{ key: 'tag', value: 'x' }] },
  }),
])

const answered = {
  environment: [
    { key: 'B', value: 'hunter2' },
    { key: 'C', value: 'from a file' },
  ],
  logOptions: [{ key: 'token', value: 'hunter2' }],
  repositoryCredentials: { username: 'puller', password: 'pw' },
}

describe('what a container is made with beside its assignment', () => {
  test('comes into its environment and its log options', async () => {
    const lab = engineLab({ resources: () => Promise.resolve(answered) })
    await lab.assign(needy)
    await lab.after(1000)
    const made = lab.made('needy', 'app')
    expect(made?.environment).toEqual(['A=declared', 'B=hunter2', 'C=from a file', 'AWS_EXECUTION_ENV=AWS_ECS_EC2'])
    expect(made?.logOptions).toEqual({ tag: 'x', token: 'hunter2' })
    expect(lab.seen('needy').status).toBe('RUNNING')
  })

  test('is asked for only where it is needed', async () => {
    const lab = engineLab()
    await lab.assign(task('plain'))
    await lab.after(1000)
    expect(lab.seen('plain').status).toBe('RUNNING')
  })

  test('is in no journal, in no report and not in the state once the container is there', async () => {
    const lab = engineLab({ resources: () => Promise.resolve(answered) })
    await lab.assign(needy)
    await lab.after(1000)
    expect(JSON.stringify(lab.disk)).toContain('needy')
    for (const kept of [lab.disk, lab.seen('needy').report, lab.engine.tasks()])
      expect(JSON.stringify(kept)).not.toContain('hunter2')
  })

  test('is asked for again by an agent that was killed before the container was made', async () => {
    let asked = 0
    const lab = engineLab({
      resources: () => {
        asked += 1
        return asked === 1 ? new Promise(() => {}) : Promise.resolve(answered)
      },
    })
    await lab.assign(needy)
    await lab.after(1000)
    lab.crash()
    lab.boot()
    await lab.after(1000)
    expect(asked).toBe(2)
    expect(lab.seen('needy').status).toBe('RUNNING')
  })

  test('that cannot be had ends the task before anything is pulled, with the reason', async () => {
    const lab = engineLab({
      resources: () => Promise.reject(new ResourceError('unable to pull secrets or registry auth: no such secret')),
    })
    await lab.assign(needy)
    await lab.after(1000)
    const seen = lab.seen('needy')
    const reason = 'ResourceInitializationError: unable to pull secrets or registry auth: no such secret'
    expect(seen).toMatchObject({ status: 'STOPPED', stopCode: 'TaskFailedToStart', stoppedReason: reason })
    expect(seen.container('app').reason).toBe(reason)
    expect(lab.containers('needy')).toEqual([])
  })

  test('is not waited for once the task is to stop', async () => {
    const lab = engineLab({
      resources: (_task, _container, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    })
    await lab.assign(needy)
    await lab.after(1000)
    await lab.assign({ ...needy, shouldRun: false })
    await lab.after(1000)
    expect(lab.seen('needy').status).toBe('STOPPED')
  })
})
