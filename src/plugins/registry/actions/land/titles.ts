import type { ChainWrite, Row, Tx } from '../../../../kernel/ports.ts'
import type { Fields } from '../../extract.ts'
import { type Interest, type InterestKind, publicInterest } from '../../land/encumbrances.ts'
import { titleChanged, titleClosed } from '../../land/errors.ts'
import { type Holding, shareOf } from '../../land/shares.ts'
import { type Acting, assertState, changeEntry, type Entry, type IssuedTo, lockEntry, readEntry } from '../entries.ts'
import type { LandDesk } from './desk.ts'
import { type Parcel, parcelsOf } from './parcels.ts'
import type { Reads } from './parties.ts'

/** A share in ownership, and the key that its owner last proved for it. */
export type Owned = Holding & { holder: string | null }

/** BAUnit of ISO 19152 with all that lies on it. */
export type Title = { entry: Entry; owners: Owned[]; interests: Interest[]; parcels: Parcel[] }

type HoldingRow = Row & { party: string; numerator: string; denominator: string; holder: string | null }
type InterestRow = Row & {
  id: string
  origin: string
  kind: InterestKind
  rank: number | null
  party: string | null
  legal_basis: string
  terms: string
  registered_at: number
}

const ownersOf = async (reads: Reads, title: string): Promise<Owned[]> => {
  const sql = `SELECT party, cast(numerator AS text) AS numerator, cast(denominator AS text) AS denominator, holder
    FROM land_holdings WHERE title = ? ORDER BY party`
  const rows = await reads<HoldingRow>(sql, [title])
  return rows.map(({ party, numerator, denominator, holder }) => ({
    ...{ party, holder },
    share: shareOf(BigInt(numerator), BigInt(denominator)),
  }))
}

const interestsOf = async (reads: Reads, title: string): Promise<Interest[]> => {
  const sql = `SELECT id, origin, kind, rank, party, legal_basis, terms, registered_at
    FROM land_interests WHERE title = ? AND ended_at IS NULL ORDER BY id`
  const rows = await reads<InterestRow>(sql, [title])
  return rows.map(({ id, origin, kind, rank, party, legal_basis, terms, registered_at }) => ({
    ...{ id, origin, kind, rank, party, legalBasis: legal_basis, registeredAt: registered_at },
    terms: JSON.parse(terms) as Interest['terms'],
  }))
}

export const readTitle = async (reads: Reads, entry: Entry): Promise<Title> => ({
  entry,
  owners: await ownersOf(reads, entry.id),
  interests: await interestsOf(reads, entry.id),
  parcels: await parcelsOf(reads, entry.id),
})

/** Committed, for what is prepared before an act. @throws Refusal entry_unknown */
export const standingTitle = async (desk: LandDesk, id: string, register: string): Promise<Title> =>
  readTitle(desk.house.store.read, await readEntry(desk, id, register))

/** @throws Refusal title_closed, entry_state */
export const assertOpen = (entry: Entry, now: number): void => {
  if (entry.state === 'closed') throw titleClosed()
  assertState(entry, ['active'], now)
}

/** Locked for the rest of the act, and open. @throws Refusal entry_unknown, title_closed, entry_state */
export const lockTitle = async (desk: LandDesk, tx: Tx, id: string, register: string): Promise<Title> => {
  const entry = await lockEntry(tx, id, register)
  assertOpen(entry, desk.house.clock.now())
  return readTitle(tx.query, entry)
}

/**
 * The title must be as it was when the act was drawn up or prepared: of two that dispose of it at once, one finds it
 * changed.
 * @throws Refusal title_changed
 */
export const assertUnchanged = ({ entry }: Title, ...versions: (number | undefined)[]): void => {
  if (versions.some(version => version !== undefined && version !== entry.version)) throw titleChanged(entry.version)
}

export type TitleExtract = {
  parcels: { id: string; parcelNumber: string; legalAreaSquareCentimetres: string }[]
  legalAreaSquareCentimetres: string
  encumbrances: ReturnType<typeof publicInterest>[]
}

/** What the public extract says of a title, besides its fields. */
export const extractOf = (title: Pick<Title, 'parcels' | 'interests'>, links: Fields = {}): TitleExtract & Fields => ({
  parcels: title.parcels.map(({ id, number, area }) => ({
    ...{ id, parcelNumber: number, legalAreaSquareCentimetres: String(area) },
  })),
  legalAreaSquareCentimetres: String(title.parcels.reduce((sum, { area }) => sum + area, 0n)),
  encumbrances: title.interests.map(publicInterest),
  ...links,
})

/** Links to the titles that a title came from, or that came from it, which later changes keep. */
const linksOf = ({ extract }: Entry): Fields => ({
  ...(extract['predecessors'] !== undefined && { predecessors: extract['predecessors'] }),
  ...(extract['successors'] !== undefined && { successors: extract['successors'] }),
})

/** What the history keeps of a title at each step; parties by the register's ids. */
export const recordOf = (title: Pick<Title, 'owners' | 'interests'>): Record<string, unknown> => ({
  owners: title.owners.map(({ party, share }) => ({
    ...{ party, numerator: String(share.numerator), denominator: String(share.denominator) },
  })),
  interests: title.interests.map(({ id, origin, kind, rank, party, terms, legalBasis }) => ({
    ...{ id, origin, kind, rank, party, terms, legalBasis },
  })),
})

