import { hash } from 'node:crypto'
import type { ProvenCredential } from '../kernel/gate.ts'
import type {
  CheckName,
  Expectation,
  ForeignStanding,
  LapsedCredential,
  Proof,
  Standing,
  Verdict,
} from '../kernel/identity.ts'
import type { StatusPointer, StatusReader } from '../kernel/ports.ts'
import { Refusal, type RefusalKind } from '../kernel/refusal.ts'
import { isDocument, unwrap } from './formats/detect.ts'
import type { Opened } from './formats/format.ts'
import { openJws } from './formats/jose.ts'
import { isRecord, malformed } from './formats/json.ts'
import { openLdpPresentation, readLdpPresentation } from './formats/ldp-vp.ts'
import { mdocsIn } from './formats/mso-mdoc.ts'
import { readShownMdocs } from './formats/mso-mdoc-present.ts'
import { judgePresentation } from './present.ts'
import { judgeAncestors, recheckStanding } from './standing.ts'
import { issuerAddress, type Judged, type VerifyNeeds } from './verify.ts'

/** Presentations, and credentials in all of them together, that one proof may hold. */
const presentationsMost = 8
const credentialsMost = 16
const ancestorsMost = 16

export type ProveNeeds = VerifyNeeds & { did: string }

/** Checks that ask who is presenting. What fails them proves nothing; what fails the others proves too little. */
const ofTheProof: ReadonlySet<CheckName> = new Set<CheckName>(['signature', 'holderBinding', 'challenge'])

/** A verdict's refusal in the words of the gate: the same code, under the kind that the gate has for such a check. */
const refusalOf = ({ checks, refusal }: Verdict): Refusal => {
  const failed = checks.find(({ outcome }) => outcome === 'failed' || outcome === 'unavailable')
  if (refusal === undefined || failed === undefined) throw new Error('a verdict without a refusal is no refusal')
  return new Refusal(kindOf(refusal.kind, failed.check), refusal.code, refusal.detail)
}

const kindOf = (kind: RefusalKind, check: CheckName): RefusalKind => {
  if (kind === 'unavailable') return kind
  if (check === 'format') return 'malformed'
  return ofTheProof.has(check) ? 'unauthenticated' : 'forbidden'
}

/** A refusal of a recheck: whoever holds the credential is known already, so what no longer stands is forbidden. */
const lapsedRefusal = (refusal: Refusal): Refusal =>
  refusal.kind === 'unavailable' || refusal.kind === 'forbidden'
    ? refusal
    : new Refusal('forbidden', refusal.code, refusal.message)

const lapsedOf = (type: string | undefined, { kind, code, message }: Refusal): LapsedCredential => ({
  ...(type === undefined ? {} : { type }),
  refusal: { kind, code, detail: message },
})

const wholeNumber = (value: unknown): number => {
  const number = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw malformed('A mandate names no place in a status list for one of its ancestors.')
  }
  return number
}

/** Where the mandates above a mandate have their status: in the lists of the same issuer. */
const ancestorsOf = (claims: Record<string, unknown>, own: StatusPointer): StatusPointer[] => {
  const ancestors = claims['ancestors']
  if (ancestors === undefined) return []
  if (!Array.isArray(ancestors) || ancestors.length > ancestorsMost) {
    throw malformed(`A mandate lists at most ${ancestorsMost} ancestors.`)
  }
  return ancestors.map(ancestor => {
    if (!isRecord(ancestor)) throw malformed('An ancestor of a mandate is not an object.')
    return { ...own, list: wholeNumber(ancestor['statusList']), index: wholeNumber(ancestor['statusIndex']) }
  })
}

const mandateType = 'CompanyMandate'

