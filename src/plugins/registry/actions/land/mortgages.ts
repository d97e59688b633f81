import { digestOf } from '../../../../kernel/canonical.ts'
import { holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import { assertUnblocked, type Interest, interestOf, nextRank, postpone, without } from '../../land/encumbrances.ts'
import {
  dischargeNotLender,
  encumbranceUnknown,
  mortgageOwnersMissing,
  partiesNotDistinct,
  postponementNotLender,
} from '../../land/errors.ts'
import { heldBy } from '../../land/shares.ts'
import type { OrderInput } from '../../order-input.ts'
import type { Acting } from '../entries.ts'
import { assertLegalBasis } from '../prepare.ts'
import { enact, type LandDesk, landRegister, partyIn } from './desk.ts'
import {
  assertDistinct,
  type CompanyNumber,
  companyAlias,
  enterParty,
  type Identified,
  identified,
  identifiedLender,
} from './parties.ts'
import { assertUnchanged, changeTitle, lockTitle, type Title, titleView } from './titles.ts'

/** Mortgages: charges on a whole title in the order of their ranks. */

type MortgageBody = {
  version: number
  amount: { amountMinor: string; currency: string }
  legalBasis: string
  terms?: string
  documentSha256?: string
}

/** A co-owner consents to one deed: this mortgage, on this title, as it stands. */
const deedDigest = (register: string, title: string, lender: string, body: MortgageBody): string => {
  const { version, amount, legalBasis, terms, documentSha256 } = body
  return digestOf({ register, title, lender, version, amount, legalBasis, terms, documentSha256 }).toString('base64url')
}

/** The lender by its licence. */
type ConsentBody = MortgageBody & { lender: CompanyNumber }

/** One of several owners agrees to a mortgage that the others will conclude with the lender. */
export const consentToMortgage = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as ConsentBody
  const answer = await enact(desk, context, {
    operation: 'consentToMortgage',
    requires: 'consent',
    register,
    input: { title: id, ...body },
    prepare: async () => identified(desk, register.name, holderOf(context.caller), 'owner'),
    act: async ({ tx }, owner) => {
      const title = await lockTitle(desk, tx, id, register.name)
      assertUnblocked(title.interests)
      assertUnchanged(title, body.version)
      const party = await enterParty(desk, tx, register.name, owner)
      if (heldBy(title.owners, party) === undefined) throw mortgageOwnersMissing()
      const deed = deedDigest(register.name, id, companyAlias(body.lender), body)
      const sql = `INSERT INTO land_consents (title, version, deed, party, at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (title, version, deed, party) DO UPDATE SET at = land_consents.at RETURNING party`
      await tx.query(sql, [id, body.version, deed, party, desk.house.clock.now()])
      return { title: id, version: body.version, deed }
    },
  })
  return { status: 201, body: answer }
}

/** A charge on the whole binds every owner, so each must have agreed. @throws Refusal mortgage_owner_missing */
const assertOwnersConsent = async (tx: Tx, title: Title, deed: string, present: string): Promise<void> => {
  const { id, version } = title.entry
  const sql = 'SELECT party FROM land_consents WHERE title = ? AND version = ? AND deed = ?'
  const rows = await tx.query<Row & { party: string }>(sql, [id, version, deed])
  const consenting = new Set([present, ...rows.map(({ party }) => party)])
  if (heldBy(title.owners, present) === undefined || !title.owners.every(({ party }) => consenting.has(party))) {
    throw mortgageOwnersMissing()
  }
}

/** Lender, owner and notary conclude it as they would a sale; it stands behind all that were registered before. */
export const registerMortgage = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as MortgageBody
  const answer = await enact(desk, context, {
    operation: 'registerMortgage',
    requires: 'mortgage',
    register,
    input: { title: id, ...body },
    prepare: async () => {
      assertLegalBasis(register, body.legalBasis)
      const callers = (['lender', 'owner', 'notary'] as const).map(name => ({ caller: partyIn(context.caller, name) }))
      assertDistinct(callers)
      return {
        lender: identifiedLender(partyIn(context.caller, 'lender'), 'lender'),
        owner: identified(desk, register.name, partyIn(context.caller, 'owner'), 'owner'),
      }
    },
    act: async (acting, parties) => {
      const { tx } = acting
      const title = await lockTitle(desk, tx, id, register.name)
      assertUnblocked(title.interests)
      assertUnchanged(title, body.version)
      const owner = await enterParty(desk, tx, register.name, parties.owner)
      const lender = await enterParty(desk, tx, register.name, parties.lender)
      if (owner === lender) throw partiesNotDistinct()
      const deed = deedDigest(register.name, id, parties.lender.aliases[0] ?? '', body)
      await assertOwnersConsent(tx, title, deed, owner)
      const mortgage = mortgageOf(desk, title, body, lender)
      const changed = await changeTitle(desk, acting, title, {
        ...{ kind: 'mortgaged', legalBasis: body.legalBasis, interests: [...title.interests, mortgage] },
        detail: { mortgage: mortgage.id, notary: notaryNumber(context) },
      })
      return { ...titleView(changed), mortgage: mortgage.id, rank: mortgage.rank }
    },
  })
  return { status: 201, body: answer }
}

