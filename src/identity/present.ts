import type { JsonWebKey } from 'node:crypto'
import { canonical } from '../kernel/canonical.ts'
import type { Handover, PresentationVerdict, Verdict } from '../kernel/identity.ts'
import type { SignatureAlgorithm, Signer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { VerificationKey } from './did-keys.ts'
import { isDocument, unwrap } from './formats/detect.ts'
import type { KeyBinding, Opened } from './formats/format.ts'
import { keyUrl, signatureHolds } from './formats/jose.ts'
import { isRecord } from './formats/json.ts'
import { openLdpPresentation, sealLdpVp } from './formats/ldp-vp.ts'
import { mdocsIn, openedMdoc } from './formats/mso-mdoc.ts'
import { judgeDevice, presentMdoc, readShownMdocs, type ShownMdocs, transcriptsOf } from './formats/mso-mdoc-present.ts'
import { type OpenedPresentation, openPresentation, sealVp11, sealVpJwt } from './formats/presentation.ts'
import { bindKey, discloseOnly } from './formats/sd-jwt-present.ts'
import { Generations } from './generations.ts'
import { type PublicKey, publicKeyFromJwk } from './key-material.ts'
import type { SessionTranscript } from './mdoc/session-transcript.ts'
import { clockSkewMs } from './standing.ts'
import { Checks } from './verdict.ts'
import {
  type HolderCheck,
  type Judged,
  judgeCredential,
  judgeOpened,
  type VerifyNeeds,
  type VerifyOptions,
} from './verify.ts'

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/** Credentials in one presentation: each may have another server asked for the DID of whoever it names as its issuer. */
const credentialsMost = 16

const assertFew = (credentials: readonly unknown[]): void => {
  if (credentials.length <= credentialsMost) return
  const detail = `A presentation holds at most ${credentialsMost} credentials; present fewer.`
  throw new Refusal('malformed', 'presentation_excessive', detail)
}

/** How old a presentation may be that a challenge asked for. */
const presentationAgeMs = 10 * 60_000

export type PresentationExpectation = VerifyOptions & {
  /** The nonce this verifier gave out. */
  challenge: string
  /** Who this verifier is (`aud`); one of these. */
  audience: readonly string[]
  /** How mdocs were asked for, one of these: beside the nonce, their holder's device signs for it. */
  handovers?: readonly Handover[] | undefined
}

export const judgeChallenge = (
  shown: Pick<OpenedPresentation, 'nonce' | 'audience' | 'issuedAt' | 'notBefore' | 'expiresAt'>,
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
  if (shown.notBefore !== undefined && shown.notBefore > now + clockSkewMs) {
    throw rejected('presentation_expired', 'The presentation is from the future.')
  }
  if (shown.issuedAt === undefined) return
  if (shown.issuedAt > now + clockSkewMs || shown.issuedAt < now - presentationAgeMs) {
    throw rejected('presentation_expired', 'The presentation is too old, or from the future.')
  }
}

// A wallet presents with the same key again and again. Only the reading is remembered, never a judgement.
const holderKeys = new Generations<PublicKey>(10_000)
const keyLengthMost = 256

const holderKeyOf = (jwk: JsonWebKey): PublicKey => {
  const name = canonical(jwk)
  const known = holderKeys.get(name)
  if (known !== undefined) return known
  const key = publicKeyFromJwk(jwk)
  if (name.length <= keyLengthMost) holderKeys.set(name, key)
  return key
}

/** @returns the thumbprint of the holder's key. */
export const judgeKeyBinding = async (
  opened: Pick<Opened, 'confirmation'>,
  binding: KeyBinding | undefined,
): Promise<string> => {
  if (binding === undefined) throw rejected('holder_unproven', 'The SD-JWT is presented without a key binding.')
  if (opened.confirmation === undefined)
    throw rejected('holder_unproven', 'The SD-JWT names no key of its holder (cnf).')
  const key = holderKeyOf(opened.confirmation as JsonWebKey)
  if (binding.signed.header.alg !== key.algorithm) {
    throw rejected('algorithm_mismatch', 'The key binding names another algorithm than the key has.')
  }
  if (!binding.covers)
    throw rejected('presentation_edited', 'The key binding covers other disclosures than those shown.')
  if (!(await signatureHolds(binding.signed, key))) {
    throw rejected('holder_mismatch', 'The presentation is not signed by the holder of the credential.')
  }
  return key.thumbprint
}

/**
 * Whoever is shown as the holder, and whom acts know as their caller, is the subject of a credential, so that has to be whose key
 * was proven: an issuer that binds a credential to one key and names another's DID in it makes nobody that other.
 * @throws Refusal rejected/holder_mismatch; unavailable when the DID cannot be resolved now
 */
const assertSubjectHolds = async (
  { confirmation, subjectId }: Pick<Opened, 'confirmation' | 'subjectId'>,
  holderKey: string,
  { dids }: VerifyNeeds,
): Promise<void> => {
  // Without `cnf` it was the DID's own key that proved itself.
  if (confirmation === undefined || subjectId === undefined) return
  const detail =
    'The credential is bound to another key than that of the holder whom it names; ask its issuer for a new one.'
  let thumbprint: string
  try {
    thumbprint = (await dids.key(keyUrl('', subjectId), 'authentication')).thumbprint
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.kind === 'unavailable') throw cause
    throw new Refusal('rejected', 'holder_mismatch', detail, { cause })
  }
  if (thumbprint !== holderKey) throw rejected('holder_mismatch', detail)
}

