import type {
  AssetStanding,
  BlockRef,
  LicenceStanding,
  RegisterStanding,
  TitleStanding,
  TokenHolder,
} from '../../../kernel/ports.ts'
import type { Register } from '../soundness.ts'
import { assetFacts } from './assets/reconcile.ts'
import type { Desk } from './desk.ts'
import { type Entry, entryColumns, entryOf, stateAt } from './entries.ts'

/**
 * Register and chain side by side, at one block: what an entry says, and what its token says. What the register changed
 * since the comparison began is left to the next one.
 */

type Kinds = 'missing' | 'over' | 'extra' | 'owner' | 'state' | 'expiry' | 'frozen' | 'encumbrances'
type What = Kinds | 'commitment' | 'cap' | 'units'

export type Difference = {
  register: string
  entry: string
  /**
   * `missing`: an entry without a token; `over`: one whose time ended before it had a token, so that it needs none;
   * `extra`: a token without an entry; else the fact that differs.
   */
  what: What
  inRegister: string
  onChain: string
}

export type Fact = Pick<Difference, 'what' | 'inRegister' | 'onChain'>
type Token = { entryId: string; commitment: string }

/** An entry and its token, one of which may be wanting, and all in which they differ. */
export type Disparity<Standing extends Token = TitleStanding | LicenceStanding | AssetStanding> = {
  register: string
  entryId: string
  entry?: Entry
  token?: Standing
  facts: Fact[]
}

const custody = 'the registrar'
const ownerOf = (holder: TokenHolder | undefined): string => (holder === undefined ? 'nobody' : (holder ?? custody))
const timeOf = (at: number | null): string => (at === null ? 'none' : new Date(at).toISOString())

const fact = (what: Fact['what'], inRegister: string | number, onChain: string | number): Fact[] =>
  inRegister === onChain ? [] : [{ what, inRegister: String(inRegister), onChain: String(onChain) }]

const isEnded = ({ state }: Entry): boolean => state === 'closed' || state === 'revoked'

/** The chain keeps whole seconds, and does not know of time passing: what has lapsed is active there, and over. */
const licenceFacts = (entry: Entry, token: LicenceStanding): Fact[] => {
  const ended = isEnded(entry)
  const state = ended ? 'revoked' : entry.state === 'suspended' ? 'suspended' : 'active'
  const until = entry.validUntil === null ? null : Math.floor(entry.validUntil / 1_000) * 1_000
  // An entry that was suspended when it lapsed has stayed so on chain; neither counts any more.
  const states = entry.state === 'lapsed' && token.state === 'suspended' ? [] : fact('state', state, token.state)
  // Nor does an end of what has ended, or one before the end at which the entry lapsed.
  const isPast = token.expires !== null && until !== null && token.expires <= until
  const ends = ended || (entry.state === 'lapsed' && isPast) ? [] : fact('expiry', timeOf(until), timeOf(token.expires))
  return [...states, ...fact('owner', ownerOf(entry.wallet), ownerOf(token.holder)), ...ends]
}

const kindsOf = ({ extract }: Entry): string[] => {
  const encumbrances = extract['encumbrances']
  return Array.isArray(encumbrances) ? encumbrances.map(each => String((each as { kind?: unknown }).kind)) : []
}

const blocking = ['caveat', 'court-order']

const titleFacts = (entry: Entry, token: TitleStanding): Fact[] => {
  if (entry.state === 'closed') return fact('owner', ownerOf(undefined), ownerOf(token.holder))
  const kinds = kindsOf(entry)
  const frozen = kinds.some(kind => blocking.includes(kind))
  return [
    ...fact('owner', ownerOf(entry.wallet), ownerOf(token.holder)),
    ...fact('frozen', String(frozen), String(token.frozen)),
    ...fact('encumbrances', kinds.length, token.encumbrances),
  ]
}

const pageRows = 500

const entriesOf = async (desk: Desk, register: string, ids: readonly string[]): Promise<Map<string, Entry>> => {
  const marks = ids.map(() => '?').join(', ')
  const sql = `SELECT ${entryColumns} FROM registry_entries WHERE register = ? AND id IN (${marks})`
  const rows = await desk.house.store.read(sql, [register, ...ids])
  return new Map(rows.map(row => entryOf(row)).map(entry => [entry.id, entry]))
}

