import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SessionCall } from '../../kernel/door.ts'
import type { HolderCaller } from '../../kernel/gate.ts'
import { callerOf } from '../../kernel/holder.ts'
import type { Proof } from '../../kernel/identity.ts'
import type { Row } from '../../kernel/ports.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import { dpopMissing, sessionInvalid } from './errors.ts'
import type { GateNeeds } from './needs.ts'
import { sessionLifeMs, sessionsHeld, sessionTrustMs } from './policy.ts'
import { subkey } from './sealed.ts'
import { spending } from './spent.ts'
import type { Standings } from './standings.ts'

type Held = { id: string; thumbprint: string; expires: number; proof: Proof; looked: number }
type SessionRow = Row & {
  secret_sha256: Uint8Array
  thumbprint: string
  sealed: Uint8Array
  expires: number
}

const form = /^gs_([0-9a-f]{32})\.([A-Za-z0-9_-]{43})$/
const sha256 = (text: string): Buffer => hash('sha256', text, 'buffer')
const keyOf = (secret: string): Buffer => subkey(Buffer.from(secret), 'session')
const contextOf = (id: string, thumbprint: string): string => `session|${id}|${thumbprint}`

/** A session ends with the first of its credentials. */
const endOf = (proof: Proof, now: number): number =>
  Math.min(
    now + sessionLifeMs,
    ...proof.credentials.map(({ standing }) => standing.validUntil ?? Number.MAX_SAFE_INTEGER),
  )

/** A new session: its token, and the row that keeps it. The row alone shows nothing of what was presented. */
export const newSession = (proof: Proof, thumbprint: string, now: number) => {
  const id = randomBytes(16).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  const expires = endOf(proof, now)
  const sealed = sealJson(keyOf(secret), proof, contextOf(id, thumbprint))
  const row = { id, secret_sha256: sha256(secret), thumbprint, sealed, created: now, expires }
  return { token: `gs_${id}.${secret}`, expires, row }
}

/**
 * Sessions by their token. What was proven at the start is held in memory by the token's digest, so that a call costs
 * the check of its own proof of possession and a look at each credential's standing.
 */
export const openSessions = (needs: GateNeeds, standings: Standings) => {
  const { store, clock } = needs.house
  const held = new Map<string, Held>()

  const hold = (name: string, session: Held): Held => {
    held.delete(name)
    const [oldest] = held.size >= sessionsHeld ? held.keys() : []
    if (oldest !== undefined) held.delete(oldest)
    held.set(name, session)
    return session
  }

  const read = async (token: string, name: string): Promise<Held> => {
    const [, id, secret] = form.exec(token) ?? []
    if (id === undefined || secret === undefined) throw sessionInvalid()
    const sql = 'SELECT secret_sha256, thumbprint, sealed, expires FROM gate_sessions WHERE id = ?'
    const [row] = await store.read<SessionRow>(sql, [id])
    if (row === undefined || !timingSafeEqual(sha256(secret), row.secret_sha256)) throw sessionInvalid()
    const proof = openJson<Proof>(keyOf(secret), row.sealed, contextOf(id, row.thumbprint))
    if (proof === undefined) throw sessionInvalid()
    standings.keep(proof)
    const { thumbprint, expires } = row
    return hold(name, { id, thumbprint, expires: Number(expires), proof, looked: clock.now() })
  }

  const isOpen = async (session: Held): Promise<boolean> => {
    const rows = await store.read('SELECT 1 AS one FROM gate_sessions WHERE id = ?', [session.id])
    session.looked = clock.now()
    return rows.length === 1
  }

  const find = async (token: string, name: string): Promise<Held> => {
    const known = held.get(name)
    const now = clock.now()
    const session = known ?? (await read(token, name))
    const isStale = now - session.looked > sessionTrustMs
    if (session.expires > now && !(isStale && !(await isOpen(session)))) return hold(name, session)
    held.delete(name)
    throw sessionInvalid()
  }

  return {
    /** @throws Refusal session_invalid, proof_missing, those of DPoP, and why nothing of the session stands any more. */
    async session(call: SessionCall): Promise<HolderCaller> {
      const { token, dpop, method, url, request } = call
      const tokenSha256 = hash('sha256', token, 'base64url')
      const { id, thumbprint, proof } = await find(token, tokenSha256)
      if (dpop === undefined) throw dpopMissing()
      const shown = await needs.dpop.verify(dpop, { method, url, tokenSha256, thumbprint, nonce: 'needed' })
      if (shown.nonce !== undefined) call.renew(shown.nonce)
      const standing = needs.identity.recheck(proof)
      const spend = spending([{ key: shown.id, owner: request, expires: shown.expires }])
      return callerOf(standing instanceof Promise ? await standing : standing, { proof: 'session', session: id, spend })
    },
    /** @throws Refusal session_invalid when it was ended, here or elsewhere, or has expired. */
    async assertOpen(id: string): Promise<void> {
      const sql = 'SELECT 1 AS one FROM gate_sessions WHERE id = ? AND expires > ?'
      if ((await store.read(sql, [id, clock.now()])).length === 0) throw sessionInvalid()
    },
    /** Nobody in this process goes by it any longer. */
    forget(id: string): void {
      for (const [name, session] of held) if (session.id === id) held.delete(name)
    },
  }
}

export type Sessions = ReturnType<typeof openSessions>
