import { callerOf } from '../../../kernel/holder.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Desk } from '../desk.ts'
import { dpopMissing, sessionNone } from '../errors.ts'
import { fetchHanded } from '../handed.ts'
import { requires } from '../policy.ts'
import { takePresentations } from '../presentations.ts'
import { newSession } from '../sessions.ts'
import { spending } from '../spent.ts'

const shownTime = (time: number): string => new Date(time).toISOString()

/** A challenge for opening a session with one key. */
export const createSessionChallenge = async (desk: Desk, { body }: Context): Promise<Answer> => {
  desk.sweep()
  const { challenge, expires } = desk.challenges.forSession((body as { dpop_jkt: string }).dpop_jkt)
  return { status: 201, body: { challenge, audience: desk.publicUrl, expires: shownTime(expires) } }
}

/**
 * Opens a session: what is presented over the key's challenge counts in every call that comes with the token and a proof
 * of that key, as long as it stands.
 * @throws Refusal proof_missing, challenge_mismatch, challenge_expired, proof_replayed; why nothing that was presented counts.
 */
export const createSession = async (desk: Desk, context: Context): Promise<Answer> => {
  const { identity, audience, house } = desk
  const header = context.headers['dpop']
  if (header === undefined) throw dpopMissing()
  const url = `${desk.publicUrl}/sessions`
  const possession = await desk.dpop.verify(header, { method: 'POST', url, nonce: 'optional' })
  const { presented } = takePresentations(context.body)
  const handed = presented.by === 'caller' ? presented.handed : { presentations: [] }
  const { presentations, expected } = await fetchHanded(desk, handed)
  const challenge = expected?.challenge ?? identity.challengeOf(presentations)
  const { key, expires } = desk.challenges.checkSession(challenge, possession.thumbprint)
  const proof = await identity.prove(presentations, expected ?? { challenge, audience })
  const owner = desk.newId()
  const spend = spending([
    { key, owner, expires },
    { key: possession.id, owner, expires: possession.expires },
  ])
  const now = house.clock.now()
  const session = newSession(proof, possession.thumbprint, now)
  const caller = callerOf(proof, { proof: 'session', session: session.row.id, spend })
  const matched = Object.fromEntries(caller.credentials.map((credential, index) => [`presented ${index}`, credential]))
  await perform(house, {
    ...{ operation: 'createSession', requires: requires.anyone, caller: { ...caller, matched } },
    input: { thumbprint: possession.thumbprint, credentials: caller.credentials.map(({ digest }) => digest) },
    act: async tx => tx.insert('gate_sessions', [session.row]),
  })
  const refused = proof.lapsed.map(({ type, refusal: { code } }) => ({ code, ...(type === undefined ? {} : { type }) }))
  return {
    status: 201,
    headers: { 'DPoP-Nonce': desk.dpop.nonce() },
    body: {
      access_token: session.token,
      token_type: 'DPoP',
      expires_in: Math.floor((session.expires - now) / 1_000),
      ...(refused.length === 0 ? {} : { refused }),
    },
  }
}

/** Ends the session of this call. Other processes of the agency follow within five seconds. */
export const endSession = async (desk: Desk, { caller }: Context): Promise<Answer> => {
  const session = caller.kind === 'holder' ? caller.session : undefined
  if (session === undefined) throw sessionNone()
  await perform(desk.house, {
    ...{ operation: 'endSession', requires: requires.known, caller, input: { session } },
    act: async tx => {
      await tx.query('DELETE FROM gate_sessions WHERE id = ? RETURNING id', [session])
      tx.afterCommit(() => desk.sessions.forget(session))
    },
  })
  return { status: 204 }
}