async function* inPages<T>(all: AsyncIterable<T>): AsyncGenerator<T[]> {
  let page: T[] = []
  for await (const each of all) {
    page.push(each)
    if (page.length < pageRows) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** Entries that have no token, in order of their ids. */
async function* withoutToken(desk: Desk, register: string, seen: ReadonlySet<string>): AsyncGenerator<Entry> {
  const sql = `SELECT ${entryColumns} FROM registry_entries WHERE register = ? AND id > ? ORDER BY id LIMIT ?`
  let after = ''
  for (;;) {
    const rows = await desk.house.store.read(sql, [register, after, pageRows])
    for (const entry of rows.map(entryOf)) {
      after = entry.id
      if (!seen.has(entry.id)) yield entry
    }
    if (rows.length < pageRows) return
  }
}

export type Comparison<Standing extends Token> = {
  standing: RegisterStanding<Standing>
  /** What differs between an entry and its token, besides the commitment. */
  facts: (entry: Entry, token: Standing) => Fact[] | Promise<Fact[]>
  /** Milliseconds; whatever the register changed before is on chain by now. */
  began: number
}

/**
 * What has ended gives nobody anything, so that it is no loss that it never had a token; and of a licence that is over
 * the contract makes none.
 */
const lacking = (entry: Entry, { tokens }: Register, now: number): Fact => {
  const state = stateAt(entry, now)
  const over = isEnded(entry) || (tokens === 'licence' && state === 'lapsed')
  const inRegister = over ? `${entry.number} (${state})` : entry.number
  return { what: over ? 'over' : 'missing', inRegister, onChain: 'no token' }
}

/** Compares every token with its entry, and looks for entries without one. */
async function* compared<Standing extends Token>(
  desk: Desk,
  definition: Register,
  { standing, facts, began }: Comparison<Standing>,
): AsyncGenerator<Disparity<Standing>> {
  const { name: register } = definition
  const seen = new Set<string>()
  for await (const tokens of inPages(standing.tokens)) {
    const entries = await entriesOf(
      desk,
      register,
      tokens.map(({ entryId }) => entryId),
    )
    for (const token of tokens) {
      const { entryId, commitment } = token
      seen.add(entryId)
      const entry = entries.get(entryId)
      if (entry === undefined) {
        yield { register, entryId, token, facts: [{ what: 'extra', inRegister: 'no entry', onChain: commitment }] }
      } else if (entry.changedAt < began) {
        const found = await facts(entry, token)
        const all = [...found, ...(isEnded(entry) ? [] : fact('commitment', entry.commitment, commitment))]
        if (all.length > 0) yield { register, entryId, entry, token, facts: all }
      }
    }
  }
  const now = desk.house.clock.now()
  for await (const entry of withoutToken(desk, register, seen)) {
    if (entry.createdAt >= began) continue
    yield { register, entryId: entry.id, entry, facts: [lacking(entry, definition, now)] }
  }
}

export type Compared = { block: BlockRef; disparities: AsyncIterable<Disparity> }

/**
 * @param began when it was last seen that nothing of the register's waits to be sent; later changes are left out.
 * @returns undefined for a register whose entries have no tokens.
 */
export const disparities = async (desk: Desk, register: Register, began: number): Promise<Compared | undefined> => {
  const { assets, licences, titles } = desk.tokens
  if (register.tokens === 'licence') {
    const standing = await licences.standing(register.name)
    return { block: standing.block, disparities: compared(desk, register, { standing, facts: licenceFacts, began }) }
  }
  if (register.tokens === 'title') {
    const standing = await titles.standing(register.name)
    return { block: standing.block, disparities: compared(desk, register, { standing, facts: titleFacts, began }) }
  }
  if (register.tokens === 'asset') {
    const standing = await assets.standing(register.name)
    const facts = assetFacts(desk, began)
    return { block: standing.block, disparities: compared(desk, register, { standing, facts, began }) }
  }
  return undefined
}

/** Fact by fact. */
export const differencesOf = ({ register, entryId, facts }: Disparity): Difference[] =>
  facts.map(each => ({ register, entry: entryId, ...each }))

async function* flattened(all: AsyncIterable<Disparity>): AsyncGenerator<Difference> {
  for await (const disparity of all) yield* differencesOf(disparity)
}

export type Reconciliation = { block: BlockRef; differences: AsyncIterable<Difference> }

/** As `disparities`, fact by fact. */
export const reconcile = async (desk: Desk, register: Register, began: number): Promise<Reconciliation | undefined> => {
  const found = await disparities(desk, register, began)
  return found && { block: found.block, differences: flattened(found.disparities) }
}
