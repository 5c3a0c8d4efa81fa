import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '@berth/shared/clock.ts'
import { randomHex, systemRandom } from '@berth/shared/random.ts'
import { tinyRegistry } from '../../../../../test/images/tiny-registry.ts'
import { type ContainerRuntime, type PullRequest, RuntimeError } from '../container-runtime.ts'
import { dockerRuntime } from './docker-runtime.ts'
import { dockerUnderTest } from '../../../../../test/docker/docker-under-test.ts'

type Under = Awaited<ReturnType<typeof dockerUnderTest>>

/** The machine's clock, and a way to jump ahead. */
function jumpingClock(): Clock & { jump(ms: number): void } {
  let ahead = 0
  return {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
    after: (delayMs, wake) => systemClock.after(delayMs, wake),
    jump(ms) {
      ahead += ms
    },
  }
}

describe('pulling from a registry', () => {
  const signal = () => AbortSignal.timeout(60_000)
  let under: Under
  let registry: Awaited<ReturnType<typeof tinyRegistry>>
  let clock = jumpingClock()
  let runtime: ContainerRuntime
  let repository = ''
  let image = ''
  const random = systemRandom()

  const pull = (behavior: PullRequest['behavior'], of = image) => runtime.pull({ image: of, behavior }, signal())
  const present = async () => (await under.docker.getImage(image).inspect()).Id

  beforeAll(async () => {
    under = await dockerUnderTest()
  })
  beforeEach(async () => {
    registry = await tinyRegistry()
    clock = jumpingClock()
    runtime = dockerRuntime({ ...under.deps, clock })
    repository = `berth-test/pull-${randomHex(random, 8)}`
    image = `${registry.address}/${repository}:1`
    await registry.publish(repository, '1', `first ${repository}`)
    return async () => {
      await registry.close()
      const mine = await under.docker.listImages({ all: true })
      const ids = mine.filter((each) => JSON.stringify(each).includes(repository)).map((each) => each.Id)
      await Promise.all(ids.map((id) => under.docker.getImage(id).remove({ force: true })))
    }
  })
  afterAll(async () => {
    await under.dispose()
  })

  it('gives the id and the digest', async () => {
    const digest = await registry.publish(repository, '1', 'with a digest')
    expect(await pull('default')).toEqual({ imageId: await present(), digest })
  })

  it('takes an image by digest, and asks for it once only', async () => {
    const digest = await registry.publish(repository, '1', 'pinned')
    const pinned = `${registry.address}/${repository}@${digest}`
    const first = await pull('always', pinned)
    expect(first.digest).toBe(digest)
    const asked = registry.pulls()
    expect(await pull('always', pinned)).toEqual(first)
    expect(registry.pulls()).toBe(asked)
  })

  it.each([
    ['default', true],
    ['always', true],
    ['once', false],
    ['prefer-cached', false],
  ] as const)('%s after a pull: sees what is new: %s', async (behavior, seesNew) => {
    const first = await pull(behavior)
    await registry.publish(repository, '1', 'second')
    const second = await pull(behavior)
    expect(second.imageId !== first.imageId).toBe(seesNew)
  })

  it('once pulls what somebody else made present', async () => {
    await pull('default')
    await registry.publish(repository, '1', 'second')
    const before = await present()
    runtime = dockerRuntime({ ...under.deps, clock })
    expect((await pull('once')).imageId).not.toBe(before)
  })

  it('asks the registry once for many tasks at once', async () => {
    const release = registry.hold()
    const pulls = Array.from({ length: 20 }, () => pull('default'))
    await new Promise((resolve) => {
      setTimeout(resolve, 300)
    })
    release()
    const ids = new Set((await Promise.all(pulls)).map((each) => each.imageId))
    expect(ids.size).toBe(1)
    expect(registry.pulls()).toBeLessThanOrEqual(2)
  })

  it('goes on for the others when one that waits leaves', async () => {
    const release = registry.hold()
    const leaver = new AbortController()
    const left = runtime.pull({ image, behavior: 'default' }, leaver.signal)
    const stayed = pull('default')
    await new Promise((resolve) => {
      setTimeout(resolve, 200)
    })
    leaver.abort(new Error('this task was stopped'))
    await expect(left).rejects.toThrow('this task was stopped')
    release()
    expect((await stayed).imageId).toBe(await present())
  })

  it('fails with the words of Docker for a tag that the registry does not have', async () => {
    const error = await pull('default', `${registry.address}/${repository}:none`).catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(RuntimeError)
    expect(error).toMatchObject({ fault: 'refused', message: expect.stringMatching(/manifest .*unknown|not found/i) })
  })

  it('fails with a timeout when nothing moves', async () => {
    const release = registry.hold()
    runtime = dockerRuntime(under.deps, { pull: { inactivityMs: 300 } })
    await expect(pull('default')).rejects.toMatchObject({ fault: 'timeout' })
    release()
  })

  describe('behind credentials', () => {
    const withPassword = (password: string): Promise<unknown> =>
      runtime.pull({ image, behavior: 'default', credentials: { username: 'hugo', password } }, signal())

    beforeEach(() => registry.requireCredentials('hugo', 'right'))

    it('lets the right ones in', async () => {
      await withPassword('right')
      expect(await present()).not.toBe('')
    })

    it('refuses the wrong ones, and none', async () => {
      await expect(withPassword('wrong')).rejects.toMatchObject({ fault: 'refused' })
      await expect(pull('default')).rejects.toMatchObject({ fault: 'refused' })
    })

    it('never shows them', async () => {
      const error: unknown = await withPassword('very-secret').catch((failure: unknown) => failure)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('very-secret')
    })
  })

  describe('that is away', () => {
    let first = ''
    beforeEach(async () => {
      first = (await pull('default')).imageId
    })

    it.each(['default', 'once', 'prefer-cached'] as const)('%s goes on with what is present', async (behavior) => {
      await registry.close()
      expect((await pull(behavior)).imageId).toBe(first)
    })

    it('always fails', async () => {
      await registry.close()
      await expect(pull('always')).rejects.toMatchObject({ fault: 'refused' })
    })

    it('is not asked again by default for a minute, and then is', async () => {
      const release = registry.hold()
      runtime = dockerRuntime({ ...under.deps, clock }, { pull: { inactivityMs: 300 } })
      expect((await pull('default')).imageId).toBe(first)
      release()
      await registry.publish(repository, '1', 'second')

      clock.jump(59_000)
      expect((await pull('default')).imageId).toBe(first)
      clock.jump(2_000)
      expect((await pull('default')).imageId).not.toBe(first)
    })

    it('does not keep a task from an image that is not present', async () => {
      const release = registry.hold()
      runtime = dockerRuntime({ ...under.deps, clock }, { pull: { inactivityMs: 300 } })
      await pull('default')
      release()
      await registry.publish(repository, '2', 'other')
      const other = `${registry.address}/${repository}:2`
      expect((await pull('default', other)).imageId).not.toBe(first)
    })
  })

  it('can be undone: the image goes with its last name', async () => {
    const { imageId } = await pull('default')
    await runtime.removeImage(imageId, signal())
    await expect(present()).rejects.toMatchObject({ statusCode: 404 })
  })
})
