import { disclose } from '../../../../kernel/disclose.ts'
import { holderOf } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row, Value } from '../../../../kernel/ports.ts'
import { assetRequirements, holderRole, holdingsAPage, movementsAPage } from '../../assets/policy.ts'
import { officerNumberOf } from '../applications.ts'
import { identified, knownParty, partyViews } from '../land/parties.ts'
import { readClass } from './classes.ts'
import { type AssetDesk, type AssetRegister, assetRegister } from './desk.ts'
import { freezesOf, holdingsOf, knownHolding } from './holdings.ts'
import { holdingView } from './transfer.ts'

/** Holdings and movements: all for officers, their own for holders. */

/** The caller's own party, where they are no officer; undefined: all may be read. `null`: the register does not know them. */
const ownParty = async (
  desk: AssetDesk,
  register: AssetRegister,
  context: Context,
): Promise<string | null | undefined> => {
  if (officerNumberOf(context.caller) !== undefined) return undefined
  const as = identified(desk, register.name, holderOf(context.caller), holderRole)
  return (await knownParty(desk.house.store.read, register.name, as)) ?? null
}

type Reading<Output> = { operation: string; read: (own: string | null | undefined) => Promise<Output> }

const entitled = async <Output>(desk: AssetDesk, context: Context, reading: Reading<Output>): Promise<Output> => {
  const register = assetRegister(desk, context)
  const entry = context.params['entry'] ?? ''
  return disclose(desk.house, {
    ...{ operation: reading.operation, requires: assetRequirements.reader(register), caller: context.caller },
    input: { register: register.name, entry, ...context.query },
    read: async () => {
      await readClass(desk, entry, register.name)
      return reading.read(await ownParty(desk, register, context))
    },
  })
}

/** What is held of a class, with the orders that hold some of it. */
export const listHoldings = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const entry = context.params['entry'] ?? ''
  const { after = '' } = context.query
  const { read } = desk.house.store
  const body = await entitled(desk, context, {
    operation: 'listHoldings',
    read: async own => {
      const only = async (party: string) => {
        const held = await knownHolding(read, entry, party)
        return held === undefined ? [] : [{ party, ...held }]
      }
      const all = async () => (own === undefined ? holdingsOf(read, entry, after, holdingsAPage + 1) : only(own ?? ''))
      const found = await all()
      const page = found.slice(0, holdingsAPage)
      const parties = page.map(({ party }) => party)
      const [names, freezes] = [await partyViews(read, parties), await freezesOf(read, entry, parties)]
      const holdings = page.map(held => ({
        ...holdingView(held),
        holder: names.get(held.party),
        freezes: freezes
          .filter(({ party }) => party === held.party)
          .map(({ id, amount, order, legalBasis, since }) => ({
            ...{ freeze: id, amount: String(amount), order, legalBasis, since: new Date(since).toISOString() },
          })),
      }))
      return { entry, holdings, ...(found.length > holdingsAPage && { next: parties.at(-1) }) }
    },
  })
  return { status: 200, body }
}

type MovementRow = Row & { id: string; record: string; digest: Uint8Array; movement: string }

const movementView = async (desk: AssetDesk, { record, digest, movement }: MovementRow) => {
  const proof = await desk.proofs.proofOf(record)
  return {
    movement: JSON.parse(movement) as Record<string, unknown>,
    digest: Buffer.from(digest).toString('hex'),
    ...(proof !== undefined && { proof }),
  }
}

/**
 * How holdings came to be what they are, oldest first. The digest of a movement is SHA-256 of its canonical form
 * (RFC 8785); it stands among the effects of the journal record whose place in the log the proof shows.
 */
export const listMovements = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const entry = context.params['entry'] ?? ''
  const { after = '' } = context.query
  const body = await entitled(desk, context, {
    operation: 'listMovements',
    read: async own => {
      const theirs = own === undefined ? '' : 'AND (giver = ? OR receiver = ?)'
      const params: Value[] = own === undefined ? [] : [own ?? '', own ?? '']
      const sql = `SELECT id, record, digest, movement FROM asset_movements WHERE entry = ? AND id > ? ${theirs}
        ORDER BY id LIMIT ?`
      const rows = await desk.house.store.read<MovementRow>(sql, [entry, after, ...params, movementsAPage + 1])
      const page = rows.slice(0, movementsAPage)
      const movements = await Promise.all(page.map(row => movementView(desk, row)))
      return { entry, movements, ...(rows.length > movementsAPage && { next: page.at(-1)?.id }) }
    },
  })
  return { status: 200, body }
}
