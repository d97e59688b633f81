import { randomBytes } from 'node:crypto'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { handleMalformed, handleTaken, signInRefused } from '../errors.ts'
import { judgePassphrase } from '../passphrase.ts'
import { requires } from '../policy.ts'
import { sessionOf, vaultOf } from '../sessions.ts'
import { keyBytes } from '../vault.ts'
import { attemptKey, citizenOf, type Desk, prove, wrapped } from './prove.ts'

const handleForm = /^[a-z0-9][a-z0-9._-]{2,63}$/

/**
 * Opens an account. There is no idempotency key: a repeat finds the handle taken and can simply sign in, while a
 * remembered answer would tell one caller about another's account.
 * @throws Refusal handle_malformed, passphrase_weak, handle_taken
 */
export const registerCitizen = async (desk: Desk, context: Context): Promise<Answer> => {
  const { handle, passphrase } = context.body as { handle: string; passphrase: string }
  if (!handleForm.test(handle)) throw handleMalformed()
  judgePassphrase(passphrase, { handle })
  const id = desk.newId()
  const storeKey = randomBytes(keyBytes)
  const { salt, memory_kib, passes, parallelism, wrapped_key } = await wrapped(desk, id, passphrase, storeKey)
  storeKey.fill(0)
  const body = await perform(desk.house, {
    operation: 'registerCitizen',
    requires: requires.anyone,
    caller: context.caller,
    input: { citizen: id },
    act: async tx => {
      const [row] = await tx.query(
        `INSERT INTO wallet_citizens (id, handle, salt, memory_kib, passes, parallelism, wrapped_key, created)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (handle) DO NOTHING RETURNING id`,
        [id, handle, salt, memory_kib, passes, parallelism, wrapped_key, desk.house.clock.now()],
      )
      if (row === undefined) throw handleTaken()
      return { citizenId: id, handle }
    },
  })
  return { status: 201, body }
}

/**
 * Wraps the store key under a new passphrase and ends every other session.
 * @throws Refusal passphrase_weak, passphrase_reused, sign_in_refused, sign_in_attempts
 */
export const changePassphrase = async (desk: Desk, context: Context): Promise<Answer> => {
  const { passphrase, newPassphrase } = context.body as { passphrase: string; newPassphrase: string }
  const vault = vaultOf(context.caller)
  const handle = (await citizenOf(desk, { id: vault.citizen }))?.handle ?? ''
  const { citizen, storeKey } = await prove(desk, context, { operation: 'changePassphrase', handle, passphrase })
  judgePassphrase(newPassphrase, { handle, other: passphrase })
  const next = await wrapped(desk, citizen.id, newPassphrase, storeKey)
  storeKey.fill(0)
  await perform(desk.house, {
    operation: 'changePassphrase',
    requires: requires.citizen,
    caller: context.caller,
    input: {},
    act: async tx => {
      // Only if the passphrase is still the one that was proven.
      const [row] = await tx.query(
        `UPDATE wallet_citizens SET salt = ?, memory_kib = ?, passes = ?, parallelism = ?, wrapped_key = ?
         WHERE id = ? AND salt = ? RETURNING id`,
        [next.salt, next.memory_kib, next.passes, next.parallelism, next.wrapped_key, citizen.id, citizen.salt],
      )
      if (row === undefined) throw signInRefused()
      const mine = sessionOf(context.caller)
      await tx.query('DELETE FROM wallet_sessions WHERE citizen = ? AND id <> ?', [citizen.id, mine])
      await tx.query('DELETE FROM wallet_attempts WHERE handle_sha256 = ?', [attemptKey(handle)])
    },
  })
  return { status: 204 }
}
