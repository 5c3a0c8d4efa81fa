import type { EcsInput } from '@berth/control-plane/api/operation.ts'

/** Images of the fake engines: `app` runs until it is stopped, `job` ends by itself, `rare` can go missing from its registry. */
export const images = { app: 'app:1', job: 'job:1', rare: 'rare:1', slow: 'slow:1' } as const

type Registration = EcsInput<'RegisterTaskDefinition'>

const bridge = (family: string, cpu: number, memory: number, more: Partial<Registration> = {}): Registration => ({
  family,
  containerDefinitions: [
    { name: 'app', image: images.app, cpu, memory, essential: true, portMappings: [{ containerPort: 80 }] },
  ],
  ...more,
})

/** What runs in the simulations, in the order in which it is registered; equal families are revisions. */
export const registrations: readonly Registration[] = [
  bridge('web', 128, 256),
  bridge('web', 192, 256),
  bridge('rare', 128, 128, {
    containerDefinitions: [{ name: 'app', image: images.rare, cpu: 128, memory: 128, essential: true }],
  }),
  bridge('pinned', 128, 128, {
    containerDefinitions: [
      { name: 'app', image: images.app, cpu: 128, memory: 128, portMappings: [{ containerPort: 80, hostPort: 8080 }] },
    ],
  }),
  bridge('hostnet', 64, 128, {
    networkMode: 'host',
    containerDefinitions: [
      {
        name: 'app',
        image: images.slow,
        cpu: 64,
        memory: 128,
        portMappings: [{ containerPort: 9000, hostPort: 9000 }],
      },
    ],
  }),
  bridge('pair', 128, 256, {
    containerDefinitions: [
      {
        name: 'app',
        image: images.app,
        cpu: 128,
        memory: 128,
        dependsOn: [{ containerName: 'helper', condition: 'START' }],
      },
      { name: 'helper', image: images.slow, cpu: 64, memory: 128, essential: false },
    ],
  }),
  bridge('checked', 128, 128, {
    containerDefinitions: [
      { name: 'app', image: images.app, cpu: 128, memory: 128, healthCheck: { command: ['CMD', 'true'], interval: 5 } },
    ],
  }),
  bridge('vpc', 128, 256, {
    networkMode: 'awsvpc',
    containerDefinitions: [
      { name: 'app', image: images.app, cpu: 128, memory: 256, portMappings: [{ containerPort: 80 }] },
    ],
  }),
  {
    family: 'fargate',
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    containerDefinitions: [{ name: 'app', image: images.slow, portMappings: [{ containerPort: 80 }] }],
  },
  bridge('job', 128, 256, {
    containerDefinitions: [{ name: 'app', image: images.job, cpu: 128, memory: 256, essential: true }],
  }),
]

const inSubnet = { awsvpcConfiguration: { subnets: ['subnet-1', 'subnet-2'] } }

/** How a family is launched. */
export interface Launch {
  readonly launchType: 'EC2' | 'FARGATE'
  readonly networkConfiguration?: typeof inSubnet
}

export const launchOf = (family: string): Launch => ({
  launchType: family === 'fargate' ? 'FARGATE' : 'EC2',
  ...((family === 'fargate' || family === 'vpc') && { networkConfiguration: inSubnet }),
})

/** What single tasks are of. */
export const taskFamilies = [
  'web',
  'web:1',
  'rare',
  'pinned',
  'hostnet',
  'pair',
  'checked',
  'vpc',
  'fargate',
  'job',
  'job',
] as const

/** What services are of, with the changes of definition that an update may bring. */
export const serviceFamilies: Readonly<Record<string, readonly string[]>> = {
  'svc-web': ['web:1', 'web:2', 'rare'],
  'svc-vpc': ['vpc', 'fargate'],
  'svc-mixed': ['checked', 'pair', 'pinned'],
}

/** Pairs of minimumHealthyPercent and maximumPercent, with the desired counts for which they leave a way on. */
export const percentages = [
  { minimum: 100, maximum: 200, counts: [0, 1, 2] },
  { minimum: 50, maximum: 200, counts: [0, 1, 2] },
  { minimum: 0, maximum: 100, counts: [0, 1, 2] },
  { minimum: 50, maximum: 100, counts: [0, 2] },
  { minimum: 100, maximum: 150, counts: [0, 2] },
] as const
