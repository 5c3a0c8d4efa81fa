import { runSeeds } from './run-seeds.ts'

runSeeds({ first: 501, count: 250 })
