import type { CredentialShape } from '../model/credential.ts'
import type { PresentationShape } from '../model/presentation.ts'
import { timeOf } from '../model/values.ts'
import type { KeyBinding, PublicKey, Sign, Signature } from './format.ts'
import { fromNumericDate, jwsSignature } from './jose.ts'
import { assertCredentialOf, assertPresentationOf } from './jose-cose-document.ts'
import { assertExact, isRecord, malformed } from './json.ts'
import { type OpenedSdJwt, openSdJwt } from './sd-jwt.ts'
import { type ClaimPath, concealmentOf, issueSdJwt } from './sd-jwt-conceal.ts'

/** A W3C document secured by SD-JWT, as far as it is disclosed. Nothing in it is believed yet. */
export type OpenedVcSdJwt = {
  /** Without the JWT claims that stand beside its members. */
  document: Record<string, unknown>
  signature: Signature
  /** Times of the signature, not of what it secures, in milliseconds (VC-JOSE-COSE, section 3.1.3). */
  issuedAt: number | undefined
  notBefore: number | undefined
  expiresAt: number | undefined
  /** RFC 7800 `cnf`: the holder's key. */
  confirmation: Record<string, unknown> | undefined
  keyBinding: KeyBinding | undefined
  /** All the JWT claims, such as the audience and the nonce of a presentation. */
  claims: Record<string, unknown>
} & ({ kind: 'vc'; credential: CredentialShape } | { kind: 'vp'; presentation: PresentationShape })

type Kind = OpenedVcSdJwt['kind']

/** JWT claims, which are no members of the document. */
const claimNames = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'cnf', 'nonce'] as const

/** What decides whether a document is good stands open in it (VC-JOSE-COSE, section 3.2.1). */
const neverConcealed: ReadonlySet<string> = new Set([
  '@context',
  'type',
  'issuer',
  'validFrom',
  'validUntil',
  'credentialStatus',
  'credentialSchema',
  'relatedResource',
  ...claimNames,
])

/** What no disclosure may carry. Of the document itself others may hide what this house would not. */
const neverDisclosed: ReadonlySet<string> = new Set(claimNames)

/** Whether the payload of an SD-JWT is a W3C document, and not that of an SD-JWT VC, which has a `vct`. */
export const holdsDocument = (payload: Record<string, unknown>): boolean =>
  payload['@context'] !== undefined && payload['vct'] === undefined

/** NumericDate; the W3C test suite writes a dateTimeStamp, which can mean nothing else. */
const issuedAtOf = (iat: unknown): number | undefined => timeOf(iat) ?? fromNumericDate(iat, 'iat')

/** Nor may a part of a JWT claim be hidden: what hides nothing comes back as it was. */
const assertOpen = ({ payload, processed }: OpenedSdJwt): void => {
  const closed = claimNames.find(name => processed[name] !== payload[name])
  if (closed !== undefined) throw malformed(`${closed} has a part that is selectively disclosable.`)
}

const kindOf = ({ signed, processed }: OpenedSdJwt): Kind => {
  const types = Array.isArray(processed['type']) ? (processed['type'] as unknown[]) : [processed['type']]
  const kind: Kind = types.includes('VerifiablePresentation') ? 'vp' : 'vc'
  const { typ } = signed.header
  if (typ !== undefined && typ !== `${kind}+sd-jwt`) throw malformed(`The typ of this SD-JWT must be ${kind}+sd-jwt.`)
  return kind
}

/** Claims that mean the same as a member must say the same (VC-JOSE-COSE, sections 3.1.3 and 4.1.2). */
const assertAgreement = (
  claims: Record<string, unknown>,
  members: { signer: string | undefined; id: string | undefined; subject?: unknown },
): void => {
  const { iss, jti, sub } = claims
  if (iss !== undefined && iss !== members.signer) throw malformed('iss and the issuer or holder differ.')
  if (jti !== undefined && jti !== members.id) throw malformed('jti and id differ.')
  if (sub !== undefined && sub !== members.subject) throw malformed('sub and the subject differ.')
}

