import { holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { holdingChanged, holdingUnknown } from '../../assets/errors.ts'
import { holderRole } from '../../assets/policy.ts'
import { requestOf } from '../../credentials.ts'
import { type Identified, identified, knownParty } from '../land/parties.ts'
import { type AssetClass, lockClass, readClass } from './classes.ts'
import { type AssetDesk, type AssetRegister, assetRegister, enact } from './desk.ts'
import { endCertificates, type Held, knownHolding } from './holdings.ts'

/** A holding as a credential of its holder: good until the holding changes. */

/** What the register knows better than the definition; of these, what the credential type has. */
const claimsOf = (
  register: AssetRegister,
  { entry, supply }: AssetClass,
  held: Held,
  holder: Identified,
  now: number,
) => {
  const facts: Record<string, unknown> = {
    ...holder.name,
    ...{ classNumber: entry.number, unitsHeld: String(held.amount), unitsIssued: String(supply.issued) },
    ...{ unit: register.quantity.unit['en'], decimals: register.quantity.decimals },
    asOf: new Date(now).toISOString(),
  }
  return Object.fromEntries(Object.entries(facts).filter(([name]) => register.claims.has(name)))
}

const sign = async (desk: AssetDesk, register: AssetRegister, found: AssetClass, held: Held, as: Identified) => {
  const { number, fields, legalBasis, validUntil } = found.entry
  const issuedAt = desk.house.clock.now()
  const facts = { number, fields, holder: as.holder ?? '', legalBasis, authority: desk.authority, issuedAt, validUntil }
  const request = requestOf(register, facts)
  const subject = { ...request.subject, ...claimsOf(register, found, held, as, issuedAt) }
  return desk.issuance.issue({ ...request, subject })
}

/** Committed. @throws Refusal holding_unknown */
const own = async (desk: AssetDesk, register: AssetRegister, entry: string, as: Identified) => {
  const { read } = desk.house.store
  const party = await knownParty(read, register.name, as)
  const held = party === undefined ? undefined : await knownHolding(read, entry, party)
  if (party === undefined || held === undefined || held.amount === 0n) throw holdingUnknown()
  return { party, held }
}

/**
 * Issues the caller's holding as a credential to the key they proved. Earlier ones of the holding end with it, and it ends
 * when the holding changes.
 */
export const certifyHolding = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const answer = await enact(desk, context, {
    ...{ operation: 'certifyHolding', requires: 'holder', register, input: { entry: id } },
    prepare: async () => {
      const as = identified(desk, register.name, holderOf(context.caller), holderRole)
      const found = await readClass(desk, id, register.name)
      const { party, held } = await own(desk, register, id, as)
      return { party, held, issued: await sign(desk, register, found, held, as) }
    },
    act: async (acting, { party, held, issued }) => {
      const { tx } = acting
      await lockClass(desk, acting, id, register.name)
      const now = await knownHolding(tx.query, id, party)
      if (now?.amount !== held.amount) throw holdingChanged()
      await endCertificates(desk, tx, id, party)
      desk.issuance.store(tx, issued)
      tx.insert('asset_certificates', [{ id: issued.id, entry: id, party, issued_at: issued.issuedAt, ended_at: null }])
      return { credentialId: issued.id, compact: issued.compact, format: issued.format }
    },
  })
  return { status: 201, body: answer }
}
