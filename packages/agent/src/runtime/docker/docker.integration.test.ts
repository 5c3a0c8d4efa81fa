import { describeRuntimeContract } from '../runtime-contract.ts'
import { dockerUnderTest } from '../../../../../test/docker/docker-under-test.ts'

describeRuntimeContract('Docker', dockerUnderTest)
