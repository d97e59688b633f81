import { digestOf } from '../../../../kernel/canonical.ts'
import { admit, type Caller, holderOf, resolveCases } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Refusal } from '../../../../kernel/refusal.ts'
import { assertBodySigned } from '../../../../kernel/signed-body.ts'
import { participantUnknown } from '../../errors.ts'
import type { LedgerAccount } from '../../ledger/facts.ts'
import { voucherLapsed, voucherNotCertified, voucherNotYours, voucherPassed } from '../../offline/errors.ts'
import { evidenceMost, offlineRequires } from '../../offline/policy.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { leadOf, pseudonymOf } from '../owner.ts'
import type { HandedVoucher, ReadVouchers } from './handed.ts'
import { type Misuse, type Proof, proofOf, recordMisuse, statementOf } from './misuse.ts'
import { loadPurses } from './purses.ts'
import { enteredBeside, type Intake, openPurse, type Purse, refusalOf, type Stored, settle, takeIn } from './settle.ts'

/** Vouchers come in: whoever has a chain of them hands it in, as often as they like. */

type SyncBody = { chains: { vouchers: string[] }[] }

/** Whether an account is the caller's own, or one that the calling institution serves. */
type IsTheirs = (account: LedgerAccount) => Promise<boolean>

const asCustomer = (held: Held, caller: Caller): IsTheirs => {
  const holder = holderOf(caller)
  const leads = new Map<number, number | undefined>()
  return async ({ currency, lead }) => {
    if (!leads.has(currency)) {
      const pseudonym = pseudonymOf(holder, held.currencies.of(currency))
      leads.set(currency, await leadOf(held.tx.query, currency, pseudonym))
    }
    return leads.get(currency) === lead
  }
}

/** @throws Refusal participant_unknown */
const asInstitution = async ({ tx }: Held, { id }: Caller & { id: string }): Promise<IsTheirs> => {
  const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND ended_at IS NULL'
  const rows = await tx.query<{ account: number }>(sql, [id])
  if (rows.length === 0) throw participantUnknown()
  const own = new Set(rows.map(({ account }) => account))
  return async ({ number, servicer }) => own.has(number) || own.has(servicer)
}

/** Of each chain one payee, or the payer, is the caller's. @throws Refusal voucher_not_yours */
const assertConcerned = async ({ book }: Held, chains: readonly HandedVoucher[][], isTheirs: IsTheirs) => {
  await book.load(chains.flat().flatMap(({ voucher: { from, to } }) => [from, to]))
  for (const chain of chains) {
    const numbers = [...new Set(chain.flatMap(({ voucher: { from, to } }) => [from, to]))]
    let concerned = false
    for (const number of numbers) {
      const account = book.state.account(number)
      concerned ||= account !== undefined && (await isTheirs(account))
    }
    if (!concerned) throw voucherNotYours()
  }
}

type Taken = { handed: HandedVoucher; intake: Intake; purse?: Purse }

const uncertified: Intake = { refusal: voucherNotCertified() }

/** Everything is taken in before anything is settled, so that no voucher waits for one of the same request. */
const takeAll = async (desk: Desk, held: Held, chains: readonly HandedVoucher[][]): Promise<Taken[][]> => {
  const purses = new Map<string, Purse>()
  const taken: Taken[][] = []
  for (const chain of chains) {
    const part: Taken[] = []
    for (const handed of chain) {
      const id = handed.certificate?.id
      if (id === undefined) {
        part.push({ handed, intake: uncertified })
        continue
      }
      const purse = purses.get(id) ?? (await openPurse(held, id))
      purses.set(id, purse)
      part.push({ handed, intake: await takeIn(held, purse, handed), purse })
    }
    taken.push(part)
  }
  const accounts = [...purses.values()].map(({ certificate }) => certificate.account)
  await loadPurses(held, desk.house.store.dialect, accounts)
  for (const purse of purses.values()) await settle(desk, held, purse)
  for (const { intake } of taken.flat()) if ('misuse' in intake) await recordMisuse(desk, held, intake.misuse)
  return taken
}

