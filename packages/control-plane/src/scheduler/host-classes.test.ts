import { describe, expect, it } from 'vitest'
import { HostClasses } from './host-classes.ts'
import type { HostDescription } from './host-description.ts'
import { describeHost } from './test-hosts.ts'

const host = (id: string, type: string, agentVersion = '1') =>
  describeHost({ id, agentVersion, attributes: { type, ssd: null } })

/** A predicate on the attribute `type` that notes whom it was asked about. */
function isBig() {
  const asked: string[] = []
  const predicate = ({ id, attributes }: HostDescription) => {
    asked.push(id)
    return attributes.get('type') === 'big'
  }
  return { asked, predicate }
}

describe('classes of hosts', () => {
  it('are of equal attributes, in any order, and equal agent version', () => {
    const classes = new HostClasses()
    const first = classes.join(host('a', 'big'))
    const turned = { ...host('b', 'big'), attributes: new Map([...host('b', 'big').attributes].toReversed()) }
    expect(classes.join(turned)).toBe(first)
    const others = [host('c', 'small'), host('d', 'big', '2')].map((each) => classes.join(each))
    expect(new Set([first, ...others]).size).toBe(3)
  })

  it('are asked once each, those that came later as well', () => {
    const classes = new HostClasses()
    const { asked, predicate } = isBig()
    const ids = ['big', 'small', 'big'].map((type, at) => classes.join(host(`${type}${at}`, type)))
    const verdict = classes.verdictsOf('is big', predicate)
    expect([...ids, ...ids].map(verdict)).toEqual([true, false, true, true, false, true])
    const later = Array.from({ length: 40 }, (_, at) => classes.join(host(`later${at}`, 'big', `${at + 2}`)))
    const again = classes.verdictsOf('is big', predicate)
    expect([...ids, ...later, ...later].map(again)).toEqual([true, false, true, ...Array<boolean>(80).fill(true)])
    expect(asked).toEqual(['big0', 'small1', ...later.map((_, at) => `later${at}`)])
    expect(classes.verdictsOf('is any', () => true)(ids[1] as number)).toBe(true)
  })

  it('are forgotten with their last host, and their number means another then', () => {
    const classes = new HostClasses()
    const { asked, predicate } = isBig()
    const big = classes.join(host('a', 'big'))
    expect(classes.join(host('b', 'big'))).toBe(big)
    const verdict = classes.verdictsOf('is big', predicate)
    expect(verdict(big)).toBe(true)
    classes.leave(big)
    expect(classes.join(host('c', 'big'))).toBe(big)
    expect(verdict(big)).toBe(true)
    classes.leave(big)
    classes.leave(big)
    expect(classes.join(host('d', 'small'))).toBe(big)
    expect(classes.verdictsOf('is big', predicate)(big)).toBe(false)
    expect(classes.join(host('e', 'big'))).not.toBe(big)
    expect(asked).toEqual(['a', 'd'])
  })

  it('have the verdicts of 512 predicates remembered, and that of the oldest forgotten', () => {
    const classes = new HostClasses()
    const id = classes.join(host('a', 'big'))
    const asked: string[] = []
    const ask = (name: string) =>
      classes.verdictsOf(name, () => {
        asked.push(name)
        return true
      })(id)
    for (let at = 0; at < 512; at++) ask(`p${at}`)
    asked.length = 0
    ask('p0')
    ask('one more')
    ask('p1')
    ask('p0')
    expect(asked).toEqual(['one more', 'p0'])
  })
})
