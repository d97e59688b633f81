import { createPrivateKey, createPublicKey, hash, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto'
import { SDJwtInstance } from '@sd-jwt/core'
import { verifyPresentation } from '../../src/identity/present.ts'
import { answer, readInput } from '../child.ts'
import { followNation } from '../identity/nation.ts'
import { spin } from '../identity/spin.ts'

/**
 * SD-JWTs with key binding, judged in process: here with every check of a verifier that follows the chain, there the
 * signatures, digests and key binding that the library looks at.
 */

export type SdJwtRun = {
  credential: string
  jwk: Record<string, string>
  nationDir: string
  scratchDir: string
  seconds: number
  warmSeconds: number
}
export type SdJwtResult = { own: number; peer: number; cpuMicros: number; mainMicros: number }

const run = await readInput<SdJwtRun>()
const needs = await followNation(run.nationDir, run.scratchDir)
const holder = createPrivateKey({ key: run.jwk, format: 'jwk' })
const audience = 'https://office.example'

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const present = (nonce: string): string => {
  const iat = Math.floor(Date.now() / 1_000)
  const payload = { aud: audience, nonce, iat, sd_hash: hash('sha256', run.credential, 'base64url') }
  const input = `${encode({ alg: 'ES256', typ: 'kb+jwt' })}.${encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: holder, dsaEncoding: 'ieee-p1363' })
  return `${run.credential}${input}.${signature.toString('base64url')}`
}

const poolSize = 1_024
const pool = Array.from({ length: poolSize }, (_, at) => {
  const challenge = `challenge-${at}`
  return { challenge, shown: present(challenge) }
})
const taken = (piece: number) => pool[piece % poolSize] ?? { challenge: '', shown: '' }
const { seconds, warmSeconds } = run

const own = await spin(
  async piece => {
    const { challenge, shown } = taken(piece)
    const verdict = await verifyPresentation(shown, needs, { challenge, audience: [audience] })
    if (!verdict.verified) throw new Error(JSON.stringify(verdict.refusal))
  },
  { seconds, warmSeconds, inFlight: 64 },
)

const holds = (key: KeyObject) => async (data: string, signature: string) =>
  verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
const header = JSON.parse(Buffer.from(run.credential.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }
const issuer = await needs.dids.key(header.kid, 'assertionMethod')
const library = new SDJwtInstance({
  hasher: async (data: string | ArrayBuffer) =>
    hash('sha256', typeof data === 'string' ? data : Buffer.from(data), 'buffer'),
  hashAlg: 'sha-256',
  verifier: holds(createPublicKey({ key: issuer.jwk, format: 'jwk' })),
  kbVerifier: holds(createPublicKey({ key: run.jwk as JsonWebKey, format: 'jwk' })),
})
const peer = await spin(
  async piece => {
    const { challenge, shown } = taken(piece)
    await library.verify(shown, { keyBindingNonce: challenge })
  },
  { seconds, warmSeconds, inFlight: 64 },
)
const { perSecond, cpuMicros, mainMicros } = own
answer({ own: perSecond, peer: peer.perSecond, cpuMicros, mainMicros } satisfies SdJwtResult)
