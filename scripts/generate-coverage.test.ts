import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fieldsOf, fieldSupport } from '../packages/control-plane/src/api/ecs/refused-fields.ts'
import { coveragePage, definitionStructures, otherStructures, worksOnThePage } from './ecs-coverage/coverage-page.ts'
import { evidenceProblems, mentions } from './ecs-coverage/evidence.ts'

const root = join(import.meta.dirname, '..')

describe('the tables of what becomes of the members of requests', () => {
  const modelled = [...definitionStructures, ...otherStructures].flatMap((structure) =>
    fieldsOf(structure).map(({ member }) => `${structure}.${member}`),
  )

  it('account for every member that a working operation can be given, and for nothing else', () => {
    expect(Object.keys(fieldSupport).sort()).toEqual([...modelled].sort())
  })

  it('are in the docs as they are in the code', () => {
    expect(readFileSync(join(root, 'docs', 'ecs-coverage.md'), 'utf8')).toBe(coveragePage())
  })
})

describe('the tests that the page names', () => {
  it('are there, and mention what they show; everything that works has one', () => {
    expect(evidenceProblems(worksOnThePage(), root)).toEqual([])
  })

  it('are missed where there is none', () => {
    expect(evidenceProblems([...worksOnThePage(), 'LendTask', 'LendTaskRequest.interest'], root)).toEqual([
      'LendTask works, and no test in shown-by.ts shows it.',
      'LendTaskRequest.interest works, and no test in shown-by.ts shows it.',
    ])
  })

  it('are too many where something does not work', () => {
    const allButOne = worksOnThePage().filter((what) => what !== 'RunTask')
    expect(evidenceProblems(allButOne, root)).toEqual(['RunTask is in shown-by.ts, and not on the page.'])
  })

  it.each([
    ['RunTask', "call('RunTask', {})", true],
    ['RunTask', 'new RunTaskCommand({})', true],
    ['RunTask', 'aws.json(`run-task --count 2`)', true],
    ['RunTask', 'RunTasks', false],
    ['RunTaskRequest.startedBy', '{ startedBy: 1 }', true],
    ['RunTaskRequest.startedBy', 'list-tasks --started-by x', true],
    ['RunTaskRequest.startedBy', 'started', false],
  ])('%s is mentioned in %j: %s', (name, text, expected) => {
    expect(mentions({ title: '', text }, name)).toBe(expected)
  })
})
