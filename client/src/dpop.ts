type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/** A key that proves whose session it is (RFC 9449): P-256, made by WebCrypto, which need not let it be exported. */
export type SessionKey = { privateKey: SigningKey; publicJwk: { kty: string; crv: string; x: string; y: string } }

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const

export const generateSessionKey = async (): Promise<SessionKey & { thumbprint: string }> => {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, false, ['sign'])
  const { x = '', y = '' } = await crypto.subtle.exportKey('jwk', publicKey)
  const publicJwk = { crv: 'P-256', kty: 'EC', x, y }
  return { privateKey, publicJwk, thumbprint: await sha256(JSON.stringify(publicJwk)) }
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

const sha256 = async (text: string): Promise<string> =>
  base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))

const segment = (value: object): string => base64url(new TextEncoder().encode(JSON.stringify(value)))

/** A proof for one call. `url` is without query. */
export const proofOf = async (
  { privateKey, publicJwk }: SessionKey,
  call: { method: string; url: string; token?: string; nonce?: string | undefined },
): Promise<string> => {
  const ath = call.token === undefined ? undefined : await sha256(call.token)
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk }
  const payload = {
    ...{ jti: crypto.randomUUID(), iat: Math.floor(Date.now() / 1_000), htm: call.method, htu: call.url },
    ...(ath !== undefined && { ath }),
    ...(call.nonce !== undefined && { nonce: call.nonce }),
  }
  const signed = `${segment(header)}.${segment(payload)}`
  const hashed = { name: 'ECDSA', hash: 'SHA-256' }
  const signature = await crypto.subtle.sign(hashed, privateKey, new TextEncoder().encode(signed))
  return `${signed}.${base64url(new Uint8Array(signature))}`
}
