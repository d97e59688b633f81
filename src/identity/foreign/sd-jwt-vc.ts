import type { JsonWebKey } from 'node:crypto'
import type { Verdict } from '../../kernel/identity.ts'
import type { Clock } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../fetch-bounded.ts'
import type { PublicKey, Signature } from '../formats/format.ts'
import { fromNumericDate, jwsSignature, keyUrl, textOrUndefined } from '../formats/jose.ts'
import { isRecord, malformed } from '../formats/json.ts'
import { type OpenedSdJwt, openSdJwt } from '../formats/sd-jwt.ts'
import { assertOpen, neverDisclosed } from '../formats/sd-jwt-vc.ts'
import { publicKeyFromJwk } from '../key-material.ts'
import { judgeDates, statusRefusals } from '../standing.ts'
import { type ForeignLists, openForeignLists } from '../status-lists/foreign.ts'
import { readTokenReference } from '../status-lists/token.ts'
import { Checks } from '../verdict.ts'
import { certificatesOfX5c, speaksFor } from '../x509/certificate.ts'
import type { ChainJudge } from '../x509/chain.ts'
import type { JwtVcIssuers } from './jwt-vc-issuer.ts'
import type { Methods } from './keys.ts'

/** SD-JWT VCs of any issuer and type, judged by what the issuer publishes of itself. Whether it is to be trusted is not. */

