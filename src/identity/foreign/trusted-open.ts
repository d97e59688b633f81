import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { didKeyOf } from '../did-local.ts'
import { formatOf, isDocument, unwrap } from '../formats/detect.ts'
import type { ForeignStatus, Opened, Signature } from '../formats/format.ts'
import { fromNumericDate, jwsSignature, textOrUndefined } from '../formats/jose.ts'
import { isRecord, malformed, readJson, sameJson } from '../formats/json.ts'
import { mdocsIn } from '../formats/mso-mdoc.ts'
import { openSdJwt } from '../formats/sd-jwt.ts'
import { assertOpen, neverDisclosed } from '../formats/sd-jwt-vc.ts'
import { publicKeyFromJwk } from '../key-material.ts'
import { expandedTypes } from '../linked-data/expanded-types.ts'
import type { PresentedMdoc } from '../mdoc/device-response.ts'
import type { OpenedMdoc } from '../mdoc/issuer-signed.ts'
import { statusTypeUnknown } from '../status-lists/refusals.ts'
import { readStatusClaim } from '../status-lists/token.ts'
import { readCertificate } from '../x509/certificate.ts'
import { mappedClaims } from './mapped-claims.ts'
import { type ForeignCredential, openForeign } from './open.ts'
import { type Trust, type TrustedCredential, type TrustedW3c, w3cFormats } from './trust.ts'

type Of<Credential extends TrustedCredential> = Trust & { credential: Credential }
type SdJwtTrust = Of<Extract<TrustedCredential, { format: 'dc+sd-jwt' }>>
type MdocTrust = Of<Extract<TrustedCredential, { format: 'mso_mdoc' }>>
type W3cTrust = Of<TrustedW3c>

const ofFormat = <Each extends SdJwtTrust | MdocTrust | W3cTrust>(
  trusts: readonly Trust[],
  format: Each['credential']['format'],
): Each[] => trusts.filter((trust): trust is Each => trust.credential.format === format)

/**
 * Acts know people by the DID of a credential's subject. A name of any other form is its issuer's own: then whoever holds it is known
 * by the key that it is bound to.
 */
const subjectOf = (
  subject: string | undefined,
  confirmation?: Readonly<Record<string, unknown>> | undefined,
): string | undefined => {
  if (subject?.startsWith('did:') === true) return subject
  if (confirmation === undefined) return undefined
  const { kind, jwk } = publicKeyFromJwk(confirmation)
  return didKeyOf({ kind, jwk })
}

const claimsOf = (
  trust: Trust,
  claims: Readonly<Record<string, unknown>>,
  subject: string | undefined,
): Record<string, unknown> => {
  const mapped = mappedClaims(claims, trust.claims ?? {})
  // Never by a rule: who holds the credential is what the signature over it says. Pseudonyms are given by our own root alone.
  const { id: _id, pseudonym: _pseudonym, ...ours } = mapped
  return subject === undefined ? ours : { id: subject, ...ours }
}

const tokenStatuses = (claim: unknown): ForeignStatus[] =>
  claim === undefined ? [] : [{ kind: 'token', ...readStatusClaim(claim) }]