const notaryNumber = (context: Context): unknown =>
  partyIn(context.caller, 'notary').matched['notary']?.claims['registerNumber']

const mortgageOf = (desk: LandDesk, title: Title, body: MortgageBody, lender: string): Interest => {
  const id = desk.newId()
  const { amount, terms, documentSha256, legalBasis } = body
  return {
    ...{ id, origin: id, kind: 'mortgage', rank: nextRank(title.interests), party: lender, legalBasis },
    terms: { amount, ...(terms !== undefined && { terms }), ...(documentSha256 !== undefined && { documentSha256 }) },
    registeredAt: desk.house.clock.now(),
  }
}

/** @throws Refusal encumbrance_unknown for what is no mortgage on this title */
const mortgageIn = (title: Title, id: string): Interest => {
  const found = interestOf(title.interests, id)
  if (found.kind !== 'mortgage') throw encumbranceUnknown()
  return found
}

type DischargeBody = { legalBasis: string; reason?: string }

/** What stood behind moves up. */
const discharged = async (
  desk: LandDesk,
  acting: Acting,
  title: Title,
  mortgage: string,
  body: DischargeBody & { order?: OrderInput },
): Promise<Title> => {
  const { legalBasis, reason, order } = body
  return changeTitle(desk, acting, title, {
    ...{ kind: 'discharged', legalBasis, interests: without(title.interests, mortgage) },
    detail: { mortgage, ...(order !== undefined && { order }) },
    ...(reason !== undefined && { reason }),
  })
}

/** The lender releases the land. */
export const dischargeMortgage = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const { title: id = '', mortgage = '' } = context.params
  const body = context.body as DischargeBody
  const answer = await enact(desk, context, {
    operation: 'dischargeMortgage',
    requires: 'lender',
    register,
    input: { title: id, mortgage, ...body },
    prepare: async () => {
      assertLegalBasis(register, body.legalBasis)
      return identifiedLender(holderOf(context.caller), 'lender')
    },
    act: async (acting, lender) => {
      const title = await lockTitle(desk, acting.tx, id, register.name)
      const { party } = mortgageIn(title, mortgage)
      if ((await enterParty(desk, acting.tx, register.name, lender)) !== party) throw dischargeNotLender()
      return titleView(await discharged(desk, acting, title, mortgage, body))
    },
  })
  return { status: 200, body: answer }
}

/** A court releases the land, by an officer. */
export const dischargeByOrder = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const { title: id = '', mortgage = '' } = context.params
  const body = context.body as DischargeBody & { order: OrderInput }
  const answer = await enact(desk, context, {
    operation: 'dischargeByOrder',
    requires: 'decision',
    register,
    input: { title: id, mortgage, ...body },
    prepare: async () => assertLegalBasis(register, body.legalBasis),
    act: async acting => {
      const title = await lockTitle(desk, acting.tx, id, register.name)
      mortgageIn(title, mortgage)
      return titleView(await discharged(desk, acting, title, mortgage, body))
    },
  })
  return { status: 200, body: answer }
}

type PostponeBody = { version: number; behind: string; legalBasis: string }

/** A lender lets the next in rank go first, with an owner's consent. */
export const postponeMortgage = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const { title: id = '', mortgage = '' } = context.params
  const body = context.body as PostponeBody
  const answer = await enact(desk, context, {
    operation: 'postponeMortgage',
    requires: 'postponement',
    register,
    input: { title: id, mortgage, ...body },
    prepare: async () => {
      assertLegalBasis(register, body.legalBasis)
      return {
        lender: identifiedLender(partyIn(context.caller, 'lender'), 'lender'),
        advanced: identifiedLender(partyIn(context.caller, 'advanced'), 'advanced'),
        owner: identified(desk, register.name, partyIn(context.caller, 'owner'), 'owner'),
      }
    },
    act: async (acting, parties) => {
      const title = await lockTitle(desk, acting.tx, id, register.name)
      assertUnblocked(title.interests)
      assertUnchanged(title, body.version)
      const enter = (party: Identified) => enterParty(desk, acting.tx, register.name, party)
      const [first, second] = [mortgageIn(title, mortgage), mortgageIn(title, body.behind)]
      if ((await enter(parties.lender)) !== first.party || (await enter(parties.advanced)) !== second.party) {
        throw postponementNotLender()
      }
      if (heldBy(title.owners, await enter(parties.owner)) === undefined) throw mortgageOwnersMissing()
      const changed = await changeTitle(desk, acting, title, {
        ...{ kind: 'postponed', legalBasis: body.legalBasis },
        interests: postpone(title.interests, mortgage, body.behind),
        detail: { mortgage, behind: body.behind },
      })
      return titleView(changed)
    },
  })
  return { status: 200, body: answer }
}
