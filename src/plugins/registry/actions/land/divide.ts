import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Fields } from '../../extract.ts'
import { assertUnblocked, carriedOver, sameInterests } from '../../land/encumbrances.ts'
import { mergeEncumbrancesDiffer, mergeOwnersDiffer, titlesRepeated } from '../../land/errors.ts'
import { assertConserved } from '../../land/geometry.ts'
import { sameHoldings } from '../../land/shares.ts'
import type { Register } from '../../soundness.ts'
import { type Acting, changeEntry, createEntries, type Entry, type NewEntry } from '../entries.ts'
import { allotNumbers, assertLegalBasis } from '../prepare.ts'
import { signFor, stillHeld } from './credentials.ts'
import { enact, type LandDesk, landRegister } from './desk.ts'
import {
  assertFree,
  enterParcels,
  lockMap,
  type Parcel,
  type ParcelInput,
  retireParcels,
  surveyedTogether,
} from './parcels.ts'
import { assertFields, created } from './register.ts'
import {
  assertOpen,
  assertUnchanged,
  enterTitle,
  extractOf,
  lockTitle,
  recordOf,
  standingTitle,
  type Title,
  titleView,
} from './titles.ts'

/** Split and merge: titles end and others begin in their place, with the same land, owners, rights and encumbrances. */

type Cause = { legalBasis: string; reason?: string; survey: { reference: string; documentSha256: string } }
type PartInput = { parcel: ParcelInput; fields?: Fields }
type SplitBody = Cause & { version?: number; parts: PartInput[] }
type MergeBody = Cause & { titles: string[]; parcel: ParcelInput; fields?: Fields }

/** One of the titles that begin, signed for its owners. */
type Part = { wanted: NewEntry & { id: string }; parcel: Parcel }

type Prepared = { titles: Title[]; parts: Part[] }

const prepareParts = async (
  desk: LandDesk,
  register: Register,
  titles: readonly Title[],
  inputs: readonly PartInput[],
  cause: Cause,
): Promise<Part[]> => {
  const [first] = titles
  if (first === undefined) throw titlesRepeated()
  const gone = titles.flatMap(title => title.parcels)
  const parcels = surveyedTogether(
    desk,
    inputs.map(({ parcel }) => parcel),
    gone,
  )
  const units = (all: readonly Parcel[]) => all.map(({ region, area }) => ({ region, legalArea: area }))
  assertConserved(units(gone), units(parcels))
  const numbers = await allotNumbers(desk, register, inputs.length)
  const { legalBasis } = cause
  return Promise.all(
    parcels.map(async (parcel, at) => {
      const fields = inputs[at]?.fields ?? first.entry.fields
      assertFields(register, fields)
      const number = numbers[at] ?? ''
      const issued = await signFor(desk, register, { number, fields, parcels: [parcel], legalBasis }, first.owners)
      const id = desk.newId()
      return { parcel, wanted: { id, register, number, fields, legalBasis, issued, holder: null, validUntil: null } }
    }),
  )
}

/** Where the tokens of the titles that end are together, those that begin go too; otherwise to the register. */
const walletOf = (titles: readonly Title[]): string | null => {
  const [first, ...others] = titles.map(({ entry }) => entry.wallet)
  return first !== undefined && others.every(wallet => wallet === first) ? first : null
}

type Made = { title: Title; wanted: NewEntry }

const makePart = (
  desk: LandDesk,
  titles: readonly Title[],
  { wanted, parcel }: Part,
  kind: string,
  cause: Cause,
): Made => {
  const [first] = titles as [Title]
  const { owners } = first
  const interests = carriedOver(first.interests, desk.newId)
  const parcels = [parcel]
  const predecessors = titles.map(({ entry }) => entry.id)
  return {
    title: { ...first, owners, interests, parcels },
    wanted: {
      ...{ ...wanted, kind, wallet: walletOf(titles), issued: stillHeld(wanted.issued ?? [], owners) },
      extract: extractOf({ parcels, interests }, { predecessors }),
      detail: { ...recordOf({ owners, interests }), survey: cause.survey },
      ...(cause.reason !== undefined && { reason: cause.reason }),
      // One write makes them all, in the place of those that end.
      writes: () => [],
    },
  }
}

const replacing = (desk: LandDesk, register: Register, titles: readonly Title[], made: readonly Title[]) => {
  if (register.tokens === 'none') return []
  return desk.tokens.titles.replace(register.name, {
    predecessors: titles.map(({ entry }) => ({ entryId: entry.id, holder: entry.wallet })),
    successors: made.map(({ entry, interests }) => ({
      ...{ entryId: entry.id, holder: entry.wallet, commitment: entry.commitment, encumbrances: interests.length },
    })),
  })
}

