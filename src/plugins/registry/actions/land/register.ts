import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { fieldsInvalid } from '../../errors.ts'
import type { Fields } from '../../extract.ts'
import { holdingsOf, parseShare, type ShareText } from '../../land/shares.ts'
import type { Register } from '../../soundness.ts'
import type { Acting } from '../entries.ts'
import { createEntry, type Entry } from '../entries.ts'
import { allotNumbers, assertLegalBasis } from '../prepare.ts'
import { withHolders } from './credentials.ts'
import { enact, type LandDesk, landRegister } from './desk.ts'
import { assertFree, enterParcels, lockMap, type ParcelInput, surveyedTogether } from './parcels.ts'
import { enterNamed, type PartyInput } from './parties.ts'
import { enterTitle, extractOf, recordOf, titleView } from './titles.ts'

/** First registration: land enters the register with its parcels and its owners. */

export type OwnerInput = { of: PartyInput; share: ShareText }

type RegisterBody = {
  fields?: Fields
  parcels: ParcelInput[]
  owners: OwnerInput[]
  legalBasis: string
  reason?: string
  /** SHA-256 (hex) of the documents that it rests on. */
  documents?: string[]
}

/** @throws Refusal fields_invalid */
export const assertFields = (register: Register, fields: Fields): void => {
  const problem = register.check(fields)
  if (problem !== undefined) throw fieldsInvalid(problem)
}

/** @throws Refusal party_unknown, party_ambiguous, shares_not_whole, party_named_twice, share_invalid */
export const enterOwners = async (desk: LandDesk, acting: Acting, register: string, owners: readonly OwnerInput[]) => {
  const entered = []
  for (const { of, share } of owners) {
    entered.push({ party: await enterNamed(desk, acting.tx, register, of), share: parseShare(share) })
  }
  return holdingsOf(entered)
}

export const registerTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const body = context.body as RegisterBody
  const { fields = {}, legalBasis } = body
  const answer = await enact(desk, context, {
    operation: 'registerTitle',
    requires: 'decision',
    register,
    input: body,
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      assertFields(register, fields)
      const parcels = surveyedTogether(desk, body.parcels)
      holdingsOf(body.owners.map(({ share }, at) => ({ party: String(at), share: parseShare(share) })))
      return { parcels, number: (await allotNumbers(desk, register, 1))[0] ?? '' }
    },
    act: async (acting, { parcels, number }) => {
      const { tx } = acting
      const now = desk.house.clock.now()
      await lockMap(tx, register.name, parcels.length)
      await assertFree(tx, register.name, parcels)
      const holdings = await enterOwners(desk, acting, register.name, body.owners)
      const title = { owners: withHolders(holdings, []), interests: [] }
      const entry: Entry = await createEntry(desk, acting, {
        ...{ register, number, fields, legalBasis, holder: null, validUntil: null, kind: 'registered' },
        extract: extractOf({ parcels, interests: [] }),
        detail: { ...recordOf(title), ...(body.documents && { documents: body.documents }) },
        ...(body.reason !== undefined && { reason: body.reason }),
      })
      enterParcels(tx, register.name, entry.id, parcels, now)
      enterTitle(tx, entry.id, title, now)
      return titleView({ entry, parcels, ...title })
    },
  })
  return created(desk, answer)
}

/** 201 with where the title stands. */
export const created = (desk: LandDesk, title: { id: string; register: string }): Answer => ({
  status: 201,
  body: title,
  headers: { location: `${desk.publicUrl}/registry/registers/${title.register}/titles/${title.id}` },
})
