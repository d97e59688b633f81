import { createHash, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { expect } from '@jest/globals'
import { SDJwtInstance } from '@sd-jwt/core'
import { discloseOnly } from '../../src/identity/formats/sd-jwt-present.ts'
import { newSigner } from '../identity/integrity/signers.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'
import type { Group } from './cells.ts'
import { credentialBy, judge, securing, tokenOf } from './ours.ts'

/** Credentials of VC Data Model 2.0 as SD-JWT (VC-JOSE-COSE, section 3.2), of which the wallet shows parts. */

const raw = { dsaEncoding: 'ieee-p1363' } as const

const openIssuer = () => {
  const signer = newSigner('P-256')
  const { did, privateKey, verificationMethod: kid } = signer
  const publicKey = createPublicKey(privateKey)
  const credential = {
    ...credentialBy(did),
    credentialSubject: {
      id: 'did:example:ebfeb1f712ebc6f1c276e12ec21',
      degree: { type: 'ExampleBachelorDegree', name: 'Bachelor of Science' },
      alumniOf: { id: 'did:example:c276e12ec21ebfeb1f712ebc6f1', name: 'Example University' },
    },
  }
  const theirs = new SDJwtInstance({
    ...{ signAlg: 'ES256', hashAlg: 'sha-256', saltGenerator: () => randomBytes(16).toString('base64url') },
    hasher: data =>
      createHash('sha256')
        .update(typeof data === 'string' ? data : Buffer.from(data))
        .digest(),
    signer: async data => sign('sha256', Buffer.from(data), { key: privateKey, ...raw }).toString('base64url'),
    verifier: async (data, signature) =>
      verify('sha256', Buffer.from(data), { key: publicKey, ...raw }, Buffer.from(signature, 'base64url')),
  })
  const weIssue = async (): Promise<string> =>
    tokenOf((await securing('vc+sd-jwt', signer).secure(credential, {})) as Json)
  const theyIssue = (): Promise<string> => {
    const frame = { credentialSubject: { _sd: ['degree', 'alumniOf'], _sd_decoy: 2 } }
    return theirs.issue(credential, frame as never, { header: { typ: 'vc+sd-jwt', kid } })
  }
  const wePresent = (token: string): string => discloseOnly(token, [['credentialSubject', 'degree']])
  const theyPresent = (token: string): Promise<string> =>
    theirs.present(token, { credentialSubject: { degree: true } } as never)
  const degreeAlone = (subject: unknown): void => {
    expect(subject).toHaveProperty('degree')
    expect(subject).not.toHaveProperty('alumniOf')
  }
  return { credential, theirs, weIssue, theyIssue, wePresent, theyPresent, degreeAlone }
}
type Issuer = ReturnType<typeof openIssuer>

const forged = (token: string): string => token.replace(/\.[^.~]+~/, `.${'A'.repeat(86)}~`)

const acceptedThere = async ({ theirs }: Issuer, token: string): Promise<Json> => {
  await expect(theirs.verify(forged(token))).rejects.toThrow()
  return (await theirs.verify(token)).payload as Json
}

const acceptedHere = async (token: string): Promise<void> => {
  expect(await judge(token)).toBe('verified')
  expect(await judge(forged(token))).toBe('signature_invalid')
}

export const vcSdJwt: Group = {
  rows: [
    {
      ...{ format: '`vc+sd-jwt`, ES256', protocol: 'VC-JOSE-COSE 1.0', libraries: ['@sd-jwt/core'] },
      cells: {
        'our issuer, their verifier': async () => {
          const issuer = openIssuer()
          expect(await acceptedThere(issuer, await issuer.weIssue())).toMatchObject(issuer.credential)
        },
        'their issuer, our verifier': async () => acceptedHere(await openIssuer().theyIssue()),
        'our issuer, their wallet': async () => {
          const issuer = openIssuer()
          const shown = await issuer.theyPresent(await issuer.weIssue())
          issuer.degreeAlone(((await issuer.theirs.getClaims(shown)) as Json)['credentialSubject'])
          await acceptedHere(shown)
        },
        'their issuer, our wallet': async () => {
          const issuer = openIssuer()
          const shown = issuer.wePresent(await issuer.theyIssue())
          issuer.degreeAlone((await acceptedThere(issuer, shown))['credentialSubject'])
        },
        'our wallet, their verifier': async () => {
          const issuer = openIssuer()
          const shown = issuer.wePresent(await issuer.weIssue())
          issuer.degreeAlone((await acceptedThere(issuer, shown))['credentialSubject'])
        },
        'their wallet, our verifier': async () => {
          const issuer = openIssuer()
          await acceptedHere(await issuer.theyPresent(await issuer.theyIssue()))
        },
      },
    },
  ],
}
