import type { AssetStanding, ChainWrite, LicenceStanding, Row, TitleStanding } from '../../../kernel/ports.ts'
import { timeId } from '../../../kernel/time-id.ts'
import { orderKinds } from '../land/encumbrances.ts'
import type { Desk } from './desk.ts'
import type { Entry } from './entries.ts'
import type { Disparity, Fact } from './reconcile.ts'

/** What brings a token to what its entry says, as far as the contracts let the registrar do so. */

export type Mending = {
  writes: ChainWrite[]
  /** What the writes do not bring about. */
  left: Fact[]
}

type Known<Standing> = { entry: Entry; token: Standing; facts: Fact[] }
type What = Fact['what']

/** Whether a title's token stands frozen under an order, on chain. */
export type FrozenUnder = (register: string, title: { entryId: string; order: string }) => Promise<boolean>

const differs = (facts: readonly Fact[], what: What): boolean => facts.some(fact => fact.what === what)
const only = (facts: readonly Fact[], ...kinds: What[]): Fact[] => facts.filter(({ what }) => kinds.includes(what))

type State = LicenceStanding['state']

/** A licence that has lapsed may be either on chain: it is over in both. */
const wantedState = ({ state }: Entry, onChain: State): State => {
  if (state === 'revoked' || state === 'closed') return 'revoked'
  if (state === 'lapsed') return onChain
  return state === 'suspended' ? 'suspended' : 'active'
}

/** The contract takes a later end or none, never an earlier one, nor one that is over. */
const isRenewable = (from: number | null, to: number | null, now: number): boolean =>
  to === null || (from !== null && to > now && to >= from)

export const mendLicence = (desk: Desk, { entry, token, facts }: Known<LicenceStanding>, now: number): Mending => {
  const { licences } = desk.tokens
  const { register, id: entryId, commitment, validUntil: expires } = entry
  if (token.state === 'revoked') return { writes: [], left: facts }
  const wanted = wantedState(entry, token.state)
  const writes: ChainWrite[] = []
  if (differs(facts, 'owner')) {
    const move = { entryId, from: token.holder, to: entry.wallet, reason: timeId(now) }
    writes.push(...licences.replaceWallet(register, move))
  }
  const isActive = token.state === 'active' || wanted === 'active'
  if (token.state === 'suspended' && wanted === 'active') writes.push(...licences.reinstate(register, [entryId]))
  // What stands suspended is not put into force for a moment, not even to renew it.
  const renews = differs(facts, 'expiry') && isActive && isRenewable(token.expires, expires, now)
  if (renews) writes.push(...licences.renew(register, { entryId, expires, commitment }))
  else if (differs(facts, 'commitment')) writes.push(...licences.amend(register, [{ entryId, commitment }]))
  if (token.state === 'active' && wanted === 'suspended') writes.push(...licences.suspend(register, [entryId]))
  if (wanted === 'revoked') writes.push(...licences.revoke(register, [entryId]))
  return { writes, left: renews ? [] : only(facts, 'expiry') }
}

/** Orders that block the title, or those that did and were lifted. */
const ordersOf = async (desk: Desk, title: string, which: 'standing' | 'lifted'): Promise<string[]> => {
  const marks = orderKinds.map(() => '?').join(', ')
  const sql = `SELECT id FROM land_interests WHERE title = ? AND kind IN (${marks})
    AND ended_at IS ${which === 'standing' ? '' : 'NOT '}NULL ORDER BY id`
  const rows = await desk.house.store.read<Row & { id: string }>(sql, [title, ...orderKinds])
  return rows.map(({ id }) => id)
}

/** The order under which the title came to where the register has it, if it came there by one. */
const orderOfMove = async (desk: Desk, { id, wallet }: Entry): Promise<string | undefined> => {
  const sql = 'SELECT step FROM registry_history WHERE entry = ? ORDER BY version DESC'
  const rows = await desk.house.store.read<Row & { step: string }>(sql, [id])
  const steps = rows.map(({ step }) => JSON.parse(step) as { wallet: string | null; order?: string })
  const before = steps.findIndex(step => step.wallet !== wallet)
  return before < 1 ? undefined : steps[before - 1]?.order
}

type Freezes = { lifts: ChainWrite[]; holds: ChainWrite[] }

/** The contract refuses to freeze twice under one order, and to lift what does not stand. */
const freezesOf = async (
  desk: Desk,
  frozenUnder: FrozenUnder,
  { entry, token }: Known<TitleStanding>,
): Promise<Freezes> => {
  const { titles } = desk.tokens
  const { register, id: entryId, state } = entry
  const standing = await ordersOf(desk, entryId, 'standing')
  const lifted = token.frozen ? await ordersOf(desk, entryId, 'lifted') : []
  const freezes: Freezes = { lifts: [], holds: [] }
  for (const order of [...standing, ...lifted]) {
    const held = await frozenUnder(register, { entryId, order })
    const holds = standing.includes(order) && state !== 'closed'
    if (held && !holds) freezes.lifts.push(...titles.unfreeze(register, { entryId, order }))
    if (!held && holds) freezes.holds.push(...titles.freeze(register, { entryId, order }))
  }
  return freezes
}

