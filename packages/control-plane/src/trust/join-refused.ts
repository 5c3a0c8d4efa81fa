/** Why a host is not let in. */
export type JoinRefusalCode =
  | 'INVALID'
  | 'TOKEN_INVALID'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_USED_UP'
  | 'TOKEN_REVOKED'
  | 'WRONG_CLUSTER'
  | 'CLUSTER_NOT_FOUND'
  | 'HOST_HAS_CERTIFICATE'
  | 'NOT_ENROLLED'
  | 'DEREGISTERED'

/** A host gets no certificate; the message is one line, for the person who tries. */
export class JoinRefusedError extends Error {
  readonly code: JoinRefusalCode

  constructor(code: JoinRefusalCode, message: string) {
    super(message)
    this.name = 'JoinRefusedError'
    this.code = code
  }
}
