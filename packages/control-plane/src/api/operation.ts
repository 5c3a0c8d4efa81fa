import type { EcsOperationTypes } from './model/gen/ecs-operations.ts'

/** The name of an ECS operation, as in `X-Amz-Target`. */
export type EcsOperation = keyof EcsOperationTypes

/**
 * A request type of the SDK as it is after decoding: the members the model requires are there (the SDK types them
 * `T | undefined`, but not optional). Only the outermost members change, so what is inside keeps the SDK's names.
 */
export type Decoded<T> = {
  [Member in keyof T]: {} extends Pick<T, Member> ? T[Member] : Exclude<T[Member], undefined>
}

/** What the handler of `Op` is given: decoded, checked against the model, timestamps as `Date`. */
export type EcsInput<Op extends EcsOperation> = Decoded<EcsOperationTypes[Op]['input']>

/** What the handler of `Op` answers, without the SDK's `$metadata`. Members that are `undefined` are left out on the wire. */
export type EcsOutput<Op extends EcsOperation> = EcsOperationTypes[Op]['output']

/** All inputs by operation. */
export type EcsInputs = { readonly [Op in EcsOperation]: EcsInput<Op> }

/** What every handler knows about the request it answers. */
export interface RequestContext {
  /** The id in `x-amzn-RequestId` and in every log line of this request. */
  readonly requestId: string
  /** Who asks: the ARN that belongs to the access key. */
  readonly principalArn: string
  /** The region of the request's SigV4 scope. */
  readonly region: string
  /** Wall-clock time of arrival, in ms since the Unix epoch. */
  readonly receivedAt: number
  /** Aborts when the client has gone or the request's deadline has passed. */
  readonly signal: AbortSignal
}

/**
 * Answers one operation. Fails by throwing (or rejecting with) an `ApiError`; anything else becomes a
 * `ServerException` and is logged.
 */
export type EcsHandler<Op extends EcsOperation> = (
  input: EcsInput<Op>,
  context: RequestContext,
) => Promise<EcsOutput<Op>> | EcsOutput<Op>

/** The handlers of the ECS operations that Berth honours; the others are named in `unsupported-operations.ts`. */
export type EcsHandlers = { readonly [Op in EcsOperation]?: EcsHandler<Op> }
