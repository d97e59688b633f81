import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { VerificationKey } from './did-keys.ts'
import { fromDataUrl } from './formats/detect.ts'
import type { KeyBinding, Opened } from './formats/format.ts'
import { fromNumericDate, isRecord, malformed, openJws, sealJws, signatureHolds } from './formats/jose.ts'
import { bindKey, discloseOnly } from './formats/sd-jwt-vc.ts'
import { Checks, type Verdict } from './verdict.ts'
import { clockSkewMs, type HolderCheck, type VerifyNeeds, type VerifyOptions, verifyCredential } from './verify.ts'

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/** How old a presentation may be that a challenge asked for. */
const presentationAgeMs = 10 * 60_000
const credentialsMost = 16

export type PresentationExpectation = VerifyOptions & {
  /** The nonce this verifier gave out. */
  challenge: string
  /** Who this verifier is (`aud`); one of these. */
  audience: readonly string[]
}

export type PresentationVerdict = Verdict & { credentials: Verdict[] }

type OpenedPresentation = {
  holder: string | undefined
  credentials: unknown[]
  nonce: unknown
  audience: unknown
  issuedAt: number | undefined
  expiresAt: number | undefined
}

const openPresentation = (payload: Record<string, unknown>, typ: string | undefined): OpenedPresentation => {
  const enveloped = typ === 'vp+jwt'
  const vp = enveloped ? payload : payload['vp']
  if (!isRecord(vp)) throw malformed('This is neither a vp+jwt nor a VC Data Model 1.1 presentation.')
  const names = Array.isArray(vp['type']) ? vp['type'] : [vp['type']]
  if (!names.includes('VerifiablePresentation')) throw malformed('The type lacks VerifiablePresentation.')
  const held = vp['verifiableCredential'] ?? []
  const credentials = Array.isArray(held) ? held : [held]
  if (credentials.length === 0 || credentials.length > credentialsMost) {
    throw malformed(`A presentation holds 1 to ${credentialsMost} credentials.`)
  }
  const holder = enveloped ? (isRecord(vp['holder']) ? vp['holder']['id'] : vp['holder']) : payload['iss']
  if (holder !== undefined && typeof holder !== 'string') throw malformed('The holder is not a string.')
  return {
    holder,
    credentials,
    nonce: payload['nonce'] ?? vp['challenge'],
    audience: payload['aud'] ?? vp['domain'],
    issuedAt: fromNumericDate(payload['iat'], 'iat'),
    expiresAt: fromNumericDate(payload['exp'], 'exp'),
  }
}

const judgeChallenge = (
  shown: { nonce: unknown; audience: unknown; issuedAt: number | undefined; expiresAt: number | undefined },
  expected: PresentationExpectation,
  now: number,
): void => {
  if (shown.nonce !== expected.challenge) {
    throw rejected('challenge_mismatch', 'The presentation answers another challenge.')
  }
  const audiences = Array.isArray(shown.audience) ? shown.audience : [shown.audience]
  if (!audiences.some(audience => expected.audience.includes(audience as string))) {
    throw rejected('audience_mismatch', 'The presentation is meant for another verifier.')
  }
  if (shown.issuedAt === undefined && shown.expiresAt === undefined) {
    throw rejected('presentation_undated', 'The presentation carries neither iat nor exp.')
  }
  if (shown.expiresAt !== undefined && shown.expiresAt <= now) {
    throw rejected('presentation_expired', 'The presentation has expired.')
  }
  if (shown.issuedAt === undefined) return
  if (shown.issuedAt > now + clockSkewMs || shown.issuedAt < now - presentationAgeMs) {
    throw rejected('presentation_expired', 'The presentation is too old, or from the future.')
  }
}

const keyOfJwk = (jwk: Record<string, unknown>) => {
  const algorithms: Record<string, SignatureAlgorithm> = { 'P-256': 'ES256', Ed25519: 'EdDSA', secp256k1: 'ES256K' }
  const algorithm = algorithms[String(jwk['crv'])]
  if (algorithm === undefined)
    throw rejected('algorithm_refused', 'The holder’s key is of a kind that is not accepted.')
  try {
    return { publicKey: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }), algorithm }
  } catch (cause) {
    throw new Refusal('malformed', 'credential_malformed', 'The confirmation key is not a public JWK.', { cause })
  }
}

const judgeKeyBinding = async (opened: Opened, binding: KeyBinding | undefined): Promise<void> => {
  if (binding === undefined) throw rejected('holder_unproven', 'The SD-JWT is presented without a key binding.')
  if (opened.confirmation === undefined)
    throw rejected('holder_unproven', 'The SD-JWT names no key of its holder (cnf).')
  const key = keyOfJwk(opened.confirmation)
  if (binding.signed.header.alg !== key.algorithm) {
    throw rejected('algorithm_mismatch', 'The key binding names another algorithm than the key has.')
  }
  if (!binding.covers)
    throw rejected('presentation_edited', 'The key binding covers other disclosures than those shown.')
  if (!(await signatureHolds(binding.signed, key))) {
    throw rejected('holder_mismatch', 'The presentation is not signed by the holder of the credential.')
  }
}

