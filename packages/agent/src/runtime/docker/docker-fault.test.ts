import { expect, it } from 'vitest'
import { RuntimeError } from '../container-runtime.ts'
import { toRuntimeError } from './docker-fault.ts'

const answered = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), { statusCode, json: { message } })

it.each([
  [404, 'No such container: x', 'not-found'],
  [404, 'No such image: x:latest', 'not-found'],
  [409, 'Conflict. The container name "/x" is already in use by container "y".', 'name-taken'],
  [409, 'cannot remove a running container', 'refused'],
  [
    500,
    'driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:80 failed: port is already allocated',
    'port-taken',
  ],
  [
    500,
    'driver failed: Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use',
    'port-taken',
  ],
  [400, 'OCI runtime create failed: exec: "x": executable file not found in $PATH: unknown', 'refused'],
  [500, 'no space left on device', 'refused'],
  [503, 'shutting down', 'unavailable'],
])('%i %s is %s, in the words of Docker', (status, message, fault) => {
  const error = toRuntimeError(answered(status, message))
  expect(error).toMatchObject({ fault, message })
  expect(error.cause).toBeDefined()
})

it('takes the message out of its decoration where Docker sent no JSON', () => {
  const error = Object.assign(new Error('(HTTP code 500) server error - it broke '), { statusCode: 500, json: null })
  expect(toRuntimeError(error).message).toBe('it broke')
})

it.each(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])('%s means that Docker is unavailable', (code) => {
  expect(toRuntimeError(Object.assign(new Error(`connect ${code}`), { code })).fault).toBe('unavailable')
})

it('leaves an error alone that is one already', () => {
  const error = new RuntimeError('timeout', 'too long')
  expect(toRuntimeError(error)).toBe(error)
})