const refused = ({ code, message }: Refusal) => ({ outcome: 'refused' as const, code, detail: message })

const storedView = (stored: Stored, lapsed: boolean) => {
  const { state, reason, entry, id } = stored
  if (state === 'entered') return { outcome: 'entered' as const, id, entry }
  if (state === 'passed') return refused(voucherPassed())
  return lapsed ? refused(voucherLapsed()) : { outcome: 'waiting' as const, reason: reason ?? 'voucher_gap' }
}

/** What misuse a voucher is part of, if it is not paid for that. */
const misuseOf = ({ intake, purse }: Taken): Misuse | undefined => {
  if ('misuse' in intake) return intake.misuse
  const isOverspent = 'stored' in intake && intake.stored.state === 'overspent'
  if (!isOverspent || purse === undefined) return undefined
  return { kind: 'overspent', certificate: purse.certificate, record: intake.stored.raw, against: null }
}

/** An answer as it is kept; evidence is signed whenever it is given. */
type Viewed = Record<string, unknown> & { proof?: Proof }

const viewOf = (desk: Desk, held: Held, taken: Taken, mayProve: boolean): Viewed => {
  const { handed, intake, purse } = taken
  const { from, to, amount, nonce } = handed.voucher
  const named = { account: from, nonce, payee: to, amountMinor: String(amount) }
  const misuse = misuseOf(taken)
  if (misuse !== undefined && purse !== undefined) {
    const proof = mayProve && proofOf(desk, misuse, enteredBeside(purse, nonce))
    return { ...named, ...refused(refusalOf(misuse)), ...(proof && { proof }) }
  }
  if ('refusal' in intake) return { ...named, ...refused(intake.refusal) }
  if (!('stored' in intake) || purse === undefined) throw new Error('a voucher that was taken in has its purse')
  const lapsed = held.book.at >= purse.certificate.validUntil * 1_000
  return { ...named, ...storedView(intake.stored, lapsed) }
}

/** With the ledger's statement of what proves the misuse. */
const withEvidence = async (desk: Desk, { proof, ...view }: Viewed): Promise<Record<string, unknown>> =>
  proof === undefined ? view : { ...view, evidence: await statementOf(desk, proof) }

/**
 * Enters vouchers, each by itself: what is refused leaves the others be, and what was entered before is answered as then. A voucher
 * whose turn has not come waits. No limit of the day stops one, since its payee relied on it.
 * @throws Refusal record_malformed, voucher_not_yours, participant_unknown, pseudonym_missing; of single vouchers in the answer
 */
export const syncVouchers = async (desk: Desk, read: ReadVouchers, context: Context): Promise<Answer> => {
  const { caller, params } = context
  const requires = resolveCases(offlineRequires.present, params)
  admit(caller, requires)
  assertBodySigned(caller, context.body)
  const { chains } = context.body as SyncBody
  const handed = await read(chains.map(({ vouchers }) => vouchers))
  const answered = await desk.ledger.execute({
    ...{ operation: 'syncVouchers', requires, caller, input: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const isTheirs = caller.kind === 'agency' ? await asInstitution(held, caller) : asCustomer(held, caller)
      await assertConcerned(held, handed, isTheirs)
      const taken = await takeAll(desk, held, handed)
      const proven = new Set(taken.flat().filter(misuseOf).slice(0, evidenceMost))
      const views = taken.map(chain => chain.map(each => viewOf(desk, held, each, proven.has(each))))
      held.record.effect(digestOf(views))
      return views
    },
  })
  const body = await Promise.all(
    answered.map(async chain => ({ vouchers: await Promise.all(chain.map(each => withEvidence(desk, each))) })),
  )
  return { status: 200, body: { chains: body } }
}