const holdingRow = (title: string, { party, share, holder }: Owned, since: number): Row => ({
  ...{ title, party, holder, since },
  numerator: String(share.numerator),
  denominator: String(share.denominator),
})

const interestRow = (title: string, interest: Interest): Row => {
  const { id, origin, kind, rank, party, legalBasis, terms, registeredAt } = interest
  return {
    ...{ id, title, origin, kind, rank, party, legal_basis: legalBasis, terms: JSON.stringify(terms) },
    ...{ registered_at: registeredAt, ended_at: null },
  }
}

/** The first owners and interests of a new title. */
export const enterTitle = (
  tx: Tx,
  title: string,
  { owners, interests }: Pick<Title, 'owners' | 'interests'>,
  now: number,
) => {
  tx.insert(
    'land_holdings',
    owners.map(owned => holdingRow(title, owned, now)),
  )
  if (interests.length > 0)
    tx.insert(
      'land_interests',
      interests.map(interest => interestRow(title, interest)),
    )
}

const sameOwned = (a: Owned, b: Owned): boolean =>
  a.share.numerator === b.share.numerator && a.share.denominator === b.share.denominator && a.holder === b.holder

const saveOwners = async (tx: Tx, title: string, before: readonly Owned[], after: readonly Owned[], now: number) => {
  const touched = before.filter(old => !after.some(owned => owned.party === old.party && sameOwned(owned, old)))
  for (const { party } of touched) {
    await tx.query('DELETE FROM land_holdings WHERE title = ? AND party = ?', [title, party])
  }
  const made = after.filter(owned => !before.some(old => old.party === owned.party && sameOwned(owned, old)))
  if (made.length > 0)
    tx.insert(
      'land_holdings',
      made.map(owned => holdingRow(title, owned, now)),
    )
}

const saveInterests = async (
  tx: Tx,
  title: string,
  before: readonly Interest[],
  after: readonly Interest[],
  now: number,
): Promise<void> => {
  for (const { id } of before.filter(old => !after.some(interest => interest.id === old.id))) {
    await tx.query('UPDATE land_interests SET ended_at = ? WHERE id = ?', [now, id])
  }
  for (const interest of after) {
    const old = before.find(({ id }) => id === interest.id)
    if (old === undefined) tx.insert('land_interests', [interestRow(title, interest)])
    else if (old.rank !== interest.rank) {
      await tx.query('UPDATE land_interests SET rank = ? WHERE id = ?', [interest.rank, interest.id])
    }
  }
}

export type TitleChange = {
  kind: string
  fields?: Fields
  owners?: Owned[]
  interests?: Interest[]
  wallet?: string | null
  legalBasis: string
  reason?: string
  order?: string
  detail?: Record<string, unknown>
  issued?: readonly IssuedTo[]
  ended?: readonly string[]
  /** The order under which the token moves past whatever freezes it. */
  forcedUnder?: string
  /** Besides what follows from the rest: freezes and their lifting. */
  writes?: (register: string, entryId: string) => ChainWrite[]
}

const moveWrites = (desk: LandDesk, before: Entry, after: Entry, order: string | undefined): ChainWrite[] => {
  const { titles } = desk.tokens
  const { id: entryId, register, commitment } = after
  if (before.wallet === after.wallet) return []
  const move = { entryId, from: before.wallet, to: after.wallet, commitment }
  return order === undefined ? titles.transfer(register, move) : titles.forcedTransfer(register, { ...move, order })
}

const tokenWrites = (
  desk: LandDesk,
  before: Title,
  { interests = before.interests, forcedUnder }: TitleChange,
  after: Entry,
): ChainWrite[] => {
  const { titles } = desk.tokens
  const { id: entryId, register, commitment } = after
  const { entry } = before
  const writes = moveWrites(desk, entry, after, forcedUnder)
  const moved = writes.length > 0
  if (interests.length !== before.interests.length) {
    writes.push(...titles.encumber(register, { entryId, encumbrances: interests.length, commitment }))
  } else if (!moved && entry.commitment !== commitment) {
    writes.push(...titles.amend(register, [{ entryId, commitment }]))
  }
  return writes
}

/** Changes a locked title: owners, interests, history, credentials and token in one act. */
export const changeTitle = async (
  desk: LandDesk,
  acting: Acting,
  before: Title,
  change: TitleChange,
): Promise<Title> => {
  const { owners = before.owners, interests = before.interests, writes, detail, forcedUnder: _, ...rest } = change
  const { tx } = acting
  const { id } = before.entry
  const now = desk.house.clock.now()
  await saveOwners(tx, id, before.owners, owners, now)
  await saveInterests(tx, id, before.interests, interests, now)
  const tokens = desk.register(before.entry.register).tokens !== 'none'
  const entry = await changeEntry(desk, acting, before.entry, {
    ...rest,
    extract: extractOf({ parcels: before.parcels, interests }, linksOf(before.entry)),
    detail: { ...recordOf({ owners, interests }), ...detail },
    writes: after =>
      tokens ? [...tokenWrites(desk, before, change, after), ...(writes?.(after.register, after.id) ?? [])] : [],
  })
  return { ...before, entry, owners, interests }
}

/** What an operation answers about a title that it changed. */
export const titleView = ({ entry, parcels, interests }: Title) => ({
  ...{ id: entry.id, register: entry.register, number: entry.number, state: entry.state, version: entry.version },
  ...{ token: entry.token, ...extractOf({ parcels, interests }, linksOf(entry)) },
})
