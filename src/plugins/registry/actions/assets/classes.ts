import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { parseAmount, recap, type Supply } from '../../assets/ledger.ts'
import { entryUnknown, fieldsInvalid } from '../../errors.ts'
import type { Fields } from '../../extract.ts'
import {
  type Acting,
  assertState,
  changeEntry,
  createEntry,
  type Entry,
  type EntryState,
  lockEntry,
  readEntry,
} from '../entries.ts'
import type { Reads } from '../land/parties.ts'
import { allotNumbers, assertLegalBasis, validUntilOf } from '../prepare.ts'
import { extractView } from '../read-entries.ts'
import { type AssetDesk, type AssetRegister, assetRegister, enact } from './desk.ts'

/** A class of units: an entry of a register of quantities, and how much of it there is. */
export type AssetClass = { entry: Entry; supply: Supply }

type ClassRow = Row & { cap: string; issued: string }

const supplyOf = async (reads: Reads, entry: string): Promise<Supply> => {
  const sql = 'SELECT cast(cap AS text) AS cap, cast(issued AS text) AS issued FROM asset_classes WHERE entry = ?'
  const [row] = await reads<ClassRow>(sql, [entry])
  if (row === undefined) throw entryUnknown()
  return { cap: BigInt(row.cap), issued: BigInt(row.issued) }
}

/** Committed. @throws Refusal entry_unknown */
export const readClass = async (desk: AssetDesk, id: string, register: string): Promise<AssetClass> => {
  const entry = await readEntry(desk, id, register)
  return { entry, supply: await supplyOf(desk.house.store.read, id) }
}

/**
 * Locked for the rest of the act, with all that is held of it, and in force unless other states will do.
 * @throws Refusal entry_unknown, entry_state
 */
export const lockClass = async (
  desk: AssetDesk,
  { tx }: Acting,
  id: string,
  register: string,
  allowed: readonly EntryState[] = ['active'],
): Promise<AssetClass> => {
  const entry = await lockEntry(tx, id, register)
  assertState(entry, allowed, desk.house.clock.now())
  return { entry, supply: await supplyOf(tx.query, id) }
}

export const writeSupply = async ({ tx }: Acting, entry: string, { cap, issued }: Supply): Promise<void> => {
  await tx.query('UPDATE asset_classes SET cap = ?, issued = ? WHERE entry = ?', [String(cap), String(issued), entry])
}

/** What everybody may read. */
export const classView = (desk: AssetDesk, { entry, supply }: AssetClass) => ({
  ...extractView(desk, entry),
  ...{ cap: String(supply.cap), issued: String(supply.issued) },
})

const extractOf = ({ quantity }: AssetRegister, cap: bigint): Fields => ({
  ...{ unit: quantity.unit, decimals: quantity.decimals, cap: String(cap) },
})

type OpenBody = { fields?: Fields; cap: string; legalBasis: string; validUntil?: string; reason?: string }

/** A class begins empty. */
export const openAssetClass = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const body = context.body as OpenBody
  const { fields = {}, legalBasis, reason } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'openAssetClass', requires: 'decision', register, input: body },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      const problem = register.check(fields)
      if (problem !== undefined) throw fieldsInvalid(problem)
      const cap = parseAmount(body.cap)
      const validUntil = validUntilOf(register, desk.house.clock.now(), body.validUntil)
      return { cap, validUntil, number: (await allotNumbers(desk, register, 1))[0] ?? '' }
    },
    act: async (acting, { cap, validUntil, number }) => {
      const { decimals } = register.quantity
      const entry = await createEntry(desk, acting, {
        ...{ register, number, fields, extract: extractOf(register, cap), holder: null, legalBasis, validUntil },
        ...(reason !== undefined && { reason }),
        writes: ({ id, commitment }) =>
          register.tokens === 'none'
            ? []
            : desk.tokens.assets.openClass(register.name, {
                ...{ entryId: id, cap, decimals, walletTransfers: null, commitment },
              }),
      })
      const supply: Supply = { cap, issued: 0n }
      acting.tx.insert('asset_classes', [
        { entry: entry.id, register: register.name, cap: String(cap), issued: String(supply.issued) },
      ])
      return classView(desk, { entry, supply })
    },
  })
  const location = `${desk.publicUrl}/registry/registers/${register.name}/classes/${answer.entry}`
  return { status: 201, body: answer, headers: { location } }
}

type CapBody = { cap: string; legalBasis: string; reason: string }

/** More or fewer units may exist from now on; never fewer than there are. */
export const changeAssetCap = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  const id = context.params['entry'] ?? ''
  const body = context.body as CapBody
  const { legalBasis, reason } = body
  const answer = await enact(desk, context, {
    ...{ operation: 'changeAssetCap', requires: 'decision', register, input: { entry: id, ...body } },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      return parseAmount(body.cap)
    },
    act: async (acting, cap) => {
      const { entry, supply } = await lockClass(desk, acting, id, register.name)
      const changed = recap(supply, cap)
      const after = await changeEntry(desk, acting, entry, {
        ...{ kind: 'recapped', extract: extractOf(register, cap), legalBasis, reason },
        writes: ({ commitment }) =>
          register.tokens === 'none' ? [] : desk.tokens.assets.amend(register.name, { entryId: id, cap, commitment }),
      })
      await writeSupply(acting, id, changed)
      return classView(desk, { entry: after, supply: changed })
    },
  })
  return { status: 200, body: answer }
}

/** What a class is and how much of it there is, for everybody. */
export const getAssetClass = async (desk: AssetDesk, context: Context): Promise<Answer> => {
  const register = assetRegister(desk, context)
  return { status: 200, body: classView(desk, await readClass(desk, context.params['entry'] ?? '', register.name)) }
}