const openedSdJwt = (compact: string, trusts: readonly SdJwtTrust[]): Opened | undefined => {
  const token = openSdJwt(compact, neverDisclosed)
  const { signed, processed, keyBinding } = token
  const trust = trusts.find(({ credential }) => credential.vct === processed['vct'])
  if (trust === undefined) return undefined
  const { typ, x5c = [] } = signed.header
  if (typ !== 'dc+sd-jwt' && typ !== 'vc+sd-jwt') throw malformed('The typ of an SD-JWT VC is dc+sd-jwt.')
  assertOpen(token)
  const cnf = isRecord(processed['cnf']) ? processed['cnf']['jwk'] : undefined
  const confirmation = isRecord(cnf) ? cnf : undefined
  const subjectId = subjectOf(textOrUndefined(processed['sub'], 'sub'), confirmation)
  return {
    ...{ format: 'dc+sd-jwt', compact, type: trust.type, subjectId, keyBinding, partial: 'any' },
    ...{ signature: jwsSignature(signed), document: processed, status: undefined },
    id: textOrUndefined(processed['jti'], 'jti'),
    issuer: textOrUndefined(processed['iss'], 'iss') ?? '',
    confirmation,
    claims: claimsOf(trust, processed, subjectId),
    issuedAt: fromNumericDate(processed['iat'], 'iat') ?? fromNumericDate(processed['nbf'], 'nbf'),
    validFrom: fromNumericDate(processed['nbf'], 'nbf'),
    validUntil: fromNumericDate(processed['exp'], 'exp'),
    foreign: {
      ...{ trust: trust.id, statuses: tokenStatuses(processed['status']) },
      chain: x5c.map(certificate => new Uint8Array(Buffer.from(certificate, 'base64'))),
    },
  }
}

/** An mdoc of an agency of our chain says so in the certificate of its signer; whether that is true is judged there. */
const namesOwn = ({ issuerChain: [first] }: OpenedMdoc, isOwn: (did: string) => boolean): boolean => {
  if (first === undefined) return false
  const { alternativeNames } = readCertificate(new Uint8Array(first))
  return alternativeNames.some(({ type, value }) => type === 'uri' && isOwn(value.split('#', 1)[0] ?? ''))
}

/** @returns undefined for a document type that no trust names, and for an mdoc of our own chain. */
export const openTrustedMdoc = (
  mdoc: OpenedMdoc | PresentedMdoc,
  compact: string,
  trusts: readonly Trust[],
  isOwn: (did: string) => boolean,
): Opened | undefined => {
  const trust = ofFormat<MdocTrust>(trusts, 'mso_mdoc').find(({ credential }) => credential.docType === mdoc.docType)
  if (trust === undefined || namesOwn(mdoc, isOwn)) return undefined
  const { validity, deviceKey, status, namespaces, docType, digest } = mdoc
  const { kind, jwk } = publicKeyFromJwk(deviceKey)
  const subjectId = didKeyOf({ kind, jwk })
  const device = 'device' in mdoc ? mdoc.device : undefined
  const known = trust.claims === undefined ? trust.type.mdoc?.claimsOf(namespaces) : undefined
  if (known !== undefined) delete known['pseudonym']
  return {
    ...{ format: 'mso_mdoc', compact, type: trust.type, subjectId, partial: 'any', keyBinding: undefined },
    ...{ id: undefined, issuer: '', status: undefined, signature: mdoc.signature },
    confirmation: { ...jwk },
    claims: known === undefined ? claimsOf(trust, inJson(namespaces), subjectId) : { id: subjectId, ...known },
    issuedAt: validity.signed,
    validFrom: validity.validFrom,
    validUntil: validity.validUntil,
    document: inJson(namespaces),
    mdoc: { docType, digest, ...(device === undefined ? {} : { vouches: transcript => device.vouches(transcript) }) },
    foreign: {
      trust: trust.id,
      statuses: status === undefined ? [] : [{ kind: 'token', uri: status.uri, index: status.index }],
      chain: mdoc.issuerChain.map(der => new Uint8Array(der)),
      mdoc,
    },
  }
}

/** Values of CBOR in the words of JSON (RFC 8949, section 6.1). */
const inJson = (namespaces: OpenedMdoc['namespaces']): Record<string, unknown> => {
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64url')
    if (typeof value === 'bigint') return String(value)
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
  }
  return plain(namespaces) as Record<string, unknown>
}

const nobody: Signature = { kid: '', algorithm: '', holds: async () => false }

/** What says the same as a status list, on a chain that is not ours, is left aside; anything else has to be understood. */
const listedStatuses = ({ statuses }: ForeignCredential): ForeignStatus[] => {
  const listed = statuses.filter(status => status.kind === 'token' || status.entry['type'] !== 'EvmStatusEntry')
  if (listed.length === 0 && statuses.length > 0) throw statusTypeUnknown()
  return listed
}

