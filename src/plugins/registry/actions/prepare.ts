import { requestOf } from '../credentials.ts'
import { legalBasisUnknown, tokenTaken, validityWrong } from '../errors.ts'
import type { Fields } from '../extract.ts'
import { dayMs } from '../policy.ts'
import type { Register } from '../soundness.ts'
import type { Desk } from './desk.ts'
import type { IssuedTo } from './entries.ts'

/** What has to be done before an act: numbers given out, credentials signed. An act that is refused wastes them. */

type NumberRow = { next: number }

/**
 * Gives out the next numbers of a register. They are unique and rise; one whose act is refused is never used.
 * @returns as many as asked for, in order.
 */
export const allotNumbers = async (desk: Desk, register: Register, count: number): Promise<string[]> => {
  const year = String(new Date(desk.house.clock.now()).getUTCFullYear())
  const series = register.number.includes('{year}') ? year : ''
  const sql = `INSERT INTO registry_numbers (register, series, next) VALUES (?, ?, ?)
    ON CONFLICT (register, series) DO UPDATE SET next = registry_numbers.next + excluded.next RETURNING next`
  const [row] = await desk.house.store.transaction(tx => tx.query<NumberRow>(sql, [register.name, series, count]))
  const last = row?.next ?? count
  const digits = Number(/\{sequence:(\d+)\}/.exec(register.number)?.[1] ?? 1)
  return Array.from({ length: count }, (_, at) =>
    register.number
      .replace('{year}', year)
      .replace(/\{sequence(:\d+)?\}/, String(last - count + 1 + at).padStart(digits, '0')),
  )
}

/** What one entry's credential is signed for. */
export type CredentialPlan = {
  number: string
  fields: Fields
  holder: string
  legalBasis: string
  validUntil: number | null
}

/** Signs an entry's credential, off the main thread; `createEntry` or `changeEntry` keeps it. */
export const signCredential = async (desk: Desk, register: Register, plan: CredentialPlan): Promise<IssuedTo> => {
  const issuedAt = desk.house.clock.now()
  const request = requestOf(register, { ...plan, issuedAt, authority: desk.authority })
  return { holder: plan.holder, credential: await desk.issuance.issue(request) }
}

/** @throws Refusal legal_basis_unknown where the register has a closed list. */
export const assertLegalBasis = (register: Register, legalBasis: string): void => {
  if (register.legalBases !== undefined && !register.legalBases.includes(legalBasis)) throw legalBasisUnknown()
}

/** @throws Refusal wallet_not_for_register */
export const assertWallet = (register: Register, wallet: string | undefined): string | null => {
  if (wallet !== undefined && register.tokens === 'none') throw tokenTaken()
  return wallet?.toLowerCase() ?? null
}

/**
 * Until when an entry is in force: as the register says, or sooner.
 * @param from where its time begins, ms.
 * @throws Refusal validity_wrong
 */
export const validUntilOf = (register: Register, from: number, wanted: string | undefined): number | null => {
  const longest = register.validity === undefined ? null : from + register.validity.days * dayMs
  if (wanted === undefined) return longest
  const until = Date.parse(wanted)
  if (Number.isNaN(until) || until <= from || longest === null || until > longest) throw validityWrong()
  return until
}
