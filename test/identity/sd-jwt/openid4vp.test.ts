import { readFileSync } from 'node:fs'
import { openJws, signatureHolds } from '../../../src/identity/formats/jose.ts'
import { openSdJwt, splitSdJwt } from '../../../src/identity/formats/sd-jwt.ts'
import { discloseOnly } from '../../../src/identity/formats/sd-jwt-present.ts'
import { publicKeyFromJwk } from '../../../src/identity/key-material.ts'
import type { Json } from './parts.ts'

type Vector = {
  issuerKey: Json
  issuance: string
  presentation: string
  userClaims: Json
  verified: Json
  binding: Json
}
const file = new URL('vectors/openid4vp-vcld.json', import.meta.url)
const vector = JSON.parse(readFileSync(file, 'utf8')) as Vector
const keyOf = (jwk: Json) => publicKeyFromJwk(jwk as never)

describe('the SD-JWT VC with a JSON-LD object of OpenID4VP 1.0, appendix B.3.7', () => {
  it.each(['issuance', 'presentation'] as const)('is signed by its issuer: %s', async form => {
    const { signed } = openJws(splitSdJwt(vector[form]).jws)
    expect(signed.header['typ']).toBe('dc+sd-jwt')
    expect(await signatureHolds(signed, keyOf(vector.issuerKey))).toBe(true)
  })

  it('gives back what went in, and of the presentation what is shown', () => {
    expect(openSdJwt(vector.issuance).processed).toMatchObject(vector.userClaims)
    expect(openSdJwt(vector.presentation).processed).toEqual(vector.verified)
  })

  it('is bound by its holder to the nonce and the verifier', async () => {
    const { keyBinding } = openSdJwt(vector.presentation)
    const { cnf } = vector.verified as { cnf: { jwk: Json } }
    expect(keyBinding?.claims).toEqual(vector.binding)
    expect(keyBinding?.covers).toBe(true)
    expect(keyBinding && (await signatureHolds(keyBinding.signed, keyOf(cnf.jwk)))).toBe(true)
    const bare = `${discloseOnly(vector.presentation, [])}${splitSdJwt(vector.presentation).keyBinding}`
    expect(openSdJwt(bare).keyBinding?.covers).toBe(false)
  })
})
