import { describeRuntimeContract } from '../runtime-contract.ts'
import { dockerUnderTest } from './docker-under-test.ts'

describeRuntimeContract('Docker', dockerUnderTest)