/** An SD-JWT with key binding is a presentation of one credential. */
const verifySdJwt = async (
  compact: string,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<PresentationVerdict> => {
  const now = expected.at ?? needs.clock.now()
  const judgeHolder: HolderCheck = async (opened, checks) => {
    const binding = opened.keyBinding
    await checks.runAsync('holderBinding', () => judgeKeyBinding(opened, binding))
    checks.run('challenge', () => {
      if (binding === undefined) throw rejected('challenge_mismatch', 'No challenge is answered without a key binding.')
      judgeChallenge({ ...binding, expiresAt: undefined }, expected, now)
    })
  }
  const verdict = await verifyCredential(compact, needs, expected, judgeHolder)
  return { ...verdict, credentials: [verdict] }
}

const holderIs =
  (key: VerificationKey, needs: VerifyNeeds): HolderCheck =>
  async (opened, checks) => {
    await checks.runAsync('holderBinding', async () => {
      if (opened.confirmation !== undefined) {
        const thumbprint = await calculateJwkThumbprint(opened.confirmation as JWK, 'sha256')
        if (thumbprint === key.thumbprint) return
      } else if (opened.subjectId !== undefined && (await needs.dids.subjectOf(opened.subjectId)) === key.did) {
        return
      }
      throw rejected('holder_mismatch', 'A credential in the presentation belongs to another holder.')
    })
    checks.skip('challenge')
  }

const verifyJwtPresentation = async (
  compact: string,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<PresentationVerdict> => {
  const now = expected.at ?? needs.clock.now()
  const checks = new Checks()
  let opened: ReturnType<typeof openJws> | undefined
  let shown: OpenedPresentation | undefined
  checks.run('format', () => {
    opened = openJws(compact)
    shown = openPresentation(opened.payload, opened.signed.header.typ)
  })
  if (opened === undefined || shown === undefined) return { ...checks.verdict(now), credentials: [] }
  const { signed } = opened
  const presentation: OpenedPresentation = shown
  const key = await checks.runAsync('signature', async () => {
    const found = await needs.dids.key(signed.header.kid, 'authentication', now)
    if (found.algorithm !== signed.header.alg) {
      throw rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
    }
    if (presentation.holder !== undefined && (await needs.dids.subjectOf(presentation.holder)) !== found.did) {
      throw rejected('key_of_another', 'The presentation is signed by a key that is not its holder’s.')
    }
    if (await signatureHolds(signed, found)) return found
    throw rejected('signature_invalid', 'The signature does not fit the presentation.')
  })
  if (key === undefined) return { ...checks.verdict(now), credentials: [] }
  checks.run('challenge', () => judgeChallenge(presentation, expected, now))
  const judgeHolder = holderIs(key, needs)
  const credentials = await Promise.all(
    presentation.credentials.map(credential => verifyCredential(credential, needs, expected, judgeHolder)),
  )
  const verdict: PresentationVerdict = { ...checks.verdict(now), holder: key.did, credentials }
  const refused = credentials.find(credential => !credential.verified)
  if (refused !== undefined) {
    verdict.verified = false
    if (verdict.refusal === undefined && refused.refusal !== undefined) verdict.refusal = refused.refusal
  }
  return verdict
}

/**
 * Judges a presentation and every credential inside it: who presents, to whom, in answer to which challenge, and
 * whether each credential belongs to that holder and stands.
 * @param input vp+jwt, VC-JWT 1.1 presentation, EnvelopedVerifiablePresentation, or an SD-JWT with key binding.
 */
export const verifyPresentation = async (
  input: unknown,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<PresentationVerdict> => {
  const checks = new Checks()
  let compact: string | undefined
  checks.run('format', () => {
    compact = unwrapPresentation(input)
  })
  if (compact === undefined) return { ...checks.verdict(expected.at ?? needs.clock.now()), credentials: [] }
  return (compact as string).includes('~')
    ? verifySdJwt(compact, needs, expected)
    : verifyJwtPresentation(compact, needs, expected)
}

const unwrapPresentation = (input: unknown): string => {
  if (typeof input === 'string') return input.startsWith('data:') ? fromDataUrl(input) : input
  if (!isRecord(input)) throw malformed('A presentation is a compact string or an object.')
  if (input['type'] === 'EnvelopedVerifiablePresentation') return fromDataUrl(input['id'])
  const proof = input['proof']
  if (isRecord(proof) && typeof proof['jwt'] === 'string') return proof['jwt']
  throw malformed('The presentation has no proof that is understood here (a JWT, vp+jwt or dc+sd-jwt).')
}

export type HolderKey = { did: string; kid: string; keyId: string; algorithm: SignatureAlgorithm }

/**
 * Makes a presentation of one held credential for a named verifier: an SD-JWT with the chosen claims and a key
 * binding, or a vp+jwt around the whole credential (which cannot keep claims back).
 * @param claims names of the disclosable claims to show.
 */
export const presentCredential = async (
  held: { compact: string; format: string },
  to: { audience: string; challenge: string; claims: readonly string[] },
  key: HolderKey,
  signer: Signer,
  now: number,
): Promise<string> => {
  const sign = (algorithm: SignatureAlgorithm, data: Buffer) => signer.sign(key.keyId, algorithm, data)
  if (held.format === 'dc+sd-jwt') {
    const shown = discloseOnly(held.compact, to.claims)
    const { kid, algorithm } = key
    return bindKey(shown, { audience: to.audience, nonce: to.challenge, issuedAt: now, algorithm, kid }, sign)
  }
  const media = held.format === 'vc+jwt' ? 'vc+jwt' : 'jwt'
  const iat = Math.floor(now / 1_000)
  return sealJws(
    { alg: key.algorithm, kid: key.kid, typ: 'vp+jwt', cty: 'vp' },
    {
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      type: ['VerifiablePresentation'],
      holder: key.did,
      verifiableCredential: [
        {
          '@context': 'https://www.w3.org/ns/credentials/v2',
          id: `data:application/${media},${held.compact}`,
          type: 'EnvelopedVerifiableCredential',
        },
      ],
      nonce: to.challenge,
      aud: to.audience,
      iat,
      exp: iat + 300,
    },
    sign,
  )
}
