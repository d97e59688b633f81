import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { disclose } from '../../../kernel/disclose.ts'
import { nextPage } from '../../../kernel/pages.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { ledgerKeyUnknown, walletFull } from '../errors.ts'
import { ownerKeyOf } from '../ledger.ts'
import { ledgerKeysMost, requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import type { Vault } from '../vault.ts'
import { walletPage } from './hold.ts'
import { publicOf } from './keys.ts'
import type { Desk } from './prove.ts'

/** A key of an account on one ledger, as it is sealed; `jwk` is the private key. */
export type LedgerKeyRecord = { ledger: string; label: string; jwk: JsonWebKey }
export type StoredLedgerKey = LedgerKeyRecord & { id: string }

type KeyRow = Row & { id: string; sealed: Uint8Array }

const table = 'wallet_ledger_keys'

const opened = (vault: Vault, { id, sealed }: KeyRow): StoredLedgerKey => ({
  id,
  ...vault.open<LedgerKeyRecord>(table, id, sealed),
})

const answerOf = ({ id, ledger, label, jwk }: StoredLedgerKey) => ({
  ...{ id, ledger, label, jwk: publicOf(jwk) },
  ...ownerKeyOf(jwk),
})

/** @throws Refusal not_found/ledger_key_unknown, also for a key of somebody else. */
export const ledgerKeyOf = async (desk: Desk, vault: Vault, id: string): Promise<StoredLedgerKey> => {
  const sql = `SELECT id, sealed FROM ${table} WHERE id = ? AND citizen = ?`
  const [row] = await desk.house.store.read<KeyRow>(sql, [id, vault.citizen])
  if (row === undefined) throw ledgerKeyUnknown()
  return opened(vault, row)
}

export const allLedgerKeys = async (desk: Desk, vault: Vault): Promise<StoredLedgerKey[]> => {
  const sql = `SELECT id, sealed FROM ${table} WHERE citizen = ? ORDER BY id`
  const rows = await desk.house.store.read<KeyRow>(sql, [vault.citizen])
  return rows.map(row => opened(vault, row))
}

/**
 * Keeps keys under new ids; one that is there already stays as it is.
 * @returns those that were not there before.
 * @throws Refusal rejected/wallet_full
 */
export const keepLedgerKeys = async (
  tx: Tx,
  vault: Vault,
  keys: readonly StoredLedgerKey[],
): Promise<StoredLedgerKey[]> => {
  const kept: StoredLedgerKey[] = []
  for (const { id, ...record } of keys) {
    const [row] = await tx.query(
      `INSERT INTO ${table} (id, citizen, key_tag, sealed) VALUES (?, ?, ?, ?)
       ON CONFLICT (citizen, key_tag) DO NOTHING RETURNING id`,
      [id, vault.citizen, vault.tag('ledger key', record.jwk.x ?? ''), vault.seal(table, id, record)],
    )
    if (row !== undefined) kept.push({ id, ...record })
  }
  const count = `SELECT count(*) AS keys FROM ${table} WHERE citizen = ?`
  const [there] = await tx.query<Row & { keys: number }>(count, [vault.citizen])
  if (Number(there?.keys ?? 0) > ledgerKeysMost) throw walletFull(ledgerKeysMost)
  return kept
}

/**
 * Makes a P-256 key for an account on one ledger. It signs records of that ledger only; losing it is losing the account
 * until an institution orders another key, so it is never deleted and goes with an export.
 * @throws Refusal wallet_full
 */
export const createLedgerKey = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  const { ledger: given, label } = context.body as { ledger: string; label: string }
  const ledger = given.toLowerCase()
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const key: StoredLedgerKey = { id: desk.newId(), ledger, label, jwk }
  const made = await perform(desk.house, {
    operation: 'createLedgerKey',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ ledger, label }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await keepLedgerKeys(tx, vault, [key])
      // Answers are remembered in the clear, so nothing but the id is one; the rest is read back through the vault.
      return { id: key.id }
    },
  })
  return { status: 201, body: answerOf(made.id === key.id ? key : await ledgerKeyOf(desk, vault, made.id)) }
}

export const listLedgerKeys = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  return disclose(desk.house, {
    operation: 'listLedgerKeys',
    requires: requires.citizen,
    caller: context.caller,
    input: context.query,
    read: async () => {
      const page = walletPage(context)
      const sql = `SELECT id, sealed FROM ${table} WHERE citizen = ? AND id > ? ORDER BY id LIMIT ?`
      const rows = await desk.house.store.read<KeyRow>(sql, [vault.citizen, page.after, page.limit])
      return { status: 200, body: { items: rows.map(row => answerOf(opened(vault, row))), ...nextPage(rows, page) } }
    },
  })
}
