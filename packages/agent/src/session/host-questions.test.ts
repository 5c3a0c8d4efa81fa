import { describe, expect, test } from 'vitest'
import { container, task } from '../engine/testing/task-builder.ts'
import { sessionLab } from './testing/session-lab.ts'

const needy = task('needy', [container('app', { needsResources: true })])

const resources = { environment: [{ key: 'TOKEN', value: 'x' }], logOptions: [], repositoryCredentials: undefined }

describe('a question to the control plane', () => {
  test('is asked once, and its answer taken', async () => {
    const lab = sessionLab()
    await lab.after(100)
    lab.server.assign(1, [needy], { full: true })
    await lab.after(10_000)
    const [question] = lab.server.heard('question')
    expect(lab.server.heard('question')).toHaveLength(1)
    expect(question?.question).toEqual({
      $case: 'containerResources',
      value: { taskArn: needy.taskArn, containerName: 'app' },
    })
    const answer = { $case: 'containerResources', value: resources } as const
    lab.server.stream.say({ $case: 'answer', value: { id: question?.id ?? 0, answer } })
    await lab.after(5000)
    expect(lab.made()?.environment).toContain('TOKEN=x')
  })

  test('is asked again in the next session until it is answered', async () => {
    const lab = sessionLab()
    await lab.after(100)
    lab.server.assign(1, [needy], { full: true })
    await lab.after(1000)
    lab.server.stream.end()
    await lab.after(10_000)
    const ids = lab.server.heard('question').map(({ id }) => id)
    expect(ids).toEqual([1, 1])
    const answer = { $case: 'error', value: 'failed to download env files: none' } as const
    lab.server.stream.say({ $case: 'answer', value: { id: 1, answer } })
    await lab.after(100)
    lab.server.stream.end()
    await lab.after(10_000)
    expect(lab.server.heard('question')).toHaveLength(2)
    expect(lab.engine.tasks()[0]?.stop?.reason).toBe('ResourceInitializationError: failed to download env files: none')
  })
})
