import { disclose } from '../../../kernel/disclose.ts'
import { cursorMalformed } from '../../../kernel/pages.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Value } from '../../../kernel/ports.ts'
import { searchEmpty, searchFieldUnknown } from '../errors.ts'
import { numberField, searchable } from '../extract.ts'
import { officerRequirement, pageDefault, searchCountMost, searchScanMost } from '../policy.ts'
import type { Register } from '../soundness.ts'
import type { Desk } from './desk.ts'
import { type Entry, type EntryState, entryColumns, entryOf } from './entries.ts'
import { extractView, fullView } from './read-entries.ts'

/**
 * Entries by what they are found by. One condition leads, the one that fewest entries meet, and the others are looked
 * up for each entry it gives; one page looks at a bounded number of entries, so that every page takes the same short
 * time, however many there are. So a page may be short, even empty, and still say where to go on.
 */

type Wish = {
  where?: Record<string, string | number | boolean | { prefix: string }>
  state?: EntryState
  after?: string
  limit?: number
}

type Condition = { field: string; value: string; prefix: boolean }

const conditionsOf = (where: NonNullable<Wish['where']>, allowed: readonly string[]): Condition[] =>
  Object.entries(where).map(([field, wanted]) => {
    if (!allowed.includes(field)) throw searchFieldUnknown(field)
    const prefix = typeof wanted === 'object'
    const value = searchable(prefix ? wanted.prefix : wanted)
    if (value === '') throw searchEmpty()
    return { field, value, prefix }
  })

/** Above every text that begins with a prefix: no character sorts after this one, in UTF-8 as in both databases. */
const last = '\u{10ffff}'

type Sql = { text: string; params: Value[] }
/** A part of an index, and the columns that it is ordered by. */
type Part = Sql & { order: readonly string[] }

const matches = (table: string, { field, value, prefix }: Condition): Sql =>
  prefix
    ? {
        text: `${table}.field = ? AND ${table}.value >= ? AND ${table}.value < ?`,
        params: [field, value, value + last],
      }
    : { text: `${table}.field = ? AND ${table}.value = ?`, params: [field, value] }

const countOf = async (desk: Desk, register: string, condition: Condition): Promise<number> => {
  const { text, params } = matches('s', condition)
  const sql = `SELECT count(*) AS n FROM
    (SELECT 1 FROM registry_search s WHERE s.register = ? AND ${text} LIMIT ${searchCountMost}) counted`
  const [row] = await desk.house.store.read<Row & { n: number }>(sql, [register, ...params])
  return row?.n ?? 0
}

/** Where a page ended: the leading condition's field, and its value and entry there. */
type Cursor = { field: string; value: string; entry: string }

const cursorText = ({ field, value, entry }: Cursor): string =>
  Buffer.from(JSON.stringify([field, value, entry])).toString('base64url')

const isTexts = (value: unknown): value is [string, string, string] =>
  Array.isArray(value) && value.length === 3 && value.every(item => typeof item === 'string' && !item.includes('\0'))

/** @throws Refusal cursor_malformed */
const cursorOf = (text: string): Cursor => {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch (cause) {
    throw cursorMalformed(cause)
  }
  if (!isTexts(parts)) throw cursorMalformed()
  const [field, value, entry] = parts
  return { field, value, entry }
}

/** The condition that leads, and the others. A cursor says which led on the page before. */
const ordered = async (desk: Desk, register: string, conditions: readonly Condition[], cursor: Cursor | undefined) => {
  if (conditions.length === 1 && cursor === undefined) return { leading: conditions[0], others: [] }
  let leading = cursor && conditions.find(({ field }) => field === cursor.field)
  if (cursor !== undefined && leading === undefined && conditions.length > 0) throw cursorMalformed()
  if (leading === undefined) {
    const counted = await Promise.all(
      conditions.map(async condition => ({ condition, count: await countOf(desk, register, condition) })),
    )
    leading = counted.sort((a, b) => a.count - b.count)[0]?.condition
  }
  return { leading, others: conditions.filter(condition => condition !== leading) }
}