export type ForeignSdJwtNeeds = {
  clock: Clock
  keyOf: Methods
  /** Keys of issuers that are https URLs (SD-JWT VC, section 5). */
  issuers: JwtVcIssuers
  /** Authorities of certificates in `x5c`; without any, no chain counts. */
  anchors?: ChainJudge | undefined
  /** Fetches status lists. */
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/** SD-JWT VC, section 3.5: the name of the issuer has to stand in the certificate. */
const certifiedKey = (x5c: readonly string[], iss: string, needs: ForeignSdJwtNeeds): PublicKey => {
  if (needs.anchors === undefined)
    throw rejected('certificate_untrusted', 'No authority for certificates is known here.')
  const { leaf } = needs.anchors.validate(certificatesOfX5c(x5c), needs.clock.now(), { haip: true })
  const isUri = leaf.alternativeNames.some(({ type, value }) => type === 'uri' && value === iss)
  if (!isUri && !(URL.canParse(iss) && speaksFor(leaf, new URL(iss).hostname))) {
    throw rejected('key_of_another', 'The certificate of the signer does not bear the name of the issuer.')
  }
  return publicKeyFromJwk(leaf.publicKey.export({ format: 'jwk' }) as JsonWebKey)
}

const isDid = (text: string): boolean => text.startsWith('did:')

/** The key of whoever `iss` names: by certificate, by DID, or by the metadata under its URL. */
const keyOf = async (signature: Signature, iss: string, needs: ForeignSdJwtNeeds): Promise<PublicKey> => {
  const { kid, x5c } = signature
  if (x5c !== undefined) return certifiedKey(x5c, iss, needs)
  if (isDid(iss)) {
    const { publicKey, algorithm, controller } = await needs.keyOf(keyUrl(kid, iss), 'assertionMethod')
    if (controller !== iss) throw rejected('key_of_another', 'The signer is not the issuer that the credential names.')
    if (publicKey === undefined) throw rejected('key_unknown', 'The key is not one that an SD-JWT is signed with.')
    return { publicKey, algorithm }
  }
  const keys = await needs.issuers.keysOf(iss)
  const found = kid === '' && keys.length === 1 ? keys[0] : keys.find(each => each.kid === kid)
  if (found === undefined) throw rejected('key_unknown', 'The issuer publishes no key of that kid.')
  return found.key
}

const assertSigned = async (signature: Signature, iss: string, needs: ForeignSdJwtNeeds): Promise<void> => {
  const key = await keyOf(signature, iss, needs)
  if (key.algorithm !== signature.algorithm) {
    throw rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
  }
  if (!(await signature.holds(key))) throw rejected('signature_invalid', 'The signature does not fit the credential.')
}

const openVc = (compact: string): OpenedSdJwt & { iss: string; vct: string } => {
  const token = openSdJwt(compact, neverDisclosed)
  const { signed, processed } = token
  if (signed.header.typ !== 'dc+sd-jwt' && signed.header.typ !== 'vc+sd-jwt') {
    throw malformed('The typ of an SD-JWT VC is dc+sd-jwt.')
  }
  assertOpen(token)
  const { vct, iss } = processed
  if (typeof vct !== 'string' || vct === '') throw malformed('An SD-JWT VC names its type (vct).')
  if (typeof iss !== 'string' || iss === '') throw malformed('The credential has no issuer.')
  return { ...token, iss, vct }
}

const judgeStatus = async (status: unknown, iss: string, lists: ForeignLists): Promise<void> => {
  const reference = isRecord(status) ? status['status_list'] : undefined
  if (!isRecord(status) || reference === undefined || Object.keys(status).length !== 1) {
    throw rejected('status_type_unknown', 'The status of the credential is of a type that is not read here.')
  }
  const { meaning } = await lists.token(readTokenReference(reference), { issuer: iss })
  if (meaning === 'suspended') throw statusRefusals.suspended
  if (meaning !== 'valid') throw statusRefusals.revoked
}

const notClaims = new Set([...neverDisclosed, 'sub', 'iat', 'jti'])

const about = (verdict: Verdict, { processed, iss, vct }: ReturnType<typeof openVc>): Verdict => {
  const sub = textOrUndefined(processed['sub'], 'sub')
  const jti = textOrUndefined(processed['jti'], 'jti')
  const claims = Object.fromEntries(Object.entries(processed).filter(([name]) => !notClaims.has(name)))
  return {
    ...verdict,
    ...{ format: 'dc+sd-jwt', issuer: iss, type: vct, document: processed },
    ...(sub === undefined ? {} : { holder: sub }),
    ...(jti === undefined ? {} : { credentialId: jti }),
    claims: sub === undefined ? claims : { id: sub, ...claims },
  }
}

/** Judges SD-JWT VCs (dc+sd-jwt) as they are issued, without a key binding. Never throws a Refusal. */
export const openForeignSdJwts = (needs: ForeignSdJwtNeeds): ((compact: string) => Promise<Verdict>) => {
  const lists = openForeignLists({
    ...{ clock: needs.clock, fetch: needs.fetch },
    async verifyListToken({ signature, issuer }, credential) {
      const iss = issuer ?? (isDid(signature.kid) ? (signature.kid.split('#')[0] ?? '') : credential.issuer)
      await assertSigned(signature, iss, needs)
      return { issuer: iss }
    },
    async verifyListCredential() {
      throw rejected('status_type_unknown', 'The status of an SD-JWT VC is a Token Status List.')
    },
  })
  return async compact => {
    const now = needs.clock.now()
    const checks = new Checks()
    let opened: ReturnType<typeof openVc> | undefined
    checks.run('format', () => {
      opened = openVc(compact)
    })
    if (opened === undefined) return checks.verdict(now)
    const credential: ReturnType<typeof openVc> = opened
    const { processed, iss, signed } = credential
    await checks.runAsync('signature', () => assertSigned(jwsSignature(signed), iss, needs))
    checks.run('dates', () => {
      const [issuedAt, validFrom, validUntil] = ['iat', 'nbf', 'exp'].map(name =>
        fromNumericDate(processed[name], name),
      )
      // Only `exp` of the three is to be expected (SD-JWT VC, section 3.2.2.2).
      judgeDates({ issuedAt: issuedAt ?? validFrom ?? now, validFrom, validUntil }, now, needs.clock.now())
    })
    // Of what has failed already nothing is fetched: whose lists are asked for is not for everybody to say.
    if (processed['status'] === undefined || checks.failed()) checks.skip('status')
    else await checks.runAsync('status', () => judgeStatus(processed['status'], iss, lists))
    return about(checks.verdict(now), credential)
  }
}
