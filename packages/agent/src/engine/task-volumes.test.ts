import { describe, expect, it } from 'vitest'
import type { VolumeSpec } from '@berth/shared/gen/berth/agent/v1/agent.ts'
import { containerCreate } from './container-create.ts'
import { taskVolumeNames, volumeCreate, volumesToMake } from './task-volumes.ts'
import { container, task } from './testing/task-builder.ts'

const efs = (fileSystemId: string, rootDirectory = '/'): VolumeSpec => ({
  name: 'data',
  source: { $case: 'efs', value: { fileSystemId, rootDirectory } },
})

const mountPoints = [{ sourceVolume: 'data', containerPath: '/data', readOnly: false }]
const taskWith = (volume: VolumeSpec) => task('0123abcd', [container('app', { mountPoints })], { volumes: [volume] })
const servers: Readonly<Record<string, string>> = { 'fs-1': 'nfs.example.test:/export', 'fs-2': '10.0.0.5:/' }

describe('an EFS volume', () => {
  it.each([
    ['fs-1', '/', ':/export', 'nfs.example.test'],
    ['fs-1', '/of/this/task', ':/export/of/this/task', 'nfs.example.test'],
    ['fs-2', '/', ':/', '10.0.0.5'],
    ['fs-2', '/of/this/task/', ':/of/this/task', '10.0.0.5'],
  ])('of %s at %s is an NFS mount of %s', (fileSystemId, rootDirectory, device, address) => {
    const volume = efs(fileSystemId, rootDirectory)
    expect(volumeCreate(taskWith(volume), volume, (id) => servers[id])).toMatchObject({
      name: 'ecs-web-7-0123abcd-data',
      driver: 'local',
      driverOptions: {
        type: 'nfs',
        o: `addr=${address},nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport`,
        device,
      },
    })
  })

  it('is made for the task, mounted by its containers, and goes with it', () => {
    const volume = efs('fs-1')
    const assignment = taskWith(volume)
    const [app = container('app')] = assignment.containers
    expect(volumesToMake(assignment, app)).toEqual([volume])
    expect(taskVolumeNames(assignment)).toEqual(['ecs-web-7-0123abcd-data'])
    const context = { imageId: 'image', pauseRuntimeId: '', hostAddress: '' }
    expect(containerCreate(assignment, app, context).mounts).toEqual([
      { kind: 'volume', source: 'ecs-web-7-0123abcd-data', target: '/data', readOnly: false },
    ])
  })

  it('that the host knows no server of cannot be made', () => {
    const volume = efs('fs-9')
    expect(() => volumeCreate(taskWith(volume), volume, (id) => servers[id])).toThrow(
      'BERTH_EFS_SERVERS of the host names no server of fs-9',
    )
  })
})
