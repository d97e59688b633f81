import { Refusal } from '../../kernel/refusal.ts'
import { metadataOctets } from '../type-metadata.ts'
import type { CredentialType, CredentialTypes } from '../types.ts'
import type { Draft, Format, Opened, Sign } from './format.ts'
import { fromNumericDate, jwsSignature, sealJws, textOrUndefined, toDateTime } from './jose.ts'
import { isRecord, malformed } from './json.ts'
import { type OpenedSdJwt, openSdJwt } from './sd-jwt.ts'
import { type Concealment, concealClaims, concealmentOf, joinSdJwt } from './sd-jwt-conceal.ts'
import { assertIntegrity } from './type-integrity.ts'
import { evmStatusEntry, pointerOf, tokenStatusListUrl } from './w3c.ts'

const concealments = new WeakMap<CredentialType, Concealment>()

const concealmentFor = (type: CredentialType): Concealment => {
  const known = concealments.get(type)
  if (known !== undefined) return known
  const made = concealmentOf(type.disclosable)
  concealments.set(type, made)
  return made
}

const inX5c = (der: Uint8Array): string => Buffer.from(der).toString('base64')

const secure = async (draft: Draft, sign: Sign): Promise<string> => {
  const { chain } = draft
  const { id: holder, ...claims } = draft.subject
  const { payload: concealed, disclosures } = concealClaims(claims, concealmentFor(draft.type))
  const payload = {
    ...concealed,
    iss: draft.issuer,
    sub: holder,
    jti: draft.id,
    iat: Math.floor(draft.issuedAt / 1_000),
    nbf: Math.floor(draft.validFrom / 1_000),
    exp: Math.floor(draft.validUntil / 1_000),
    vct: draft.type.vct,
    cnf: { jwk: draft.holderJwk },
    status: {
      status_list: { idx: draft.status.index, uri: tokenStatusListUrl(draft.baseUrl, draft.status.list) },
      evm_status: evmStatusEntry(draft.status),
    },
  }
  return joinSdJwt(
    await sealJws(
      {
        alg: draft.algorithm,
        kid: draft.kid,
        typ: 'dc+sd-jwt',
        ...(chain === undefined ? {} : { x5c: chain.map(inX5c) }),
      },
      payload,
      sign,
    ),
    disclosures,
  )
}

/** What no disclosure may carry (SD-JWT VC section 2.2.2.3), and what nobody would look for in one. */
export const neverDisclosed: ReadonlySet<string> = new Set([
  'iss',
  'nbf',
  'exp',
  'cnf',
  'vct',
  'vct#integrity',
  'aka_vcts',
  'status',
  'aud',
  'id',
])

/** What is read into members of its own, and so is not among the claims. */
const hidden = new Set(['iss', 'nbf', 'exp', 'cnf', 'vct', 'vct#integrity', 'aka_vcts', 'status', 'iat', 'sub', 'jti'])

/** Nor may anything below those be hidden: what hides nothing comes back as it was. */
export const assertOpen = ({ payload, processed }: OpenedSdJwt): void => {
  for (const name of neverDisclosed) {
    if (processed[name] !== payload[name]) throw malformed(`${name} has a part that is selectively disclosable.`)
  }
}

/** Further types that the credential claims to be of (SD-JWT VC section 2.2.2.2). */
const otherTypes = (vct: unknown, others: unknown): string[] => {
  if (others === undefined) return []
  if (!Array.isArray(others) || others.length === 0 || others.length > 32) {
    throw malformed('aka_vcts has to be an array of 1 to 32 strings.')
  }
  if (!others.every(other => typeof other === 'string' && other !== '' && other !== vct)) {
    throw malformed('aka_vcts holds something that is no further type.')
  }
  return others as string[]
}

/**
 * The type by whose metadata the credential is judged. Where the issuer has written down a digest of the metadata of its `vct` (SD-JWT VC
 * section 5), they have to be the ones that stand in the house.
 * @throws Refusal rejected/schema_unknown, rejected/digest_mismatch, malformed/credential_malformed
 */
