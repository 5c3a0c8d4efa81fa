import { runSeeds } from './run-seeds.ts'

runSeeds({ first: 751, count: 250 })