/** Entries found, in their places, and the last place that was looked at; none once there is nothing after it. */
type Found = { places: Cursor[]; last?: Cursor }
type PlaceRow = Row & { value: string; entry: string; kind: number }

/** What an entry at a place in the index still has to meet. Looked up by entry, so that each costs one step. */
const restOf = (
  leading: Condition,
  others: readonly Condition[],
  state: EntryState | undefined,
  now: number,
): Sql[] => {
  const rest = others.map((condition): Sql => {
    const { text, params } = matches('o', condition)
    return { text: `EXISTS (SELECT 1 FROM registry_search o WHERE o.entry = c.entry AND ${text})`, params }
  })
  if (leading.prefix) {
    // An entry that begins so in several ways is given once: at the first of them.
    const text = `NOT EXISTS (SELECT 1 FROM registry_search p
      WHERE p.entry = c.entry AND p.field = ? AND p.value >= ? AND p.value < c.value)`
    rest.push({ text, params: [leading.field, leading.value] })
  }
  if (state !== undefined) {
    const { text, params } = inState(state, now)
    rest.push({ text: `EXISTS (SELECT 1 FROM registry_entries e WHERE e.id = c.entry AND ${text})`, params })
  }
  return rest
}

/** `stateAt` in the words of the database. */
const inState = (state: EntryState, now: number): Sql => {
  const over = `e.state IN ('active', 'suspended') AND e.valid_until IS NOT NULL AND e.valid_until <= ?`
  return { text: `(CASE WHEN ${over} THEN 'lapsed' ELSE e.state END) = ?`, params: [now, state] }
}

type Looking = { register: string; after: Cursor | undefined; limit: number; state: EntryState | undefined }

/** Looks through the next places of a part of the index for entries that meet the rest. */
const lookThrough = async (
  desk: Desk,
  field: string,
  part: Part,
  rest: readonly Sql[],
  limit: number,
): Promise<Found> => {
  const most = rest.length === 0 ? limit : searchScanMost
  const meets = rest.length === 0 ? '1 = 1' : rest.map(({ text }) => text).join(' AND ')
  const sql = `WITH c AS MATERIALIZED (${part.text} ORDER BY ${part.order.join(', ')} LIMIT ?)
    SELECT value, entry, 1 AS kind FROM (SELECT value, entry FROM c WHERE ${meets} ORDER BY value, entry LIMIT ?) met
    UNION ALL SELECT value, entry, 0 FROM
      (SELECT value, entry FROM c ORDER BY value DESC, entry DESC LIMIT 1) ended WHERE (SELECT count(*) FROM c) = ?`
  const params = [...part.params, most, ...rest.flatMap(each => each.params), limit, most]
  const rows = await desk.house.store.read<PlaceRow>(sql, params)
  const place = ({ value, entry }: PlaceRow): Cursor => ({ field, value, entry })
  const places = rows.filter(({ kind }) => kind === 1).map(place)
  places.sort((a, b) => byBytes(a.value, b.value) || byBytes(a.entry, b.entry))
  const full = places.length === limit ? places.at(-1) : undefined
  const ended = rows.find(({ kind }) => kind === 0)
  const last = full ?? (ended && place(ended))
  return { places, ...(last !== undefined && { last }) }
}

/** As both databases order text. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const afterPlace = (leading: Condition, after: Cursor | undefined): Sql => {
  if (after === undefined) return { text: '', params: [] }
  if (!leading.prefix) return { text: 'AND s.entry > ?', params: [after.entry] }
  return { text: 'AND (s.value, s.entry) > (?, ?)', params: [after.value, after.entry] }
}

/** The next entries that meet the leading condition and all others. */
const led = (desk: Desk, leading: Condition, others: readonly Condition[], look: Looking): Promise<Found> => {
  const { text, params } = matches('s', leading)
  const after = afterPlace(leading, look.after)
  // One value has its entries in order by themselves; the database is not to sort them by both.
  const order = leading.prefix ? ['value', 'entry'] : ['entry']
  const part: Part = {
    order,
    text: `SELECT s.value, s.entry FROM registry_search s WHERE s.register = ? AND ${text} ${after.text}`,
    params: [look.register, ...params, ...after.params],
  }
  const rest = restOf(leading, others, look.state, desk.house.clock.now())
  return lookThrough(desk, leading.field, part, rest, look.limit)
}