/** An SD-JWT proves its holder's key itself: by a key binding over this challenge. */
const holderProven =
  (needs: VerifyNeeds, expected: PresentationExpectation, now: number): HolderCheck =>
  async (opened, checks) => {
    const binding = opened.keyBinding
    const holderKey = await checks.runAsync('holderBinding', async () => {
      const thumbprint = await judgeKeyBinding(opened, binding)
      await assertSubjectHolds(opened, thumbprint, needs)
      return thumbprint
    })
    checks.run('challenge', () => {
      if (binding === undefined) throw rejected('challenge_mismatch', 'No challenge is answered without a key binding.')
      judgeChallenge(binding, expected, now)
    })
    return holderKey
  }

/** An SD-JWT with key binding is a presentation of one credential. */
const verifySdJwt = async (
  input: unknown,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<JudgedPresentation> => {
  const now = expected.at ?? needs.clock.now()
  const judged = await judgeCredential(input, needs, expected, holderProven(needs, expected, now))
  const { verdict } = judged
  return { verdict: { ...verdict, credentials: [verdict] }, credentials: [judged] }
}

/** The presenter holds the credential, or the credential brings its own proof, as a guardian's for a minor does. */
const holderIs = (key: VerificationKey, needs: VerifyNeeds, proven: HolderCheck): HolderCheck => {
  const isPresenter: HolderCheck = async (opened, checks) => {
    await checks.runAsync('holderBinding', async () => {
      if (opened.confirmation !== undefined) {
        if (holderKeyOf(opened.confirmation as JsonWebKey).thumbprint === key.thumbprint) {
          return assertSubjectHolds(opened, key.thumbprint, needs)
        }
      } else if (opened.subjectId !== undefined && (await needs.dids.subjectOf(opened.subjectId)) === key.did) {
        return
      }
      throw rejected('holder_mismatch', 'A credential in the presentation belongs to another holder.')
    })
    checks.skip('challenge')
    return key.thumbprint
  }
  return (opened, checks) => (opened.keyBinding === undefined ? isPresenter : proven)(opened, checks)
}

const signerOf = async (shown: OpenedPresentation, needs: VerifyNeeds, now: number): Promise<VerificationKey> => {
  const { kid, algorithm } = shown.signature
  const key = await needs.dids.key(keyUrl(kid, shown.holder ?? ''), 'authentication', now)
  if (key.algorithm !== algorithm) {
    throw rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
  }
  if (shown.holder !== undefined && (await needs.dids.subjectOf(shown.holder)) !== key.did) {
    throw rejected('key_of_another', 'The presentation is signed by a key that is not its holder’s.')
  }
  if (await shown.signature.holds(key)) return key
  throw rejected('signature_invalid', 'The signature does not fit the presentation.')
}

const verifyWhole = async (
  input: unknown,
  compact: string,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<JudgedPresentation> => {
  const now = expected.at ?? needs.clock.now()
  const checks = new Checks()
  const nothing = () => ({ verdict: { ...checks.verdict(now), credentials: [] }, credentials: [] })
  let shown: OpenedPresentation | undefined
  checks.run('format', () => {
    const read = isDocument(compact) ? openLdpPresentation(compact) : openPresentation(input, compact)
    assertFew(read.credentials)
    shown = read
  })
  if (shown === undefined) return nothing()
  const presentation: OpenedPresentation = shown
  const key = await checks.runAsync('signature', () => signerOf(presentation, needs, now))
  if (key === undefined) return nothing()
  checks.run('challenge', () => judgeChallenge(presentation, expected, now))
  const judgeHolder = holderIs(key, needs, holderProven(needs, expected, now))
  const judged = await Promise.all(
    presentation.credentials.map(credential => judgeCredential(credential, needs, expected, judgeHolder)),
  )
  const credentials = judged.map(each => each.verdict)
  const verdict: PresentationVerdict = { ...checks.verdict(now), holder: key.did, credentials }
  const refused = credentials.find(credential => !credential.verified)
  if (refused !== undefined) {
    verdict.verified = false
    if (verdict.refusal === undefined && refused.refusal !== undefined) verdict.refusal = refused.refusal
  }
  return { verdict, own: checks.verdict(now), credentials: judged }
}

/** `own` is the verdict on the presentation itself, where it is signed apart from its credentials. */
export type JudgedPresentation = { verdict: PresentationVerdict; own?: Verdict; credentials: Judged[] }

/**
 * Judges a presentation and every credential inside it: who presents, to whom, in answer to which challenge, and
 * whether each credential belongs to that holder and stands.
 * @param input vp+jwt, VC-JWT 1.1 presentation, EnvelopedVerifiablePresentation, an SD-JWT with key binding, a
 * VerifiablePresentation with a DataIntegrityProof, or the device response of an mdoc.
 */
export const verifyPresentation = async (
  input: unknown,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<PresentationVerdict> => (await judgePresentation(input, needs, expected)).verdict

export const judgePresentation = async (
  input: unknown,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<JudgedPresentation> => {
  const checks = new Checks()
  let compact: string | undefined
  let shown: ShownMdocs | undefined
  checks.run('format', () => {
    const unwrapped = unwrap(input, 'EnvelopedVerifiablePresentation')
    shown = readShownMdocs(unwrapped)
    compact = unwrapped
  })
  if (compact === undefined) {
    return { verdict: { ...checks.verdict(expected.at ?? needs.clock.now()), credentials: [] }, credentials: [] }
  }
  const text: string = compact
  if (shown !== undefined) return verifyMdocs(shown, needs, expected)
  return !isDocument(text) && text.includes('~')
    ? verifySdJwt(isRecord(input) && input['proof'] !== undefined ? input : text, needs, expected)
    : verifyWhole(input, text, needs, expected)
}

/** A device response is a presentation whose documents are each signed by their holder's device. */
const verifyMdocs = async (
  shown: ShownMdocs,
  needs: VerifyNeeds,
  expected: PresentationExpectation,
): Promise<JudgedPresentation> => {
  const checks = new Checks()
  let parts: ReturnType<typeof mdocsIn> = []
  let transcripts: readonly SessionTranscript[] = []
  checks.run('format', () => {
    parts = mdocsIn(shown.deviceResponse)
    assertFew(parts)
  })
  checks.run('challenge', () => {
    transcripts = transcriptsOf(shown, expected)
  })
  const now = expected.at ?? needs.clock.now()
  if (checks.failed()) return { verdict: { ...checks.verdict(now), credentials: [] }, credentials: [] }
  const proven: HolderCheck = async (opened, ofCredential) => {
    const holderKey = await ofCredential.runAsync('holderBinding', async () => {
      const thumbprint = await judgeDevice(opened, transcripts)
      await assertSubjectHolds(opened, thumbprint, needs)
      return thumbprint
    })
    // The device's signature covers nonce and verifier: one that holds answers this challenge.
    if (holderKey === undefined) ofCredential.skip('challenge')
    else ofCredential.pass('challenge')
    return holderKey
  }
  const judged = await Promise.all(
    parts.map(part => {
      const { deviceResponse } = shown
      const read = () => needs.foreign?.openMdoc(part, deviceResponse) ?? openedMdoc(part, deviceResponse, needs.types)
      return judgeOpened(read, needs, expected, proven)
    }),
  )
  const credentials = judged.map(({ verdict }) => verdict)
  const [first, ...others] = credentials
  if (first !== undefined && others.length === 0) return { verdict: { ...first, credentials }, credentials: judged }
  const refused = credentials.find(({ verified }) => !verified)
  const verdict: PresentationVerdict = { ...checks.verdict(now), credentials }
  if (refused?.refusal !== undefined) Object.assign(verdict, { verified: false, refusal: refused.refusal })
  return { verdict, credentials: judged }
}

export type HolderKey = { did: string; kid: string; keyId: string; algorithm: SignatureAlgorithm }

/**
 * Makes a presentation of one held credential for a named verifier: an SD-JWT with the chosen claims and a key
 * binding, an mdoc with the chosen data elements and a device signature, or a presentation in the credential's own manner
 * (vp+jwt, VC-JWT 1.1, Data Integrity) around the whole credential, which cannot keep claims back.
 * @param to.claims names or dotted paths of the disclosable claims to show; of an mdoc `namespace/element`.
 * @param to.handover how an mdoc was asked for. Without one it is presented to the verifier itself, and says so.
 */
export const presentCredential = async (
  held: { compact: string; format: string },
  to: { audience: string; challenge: string; claims: readonly string[]; handover?: Handover | undefined },
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
  if (held.format === 'mso_mdoc') return presentMdoc(held.compact, to, key, sign)
  const sealing = { holder: key, audience: to.audience, nonce: to.challenge, now }
  if (held.format === 'ldp_vc') return sealLdpVp([held.compact], sealing, sign)
  return held.format === 'jwt_vc' ? sealVp11([held.compact], sealing, sign) : sealVpJwt([held.compact], sealing, sign)
}
