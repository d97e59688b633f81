import { digestOf } from '../../../../kernel/canonical.ts'
import { disclose } from '../../../../kernel/disclose.ts'
import { type Caller, resolveCases } from '../../../../kernel/gate.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { invalidEntry } from '../../errors.ts'
import type { AccountClass } from '../../ledger/facts.ts'
import { amountMost } from '../../ledger/state.ts'
import {
  programmeEnded,
  programmeSponsor,
  programmeTaken,
  programmeTerms,
  programmeUnknown,
  sponsorDiffers,
} from '../../purpose/errors.ts'
import { programmeMostMs, programmesMost, programmesUsual, purposeRequires } from '../../purpose/policy.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { type Admission, isPossible } from './classes.ts'
import {
  endProgramme,
  insertProgramme,
  type Programme,
  programmeIn,
  readProgramme,
  readProgrammes,
} from './purposes.ts'

/**
 * Programmes: for what, by whom and until when money is granted. Their terms are public, and never change but to end
 * sooner.
 */

type Part = Pick<Desk, 'house'>

const iso = (at: number): string => new Date(at).toISOString()

const view = (programme: Programme, now: number) => ({
  ...{ programme: programme.id, currency: programme.currency, title: programme.title },
  ...{ legalBasis: programme.legalBasis, sponsor: programme.sponsor, payees: programme.payees },
  ...(programme.perBeneficiary !== null && { perBeneficiaryMinor: String(programme.perBeneficiary) }),
  ...{ openedAt: iso(programme.openedAt), endsAt: iso(programme.endsAt) },
  ...(programme.closedAt !== null && { closedAt: iso(programme.closedAt) }),
  state: now < programme.endsAt ? 'open' : 'ended',
})

type OpenBody = {
  programme: string
  currency: number
  title: string
  legalBasis: string
  sponsor: number
  payees: Admission[]
  perBeneficiaryMinor?: string
  endsAt: string
}

/** Of institutions: what a person or a merchant holds is not the state's to give, nor to get back by an order. */
const sponsoring: ReadonlySet<AccountClass> = new Set(['reserve', 'treasury'])

/** @throws Refusal programme_terms, amount_too_large */
const termsOf = (body: OpenBody, { book, record }: Held): Programme => {
  const endsAt = Date.parse(body.endsAt)
  if (!(endsAt > book.at && endsAt <= book.at + programmeMostMs)) {
    throw programmeTerms('it ends in the future, within ten years')
  }
  const impossible = body.payees.flatMap(({ credentialType, classes }) =>
    classes.filter(each => !isPossible(credentialType, each)),
  )
  if (impossible.length > 0) throw programmeTerms('a payee’s class is one that its credential type can have')
  const perBeneficiary = body.perBeneficiaryMinor === undefined ? null : BigInt(body.perBeneficiaryMinor)
  if (perBeneficiary !== null && perBeneficiary > amountMost) throw invalidEntry('amount_too_large')
  return {
    ...{ id: body.programme, currency: body.currency, title: body.title, legalBasis: body.legalBasis },
    ...{ sponsor: body.sponsor, payees: body.payees, perBeneficiary, openedAt: book.at, endsAt, closedAt: null },
    record: record.id,
    sums: { granted: 0n, spent: 0n, refunded: 0n, returned: 0n, taken: 0n },
  }
}

/** @throws Refusal programme_sponsor */
const assertSponsor = async ({ book }: Held, { sponsor: number, currency }: Programme): Promise<void> => {
  await book.load([number])
  const sponsor = book.state.account(number)
  const can = sponsor !== undefined && !sponsor.closed && sponsor.currency === currency && sponsoring.has(sponsor.class)
  if (!can) throw programmeSponsor()
}

/**
 * Two officers open a programme on behalf of its sponsor. Its opening is the order under which what is left goes back.
 * @throws Refusal currency_unknown, programme_taken, programme_terms, programme_sponsor, amount_too_large
 */
