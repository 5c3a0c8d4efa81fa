import { pino } from 'pino'

/** Fields that go beside a log line, as structured data. */
export type LogFields = Readonly<Record<string, unknown>>

/** What the rooms write their log to: one line a call, JSON, with what is needed to act on it. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose lines all carry `fields`. */
  with(fields: LogFields): Log
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

function adapt(target: pino.Logger): Log {
  return {
    debug: (message, fields) => target.debug(fields ?? {}, message),
    info: (message, fields) => target.info(fields ?? {}, message),
    warn: (message, fields) => target.warn(fields ?? {}, message),
    error: (message, fields) => target.error(fields ?? {}, message),
    with: (fields) => adapt(target.child(fields)),
  }
}

/** A log of JSON lines on standard output. Errors under the key `error` are written with their stack. */
export function jsonLog(level: LogLevel, fields: LogFields = {}): Log {
  return adapt(
    pino({
      level,
      base: fields,
      serializers: { error: pino.stdSerializers.err },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    }),
  )
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
}