const standingOf = ({ opened, key }: Judged, chain: string): Standing => {
  if (opened === undefined || key === undefined || opened.status === undefined || opened.issuedAt === undefined) {
    throw new Error('a credential that passed its checks has a key, a status and a date')
  }
  const { type, claims, validFrom, validUntil, status, issuedAt } = opened
  const standing: Standing = {
    issuer: issuerAddress(key.did, chain),
    ...{ kid: key.kid, thumbprint: key.thumbprint },
    ...{ type: type.id, schemaId: type.schemaId, schemaDigest: type.schemaDigest, issuedAt, status },
  }
  if (validFrom !== undefined) standing.validFrom = validFrom
  if (validUntil !== undefined) standing.validUntil = validUntil
  const ancestors = type.id === mandateType ? ancestorsOf(claims, status) : []
  if (ancestors.length > 0) standing.ancestors = ancestors
  return standing
}

/** Of the credential without what its holder adds or keeps back: the same however much of it is shown. */
const digestOf = ({ compact, mdoc }: Opened): string => {
  if (mdoc !== undefined) return mdoc.digest
  return hash('sha256', isDocument(compact) ? compact : (compact.split('~', 1)[0] ?? ''), 'base64url')
}

const provenOf = ({ opened, key, verdict, holderKey }: Judged, did: string): ProvenCredential => {
  if (opened === undefined || key === undefined || holderKey === undefined) {
    throw new Error('a credential that passed its checks has a holder')
  }
  const { claims, type, id, subjectId, validUntil, status } = opened
  const proven: ProvenCredential = {
    ...{ type: type.id, issuer: key.did, holder: subjectId ?? `urn:jkt:${holderKey}`, holderKey, claims },
    digest: digestOf(opened),
    own: key.did === did,
  }
  if (id !== undefined) proven.credentialId = id
  if (validUntil !== undefined) proven.validUntil = validUntil
  if (status !== undefined) proven.status = status
  if (verdict.block !== undefined) proven.block = verdict.block
  return proven
}

const judge = (judged: Judged, needs: ProveNeeds, status: StatusReader): Proof => {
  const type = judged.opened?.type.id
  if (!judged.verdict.verified) return { credentials: [], lapsed: [lapsedOf(type, refusalOf(judged.verdict))] }
  try {
    if (judged.standing !== undefined) {
      return { credentials: [{ credential: provenOf(judged, needs.did), standing: judged.standing }], lapsed: [] }
    }
    const standing = standingOf(judged, needs.chain)
    judgeAncestors(standing, status)
    return { credentials: [{ credential: provenOf(judged, needs.did), standing }], lapsed: [] }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { credentials: [], lapsed: [lapsedOf(type, error)] }
  }
}

const proveOne = async (presentation: string, expected: Expectation, needs: ProveNeeds): Promise<Proof> => {
  const { own, verdict, credentials } = await judgePresentation(presentation, needs, expected)
  // The presentation itself failed: nothing in it is anybody's.
  const whole = own ?? (credentials.length === 0 ? verdict : undefined)
  if (whole !== undefined && !whole.verified)
    return { credentials: [], lapsed: [lapsedOf(undefined, refusalOf(whole))] }
  return joined(credentials.map(each => judge(each, needs, needs.status)))
}

const joined = (parts: readonly Proof[]): Proof => ({
  credentials: parts.flatMap(part => part.credentials),
  lapsed: parts.flatMap(part => part.lapsed),
})

/**
 * Judges everything that was presented over one challenge. Each credential stands for itself: one that fails does not
 * fail the others, and `lapsed` says why it does not count.
 * @param presentations vp+jwt, VC-JWT 1.1 presentations, SD-JWTs with key binding, device responses of mdocs, or JSON texts with a
 *   DataIntegrityProof.
 * @throws Refusal malformed/presentation_excessive
 */
export const prove = async (
  presentations: readonly string[],
  expected: Expectation,
  needs: ProveNeeds,
): Promise<Proof> => {
  const excessive = (most: string): Refusal =>
    new Refusal('malformed', 'presentation_excessive', `A proof holds at most ${most}; present fewer.`)
  if (presentations.length > presentationsMost) throw excessive(`${presentationsMost} presentations`)
  // Before any of them is judged: a judgement may ask another server for the DID of whoever the credential names as its issuer.
  const held = presentations.reduce((count, each) => count + credentialsIn(each), 0)
  if (held > credentialsMost) throw excessive(`${credentialsMost} credentials`)
  return joined(await Promise.all(presentations.map(each => proveOne(each, expected, needs))))
}

