import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { signInRefused } from '../errors.ts'
import { requires, sessionLifeMs, sessionsMost } from '../policy.ts'
import { newSession, sessionOf, vaultOf } from '../sessions.ts'
import { attemptKey, type Desk, prove } from './prove.ts'

/**
 * Signs a citizen in. The token is shown once; what is stored opens nothing without it.
 * @throws Refusal sign_in_refused, sign_in_attempts, sign_in_busy
 */
export const openSession = async (desk: Desk, context: Context): Promise<Answer> => {
  const { handle, passphrase } = context.body as { handle: string; passphrase: string }
  const { citizen, storeKey } = await prove(desk, context, { operation: 'openSession', handle, passphrase })
  const { token, row } = newSession(storeKey, citizen.id)
  storeKey.fill(0)
  const now = desk.house.clock.now()
  const expires = now + sessionLifeMs
  await perform(desk.house, {
    operation: 'openSession',
    requires: requires.anyone,
    caller: context.caller,
    input: { citizen: citizen.id, session: row.id },
    act: async tx => {
      // Locks the citizen, so that a change of passphrase at this moment ends this session too, or forestalls it.
      const lock = 'UPDATE wallet_citizens SET created = created WHERE id = ? AND salt = ? RETURNING id'
      const [same] = await tx.query(lock, [citizen.id, citizen.salt])
      if (same === undefined) throw signInRefused()
      await tx.query('DELETE FROM wallet_sessions WHERE expires <= ?', [now])
      await tx.query(
        `DELETE FROM wallet_sessions WHERE citizen = ? AND id NOT IN
         (SELECT id FROM wallet_sessions WHERE citizen = ? ORDER BY created DESC, id LIMIT ?)`,
        [citizen.id, citizen.id, sessionsMost - 1],
      )
      await tx.query('DELETE FROM wallet_attempts WHERE handle_sha256 = ?', [attemptKey(handle)])
      tx.insert('wallet_sessions', [{ ...row, created: now, expires }])
    },
  })
  return {
    status: 201,
    body: { token, expires: new Date(expires).toISOString() },
    headers: { 'cache-control': 'no-store' },
  }
}

/** Signs out: the token is worth nothing from here on. */
export const closeSession = async (desk: Desk, context: Context): Promise<Answer> => {
  const { citizen } = vaultOf(context.caller)
  const session = sessionOf(context.caller)
  await perform(desk.house, {
    operation: 'closeSession',
    requires: requires.citizen,
    caller: context.caller,
    input: { session },
    act: async tx => {
      await tx.query('DELETE FROM wallet_sessions WHERE id = ? AND citizen = ?', [session, citizen])
    },
  })
  return { status: 204 }
}