/** All entries of a register, where there is no condition. */
const all = (desk: Desk, { register, after, limit, state }: Looking): Promise<Found> => {
  if (after !== undefined && after.field !== '') throw cursorMalformed()
  const part: Part = {
    order: ['id'],
    text: `SELECT '' AS value, id AS entry FROM registry_entries WHERE register = ? AND id > ?`,
    params: [register, after?.entry ?? ''],
  }
  const wanted = state === undefined ? [] : [inState(state, desk.house.clock.now())]
  const rest = wanted.map(({ text, params }) => ({
    text: `EXISTS (SELECT 1 FROM registry_entries e WHERE e.id = c.entry AND ${text})`,
    params,
  }))
  return lookThrough(desk, '', part, rest, limit)
}

type Page = { entries: Entry[]; next?: string }

const entriesAt = async (desk: Desk, places: readonly Cursor[]): Promise<Entry[]> => {
  if (places.length === 0) return []
  const marks = places.map(() => '?').join(', ')
  const sql = `SELECT ${entryColumns} FROM registry_entries WHERE id IN (${marks})`
  const rows = await desk.house.store.read(
    sql,
    places.map(({ entry }) => entry),
  )
  const byId = new Map(rows.map(entryOf).map(entry => [entry.id, entry]))
  return places.flatMap(({ entry }) => byId.get(entry) ?? [])
}

/** @throws Refusal search_field_unknown, search_empty, cursor_malformed */
export const searchPage = async (
  desk: Desk,
  register: Register,
  allowed: readonly string[],
  wish: Wish,
): Promise<Page> => {
  const conditions = conditionsOf(wish.where ?? {}, allowed)
  const after = wish.after === undefined ? undefined : cursorOf(wish.after)
  const { leading, others } = await ordered(desk, register.name, conditions, after)
  const look: Looking = { register: register.name, after, limit: wish.limit ?? pageDefault, state: wish.state }
  const { places, last } = await (leading === undefined ? all(desk, look) : led(desk, leading, others, look))
  const entries = await entriesAt(desk, places)
  return { entries, ...(last !== undefined && { next: cursorText(last) }) }
}

/** The search fields of a register by name, and its entries' number. */
const names = (paths: readonly (readonly string[])[]): string[] => [numberField, ...paths.map(path => path.join('.'))]

/** Whether the public may see what stands at this path: itself, or something above it. */
const isPublic = (register: Register, path: readonly string[]): boolean =>
  register.public.some(shown => shown.length <= path.length && shown.every((step, at) => step === path[at]))

/** For everybody: by public fields only, so that nobody learns by asking what they may not read. */
export const searchEntries = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const allowed = names(register.search.filter(path => isPublic(register, path)))
  const { entries, next } = await searchPage(desk, register, allowed, context.body as Wish)
  const shown = entries.map(entry => extractView(desk, entry))
  return { status: 200, body: { entries: shown, ...(next !== undefined && { next }) } }
}

/** For officers: by every search field, with whole entries. */
export const searchEntriesAsOfficer = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const wish = context.body as Wish
  const body = await disclose(desk.house, {
    operation: 'searchEntriesAsOfficer',
    requires: officerRequirement(register),
    caller: context.caller,
    input: { register: register.name, ...wish },
    read: async () => {
      const { entries, next } = await searchPage(desk, register, names(register.search), wish)
      return { entries: entries.map(entry => fullView(desk, entry)), ...(next !== undefined && { next }) }
    },
  })
  return { status: 200, body }
}