/** How many credentials it says it holds. What cannot be read holds none, and is refused when it is judged. */
export const credentialsIn = (presentation: unknown): number => {
  try {
    const compact = unwrap(presentation, 'EnvelopedVerifiablePresentation')
    if (!isDocument(compact) && compact.includes('~')) return 1
    const mdocs = readShownMdocs(compact)
    if (mdocs !== undefined) return mdocsIn(mdocs.deviceResponse).length
    if (isDocument(compact)) return [readLdpPresentation(compact)['verifiableCredential'] ?? []].flat().length
    const { payload } = openJws(compact)
    const { verifiableCredential: listed } = isRecord(payload['vp']) ? payload['vp'] : payload
    return Array.isArray(listed) ? listed.length : 1
  } catch (error) {
    if (error instanceof Refusal) return 0
    throw error
  }
}

const challengeIn = (presentation: string): unknown => {
  const compact = unwrap(presentation, 'EnvelopedVerifiablePresentation')
  const mdocs = readShownMdocs(compact)
  if (mdocs !== undefined) return mdocs.handover?.nonce
  if (isDocument(compact)) return openLdpPresentation(compact).nonce
  const jws = compact.includes('~') ? compact.slice(compact.lastIndexOf('~') + 1) : compact
  if (jws === '') throw malformed('An SD-JWT is presented without a key binding.')
  const { payload } = openJws(jws)
  const vp = payload['vp']
  return payload['nonce'] ?? (isRecord(vp) ? vp['challenge'] : undefined)
}

/**
 * The one challenge that presentations say they answer. Nothing of it is believed yet. A bare device response says nothing of
 * the kind; one with its handover does.
 * @throws Refusal malformed/credential_malformed, unauthenticated/challenge_mismatch when they differ.
 */
export const challengeOf = (presentations: readonly string[]): string => {
  const shown = new Set(presentations.map(challengeIn))
  const [challenge] = shown
  if (shown.size === 1 && typeof challenge === 'string') return challenge
  throw new Refusal(
    'unauthenticated',
    'challenge_mismatch',
    'All presentations must answer one and the same challenge.',
  )
}

/**
 * Whether proven credentials stand now, a few microseconds each. Those that do not are named with the reason.
 * @throws whatever is not a Refusal.
 */
export const recheck = (proof: Proof, needs: ProveNeeds): Proof | Promise<Proof> => {
  const blocks = proof.credentials.map(({ standing }) => {
    try {
      const block = 'foreign' in standing ? recheckForeign(standing, needs) : recheckStanding(standing, needs)
      return block instanceof Promise ? block.catch(asRefusal) : block
    } catch (error) {
      return asRefusal(error)
    }
  })
  const collect = (found: readonly Awaited<(typeof blocks)[number]>[]): Proof => {
    found.forEach((each, index) => {
      const credential = proof.credentials[index]?.credential
      // In place: whoever holds the credential sees the newest block that it was looked at on.
      if (credential !== undefined && each !== undefined && !(each instanceof Refusal)) credential.block = each
    })
    if (!found.some(each => each instanceof Refusal)) return proof
    const lapsed = [...proof.lapsed]
    const credentials = proof.credentials.filter(({ credential }, index) => {
      const refusal = found[index]
      if (!(refusal instanceof Refusal)) return true
      lapsed.push(lapsedOf(credential.type, lapsedRefusal(refusal)))
      return false
    })
    return { credentials, lapsed }
  }
  return blocks.some(each => each instanceof Promise)
    ? Promise.all(blocks).then(collect)
    : collect(blocks as Awaited<(typeof blocks)[number]>[])
}

const recheckForeign = async (standing: ForeignStanding, { foreign }: ProveNeeds): Promise<undefined> => {
  if (foreign === undefined) {
    throw new Refusal('rejected', 'issuer_untrusted', 'The agency no longer trusts the issuer of a credential.')
  }
  await foreign.recheck(standing)
}

const asRefusal = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error
  throw error
}
