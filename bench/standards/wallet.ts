import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'

/** What a wallet does in a flow of OpenID4VP, as fast as node does it: what is measured is the verifier. */

type Body = Record<string, unknown>
export type Jwk = Record<string, string>

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const sized = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** Concat KDF of RFC 7518, section 4.6.2: one round gives the 256 bits of A256GCM. */
const derived = (secret: Buffer, enc: string): Buffer => {
  const info = [sized(Buffer.from(enc)), sized(Buffer.alloc(0)), sized(Buffer.alloc(0)), Buffer.from([0, 0, 1, 0])]
  return hash('sha256', Buffer.concat([Buffer.from([0, 0, 0, 1]), secret, ...info]), 'buffer')
}

/** What a wallet encrypts its answers with: a key of its own each, which may be made before a clock starts. */
export type Ephemeral = { privateKey: KeyObject; epk: Body }

export const newEphemeral = (): Ephemeral => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return { privateKey, epk: { kty, crv, x, y } }
}

/** A compact JWE by ECDH-ES and A256GCM. */
export const encrypt = (payload: Body, jwk: Jwk, { privateKey, epk } = newEphemeral()): string => {
  const head = encode({ alg: 'ECDH-ES', enc: 'A256GCM', kid: jwk['kid'], epk })
  const secret = diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) })
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', derived(secret, 'A256GCM'), iv).setAAD(Buffer.from(head))
  const sealed = Buffer.concat([cipher.update(JSON.stringify(payload)), cipher.final()])
  return [
    head,
    '',
    iv.toString('base64url'),
    sealed.toString('base64url'),
    cipher.getAuthTag().toString('base64url'),
  ].join('.')
}

export const holderOf = (jwk: Jwk): KeyObject => createPrivateKey({ key: jwk, format: 'jwk' })

/** An SD-JWT with key binding, of which everything is shown. */
export const present = (credential: string, to: { audience: string; nonce: string }, holder: KeyObject): string => {
  const iat = Math.floor(Date.now() / 1_000)
  const payload = { aud: to.audience, nonce: to.nonce, iat, sd_hash: hash('sha256', credential, 'base64url') }
  const input = `${encode({ alg: 'ES256', typ: 'kb+jwt' })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: holder, dsaEncoding: 'ieee-p1363' })
  return `${credential}${input}.${signature.toString('base64url')}`
}

export const dcql = {
  credentials: [
    {
      ...{ id: 'licence', format: 'dc+sd-jwt', meta: { vct_values: ['urn:chancery:vct:driving-licence:1'] } },
      claims: [{ path: ['familyName'] }, { path: ['licenceNumber'] }, { path: ['ageOver18'], values: [true] }],
    },
  ],
}
