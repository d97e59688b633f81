import type { CredentialTypes } from '../types.ts'
import type { Draft, Format, Opened, Sign } from './format.ts'
import { fromDateTime, fromNumericDate, jwsSignature, openJws, sealJws, textOrUndefined, toDateTime } from './jose.ts'
import { malformed } from './json.ts'
import { contextsOf, contextV2, issuerId, narrow, readStatus, readSubject, readType, statusEntries } from './w3c.ts'

/** The credential as VC Data Model 2.0 has it, before it is secured. */
export const credentialOf = (draft: Draft): Record<string, unknown> => ({
  '@context': contextsOf(draft.baseUrl, draft.type),
  id: draft.id,
  type: ['VerifiableCredential', draft.type.id],
  issuer: draft.issuer,
  validFrom: toDateTime(draft.validFrom),
  validUntil: toDateTime(draft.validUntil),
  credentialSubject: draft.subject,
  credentialSchema: { id: draft.type.schemaId, type: 'JsonSchema' },
  credentialStatus: statusEntries(draft),
})

const secure = (draft: Draft, sign: Sign): Promise<string> =>
  sealJws(
    { alg: draft.algorithm, kid: draft.kid, typ: 'vc+jwt', cty: 'vc' },
    { ...credentialOf(draft), iat: Math.floor(draft.issuedAt / 1_000) },
    sign,
  )

const open = (compact: string, types: CredentialTypes): Opened => {
  const { signed, payload } = openJws(compact)
  if (payload['vc'] !== undefined) throw malformed('A vc+jwt payload is the credential itself, without a vc member.')
  const contexts = payload['@context']
  if (!Array.isArray(contexts) || contexts[0] !== contextV2)
    throw malformed('The first context must be that of VC 2.0.')
  const subject = readSubject(payload['credentialSubject'])
  const issuer = issuerId(payload['issuer'])
  if (payload['iss'] !== undefined && payload['iss'] !== issuer) throw malformed('iss and issuer differ.')
  if (payload['sub'] !== undefined && payload['sub'] !== subject.id) throw malformed('sub and the subject differ.')
  if (payload['jti'] !== undefined && payload['jti'] !== payload['id']) throw malformed('jti and id differ.')
  const [from, until] = [
    fromDateTime(payload['validFrom'], 'validFrom'),
    fromDateTime(payload['validUntil'], 'validUntil'),
  ]
  const validFrom = narrow(from, fromNumericDate(payload['nbf'], 'nbf'), Math.max)
  return {
    format: 'vc+jwt',
    compact,
    signature: jwsSignature(signed),
    id: textOrUndefined(payload['id'], 'id'),
    issuer,
    type: readType(payload, types),
    subjectId: subject.id,
    confirmation: undefined,
    claims: subject.claims,
    issuedAt: fromNumericDate(payload['iat'], 'iat') ?? validFrom,
    validFrom,
    validUntil: narrow(until, fromNumericDate(payload['exp'], 'exp'), Math.min),
    status: readStatus(payload['credentialStatus']),
    partial: 'none',
    keyBinding: undefined,
    document: payload,
  }
}

const show = ({ document }: Opened): Record<string, unknown> => {
  const { iat: _iat, nbf: _nbf, exp: _exp, iss: _iss, sub: _sub, jti: _jti, ...credential } = document
  return credential
}

/** W3C VC Data Model 2.0 secured by VC-JOSE-COSE (section 3.1.1). */
export const vcJose: Format = { id: 'vc+jwt', mediaType: 'application/vc+jwt', secure, open, show }
