import type { CredentialTypes } from '../types.ts'
import type { Draft, Format, Opened, Sign } from './format.ts'
import { fromDateTime, fromNumericDate, jwsSignature, openJws, sealJws, textOrUndefined } from './jose.ts'
import { isRecord, malformed } from './json.ts'
import { isoOf, issuerId, narrow, readStatus, readSubject, readType, statusEntries, typeUrl } from './w3c.ts'

export const contextV1 = 'https://www.w3.org/2018/credentials/v1'

const secure = (draft: Draft, sign: Sign): Promise<string> => {
  const { id: holder, ...claims } = draft.subject
  return sealJws(
    { alg: draft.algorithm, kid: draft.kid, typ: 'JWT' },
    {
      iss: draft.issuer,
      sub: holder,
      jti: draft.id,
      iat: Math.floor(draft.issuedAt / 1_000),
      nbf: Math.floor(draft.validFrom / 1_000),
      exp: Math.floor(draft.validUntil / 1_000),
      vc: {
        '@context': [contextV1, `${typeUrl(draft.baseUrl, draft.type)}/context`],
        type: ['VerifiableCredential', draft.type.id],
        credentialSubject: claims,
        credentialSchema: { id: draft.type.schemaId, type: 'JsonSchema' },
        credentialStatus: statusEntries(draft),
      },
    },
    sign,
  )
}

const open = (compact: string, types: CredentialTypes): Opened => {
  const { signed, payload } = openJws(compact)
  const { typ } = signed.header
  // A token made for another purpose is no credential, whatever stands in it (RFC 8725 section 3.11).
  if (typ !== undefined && typ !== 'jwt') throw malformed('The typ of a VC-JWT 1.1 is JWT.')
  const vc = payload['vc']
  if (!isRecord(vc)) throw malformed('A VC-JWT 1.1 payload has a vc member.')
  if (!Array.isArray(vc['@context']) || vc['@context'][0] !== contextV1) {
    throw malformed('The first context must be that of VC Data Model 1.1.')
  }
  const subject = readSubject(vc['credentialSubject'])
  const sub = textOrUndefined(payload['sub'], 'sub')
  if (sub !== undefined && subject.id !== undefined && sub !== subject.id)
    throw malformed('sub and the subject differ.')
  const issuer = issuerId(payload['iss'] ?? vc['issuer'])
  if (vc['issuer'] !== undefined && issuerId(vc['issuer']) !== issuer) throw malformed('iss and issuer differ.')
  const subjectId = sub ?? subject.id
  const validFrom = narrow(
    fromNumericDate(payload['nbf'], 'nbf'),
    fromDateTime(vc['issuanceDate'], 'issuanceDate'),
    Math.max,
  )
  return {
    format: 'jwt_vc',
    compact,
    signature: jwsSignature(signed),
    id: textOrUndefined(payload['jti'] ?? vc['id'], 'jti'),
    issuer,
    type: readType(vc, types),
    subjectId,
    confirmation: undefined,
    claims: subjectId === undefined ? subject.claims : { ...subject.claims, id: subjectId },
    issuedAt: fromNumericDate(payload['iat'], 'iat') ?? validFrom,
    validFrom,
    validUntil: narrow(
      fromNumericDate(payload['exp'], 'exp'),
      fromDateTime(vc['expirationDate'], 'expirationDate'),
      Math.min,
    ),
    status: readStatus(vc['credentialStatus']),
    partial: 'none',
    keyBinding: undefined,
    document: payload,
  }
}

/** The JWT claims put back to where VC Data Model 1.1 has them, as did-jwt-vc does. */
const show = ({ document, issuer, id, claims }: Opened): Record<string, unknown> => {
  const { vc, iss: _iss, sub: _sub, jti: _jti, nbf, exp, iat, ...others } = document
  const known = isRecord(vc) ? vc : {}
  const shown: Record<string, unknown> = {
    ...others,
    ...known,
    issuer: isRecord(known['issuer']) ? { ...known['issuer'], id: issuer } : { id: issuer },
    credentialSubject: claims,
  }
  if (id !== undefined) shown['id'] = id
  const from = isoOf(nbf ?? iat)
  const until = isoOf(exp)
  if (nbf !== undefined && iat !== undefined) shown['iat'] = iat
  if (from !== undefined) shown['issuanceDate'] = from
  if (until !== undefined) shown['expirationDate'] = until
  return shown
}

/** W3C VC Data Model 1.1 as a JWT (its section 6.3.1), for existing Veramo users. */
export const vcJwt11: Format = { id: 'jwt_vc', mediaType: 'application/jwt', secure, open, show }