const isOfIssuer = ({ sources }: Trust, issuer: string): boolean =>
  sources.some(source => source.by === 'issuers' && source.issuers.includes(issuer))

/** Types and claims mean what the contexts say, so the contexts have to be the ones that were agreed on. */
const assertMeaning = (credential: ForeignCredential, trusts: readonly W3cTrust[]): W3cTrust => {
  const { document } = credential
  const pinned = trusts.filter(trust => sameJson(document['@context'], [...trust.credential.contexts]))
  if (pinned.length === 0) {
    throw new Refusal(
      'rejected',
      'context_untrusted',
      'The contexts of the credential are not those that credentials of this issuer are pinned to here.',
    )
  }
  const types = expandedTypes(document)
  const found = pinned.find(trust => trust.credential.types.every(type => types.includes(type)))
  if (found !== undefined) return found
  throw new Refusal('rejected', 'schema_unknown', 'The issuer is not trusted here for credentials of this type.')
}

const openedW3c = (input: unknown, compact: string, trusts: readonly Trust[]): Opened | undefined => {
  const credential = openForeign(input)
  const { format, shape, securing, document } = credential
  const known = w3cFormats.find(each => each === format)
  if (known === undefined) return undefined
  const candidates = ofFormat<W3cTrust>(trusts, known).filter(trust => isOfIssuer(trust, shape.issuer))
  if (candidates.length === 0) return undefined
  const trust = assertMeaning(credential, candidates)
  const [subject, ...others] = shape.subjects
  if (subject === undefined || others.length > 0) throw malformed('A credential is taken here with one subject.')
  const subjectId = subjectOf(textOrUndefined(subject['id'], 'id'))
  return {
    ...{ format: known, compact, type: trust.type, subjectId, partial: 'any', keyBinding: undefined },
    ...{ id: shape.id, issuer: shape.issuer, status: undefined, document },
    signature: securing.kind === 'signature' ? securing.signature : nobody,
    confirmation: undefined,
    claims: claimsOf(trust, subject, subjectId),
    issuedAt: credential.validFrom,
    ...{ validFrom: credential.validFrom, validUntil: credential.validUntil },
    foreign: { trust: trust.id, statuses: listedStatuses(credential), chain: [], credential },
  }
}

/**
 * Takes a credential apart that one of the trusts may be for. Nothing in it is believed yet.
 * @param isOwn whether an issuer's DID is of our own chain: its registry then decides, and no configuration does.
 * @returns undefined for what none of them is for.
 * @throws Refusal malformed/credential_malformed, rejected/context_untrusted, rejected/schema_unknown,
 *   rejected/status_type_unknown, for a credential of a trusted kind
 */
export const openTrusted = (
  input: unknown,
  trusts: readonly Trust[],
  isOwn: (did: string) => boolean,
): Opened | undefined => {
  let compact: string
  let format: string
  try {
    compact = unwrap(input, 'EnvelopedVerifiableCredential')
    format = formatOf(compact).id
  } catch (error) {
    // The judge of our own credentials says what is wrong with it.
    if (isRefusal(error)) return undefined
    throw error
  }
  if (!trusts.some(trust => trust.credential.format === format)) return undefined
  const opened = (() => {
    if (format === 'mso_mdoc') {
      const [mdoc, ...others] = mdocsIn(compact)
      return mdoc === undefined || others.length > 0 ? undefined : openTrustedMdoc(mdoc, compact, trusts, isOwn)
    }
    if (format === 'dc+sd-jwt') return openedSdJwt(compact, ofFormat<SdJwtTrust>(trusts, 'dc+sd-jwt'))
    return openedW3c(isDocument(compact) ? readJson(compact, 'credential') : compact, compact, trusts)
  })()
  return opened === undefined || isOwn(opened.issuer) ? undefined : opened
}
