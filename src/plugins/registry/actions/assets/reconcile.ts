import type { AssetStanding, Row, TokenHolder } from '../../../../kernel/ports.ts'
import { timeIdBefore } from '../../../../kernel/time-id.ts'
import type { Desk } from '../desk.ts'
import type { Entry } from '../entries.ts'
import type { Reads } from '../land/parties.ts'
import type { Difference } from '../reconcile.ts'

/** A class and its token, side by side: how much there is, and where. */

type Fact = Pick<Difference, 'what' | 'inRegister' | 'onChain'>
type Tokens = { amount: bigint; frozen: bigint }
type SupplyRow = Row & { cap: string; issued: string }
type WalletRow = Row & { wallet: TokenHolder; amount: string; frozen: string }

const custody = 'the registrar'
const none: Tokens = { amount: 0n, frozen: 0n }

/** What the tokens of a class should be: at each wallet, and at the registrar for all who have none. */
const expectedOf = async (reads: Reads, entry: string): Promise<Map<TokenHolder, Tokens>> => {
  const sql = `SELECT wallet, cast(sum(amount) AS text) AS amount, cast(sum(frozen) AS text) AS frozen
    FROM asset_holdings WHERE entry = ? GROUP BY wallet HAVING sum(amount) > 0`
  const rows = await reads<WalletRow>(sql, [entry])
  return new Map(rows.map(row => [row.wallet, { amount: BigInt(row.amount), frozen: BigInt(row.frozen) }]))
}

const fact = (what: Fact['what'], ours: unknown, theirs: unknown, where = ''): Fact[] =>
  String(ours) === String(theirs) ? [] : [{ what, inRegister: `${where}${ours}`, onChain: `${where}${theirs}` }]

/** Whether anything of the class moved, or was held or released, since then. */
const movedSince = async (reads: Reads, entry: string, began: number): Promise<boolean> => {
  const movements = 'SELECT 1 AS one FROM asset_movements WHERE entry = ? AND id >= ? LIMIT 1'
  if ((await reads(movements, [entry, timeIdBefore(began)])).length > 0) return true
  const freezes = 'SELECT 1 AS one FROM asset_freezes WHERE entry = ? AND (since >= ? OR ended_at >= ?) LIMIT 1'
  return (await reads(freezes, [entry, began, began])).length > 0
}

/** @param began when it was last seen that nothing of the register's waits to be sent; later changes are left out. */
export const assetFacts =
  (desk: Desk, began: number) =>
  async ({ id }: Entry, token: AssetStanding): Promise<Fact[]> => {
    const { read } = desk.house.store
    if (await movedSince(read, id, began)) return []
    const sql = 'SELECT cast(cap AS text) AS cap, cast(issued AS text) AS issued FROM asset_classes WHERE entry = ?'
    const [supply] = await read<SupplyRow>(sql, [id])
    const expected = await expectedOf(read, id)
    const found = new Map(token.holdings.map(({ holder, amount, frozen }) => [holder, { amount, frozen }]))
    const places = [...new Set([...expected.keys(), ...found.keys()])]
    return [
      ...fact('cap', supply?.cap, token.cap),
      ...fact('units', supply?.issued, token.issued, 'issued '),
      ...places.flatMap(place => {
        const [ours, theirs] = [expected.get(place) ?? none, found.get(place) ?? none]
        const where = `${place ?? custody} `
        return [
          ...fact('units', ours.amount, theirs.amount, where),
          ...fact('frozen', ours.frozen, theirs.frozen, where),
        ]
      }),
    ]
  }
