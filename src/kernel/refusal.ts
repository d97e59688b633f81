/**
 * Every "no" of the house. A Refusal is an answer, not a defect: it names what was wrong and what to do about it.
 * Anything thrown that is not a Refusal is a defect.
 */
export const refusalKinds = [
  'malformed',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'rejected',
  'too_large',
  'too_many',
  'unavailable',
] as const

export type RefusalKind = (typeof refusalKinds)[number]

export type RefusalOptions = {
  cause?: unknown
  /** Machine-readable facts for the caller; never personal data, never secrets. */
  facts?: Record<string, unknown>
}

export class Refusal extends Error {
  readonly kind: RefusalKind
  /** snake_case, stable; owned by the part that refuses and listed in the README. */
  readonly code: string
  readonly facts: Record<string, unknown>

  /** @param detail one sentence that says what was wrong and, where it helps, what to do. */
  constructor(kind: RefusalKind, code: string, detail: string, options: RefusalOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.kind = kind
    this.code = code
    this.facts = options.facts ?? {}
  }
}

export const isRefusal = (error: unknown): error is Refusal => error instanceof Refusal
