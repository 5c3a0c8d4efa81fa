import { runSeeds } from './run-seeds.ts'

runSeeds({ first: 1, count: 250 })
