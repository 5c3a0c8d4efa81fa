import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fieldsOf } from '../packages/control-plane/src/api/ecs/refused-fields.ts'
import { taskDefinitionFields } from '../packages/control-plane/src/api/ecs/task-definition-fields.ts'
import { coveragePage, reachableStructures } from './coverage-page.ts'

describe('the table of task definition fields', () => {
  const modelled = reachableStructures('RegisterTaskDefinitionRequest').flatMap((structure) =>
    fieldsOf(structure).map(({ member }) => `${structure}.${member}`),
  )

  it('accounts for every member of the model, and for nothing else', () => {
    expect(Object.keys(taskDefinitionFields).sort()).toEqual([...modelled].sort())
  })

  it('is in the docs as it is in the code', () => {
    const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'ecs-coverage.md'), 'utf8')
    expect(page).toBe(coveragePage())
  })
})
