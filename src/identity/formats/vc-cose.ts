import type { CoseAlgorithm } from '../cose/algorithms.ts'
import { type CoseSign, type HeaderMap, type OpenedSign1, openSign1, sealSign1 } from '../cose/sign1.ts'
import type { CredentialShape } from '../model/credential.ts'
import { type EnvelopeType, readDataUrl } from '../model/envelope.ts'
import type { PresentationShape } from '../model/presentation.ts'
import { assertCredentialOf, assertPresentationOf } from './jose-cose-document.ts'
import { assertExact, isRecord, malformed, readSegment } from './json.ts'

/** Times are milliseconds and those of the signature, not of what it secures (VC-JOSE-COSE, section 3.3.3). */
export type CoseClaims = { issuedAt: number | undefined; notBefore: number | undefined; expiresAt: number | undefined }

/** A document secured by COSE, taken apart. Nothing in it is believed yet. */
export type OpenedVcCose = CoseClaims &
  Pick<OpenedSign1, 'signature' | 'header'> & { document: Record<string, unknown> } & (
    | { kind: 'vc'; credential: CredentialShape }
    | { kind: 'vp'; presentation: PresentationShape }
  )

/** What a document is sealed with. */
export type CoseSealing = {
  /** DID URL of the key, or another absolute URL (VC-JOSE-COSE, section 4.1). */
  kid: string
  algorithm: CoseAlgorithm
  /** When the signature is made, in milliseconds; goes into the CWT claims as `iat`. */
  issuedAt?: number
  /** Further CWT claims, such as the audience (3) and the nonce (10) of a presentation. */
  claims?: HeaderMap
}

type Kind = OpenedVcCose['kind']

/** CWT claims by their keys (RFC 8392, section 4). */
const claimKey = { iss: 1, exp: 4, nbf: 5, iat: 6 } as const

/** Media types may be written with or without `application/`. */
const mediaType = (value: string | number): string =>
  String(value)
    .toLowerCase()
    .replace(/^application\//, '')

/** VC-JOSE-COSE, sections 3.3.1 and 3.3.2: what `typ` and content type may say, when they are there at all. */
const kindOf = ({ typ, contentType }: OpenedSign1['header'], document: Record<string, unknown>): Kind => {
  const types = Array.isArray(document['type']) ? (document['type'] as unknown[]) : [document['type']]
  const kind: Kind = types.includes('VerifiablePresentation') ? 'vp' : 'vc'
  if (typ !== undefined && mediaType(typ) !== `${kind}+cose`) {
    throw malformed(`The typ of this COSE_Sign1 must be application/${kind}+cose.`)
  }
  if (contentType !== undefined && mediaType(contentType) !== kind) {
    throw malformed(`The content type of this COSE_Sign1 must be application/${kind}.`)
  }
  return kind
}

/** NumericDate of a CWT (RFC 8392, section 2): seconds, without a tag. */
const timeOf = (value: unknown, name: string): number | undefined => {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) > 1e11) {
    throw malformed(`${name} of the CWT claims is not a NumericDate.`)
  }
  return Math.floor(value * 1_000)
}

/** `iss` has to be the issuer or the holder of what is secured (VC-JOSE-COSE, section 4.1.2). */
const readClaims = (claims: OpenedSign1['header']['claims'], signer: string | undefined): CoseClaims => {
  const iss = claims?.get(claimKey.iss)
  if (iss !== undefined && iss !== signer) throw malformed('iss of the CWT claims and the issuer or holder differ.')
  return {
    issuedAt: timeOf(claims?.get(claimKey.iat), 'iat'),
    notBefore: timeOf(claims?.get(claimKey.nbf), 'nbf'),
    expiresAt: timeOf(claims?.get(claimKey.exp), 'exp'),
  }
}

/**
 * Takes a credential or presentation apart that a COSE_Sign1 secures (VC-JOSE-COSE, sections 3.3 and 5.3).
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const openVcCose = (bytes: Uint8Array): OpenedVcCose => {
  const { header, payload, signature } = openSign1(bytes)
  const document = readSegment(Buffer.from(payload).toString('base64url'), 'payload')
  if (!isRecord(document)) throw malformed('The payload of the COSE_Sign1 is not a JSON object.')
  if (kindOf(header, document) === 'vp') {
    const presentation = assertPresentationOf(document)
    const claims = readClaims(header.claims, presentation.holder)
    return { kind: 'vp', presentation, document, header, signature, ...claims }
  }
  const credential = assertCredentialOf(document)
  const claims = readClaims(header.claims, credential.issuer)
  return { kind: 'vc', credential, document, header, signature, ...claims }
}

/**
 * Takes apart what a data: URL carries (`data:application/vc+cose;base64,…` and vp+cose).
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const openVcCoseUrl = (url: string, type: EnvelopeType): OpenedVcCose => {
  const envelope = readDataUrl(url, type)
  if (envelope.encoding !== 'binary') throw malformed('The data: URL holds no COSE_Sign1.')
  const opened = openVcCose(envelope.bytes)
  if (envelope.mediaType !== `${opened.kind}+cose`) throw malformed('The data: URL names another media type.')
  return opened
}

const seal = (kind: Kind, document: Record<string, unknown>, sealing: CoseSealing, sign: CoseSign) => {
  assertExact(document, kind === 'vc' ? 'credential' : 'presentation')
  const { kid, algorithm, issuedAt } = sealing
  const claims: HeaderMap = new Map(sealing.claims)
  if (issuedAt !== undefined) claims.set(claimKey.iat, Math.floor(issuedAt / 1_000))
  const payload = Buffer.from(JSON.stringify(document))
  const types = { typ: `application/${kind}+cose`, contentType: `application/${kind}` }
  return sealSign1({ algorithm, kid, payload, ...types, ...(claims.size === 0 ? {} : { claims }) }, sign)
}

/**
 * Secures a credential as application/vc+cose (VC-JOSE-COSE, section 3.3.1).
 * @throws Refusal malformed/credential_malformed for a document that is no credential of version 2.0
 */
export const sealVcCose = async (
  credential: Record<string, unknown>,
  sealing: CoseSealing,
  sign: CoseSign,
): Promise<Uint8Array> => {
  assertCredentialOf(credential)
  return seal('vc', credential, sealing, sign)
}

/**
 * Secures a presentation as application/vp+cose (VC-JOSE-COSE, section 3.3.2).
 * @throws Refusal malformed/credential_malformed, also for credentials that are not enveloped
 */
export const sealVpCose = async (
  presentation: Record<string, unknown>,
  sealing: CoseSealing,
  sign: CoseSign,
): Promise<Uint8Array> => {
  assertPresentationOf(presentation)
  return seal('vp', presentation, sealing, sign)
}
