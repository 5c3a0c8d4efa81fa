import type { LabTask } from './scenario.ts'

/** The label by which a fake host knows what a container plays. */
export const labTaskLabel = 'berth.lab.task'

/** What is registered for a task of the scenario; `version` tells deployments apart. */
export const labTaskDefinition = (name: string, { cpu, memory }: LabTask, version: number) => ({
  family: `lab-${name}`,
  networkMode: 'host',
  containerDefinitions: [
    {
      name: 'main',
      image: `lab/${name}:${version}`,
      cpu,
      memory,
      essential: true,
      dockerLabels: { [labTaskLabel]: name },
    },
  ],
})
