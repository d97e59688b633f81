import { randomBytes } from 'node:crypto'
import { perform } from '../../../kernel/perform.ts'
import type { Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { attemptsExhausted, signInRefused } from '../errors.ts'
import type { WalletNeeds } from '../needs.ts'
import { openPassphrases, type Passphrases } from '../passphrase.ts'
import { attemptsMost, attemptsWindowMs, passphraseCost, requires } from '../policy.ts'
import { keyBytes, openBytes, sealBytes, sha256, wrapContext } from '../vault.ts'

export type CitizenRow = Row & {
  id: string
  handle: string
  salt: Uint8Array
  memory_kib: number
  passes: number
  parallelism: number
  wrapped_key: Uint8Array
}

/** The needs, and what the plugin makes of them once. */
export type Desk = WalletNeeds & {
  passphrases: Passphrases
  /** Stands in for a citizen who is not there: every passphrase is derived and refused at the same cost. */
  decoy: CitizenRow
}

export const openDesk = (needs: WalletNeeds): Desk => {
  const cost = needs.passphraseCost ?? passphraseCost
  const decoy: CitizenRow = {
    id: 'nobody',
    handle: '',
    salt: randomBytes(16),
    memory_kib: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.parallelism,
    wrapped_key: sealBytes(randomBytes(keyBytes), randomBytes(keyBytes), wrapContext('nobody')),
  }
  return { ...needs, passphrases: openPassphrases(cost), decoy }
}

const columns = 'id, handle, salt, memory_kib, passes, parallelism, wrapped_key'

export const citizenOf = async (
  desk: Desk,
  by: { handle: string } | { id: string },
): Promise<CitizenRow | undefined> => {
  const [column, value] = 'id' in by ? ['id', by.id] : ['handle', by.handle]
  const sql = `SELECT ${columns} FROM wallet_citizens WHERE ${column} = ?`
  const [row] = await desk.house.store.read<CitizenRow>(sql, [value])
  return row
}

/** Handles that are tried are kept by digest: whoever mistypes a passphrase into this field leaves no trace of it. */
export const attemptKey = (handle: string): Buffer => sha256(`wallet handle|${handle}`)

/** Counted before the passphrase is tried, so that a thousand attempts at once are no way around the limit. */
const countAttempt = (desk: Desk, context: Context, operation: string, handle: string): Promise<void> => {
  const key = attemptKey(handle)
  return perform(desk.house, {
    operation,
    requires: requires.anyone,
    caller: context.caller,
    input: { attempt: key.toString('hex') },
    act: async tx => {
      const now = desk.house.clock.now()
      await tx.query('DELETE FROM wallet_attempts WHERE since <= ?', [now - attemptsWindowMs])
      const [row] = await tx.query<Row & { attempts: number; since: number }>(
        `INSERT INTO wallet_attempts (handle_sha256, attempts, since) VALUES (?, 1, ?)
         ON CONFLICT (handle_sha256) DO UPDATE SET attempts = wallet_attempts.attempts + 1 RETURNING attempts, since`,
        [key, now],
      )
      if (row === undefined || row.attempts <= attemptsMost) return
      throw attemptsExhausted(Math.ceil((row.since + attemptsWindowMs - now) / 1_000))
    },
  })
}

/**
 * Opens a citizen's store key with their passphrase. An unknown handle costs and answers what a wrong passphrase does.
 * @throws Refusal sign_in_refused, sign_in_attempts, sign_in_busy
 */
export const prove = async (
  desk: Desk,
  context: Context,
  claim: { operation: string; handle: string; passphrase: string },
): Promise<{ citizen: CitizenRow; storeKey: Buffer }> => {
  await countAttempt(desk, context, claim.operation, claim.handle)
  const citizen = (await citizenOf(desk, { handle: claim.handle })) ?? desk.decoy
  const { salt, memory_kib: memoryKib, passes, parallelism } = citizen
  const key = await desk.passphrases.derive(claim.passphrase, salt, { memoryKib, passes, parallelism })
  const storeKey = openBytes(key, citizen.wrapped_key, wrapContext(citizen.id))
  key.fill(0)
  if (storeKey === undefined) throw signInRefused()
  return { citizen, storeKey }
}

/** A store key under a new passphrase: the columns of `wallet_citizens` that change with it. */
export const wrapped = async (desk: Desk, citizen: string, passphrase: string, storeKey: Uint8Array) => {
  const salt = randomBytes(16)
  const { cost } = desk.passphrases
  const key = await desk.passphrases.derive(passphrase, salt, cost)
  const columns = {
    salt,
    memory_kib: cost.memoryKib,
    passes: cost.passes,
    parallelism: cost.parallelism,
    wrapped_key: sealBytes(key, storeKey, wrapContext(citizen)),
  }
  key.fill(0)
  return columns
}