const split = (processed: Record<string, unknown>) => {
  if (processed['vc'] !== undefined || processed['vp'] !== undefined) {
    throw malformed('The payload is the document itself, without vc or vp (VC-JOSE-COSE, section 3.1.3).')
  }
  const document = { ...processed }
  const claims: Record<string, unknown> = {}
  for (const name of claimNames) {
    if (!Object.hasOwn(document, name)) continue
    claims[name] = document[name]
    delete document[name]
  }
  return { document, claims }
}

/**
 * Takes a credential or presentation apart that an SD-JWT secures (VC-JOSE-COSE, sections 3.2 and 5.2).
 * @param compact with the disclosures that are shown, and a key binding if there is one.
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const openVcSdJwt = (compact: string): OpenedVcSdJwt => {
  const opened = openSdJwt(compact, neverDisclosed)
  assertOpen(opened)
  const kind = kindOf(opened)
  const { document, claims } = split(opened.processed)
  const confirmation = isRecord(claims['cnf']) ? claims['cnf']['jwk'] : undefined
  const common = {
    document,
    claims,
    signature: jwsSignature(opened.signed),
    issuedAt: issuedAtOf(claims['iat']),
    notBefore: fromNumericDate(claims['nbf'], 'nbf'),
    expiresAt: fromNumericDate(claims['exp'], 'exp'),
    confirmation: isRecord(confirmation) ? confirmation : undefined,
    keyBinding: opened.keyBinding,
  }
  if (kind === 'vp') {
    const presentation = assertPresentationOf(document)
    assertAgreement(claims, { signer: presentation.holder, id: presentation.id })
    return { kind, presentation, ...common }
  }
  const credential = assertCredentialOf(document)
  const [subject, ...others] = credential.subjects
  const subjectId = others.length === 0 ? subject?.['id'] : undefined
  assertAgreement(claims, { signer: credential.issuer, id: credential.id, subject: subjectId })
  return { kind, credential, ...common }
}

/** What a document is sealed with. */
export type SdJwtSealing = {
  /** DID URL of the key, or another absolute URL (VC-JOSE-COSE, section 4.1). */
  kid: string
  algorithm: PublicKey['algorithm']
  /** Milliseconds; `iat`. */
  issuedAt?: number
  /** Further JWT claims: the holder's key (`cnf`), the audience and the nonce of a presentation. */
  claims?: Partial<Record<(typeof claimNames)[number], unknown>>
  /** What the holder may keep back, by paths into the document. @default nothing */
  disclosable?: readonly ClaimPath[]
}

const seal = (kind: Kind, document: Record<string, unknown>, sealing: SdJwtSealing, sign: Sign): Promise<string> => {
  const { kid, algorithm, issuedAt, claims, disclosable = [] } = sealing
  assertExact(document, kind === 'vc' ? 'credential' : 'presentation')
  for (const [name] of disclosable) {
    if (typeof name !== 'string') throw malformed('A path of what is disclosable begins with the name of a member.')
    if (neverConcealed.has(name)) throw malformed(`${name} is never selectively disclosable.`)
  }
  if (claimNames.some(name => Object.hasOwn(document, name))) {
    throw malformed('The document has a member that is named like a JWT claim.')
  }
  const iat = issuedAt === undefined ? {} : { iat: Math.floor(issuedAt / 1_000) }
  const payload = { ...document, ...claims, ...iat }
  const header = { alg: algorithm, kid, typ: `${kind}+sd-jwt`, cty: kind }
  return issueSdJwt(header, payload, { conceal: concealmentOf(disclosable) }, sign)
}

/**
 * Secures a credential as application/vc+sd-jwt (VC-JOSE-COSE, section 3.2.1).
 * @throws Refusal malformed/credential_malformed, also for a path to what has to stand open
 */
export const sealVcSdJwt = async (
  credential: Record<string, unknown>,
  sealing: SdJwtSealing,
  sign: Sign,
): Promise<string> => {
  assertCredentialOf(credential)
  return seal('vc', credential, sealing, sign)
}

/**
 * Secures a presentation as application/vp+sd-jwt (VC-JOSE-COSE, section 3.2.2).
 * @throws Refusal malformed/credential_malformed, also for credentials that are not enveloped
 */
export const sealVpSdJwt = async (
  presentation: Record<string, unknown>,
  sealing: SdJwtSealing,
  sign: Sign,
): Promise<string> => {
  assertPresentationOf(presentation)
  return seal('vp', presentation, sealing, sign)
}
