import type { RequestContext } from './operation.ts'

/** One operation of a service: from parsed JSON to the JSON of the answer. */
export interface ApiOperation {
  /** Checks and types the body. @throws ApiError that names the member which is wrong. */
  decode(body: unknown): unknown
  /** Does the work. Fails with an `ApiError`. */
  handle(input: unknown, context: RequestContext): unknown
  /** Makes the output fit for `JSON.stringify`. */
  encode(output: unknown): unknown
}

/** An AWS service as the API server sees it: what a folder under `api/` plugs in. */
export interface ApiService {
  /** The service's name in a SigV4 scope, such as `ecs`. */
  readonly name: string
  /** What stands before the dot in `X-Amz-Target`. */
  readonly targetPrefix: string
  readonly operations: ReadonlyMap<string, ApiOperation>
}
