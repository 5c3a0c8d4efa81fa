import { runSeeds } from './run-seeds.ts'

runSeeds({ first: 251, count: 250 })
