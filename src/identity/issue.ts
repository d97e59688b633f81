import type { Certificates, CertifiedKey, FormatId, IssueRequest } from '../kernel/identity.ts'
import type { Clock, SignatureAlgorithm, Signer, StatusPointer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { timeId } from '../kernel/time-id.ts'
import type { DidKeys } from './did-keys.ts'
import { formats } from './formats/detect.ts'
import type { Draft } from './formats/format.ts'
import { keyUrl } from './formats/jose.ts'
import { assertExact } from './formats/json.ts'
import type { CredentialType, CredentialTypes } from './types.ts'

/** The key an agency signs credentials with. */
export type IssuerKey = { did: string; kid: string; keyId: string; algorithm: SignatureAlgorithm }

export type IssueNeeds = {
  types: CredentialTypes
  dids: DidKeys
  signer: Signer
  issuer: () => IssuerKey
  /** Of the key that signs; whoever asks for none needs none. */
  certificates?: Pick<Certificates, 'issuer' | 'documentSigner'> | undefined
  /** Allots a status index; @throws Refusal unavailable/status_list_unavailable */
  allot: () => Promise<StatusPointer>
  clock: Clock
  baseUrl: string
}

export type Issued = { draft: Draft; format: FormatId; compact: string }

const dayMs = 86_400_000

const formatFor = (type: CredentialType, wanted: FormatId | undefined): FormatId => {
  const format = wanted ?? type.formats[0]
  if (format !== undefined && type.formats.includes(format)) return format
  throw new Refusal('rejected', 'format_unsupported', `${type.id} is issued as ${type.formats.join(', ')}.`)
}

/** What every format can write and every verifier reads: a year of four digits, a NumericDate within its bound. */
const earliest = Date.UTC(1000, 0, 1)
const latest = Date.UTC(5000, 0, 1)

/** @param ends of the certificates that it is signed under, if it is: nobody takes it for good after that. */
const period = (type: CredentialType, request: IssueRequest, now: number, ends: number | undefined) => {
  // Whole seconds, as every format writes them.
  const validFrom = Math.floor((request.validFrom ?? now) / 1_000) * 1_000
  const usual = validFrom + type.validity.defaultDays * dayMs
  const wanted = request.validUntil ?? (ends === undefined ? usual : Math.min(usual, ends))
  const validUntil = Math.floor(wanted / 1_000) * 1_000
  if (validFrom < earliest || validUntil > latest) {
    throw new Refusal('malformed', 'date_malformed', 'A credential is valid between the years 1000 and 5000.')
  }
  if (validUntil <= validFrom) throw new Refusal('rejected', 'validity_empty', 'validUntil must be after validFrom.')
  if (validUntil - validFrom > type.validity.maxDays * dayMs) {
    throw new Refusal('rejected', 'validity_too_long', `${type.id} is valid for at most ${type.validity.maxDays} days.`)
  }
  if (ends !== undefined && validUntil > ends) {
    const day = new Date(ends).toISOString().slice(0, 10)
    const detail = `The certificate that it is signed under ends on ${day}; the credential has to end before.`
    throw new Refusal('rejected', 'validity_too_long', detail)
  }
  return { validFrom, validUntil }
}

/** The certificates that the format, or whoever asks, wants in the credential. */
const certifiedFor = async (
  format: FormatId,
  { x5c }: IssueRequest,
  { certificates }: IssueNeeds,
): Promise<CertifiedKey | undefined> => {
  const asMdoc = format === 'mso_mdoc'
  if (!asMdoc && x5c !== true) return undefined
  if (!asMdoc && format !== 'dc+sd-jwt') {
    throw new Refusal('rejected', 'format_unsupported', 'Certificates stand in a dc+sd-jwt or an mso_mdoc.')
  }
  if (certificates === undefined) {
    throw new Refusal('rejected', 'format_unsupported', 'This agency has no certificates to issue under.')
  }
  return asMdoc ? certificates.documentSigner() : certificates.issuer()
}

/** The holder's key, which every credential is bound to. */
const holderJwk = async (did: string, dids: DidKeys): Promise<Record<string, unknown>> => {
  const key = await dids.key(keyUrl('', did), 'authentication')
  const { kty, crv, x, y } = key.jwk
  return y === undefined ? { kty, crv, x } : { kty, crv, x, y }
}

/** Between the question for the certificates and the one for the key, another process rotated it. */
const keyChanged = (): Refusal =>
  new Refusal('unavailable', 'certificate_missing', 'The signing key has just changed; ask again.')

/**
 * Drafts, checks and signs one credential. Nothing is stored here: the caller stores what comes back in the same
 * transaction as the evidence. A status index that is allotted and then not used is simply never set.
 * @throws Refusal type_unknown, schema_violated, credential_malformed, format_unsupported, date_malformed, validity_*, status_list_unavailable
 */
export const issueCredential = async (request: IssueRequest, needs: IssueNeeds): Promise<Issued> => {
  const type = needs.types.byId(request.type, request.version)
  const format = formatFor(type, request.format)
  const problem = type.check(request.subject)
  if (problem !== undefined) {
    throw new Refusal('rejected', 'schema_violated', `The claims do not fit ${type.schemaId}: ${problem}.`)
  }
  assertExact(request.subject, 'credentialSubject')
  const now = needs.clock.now()
  const certified = await certifiedFor(format, request, needs)
  const { validFrom, validUntil } = period(type, request, now, certified?.expires)
  const subject = request.subject as Draft['subject']
  const bindsByKey = format === 'dc+sd-jwt' || format === 'mso_mdoc'
  const issuer = needs.issuer()
  if (certified !== undefined && certified.keyId !== issuer.keyId) throw keyChanged()
  const draft: Draft = {
    id: `urn:uuid:${timeId(now)}`,
    type,
    issuer: issuer.did,
    kid: issuer.kid,
    algorithm: issuer.algorithm,
    cryptosuite: request.cryptosuite ?? 'ecdsa-rdfc-2019',
    subject,
    holderJwk: bindsByKey ? await holderJwk(subject.id, needs.dids) : undefined,
    issuedAt: Math.floor(now / 1_000) * 1_000,
    validFrom,
    validUntil,
    status: await needs.allot(),
    baseUrl: needs.baseUrl,
    ...(certified === undefined ? {} : { chain: certified.x5c.map(each => Buffer.from(each, 'base64')) }),
  }
  const compact = await formats[format].secure(draft, (algorithm, data) =>
    needs.signer.sign(issuer.keyId, algorithm, data),
  )
  return { draft, format, compact }
}
