import { holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../../kernel/ports.ts'
import type { Fields } from '../../extract.ts'
import { ownerOnly } from '../../land/errors.ts'
import { credentialAgeMost } from '../../land/policy.ts'
import { shareText } from '../../land/shares.ts'
import type { Register } from '../../soundness.ts'
import { currentCredentials, endCredentials, type IssuedTo } from '../entries.ts'
import { holderWanted, type KeyProof } from '../holder-key.ts'
import { signCredential } from '../prepare.ts'
import { enact, type LandDesk, landRegister } from './desk.ts'
import type { Parcel } from './parcels.ts'
import { type Identified, identified, knownParty, type PartyName, partyViews } from './parties.ts'
import { assertOpen, assertUnchanged, lockTitle, type Owned, standingTitle, type Title } from './titles.ts'

/**
 * Each owner has a credential of the title with their own share, once they have proved a key that it can be bound to.
 */

export type SigningPlan = { number: string; fields: Fields; parcels: readonly Parcel[]; legalBasis: string }

/** What a title's credential says of one owner's part; claims that its type does not know are left out. */
const claimsOf = (desk: LandDesk, plan: SigningPlan, { share }: Owned, name: PartyName): Fields => ({
  ...plan.fields,
  ...name,
  titleNumber: plan.number,
  right: 'ownership',
  share: shareText(share),
  parcels: plan.parcels.map(({ number, area }) => ({ parcelId: number, areaSquareCentimetres: String(area) })),
  areaSquareCentimetres: String(plan.parcels.reduce((sum, { area }) => sum + area, 0n)),
  registeredOn: new Date(desk.house.clock.now()).toISOString().slice(0, 10),
  legalBasis: plan.legalBasis,
  issuingAuthority: desk.authority,
})

/**
 * Signs for those of the owners whose key is known.
 * @param present who is party to the act, and may not be entered yet.
 */
export const signFor = async (
  desk: LandDesk,
  register: Register,
  plan: SigningPlan,
  owners: readonly Owned[],
  present: readonly Identified[] = [],
): Promise<IssuedTo[]> => {
  const names = await partyViews(
    desk.house.store.read,
    owners.map(({ party }) => party),
  )
  const signed = owners.map(async owned => {
    const { holder } = owned
    if (holder === null) return []
    const name = present.find(each => each.holder === holder)?.name ?? names.get(owned.party)?.name ?? {}
    const fields = claimsOf(desk, plan, owned, name)
    const { number, legalBasis } = plan
    return [await signCredential(desk, register, { number, fields, holder, legalBasis, validUntil: null })]
  })
  return (await Promise.all(signed)).flat()
}

const sameShare = (a: Owned, b: Owned): boolean =>
  a.party === b.party &&
  a.holder === b.holder &&
  a.share.numerator === b.share.numerator &&
  a.share.denominator === b.share.denominator

/** Owners of a title after a change whose credential has to say something new. */
export const changedOwners = (before: readonly Owned[], after: readonly Owned[]): Owned[] =>
  after.filter(owned => !before.some(old => sameShare(old, owned)))

/** Credentials that no longer say what the register says. */
export const outdated = async (tx: Tx, { entry, owners }: Title, after: readonly Owned[]): Promise<string[]> => {
  const gone = owners.filter(old => !after.some(owned => sameShare(old, owned))).map(({ holder }) => holder)
  const current = await currentCredentials(tx, entry.id)
  return current.filter(({ holder }) => gone.includes(holder)).map(({ id }) => id)
}

/**
 * What was signed before the act, for the keys that owners have still: one who has proved another key in the meantime
 * collects a credential for that.
 */
export const stillHeld = (issued: readonly IssuedTo[], owners: readonly Owned[]): IssuedTo[] =>
  issued.filter(({ holder }) => owners.some(owned => owned.holder === holder))

/** Owners with the keys they had, or have just proved. */
export const withHolders = (
  holdings: readonly Omit<Owned, 'holder'>[],
  known: readonly { party: string; holder: string | null }[],
): Owned[] =>
  holdings.map(({ party, share }) => ({
    ...{ party, share },
    holder: known.findLast(each => each.party === party)?.holder ?? null,
  }))

/** One that is not about to end by its own time. */
const standingCredential = async (desk: LandDesk, title: string, holder: string): Promise<string | undefined> => {
  const sql = `SELECT id FROM registry_credentials WHERE entry = ? AND holder = ? AND ended_at IS NULL AND issued_at > ?
    ORDER BY id LIMIT 1`
  const since = desk.house.clock.now() - credentialAgeMost
  const [row] = await desk.house.store.read<Row & { id: string }>(sql, [title, holder, since])
  return row?.id
}

const replaceCredential = async (
  desk: LandDesk,
  tx: Tx,
  title: Title,
  owner: { party: string; before: string | null },
  { holder, credential }: IssuedTo,
): Promise<void> => {
  const { id } = title.entry
  const old = (await currentCredentials(tx, id)).filter(each => each.holder === owner.before || each.holder === holder)
  await endCredentials(
    desk,
    tx,
    old.map(each => each.id),
    'replaced',
  )
  await tx.query('UPDATE land_holdings SET holder = ? WHERE title = ? AND party = ?', [holder, id, owner.party])
  desk.issuance.store(tx, credential)
  tx.insert('registry_credentials', [
    { id: credential.id, entry: id, holder, issued_at: credential.issuedAt, ended_at: null },
  ])
}

const ownerIn = (title: Title, party: string | undefined): Owned => {
  const owned = title.owners.find(each => each.party === party)
  if (owned === undefined) throw ownerOnly()
  return owned
}

type Ready = { title: Title; owned: Owned; holder: string; issued: IssuedTo | undefined; standing: string | undefined }

const prepareCollection = async (
  desk: LandDesk,
  register: Register,
  id: string,
  { owner, replace }: { owner: Identified; replace: boolean },
): Promise<Ready> => {
  const title = await standingTitle(desk, id, register.name)
  assertOpen(title.entry, desk.house.clock.now())
  const owned = ownerIn(title, await knownParty(desk.house.store.read, register.name, owner))
  const holder = owner.holder ?? ''
  const standing = owned.holder === holder && !replace ? await standingCredential(desk, id, holder) : undefined
  const { number, fields, legalBasis } = title.entry
  const plan = { number, fields, legalBasis, parcels: title.parcels }
  const [issued] = standing === undefined ? await signFor(desk, register, plan, [{ ...owned, holder }], [owner]) : []
  return { title, owned, holder, issued, standing }
}

/**
 * The owner's credential of the title: the one that stands, or a new one for the key that was proved now, which ends
 * the one before. No step of the title's history: what it says does not change.
 */
export const collectTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const { replace = false, ...key } = (context.body ?? {}) as { replace?: boolean; holderProof?: KeyProof }
  const answer = await enact(desk, context, {
    operation: 'collectTitle',
    requires: 'owner',
    register,
    input: { title: id, replace, ...key },
    prepare: async () => {
      const asking = holderOf(context.caller)
      const known = identified(desk, register.name, asking, 'owner')
      const owner = key.holderProof === undefined ? known : { ...known, holder: await holderWanted(desk, asking, key) }
      return prepareCollection(desk, register, id, { owner, replace })
    },
    act: async ({ tx }, { title: prepared, owned, issued, standing }) => {
      const title = await lockTitle(desk, tx, id, register.name)
      assertUnchanged(title, prepared.entry.version)
      if (issued === undefined) return { credentialId: standing ?? '' }
      const { holder: before } = ownerIn(title, owned.party)
      await replaceCredential(desk, tx, title, { party: owned.party, before }, issued)
      return { credentialId: issued.credential.id }
    },
  })
  const credential = await desk.credential(answer.credentialId)
  return {
    status: 200,
    body: { ...answer, ...(credential && { credential: credential.compact, format: credential.format }) },
  }
}
