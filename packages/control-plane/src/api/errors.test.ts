import { describe, expect, it } from 'vitest'
import { errorCatalogue, modelledErrorCodes } from './error-catalogue.ts'
import { clusterNotFound, conflict, errorBody, storeUnavailable } from './errors.ts'
import { ecsModel } from './model/gen/ecs-model.ts'

describe('the error catalogue', () => {
  it('has the exceptions of the model, no more and no fewer, with the same side at fault', () => {
    const ours = Object.fromEntries(modelledErrorCodes.map((code) => [code, errorCatalogue[code].fault]))
    expect(ours).toEqual(ecsModel.exceptions)
  })

  it('gives 4xx to the client and 5xx to the server', () => {
    for (const { httpStatus, fault } of Object.values(errorCatalogue)) {
      expect(Math.floor(httpStatus / 100)).toBe(fault === 'client' ? 4 : 5)
    }
  })

  it('writes the code into the body, where boto3 looks for it', () => {
    expect(JSON.parse(errorBody(clusterNotFound()))).toEqual({
      __type: 'ClusterNotFoundException',
      message: 'Cluster not found.',
    })
    expect(JSON.parse(errorBody(conflict('Taken.', ['a'])))).toMatchObject({ resourceIds: ['a'] })
  })

  it('answers 503 when the store is away, so that clients try again', () => {
    expect(storeUnavailable()).toMatchObject({ code: 'ServerException', httpStatus: 503 })
  })
})
