import type { Check, CheckName, StatusTold, Verdict } from '../kernel/identity.ts'
import { Refusal } from '../kernel/refusal.ts'

/** Collects checks; the first failure is the refusal. A status that cannot be known makes the verdict unavailable. */
export class Checks {
  readonly list: Check[] = []
  #first: Refusal | undefined
  #told: StatusTold[] = []

  pass(check: CheckName): void {
    this.list.push({ check, outcome: 'passed' })
  }

  skip(check: CheckName): void {
    this.list.push({ check, outcome: 'not_applicable' })
  }

  fail(check: CheckName, refusal: Refusal): void {
    const outcome = refusal.kind === 'unavailable' ? 'unavailable' : 'failed'
    this.list.push({ check, outcome, code: refusal.code, detail: refusal.message })
    this.#first ??= refusal
  }

  /** Runs one check; a Refusal fails it, anything else is a defect and goes on. */
  run(check: CheckName, judge: () => void): void {
    try {
      judge()
      this.pass(check)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.fail(check, error)
    }
  }

  async runAsync<T>(check: CheckName, judge: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await judge()
      this.pass(check)
      return result
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.fail(check, error)
      return undefined
    }
  }

  /** Hands on what a list said. */
  tell(status: StatusTold | undefined): void {
    if (status !== undefined) this.#told.push(status)
  }

  failed(): boolean {
    return this.#first !== undefined
  }

  verdict(at: number): Verdict {
    const verdict: Verdict = { verified: this.#first === undefined, checks: this.list, at }
    if (this.#told.length > 0) verdict.statuses = this.#told
    const first = this.#first
    if (first !== undefined) verdict.refusal = { kind: first.kind, code: first.code, detail: first.message }
    return verdict
  }
}
