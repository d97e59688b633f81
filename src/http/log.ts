import { types } from 'node:util'
import { pino } from 'pino'

/** What http needs of a log; pino's logger is one. */
export type Log = {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

const secrets =
  /\bc[ks]_[\w-]{8,}|\bgs_[\w-]{8,}(?:\.[\w-]*)?|\beyJ[\w-]*\.[\w-]*\.?[\w-]*(?:~[\w~.-]*)?|\b(?:Bearer|DPoP|Agency|Basic)\s+\S+/g

/** Takes keys, session tokens, JWTs and credentials out of a text before it is logged. */
export const scrub = (text: string): string => text.replace(secrets, '[secret]')

const causesMax = 5

const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value)

/**
 * What the log keeps of an error: name, code, message, stack and causes. Other members stay out, because database
 * drivers put parameters there, and parameters can be secrets or personal data.
 */
export const errorFacts = (error: unknown, causes = 0): Record<string, unknown> => {
  if (!isError(error)) return { name: typeof error, message: 'something that is not an Error was thrown' }
  const facts: Record<string, unknown> = { name: error.name, message: scrub(error.message) }
  if ('code' in error) facts['code'] = String(error.code)
  if (error.stack !== undefined) facts['stack'] = scrub(error.stack)
  if (error.cause !== undefined && causes < causesMax) facts['cause'] = errorFacts(error.cause, causes + 1)
  return facts
}

const serialized = (value: unknown): unknown => (isError(value) ? errorFacts(value) : value)

export type LogOptions = { level: 'debug' | 'info' | 'warn' | 'error' | 'silent'; write?: (line: string) => void }

/** The process's log: JSON lines on standard output, or to `write`. */
export const createLog = ({ level, write }: LogOptions): Log => {
  const options = { level, base: null, serializers: { error: serialized, err: serialized } }
  return write === undefined ? pino(options) : pino(options, { write })
}
