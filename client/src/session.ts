import { type Client, type ClientOptions, openClient } from './client.ts'
import { generateSessionKey, proofOf } from './dpop.ts'
import type { schemas } from './types.ts'

/** What a wallet presents over: the nonce and the audience of the agency. */
export type Asked = { challenge: string; audience: string }

/**
 * Opens a holder's session: makes a key, asks for a challenge, has the wallet present over it, and gives a client whose every
 * call proves that key (RFC 9449).
 * @param present the wallet: makes presentations of the credentials that the session is to stand on.
 */
export const openSession = async (
  options: Omit<ClientOptions, 'token' | 'session'>,
  present: (asked: Asked) => schemas['Presentation'] | Promise<schemas['Presentation']>,
): Promise<{ client: Client; expiresInSeconds: number }> => {
  const client = openClient(options)
  const key = await generateSessionKey()
  const { body: asked } = await client.createSessionChallenge({ body: { dpop_jkt: key.thumbprint } })
  const presentation = await present(asked)
  const url = `${options.url.replace(/\/$/, '')}/sessions`
  const DPoP = await proofOf(key, { method: 'POST', url })
  const { body, headers } = await client.createSession({ headers: { DPoP }, body: { presentation } })
  const nonce = headers.get('dpop-nonce')
  const session = { token: body.access_token, key, ...(nonce !== null && { nonce }) }
  return { client: openClient({ ...options, session }), expiresInSeconds: body.expires_in }
}
