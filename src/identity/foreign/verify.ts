import type { JsonWebKey } from 'node:crypto'
import type { PresentationVerdict, StatusTold, Verdict } from '../../kernel/identity.ts'
import type { Clock } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import { didJwkOf, didKeyOf } from '../did-local.ts'
import type { ForeignStatus, Signature } from '../formats/format.ts'
import { fromNumericDate, jwsSignature, keyUrl, openJws } from '../formats/jose.ts'
import { isRecord, malformed } from '../formats/json.ts'
import { openVcCose } from '../formats/vc-cose.ts'
import { openVcSdJwt } from '../formats/vc-sd-jwt.ts'
import { verifyProofs } from '../integrity/proofs.ts'
import { publicKeyFromJwk } from '../key-material.ts'
import { type Envelope, isEnvelope, openEnvelope, readDataUrl } from '../model/envelope.ts'
import { assertPresentation, type PresentationShape, type Presented } from '../model/presentation.ts'
import { assertPublished } from '../model/published.ts'
import { judgeChallenge, judgeKeyBinding } from '../present.ts'
import { clockSkewMs } from '../standing.ts'
import { Checks } from '../verdict.ts'
import type { Methods } from './keys.ts'
import { type ForeignCredential, openForeign } from './open.ts'

/** Where the credentials of any issuer are judged. */
export type ForeignNeeds = {
  keyOf: Methods
  clock: Clock
  /** DIDs that sign for an issuer beside its own, or for one that is a URL from which no key can be found. */
  didsOf(issuer: string): readonly string[]
  /** Whether an issuer counts for credentials of these types. @throws Refusal rejected/issuer_untrusted */
  judgeIssuer(issuer: string, types: readonly string[]): void
  /** The statuses that a credential names. @throws Refusal rejected/credential_revoked, unavailable/status_unavailable */
  judgeStatus(status: ForeignStatus, issuer: string): Promise<StatusTold | undefined>
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/**
 * Finds the key by which a document is signed in the name of an issuer, and checks the signature with it.
 * @returns the DID of the signer. @throws Refusal rejected/key_unknown, algorithm_mismatch, signature_invalid, …
 */
export const signerOf = async (
  signature: Signature,
  named: string,
  purpose: string,
  needs: Pick<ForeignNeeds, 'keyOf' | 'didsOf'>,
): Promise<string> => {
  const { kid } = signature
  const url = keyUrl(kid, named)
  const isUrl = url.startsWith('did:')
  const urls = isUrl ? [url] : needs.didsOf(named).map(did => keyUrl('', did))
  let refusal = rejected('key_unknown', 'There is no key that can be verified with: the kid names none of a DID.')
  for (const each of urls) {
    const { publicKey, algorithm, controller } = await needs.keyOf(each, purpose)
    if (publicKey === undefined || algorithm !== signature.algorithm) {
      // A key that fits and did not sign says more than one of another kind.
      if (refusal.code === 'signature_invalid') continue
      refusal = rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
    } else if (await signature.holds({ publicKey, algorithm })) return controller
    else refusal = rejected('signature_invalid', 'The signature does not fit the document.')
  }
  throw refusal
}

/**
 * Every signature and proof holds, and is by a key of the issuer.
 * @returns the document under the contexts that were signed: a holder may add others to a proof over the text, which could
 *   give its terms another meaning.
 */
const judgeSignature = async (
  credential: ForeignCredential,
  needs: ForeignNeeds,
  now: number,
): Promise<ForeignCredential['document']> => {
  const { securing, document, shape } = credential
  const assertIssuer = (did: string): void => {
    if (did === shape.issuer || needs.didsOf(shape.issuer).includes(did)) return
    throw rejected('key_of_another', 'The credential is signed by a key that is not its issuer’s.')
  }
  if (securing.kind === 'signature') {
    assertIssuer(await signerOf(securing.signature, shape.issuer, 'assertionMethod', needs))
    return document
  }
  const asked = { now, proofPurpose: 'assertionMethod' }
  const { proofs, document: proven } = await verifyProofs(document, asked, needs.keyOf)
  for (const { controller, created } of proofs) {
    assertIssuer(controller)
    if (created !== undefined && created > now + clockSkewMs) {
      throw rejected('credential_not_yet_valid', 'A proof of the credential is from the future.')
    }
  }
  return { ...proven, proof: document['proof'] }
}

/** Who presents a credential, to whom, and in answer to what. */
type Presenting = Pick<ForeignExpectation, 'challenge' | 'audience' | 'anyAudience'> & { presenters: readonly string[] }

/**
 * An SD-JWT that names its holder's key is presented by that key: by a key binding over this challenge, or by the presentation
 * around it (RFC 9901, section 7.3). A key binding that is there always has to hold.
 */
const judgeHeld = async (
  held: ForeignCredential['held'],
  presenting: Presenting | undefined,
  now: number,
): Promise<void> => {
  const { confirmation, keyBinding } = held ?? {}
  const { challenge, anyAudience, audience = [], presenters = [] } = presenting ?? {}
  if (keyBinding !== undefined) {
    await judgeKeyBinding({ confirmation }, keyBinding)
    const meant = anyAudience === true ? [keyBinding.audience] : audience
    if (challenge !== undefined) judgeChallenge(keyBinding, { challenge, audience: meant }, now)
    return
  }
  if (confirmation === undefined || challenge === undefined) return
  const { kind, jwk } = publicKeyFromJwk(confirmation as JsonWebKey)
  if (presenters.includes(didKeyOf({ kind, jwk })) || presenters.includes(didJwkOf({ jwk }))) return
  throw rejected('holder_mismatch', 'A credential in the presentation belongs to another holder.')
}

const judgePeriod = ({ validFrom, validUntil }: ForeignCredential, now: number, today: number): void => {
  if (!(now <= today + clockSkewMs)) throw rejected('time_not_come', 'Nothing is judged as of a time to come.')
  if (validFrom !== undefined && validFrom > now + clockSkewMs) {
    throw rejected('credential_not_yet_valid', 'The credential is not valid yet.')
  }
  if (validUntil !== undefined && validUntil <= now) throw rejected('credential_expired', 'The credential has expired.')
}

const about = (verdict: Verdict, { format, shape, document }: ForeignCredential): Verdict => {
  verdict.format = format
  verdict.issuer = shape.issuer
  const type = shape.types.find(name => name !== 'VerifiableCredential')
  if (type !== undefined) verdict.type = type
  const [subject, ...others] = shape.subjects
  if (subject !== undefined && others.length === 0) {
    verdict.claims = subject
    if (typeof subject['id'] === 'string') verdict.holder = subject['id']
  }
  if (shape.id !== undefined) verdict.credentialId = shape.id
  verdict.document = document
  return verdict
}

/**
 * Judges a credential whose issuer need not be on our chain and whose type need not be known: its form by the data model, every
 * signature and proof by the key that the issuer's DID names, its dates, and the status lists it names. Never throws a Refusal.
 */
export const verifyForeign = async (
  input: unknown,
  needs: ForeignNeeds,
  options: { at?: number | undefined; presenting?: Presenting } = {},
): Promise<Verdict> => {
  const now = options.at ?? needs.clock.now()
  const checks = new Checks()
  let opened: ForeignCredential | undefined
  checks.run('format', () => {
    const read = openForeign(input)
    assertPublished(read.shape.relatedResources)
    opened = read
  })
  if (opened === undefined) return checks.verdict(now)
  const credential: ForeignCredential = opened
  const { shape } = credential
  const signed = await checks.runAsync('signature', () => judgeSignature(credential, needs, now))
  if (signed === undefined) return about(checks.verdict(now), credential)
  if (credential.held !== undefined) {
    await checks.runAsync('holderBinding', () => judgeHeld(credential.held, options.presenting, now))
  }
  checks.run('dates', () => judgePeriod(credential, now, needs.clock.now()))
  checks.skip('schema')
  checks.run('accreditation', () => needs.judgeIssuer(shape.issuer, shape.types))
  // Of what has failed already nothing is fetched: whose lists are asked for is not for everybody to say.
  if (credential.statuses.length === 0 || checks.failed()) checks.skip('status')
  else {
    await checks.runAsync('status', async () => {
      for (const status of credential.statuses) checks.tell(await needs.judgeStatus(status, shape.issuer))
    })
  }
  return about(checks.verdict(now), { ...credential, document: signed })
}

/** A presentation taken apart. Nothing in it is believed yet. */
type ForeignPresentation = {
  shape: PresentationShape
  securing: { kind: 'proofs' } | { kind: 'none' } | { kind: 'signature'; signature: Signature; claims: Claims }
}
type Claims = { iss?: unknown; nonce?: unknown; aud?: unknown; exp?: unknown; nbf?: unknown }

const openVpSelective = (compact: string): ForeignPresentation => {
  const opened = openVcSdJwt(compact)
  if (opened.kind !== 'vp') throw malformed('The SD-JWT holds no presentation.')
  const { presentation: shape, signature, claims } = opened
  return { shape, securing: { kind: 'signature', signature, claims } }
}

const openVpJose = (compact: string): ForeignPresentation => {
  if (compact.includes('~')) return openVpSelective(compact)
  const { signed, payload } = openJws(compact)
  const { iat: _iat, exp, nbf, iss, jti: _jti, sub: _sub, nonce, aud, vp, ...document } = payload
  const { typ } = signed.header
  const isWrapped = typ === undefined || typ === 'jwt'
  if (isWrapped !== isRecord(vp) || !(isWrapped || typ === 'vp+jwt')) {
    throw malformed(
      'A presentation is a vp+jwt, or a JWT with a vp member (VC-JOSE-COSE 3.1.2; VC Data Model 1.1, 6.3.1).',
    )
  }
  const wrapped = isRecord(vp) && { ...vp, ...(iss === undefined ? {} : { holder: iss }) }
  const shape = assertPresentation(wrapped || document)
  if (iss !== undefined && shape.holder !== undefined && iss !== shape.holder) throw malformed('iss and holder differ.')
  const claims = { iss, nonce, aud, exp, nbf }
  return { shape, securing: { kind: 'signature', signature: jwsSignature(signed), claims } }
}

/** CWT claims by their keys (RFC 8392, section 4; EAT nonce, RFC 9711). */
const cwtClaim = { aud: 3, exp: 4, nbf: 5, nonce: 10 } as const

const openVpEnvelope = (envelope: Envelope): ForeignPresentation => {
  if (envelope.encoding === 'text') return openVpJose(envelope.token)
  const opened = openVcCose(envelope.bytes)
  if (opened.kind !== 'vp') throw malformed('The COSE_Sign1 holds no presentation.')
  const { presentation: shape, signature, header } = opened
  const claim = (key: number): unknown => header.claims?.get(key)
  const nonce = claim(cwtClaim.nonce)
  const claims = {
    ...{ nonce: nonce instanceof Uint8Array ? Buffer.from(nonce).toString() : nonce },
    ...{ aud: claim(cwtClaim.aud), exp: claim(cwtClaim.exp), nbf: claim(cwtClaim.nbf) },
  }
  return { shape, securing: { kind: 'signature', signature, claims } }
}

const envelopeType = 'EnvelopedVerifiablePresentation'

const openPresented = (input: unknown): ForeignPresentation => {
  if (typeof input === 'string') {
    return input.startsWith('data:') ? openVpEnvelope(readDataUrl(input, envelopeType)) : openVpJose(input)
  }
  if (isEnvelope(input, envelopeType)) return openVpEnvelope(openEnvelope(input, envelopeType))
  const shape = assertPresentation(input)
  return { shape, securing: { kind: shape.proofs.length === 0 ? 'none' : 'proofs' } }
}

export type ForeignExpectation = {
  /** Without one, a presentation that answers none is taken: for documents that are judged, not for callers that are let in. */
  challenge?: string | undefined
  audience: readonly string[]
  /** Whoever it is meant for: where nobody says by which name the verifier is known. */
  anyAudience?: boolean | undefined
  at?: number | undefined
}

const judgeClaims = (claims: Claims, expected: ForeignExpectation, now: number): void => {
  const { challenge, audience, anyAudience } = expected
  if (challenge !== undefined && claims.nonce !== challenge) {
    throw rejected('challenge_mismatch', 'The presentation answers another challenge.')
  }
  const isMeantHere = anyAudience === true || [claims.aud].flat().some(each => audience.includes(each as string))
  if (challenge !== undefined && !isMeantHere) {
    throw rejected('audience_mismatch', 'The presentation is meant for another verifier.')
  }
  const until = fromNumericDate(claims.exp, 'exp')
  const from = fromNumericDate(claims.nbf, 'nbf')
  if ((until !== undefined && until <= now) || (from !== undefined && from > now + clockSkewMs)) {
    throw rejected('presentation_expired', 'The presentation has expired, or is from the future.')
  }
}

/** @returns the DIDs that signed. */
const judgePresenter = async (
  { shape, securing }: ForeignPresentation,
  expected: ForeignExpectation,
  needs: ForeignNeeds,
  now: number,
): Promise<string[]> => {
  if (securing.kind === 'none') {
    // Nobody says who presents, and nobody asked.
    if (expected.challenge === undefined) return []
    throw rejected('holder_unproven', 'The presentation carries no proof of its holder.')
  }
  if (securing.kind === 'signature') {
    judgeClaims(securing.claims, expected, now)
    return [await signerOf(securing.signature, shape.holder ?? '', 'authentication', needs)]
  }
  const asked = { now, proofPurpose: 'authentication' }
  const { challenge } = expected
  const { proofs } = await verifyProofs(
    shape.document,
    challenge === undefined ? asked : { ...asked, challenge },
    needs.keyOf,
  )
  const isMeantHere =
    expected.anyAudience === true || proofs.every(({ domain }) => domain.some(each => expected.audience.includes(each)))
  if (challenge !== undefined && !isMeantHere) {
    throw rejected('audience_mismatch', 'The presentation is meant for another verifier.')
  }
  return proofs.map(({ controller }) => controller)
}

const inputOf = (presented: Presented): unknown => {
  if (presented.kind === 'token') return presented.token
  return presented.kind === 'enveloped' ? presented.document : presented.credential.document
}

/** What the holder says of itself rests on the presentation's own proof (VC Data Model 2.0, section 4.13.4). */
const isOwnWord = (presented: Presented): boolean =>
  presented.kind === 'embedded' && presented.selfAsserted && presented.credential.proofs.length === 0

/** Judges a presentation of any holder and the credentials in it, as `verifyForeign` does. Never throws a Refusal. */
export const verifyForeignPresentation = async (
  input: unknown,
  needs: ForeignNeeds,
  expected: ForeignExpectation,
): Promise<PresentationVerdict> => {
  const now = expected.at ?? needs.clock.now()
  const checks = new Checks()
  let opened: ForeignPresentation | undefined
  checks.run('format', () => {
    opened = openPresented(input)
  })
  if (opened === undefined) return { ...checks.verdict(now), credentials: [] }
  const presentation: ForeignPresentation = opened
  const { shape } = presentation
  let presenters: string[] = []
  await checks.runAsync('signature', async () => {
    const signers = await judgePresenter(presentation, expected, needs, now)
    presenters = signers
    const { holder } = shape
    if (holder === undefined || signers.length === 0) return
    if (signers.every(did => did === holder || needs.didsOf(holder).includes(did))) return
    throw rejected('key_of_another', 'The presentation is signed by a key that is not its holder’s.')
  })
  const { challenge, audience, anyAudience } = expected
  const presenting = { challenge, audience, anyAudience, presenters }
  const credentials: Verdict[] = []
  for (const each of shape.credentials) {
    if (!isOwnWord(each)) credentials.push(await verifyForeign(inputOf(each), needs, { at: expected.at, presenting }))
    else if (presentation.securing.kind === 'none') {
      checks.fail('signature', rejected('holder_unproven', 'What a holder says of itself needs the holder’s proof.'))
    }
  }
  const verdict: PresentationVerdict = { ...checks.verdict(now), credentials }
  // Without a proof anybody could have written the holder's name there.
  if (shape.holder !== undefined && presentation.securing.kind !== 'none') verdict.holder = shape.holder
  const refused = credentials.find(({ verified }) => !verified)
  if (refused !== undefined) {
    verdict.verified = false
    if (verdict.refusal === undefined && refused.refusal !== undefined) verdict.refusal = refused.refusal
  }
  return verdict
}
