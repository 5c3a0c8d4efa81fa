/** The programs that Berth is installed as: each is one file that needs nothing beside it. */
export const programs = {
  berth: { entry: 'packages/cli/src/main.ts' },
  'berth-agent': { entry: 'packages/agent/src/main.ts' },
} as const

export type Program = keyof typeof programs
export const programNames = Object.keys(programs) as readonly Program[]
