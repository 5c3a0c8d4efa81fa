import type { PlanTasksAnswer } from '@berth/control-plane/api/berth/plan-tasks.ts'
import { describe, expect, test } from 'vitest'
import type { EcsClient } from '../ecs/ecs-client.ts'
import { plan, type PlanRequest } from './plan.ts'

const host = (name: string) => ({ name, containerInstanceArn: `arn:${name}`, ec2InstanceId: `i-${name}`, zone: 'a' })
const full = (cpu: number, tasks: number) => ({ cpu, cpuTotal: 1000, memory: 0, memoryTotal: 1000, tasks })

const fitting: PlanTasksAnswer = {
  cluster: 'default',
  launchType: 'EC2',
  taskDefinition: 'web:1',
  takes: { cpu: 250, memory: 0 },
  count: 2,
  placed: 2,
  unplaced: 0,
  fits: true,
  hosts: [
    { host: host('host-1'), newTasks: 1, movedTasks: 0, before: full(500, 2), after: full(750, 3) },
    { host: host('new-1'), change: 'added', newTasks: 1, movedTasks: 0, after: full(250, 1) },
  ],
  total: { before: { ...full(500, 2), hosts: 1 }, after: { ...full(1000, 4), cpuTotal: 2000, hosts: 2 } },
}

const crowded: PlanTasksAnswer = {
  ...fitting,
  placed: 1,
  unplaced: 1,
  fits: false,
  explanation: {
    considered: 1,
    suitable: 0,
    removed: [{ rule: 'cpu', hosts: 1, text: 'without enough CPU' }],
    closest: [{ host: host('host-1'), lacks: ['cpu: needs 250, has 0', 'port 80/tcp: held by task x'] }],
  },
}

async function planned(answer: PlanTasksAnswer, request: PlanRequest = { taskDefinition: 'web' }) {
  const lines: string[] = []
  const asked: unknown[] = []
  const berth = ((operation: string, input: object) => {
    asked.push(operation, JSON.parse(JSON.stringify(input)))
    return Promise.resolve(answer)
  }) as EcsClient
  const code = await plan(berth, request, { out: (line) => void lines.push(line) })
  return { code, lines, asked }
}

describe('berth plan', () => {
  test('shows each host before and after, and ends with 0 when all fits', async () => {
    const { code, lines } = await planned(fitting)
    expect(code).toBe(0)
    expect(lines[0]).toBe('2 tasks of web:1 (EC2) in cluster default, 250 CPU units and 0 MiB each: all find room.')
    expect(lines[3]).toMatch(/^host-1 .* \+1 .* 2 -> 3 +50 % -> 75 % +0 % -> 0 %$/)
    expect(lines[4]).toMatch(/^new-1 \(added\) .* new -> 1 +new -> 25 %/)
    expect(lines[5]).toMatch(/^all 1 -> 2 active hosts .* \+2 .* 2 -> 4 +50 % -> 50 %/)
  })

  test('says why something does not fit, and ends with 3', async () => {
    const { code, lines } = await planned(crowded)
    expect(code).toBe(3)
    expect(lines).toContain('  host-1: cpu: needs 250, has 0; port 80/tcp: held by task x')
    expect(lines[0]).toContain('1 finds room, 1 does not.')
    expect(lines.at(-1)).toBe('Not everything fits. Nothing was changed.')
  })

  test('is told what was said, and nothing else', async () => {
    const { asked, lines } = await planned(fitting, { withoutHost: ['host-1'], count: 4, json: true })
    expect(asked).toEqual(['PlanTasks', { count: 4, withoutHosts: ['host-1'] }])
    expect(JSON.parse(lines.join('\n'))).toEqual(fitting)
  })

  test('wants something to plan', async () => {
    await expect(planned(fitting, {})).rejects.toThrow('Say what is to be planned')
  })
})
