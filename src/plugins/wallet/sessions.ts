import { randomBytes, timingSafeEqual } from 'node:crypto'
import { admit, type Caller } from '../../kernel/gate.ts'
import type { Row } from '../../kernel/ports.ts'
import { sessionLocked } from './errors.ts'
import type { WalletNeeds } from './needs.ts'
import { requires } from './policy.ts'
import { openBytes, openVault, sealBytes, sessionKey, sha256, type Vault, wrapContext } from './vault.ts'

type SessionRow = Row & { citizen: string; secret_sha256: Uint8Array; wrapped_key: Uint8Array; expires: number }

/**
 * The open vault of a caller lives exactly as long as the caller of one request: it is no member of the caller, so it
 * cannot be logged or journalled, and a caller made up by hand opens nothing.
 */
const vaults = new WeakMap<Caller, Vault>()

/** @throws Refusal unauthenticated or forbidden for anyone but a citizen with a session. */
export const vaultOf = (caller: Caller): Vault => {
  admit(caller, requires.citizen)
  const vault = vaults.get(caller)
  if (vault === undefined) throw sessionLocked()
  return vault
}

export const sessionOf = (caller: Caller): string => (caller.kind === 'citizen' ? caller.session : '')

/** A new session: its token, and the row that keeps it. The row alone unwraps nothing. */
export const newSession = (storeKey: Uint8Array, citizen: string) => {
  const id = randomBytes(16).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const wrapped = sealBytes(sessionKey(secret), storeKey, wrapContext(citizen, id))
  return { token: `cs_${id}_${secret}`, row: { id, citizen, secret_sha256: sha256(secret), wrapped_key: wrapped } }
}

/** For `http/auth`: who holds a token `cs_<id>_<secret>`; `undefined` for whatever is not an open session. */
export const citizenSessions = (needs: Pick<WalletNeeds, 'house'>) => ({
  session: async (token: string): Promise<Caller | undefined> => {
    const [, id, secret] = /^cs_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/.exec(token) ?? []
    if (id === undefined || secret === undefined) return undefined
    const sql = 'SELECT citizen, secret_sha256, wrapped_key, expires FROM wallet_sessions WHERE id = ?'
    const [row] = await needs.house.store.read<SessionRow>(sql, [id])
    if (row === undefined || row.expires <= needs.house.clock.now()) return undefined
    if (!timingSafeEqual(sha256(secret), row.secret_sha256)) return undefined
    const storeKey = openBytes(sessionKey(secret), row.wrapped_key, wrapContext(row.citizen, id))
    if (storeKey === undefined) return undefined
    const caller: Caller = { kind: 'citizen', id: row.citizen, session: id }
    vaults.set(caller, openVault(storeKey, row.citizen))
    storeKey.fill(0)
    return caller
  },
})