export const openProgramme = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = context.body as OpenBody
  const answer = await desk.ledger.execute({
    ...{ operation: 'openProgramme', requires: purposeRequires.govern, caller: context.caller, input: body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      held.currencies.of(body.currency)
      if ((await programmeIn(held, body.programme)) !== undefined) throw programmeTaken()
      const programme = termsOf(body, held)
      await assertSponsor(held, programme)
      await insertProgramme(held.tx.query, programme)
      const opened = view(programme, held.book.at)
      held.record.effect(digestOf(opened))
      return opened
    },
  })
  return { status: 201, body: answer }
}

type CloseBody = { legalBasis: string }

/**
 * Ends a programme before its time: from now on nothing is granted or spent, and what is left goes back.
 * @throws Refusal programme_unknown, programme_ended
 */
export const closeProgramme = async (desk: Desk, context: Context): Promise<Answer> => {
  const id = String(context.params['programme'])
  const body = context.body as CloseBody
  const answer = await desk.ledger.execute({
    ...{ operation: 'closeProgramme', requires: purposeRequires.govern, caller: context.caller },
    input: { programme: id, body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      const programme = await programmeIn(held, id)
      if (programme === undefined) throw programmeUnknown()
      if (held.book.at >= programme.endsAt) throw programmeEnded()
      await endProgramme(held, programme)
      const ended = view(programme, held.book.at)
      held.record.effect(digestOf(ended))
      return ended
    },
  })
  return { status: 200, body: answer }
}

/** @throws Refusal programme_unknown */
const known = async ({ house }: Part, id: string): Promise<Programme> => {
  const programme = await readProgramme(house.store.read, id)
  if (programme === undefined) throw programmeUnknown()
  return programme
}

/** The terms of a programme, for anyone. @throws Refusal programme_unknown */
export const getProgramme = async (desk: Part, context: Context): Promise<Answer> => {
  const programme = await known(desk, String(context.params['programme']))
  return { status: 200, body: view(programme, desk.house.clock.now()) }
}

/** All programmes, for anyone: those that have ended too. @throws Refusal cursor_malformed */
export const listProgrammes = async ({ house }: Part, context: Context): Promise<Answer> => {
  const page = pageOf(context.query, { most: programmesMost, usual: programmesUsual })
  const programmes = await readProgrammes(house.store.read, page.after, page.limit)
  const items = programmes.map(each => view(each, house.clock.now()))
  return { status: 200, body: { items, ...nextPage(programmes, page) } }
}

/** @throws Refusal sponsor_differs */
const assertSponsors = async ({ house }: Part, caller: Caller, { sponsor }: Programme): Promise<void> => {
  const sql = 'SELECT account FROM cbdc_participants WHERE did = ? AND account = ?'
  if ((await house.store.read(sql, [caller.id, sponsor])).length === 0) throw sponsorDiffers()
}

/**
 * What came of a programme's money, in sums: for its sponsor and for officers. No account, no person, no merchant.
 * @throws Refusal programme_unknown, sponsor_differs
 */
export const getProgrammeSums = async (desk: Part, context: Context): Promise<Answer> => {
  const { caller, params } = context
  const id = String(params['programme'])
  const body = await disclose(desk.house, {
    ...{ operation: 'getProgrammeSums', requires: resolveCases(purposeRequires.sums, params), caller },
    input: { programme: id },
    async read() {
      const programme = await known(desk, id)
      if (params['reader'] === 'institution') await assertSponsors(desk, caller, programme)
      const { granted, spent, refunded, returned, taken } = programme.sums
      return {
        ...{ programme: id, currency: programme.currency },
        ...{ grantedMinor: String(granted), spentMinor: String(spent), refundedMinor: String(refunded) },
        ...{ returnedMinor: String(returned), takenMinor: String(taken) },
        heldMinor: String(granted + refunded - spent - returned - taken),
      }
    },
  })
  return { status: 200, body }
}