type Title = Known<TitleStanding> & { holder: string | null; frozen: boolean }

/** The token goes where the register has it, unless its holder had the power to move it. */
const moveWrites = async (desk: Desk, { entry, token, holder, frozen }: Title): Promise<ChainWrite[]> => {
  const { titles } = desk.tokens
  const { register, id: entryId, commitment, wallet } = entry
  const movesByHolder = desk.register(register).walletTransfers !== undefined && token.holder !== null
  if (movesByHolder) return []
  const move = { entryId, from: holder, to: wallet, commitment }
  if (!frozen) return titles.transfer(register, move)
  const order = await orderOfMove(desk, entry)
  return order === undefined ? [] : titles.forcedTransfer(register, { ...move, order })
}

export const encumbrancesOf = ({ extract }: Entry): number => {
  const { encumbrances } = extract
  return Array.isArray(encumbrances) ? encumbrances.length : 0
}

export const mendTitle = async (
  desk: Desk,
  frozenUnder: FrozenUnder,
  known: Known<TitleStanding>,
): Promise<Mending> => {
  const { titles } = desk.tokens
  const { entry, token, facts } = known
  const { register, id: entryId, commitment, state } = entry
  // What was burnt is never made again.
  if (token.holder === undefined) return { writes: [], left: facts }
  const { holder } = token
  const touches = differs(facts, 'frozen') || (state === 'closed' && token.frozen)
  const { lifts, holds } = touches ? await freezesOf(desk, frozenUnder, known) : { lifts: [], holds: [] }
  const frozen = token.frozen && lifts.length === 0
  if (state === 'closed') {
    if (frozen) return { writes: [], left: facts }
    return { writes: [...lifts, ...titles.close(register, { entryId, holder })], left: [] }
  }
  const moves = differs(facts, 'owner') ? await moveWrites(desk, { ...known, holder, frozen }) : []
  const writes = [...lifts, ...moves]
  if (differs(facts, 'encumbrances')) {
    writes.push(...titles.encumber(register, { entryId, encumbrances: encumbrancesOf(entry), commitment }))
  } else if (differs(facts, 'commitment') && moves.length === 0) {
    writes.push(...titles.amend(register, [{ entryId, commitment }]))
  }
  const left = [
    ...(moves.length === 0 ? only(facts, 'owner') : []),
    ...(lifts.length + holds.length === 0 ? only(facts, 'frozen') : []),
  ]
  return { writes: [...writes, ...holds], left }
}

const capOf = async (desk: Desk, entry: string): Promise<bigint> => {
  const sql = 'SELECT cast(cap AS text) AS cap FROM asset_classes WHERE entry = ?'
  const [row] = await desk.house.store.read<Row & { cap: string }>(sql, [entry])
  return BigInt(row?.cap ?? 0)
}

/** Units are where they were moved to: only the class itself is brought to what the register says. */
export const mendAsset = async (desk: Desk, { entry, token, facts }: Known<AssetStanding>): Promise<Mending> => {
  const { register, id: entryId, commitment } = entry
  const mended = only(facts, 'commitment', 'cap')
  const cap = await capOf(desk, entryId)
  const fits = mended.length > 0 && cap >= token.issued
  const writes = fits ? desk.tokens.assets.amend(register, { entryId, cap, commitment }) : []
  return { writes, left: fits ? facts.filter(each => !mended.includes(each)) : facts }
}

/** What stands on a token besides what it is made with; a class of units is made here. */
export const mendMissing = async (desk: Desk, entry: Entry): Promise<Mending> => {
  const { titles, licences, assets } = desk.tokens
  const { register, id: entryId, commitment } = entry
  const { tokens, quantity } = desk.register(register)
  if (tokens === 'licence') {
    return { writes: entry.state === 'suspended' ? licences.suspend(register, [entryId]) : [], left: [] }
  }
  if (tokens === 'title') {
    const encumbrances = encumbrancesOf(entry)
    const orders = await ordersOf(desk, entryId, 'standing')
    return {
      writes: [
        ...(encumbrances > 0 ? titles.encumber(register, { entryId, encumbrances, commitment }) : []),
        ...orders.flatMap(order => titles.freeze(register, { entryId, order })),
      ],
      left: [],
    }
  }
  const opened = { entryId, cap: await capOf(desk, entryId), decimals: quantity?.decimals ?? 0, commitment }
  return { writes: assets.openClass(register, { ...opened, walletTransfers: null }), left: [] }
}

/** What can be done about a disparity. */
export const mend = async (desk: Desk, frozenUnder: FrozenUnder, disparity: Disparity): Promise<Mending> => {
  const { entry, token, facts, register } = disparity
  if (entry === undefined) return { writes: [], left: facts }
  if (token === undefined) return mendMissing(desk, entry)
  const { tokens } = desk.register(register)
  const known = { entry, facts }
  if (tokens === 'licence') {
    return mendLicence(desk, { ...known, token: token as LicenceStanding }, desk.house.clock.now())
  }
  if (tokens === 'title') return mendTitle(desk, frozenUnder, { ...known, token: token as TitleStanding })
  return mendAsset(desk, { ...known, token: token as AssetStanding })
}