const typeOf = (processed: Record<string, unknown>, types: CredentialTypes): CredentialType => {
  const { vct, 'vct#integrity': integrity } = processed
  textOrUndefined(integrity, 'vct#integrity')
  for (const name of [vct, ...otherTypes(vct, processed['aka_vcts'])]) {
    const type = typeof name === 'string' ? types.byVct(name) : undefined
    if (type === undefined) continue
    if (integrity !== undefined && name === vct) assertIntegrity(metadataOctets(type), integrity)
    return type
  }
  throw new Refusal('rejected', 'schema_unknown', 'The vct is not a type that is known here.')
}

/** Who says to have issued it: `iss`, or nobody but the certificate in `x5c`, whose subject is the issuer then. */
const issuerOf = ({ processed, signed }: OpenedSdJwt): string => {
  const { iss } = processed
  if (typeof iss === 'string') return iss
  if (iss === undefined && signed.header.x5c !== undefined) return ''
  throw malformed('The credential has no issuer.')
}

const open = (compact: string, types: CredentialTypes): Opened => {
  const token = openSdJwt(compact, neverDisclosed)
  const { signed, processed, keyBinding } = token
  if (signed.header.typ !== 'dc+sd-jwt' && signed.header.typ !== 'vc+sd-jwt') {
    throw malformed('The typ of an SD-JWT VC is dc+sd-jwt.')
  }
  assertOpen(token)
  const sub = textOrUndefined(processed['sub'], 'sub')
  const claims: Record<string, unknown> = sub === undefined ? {} : { id: sub }
  if (processed['id'] !== undefined && processed['id'] !== sub) throw malformed('id and sub differ.')
  for (const name in processed) if (!hidden.has(name)) claims[name] = processed[name]
  const confirmation = isRecord(processed['cnf']) ? processed['cnf']['jwk'] : undefined
  return {
    format: 'dc+sd-jwt',
    compact,
    signature: jwsSignature(signed),
    id: textOrUndefined(processed['jti'], 'jti'),
    issuer: issuerOf(token),
    type: typeOf(processed, types),
    subjectId: sub,
    confirmation: isRecord(confirmation) ? confirmation : undefined,
    claims,
    issuedAt: fromNumericDate(processed['iat'], 'iat'),
    validFrom: fromNumericDate(processed['nbf'], 'nbf'),
    validUntil: fromNumericDate(processed['exp'], 'exp'),
    status: statusOf(processed['status']),
    partial: 'disclosable',
    keyBinding,
    document: processed,
  }
}

const statusOf = (status: unknown) => {
  if (status === undefined) return undefined
  if (!isRecord(status) || !isRecord(status['evm_status'])) {
    throw new Refusal('rejected', 'status_type_unknown', 'The status of this SD-JWT names no entry on our chain.')
  }
  const pointer = pointerOf(status['evm_status'])
  if (Object.keys(status).some(name => name !== 'evm_status' && name !== 'status_list')) {
    throw new Refusal('rejected', 'status_type_unknown', 'The status of this SD-JWT has a part that is not understood.')
  }
  const list = status['status_list']
  if (list !== undefined && (!isRecord(list) || list['idx'] !== pointer.index)) {
    throw malformed('The status entries of this credential do not name one index.')
  }
  return pointer
}

/** An SD-JWT VC is no W3C credential; these are its claims in the shape that readers of one look for. */
const show = ({ type, issuer, id, claims, validFrom, validUntil }: Opened): Record<string, unknown> => {
  const shown: Record<string, unknown> = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    type: ['VerifiableCredential', type.id],
    vct: type.vct,
    issuer,
    credentialSubject: claims,
  }
  if (id !== undefined) shown['id'] = id
  if (validFrom !== undefined) shown['validFrom'] = toDateTime(validFrom)
  if (validUntil !== undefined) shown['validUntil'] = toDateTime(validUntil)
  return shown
}

/** SD-JWT VC over RFC 9901; the default for natural persons. */
export const sdJwtVc: Format = { id: 'dc+sd-jwt', mediaType: 'application/dc+sd-jwt', secure, open, show }
