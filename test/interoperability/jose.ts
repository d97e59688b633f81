import { createPublicKey } from 'node:crypto'
import { expect } from '@jest/globals'
import { compactVerify, SignJWT } from 'jose'
import { type Curve, newSigner } from '../identity/integrity/signers.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'
import type { Group } from './cells.ts'
import {
  challenge,
  credentialBy,
  domain,
  enveloped,
  judge,
  judgePresentation,
  presentationBy,
  securing,
  tokenOf,
} from './ours.ts'

/** VC-JOSE-COSE with jose, which knows JWS and nothing of credentials. */

const openParty = (curve: Curve) => {
  const signer = newSigner(curve)
  const { did, verificationMethod: kid, algorithm: alg, privateKey } = signer
  const ours = securing('vc+jwt', signer)
  const theySign = (typ: string, payload: Json) =>
    new SignJWT(payload).setProtectedHeader({ alg, kid, typ }).setIssuedAt().sign(privateKey)
  return {
    did,
    publicKey: createPublicKey(privateKey),
    weIssue: async () => (await ours.secure(credentialBy(did), {})) as Json,
    theyIssue: () => theySign('vc+jwt', credentialBy(did)),
    wePresent: async (credential: unknown) =>
      (await ours.present(presentationBy(did, credential), { challenge, domain })) as Json,
    theyPresent: (credential: unknown) =>
      theySign('vp+jwt', { ...presentationBy(did, credential), nonce: challenge, aud: domain }),
  }
}
type Party = ReturnType<typeof openParty>

const altered = (token: string, change: Json): string => {
  const [header, payload = '', signature] = token.split('.')
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...change }
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
}

const acceptedThere = async (token: string, { publicKey }: Party, typ: string): Promise<Json> => {
  const { payload, protectedHeader } = await compactVerify(token, publicKey)
  expect(protectedHeader.typ).toBe(typ)
  await expect(compactVerify(altered(token, { id: 'urn:other' }), publicKey)).rejects.toThrow('verification failed')
  return JSON.parse(Buffer.from(payload).toString())
}

const acceptedHere = async (presentation: string): Promise<void> => {
  expect(await judgePresentation(presentation)).toBe('verified')
  expect(await judgePresentation(presentation, 'another')).toBe('challenge_mismatch')
  expect(await judgePresentation(altered(presentation, { id: 'urn:other' }))).toBe('signature_invalid')
}

const rowOf = (curve: Curve, algorithm: string) => {
  const open = () => ({ issuer: openParty(curve), holder: openParty(curve) })
  return {
    ...{ format: `\`vc+jwt\`, ${algorithm}`, protocol: 'VC-JOSE-COSE 1.0', libraries: ['jose'] },
    cells: {
      'our issuer, their verifier': async () => {
        const { issuer } = open()
        const { iat, ...credential } = await acceptedThere(tokenOf(await issuer.weIssue()), issuer, 'vc+jwt')
        expect(credential).toEqual(credentialBy(issuer.did))
      },
      'their issuer, our verifier': async () => {
        const { issuer } = open()
        const token = await issuer.theyIssue()
        for (const form of [token, enveloped(`vc+jwt,${token}`)]) expect(await judge(form)).toBe('verified')
        expect(await judge(altered(token, { validFrom: '2024-01-01T00:00:00Z' }))).toBe('signature_invalid')
      },
      'our issuer, their wallet': async () => {
        const { issuer, holder } = open()
        await acceptedHere(await holder.theyPresent(await issuer.weIssue()))
      },
      'their issuer, our wallet': async () => {
        const { issuer, holder } = open()
        const token = await issuer.theyIssue()
        const presentation = tokenOf(await holder.wePresent(enveloped(`vc+jwt,${token}`)))
        const { verifiableCredential } = await acceptedThere(presentation, holder, 'vp+jwt')
        expect(tokenOf((verifiableCredential as Json[])[0] ?? {})).toBe(token)
        await acceptedHere(presentation)
      },
      'our wallet, their verifier': async () => {
        const { issuer, holder } = open()
        const presentation = tokenOf(await holder.wePresent(await issuer.weIssue()))
        const shown = await acceptedThere(presentation, holder, 'vp+jwt')
        expect(shown).toMatchObject({ nonce: challenge, aud: domain, holder: holder.did })
        await acceptedThere(tokenOf((shown['verifiableCredential'] as Json[])[0] ?? {}), issuer, 'vc+jwt')
      },
      'their wallet, our verifier': async () => {
        const { issuer, holder } = open()
        await acceptedHere(await holder.theyPresent(enveloped(`vc+jwt,${await issuer.theyIssue()}`)))
      },
    },
  }
}

export const jose: Group = { rows: [rowOf('P-256', 'ES256'), rowOf('P-384', 'ES384'), rowOf('Ed25519', 'EdDSA')] }