/** Ends titles whose place others have taken; their land is off the map, their credentials are revoked. */
const close = async (
  desk: LandDesk,
  acting: Acting,
  titles: readonly Title[],
  made: readonly Title[],
  kind: string,
  cause: Cause,
): Promise<void> => {
  const { legalBasis, reason, survey } = cause
  const successors = made.map(({ entry }) => entry.id)
  for (const [at, title] of titles.entries()) {
    const register = desk.register(title.entry.register)
    await retireParcels(acting.tx, title.entry.id, desk.house.clock.now())
    await changeEntry(desk, acting, title.entry, {
      ...{ kind, state: 'closed', legalBasis, wallet: null, ...(reason !== undefined && { reason }) },
      extract: { ...title.entry.extract, successors },
      detail: { ...recordOf(title), survey },
      writes: () => (at === 0 ? replacing(desk, register, titles, made) : []),
    })
  }
}

const exchange = async (
  desk: LandDesk,
  acting: Acting,
  register: Register,
  { titles, parts }: Prepared,
  how: { kind: { made: string; ended: string }; cause: Cause },
): Promise<Title[]> => {
  const { tx } = acting
  const now = desk.house.clock.now()
  const planned = parts.map(part => makePart(desk, titles, part, how.kind.made, how.cause))
  await assertFree(
    tx,
    register.name,
    parts.map(({ parcel }) => parcel),
    titles.flatMap(({ parcels }) => parcels),
  )
  const entries: Entry[] = await createEntries(
    desk,
    acting,
    planned.map(({ wanted }) => wanted),
  )
  const made = planned.map(({ title }, at) => ({ ...title, entry: entries[at] as Entry }))
  for (const title of made) {
    enterParcels(tx, register.name, title.entry.id, title.parcels, now)
    enterTitle(tx, title.entry.id, title, now)
  }
  await close(desk, acting, titles, made, how.kind.ended, how.cause)
  return made
}

export const splitTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as SplitBody
  const parts = await enact(desk, context, {
    operation: 'splitTitle',
    requires: 'decision',
    register,
    input: { title: id, ...body },
    prepare: async () => {
      assertLegalBasis(register, body.legalBasis)
      const title = await standingTitle(desk, id, register.name)
      assertOpen(title.entry, desk.house.clock.now())
      return { titles: [title], parts: await prepareParts(desk, register, [title], body.parts, body) }
    },
    act: async (acting, prepared) => {
      await lockMap(acting.tx, register.name, body.parts.length)
      const title = await lockTitle(desk, acting.tx, id, register.name)
      assertUnblocked(title.interests)
      assertUnchanged(title, body.version, prepared.titles[0]?.entry.version)
      const kind = { made: 'split-from', ended: 'split' }
      const made = await exchange(
        desk,
        acting,
        register,
        { titles: [title], parts: prepared.parts },
        { kind, cause: body },
      )
      return made.map(titleView)
    },
  })
  return { status: 201, body: { titles: parts } }
}

/** @throws Refusal merge_owners_differ, merge_encumbrances_differ */
const assertAlike = (titles: readonly Title[]): void => {
  const [first, ...others] = titles as [Title, ...Title[]]
  if (!others.every(({ owners }) => sameHoldings(owners, first.owners))) throw mergeOwnersDiffer()
  if (!others.every(({ interests }) => sameInterests(interests, first.interests))) throw mergeEncumbrancesDiffer()
}

export const mergeTitles = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const body = context.body as MergeBody
  const ids = [...body.titles].sort()
  const answer = await enact(desk, context, {
    operation: 'mergeTitles',
    requires: 'decision',
    register,
    input: body,
    prepare: async () => {
      if (new Set(ids).size < 2 || new Set(ids).size < ids.length) throw titlesRepeated()
      assertLegalBasis(register, body.legalBasis)
      const titles: Title[] = []
      for (const id of ids) titles.push(await standingTitle(desk, id, register.name))
      for (const { entry } of titles) assertOpen(entry, desk.house.clock.now())
      const { parcel, fields } = body
      const inputs = [{ parcel, ...(fields && { fields }) }]
      return { titles, parts: await prepareParts(desk, register, titles, inputs, body) }
    },
    act: async (acting, prepared) => {
      await lockMap(acting.tx, register.name, 1)
      const titles: Title[] = []
      // In the order of ids, as everybody locks several.
      for (const id of ids) titles.push(await lockTitle(desk, acting.tx, id, register.name))
      for (const [at, title] of titles.entries()) {
        assertUnblocked(title.interests)
        assertUnchanged(title, prepared.titles[at]?.entry.version)
      }
      assertAlike(titles)
      const kind = { made: 'merged-from', ended: 'merged' }
      const made = await exchange(desk, acting, register, { titles, parts: prepared.parts }, { kind, cause: body })
      return titleView(made[0] as Title)
    },
  })
  return created(desk, answer)
}
