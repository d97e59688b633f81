import { createPublicKey, type KeyObject } from 'node:crypto'
import { expect } from '@jest/globals'
import { coseVerify, Sign1 } from 'cose-kit'
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

/** VC-JOSE-COSE with the COSE that @auth0/mdl stands on, which knows nothing of credentials. */

const inText = (cose: Uint8Array): Json => enveloped(`vc+cose;base64,${Buffer.from(cose).toString('base64')}`)

const curves: Record<string, Curve> = { ES256: 'P-256', ES384: 'P-384', EdDSA: 'Ed25519' }

const acceptedThere = async (cose: Uint8Array, signer: KeyObject, document: Json): Promise<void> => {
  const { isValid, decoded } = await coseVerify(cose, createPublicKey(signer))
  expect(isValid).toBe(true)
  expect(JSON.parse(Buffer.from(decoded.payload).toString())).toEqual(document)
  const damaged = Buffer.from(cose)
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  expect((await coseVerify(damaged, createPublicKey(signer))).isValid).toBe(false)
}

const noClaims =
  '`cose-kit` writes no CWT claims into headers (RFC 9597), where a presentation has its nonce and audience.'

const rowOf = (alg: 'ES256' | 'ES384' | 'EdDSA') => {
  const open = () => newSigner(curves[alg] as Curve)
  return {
    ...{ format: `\`vc+cose\`, ${alg}`, protocol: 'VC-JOSE-COSE 1.0', libraries: ['cose-kit'] },
    cells: {
      'our issuer, their verifier': async () => {
        const signer = open()
        const secured = await securing('vc+cose', signer).secure(credentialBy(signer.did), {})
        const cose = Buffer.from(tokenOf(secured as Json), 'base64')
        await acceptedThere(cose, signer.privateKey, credentialBy(signer.did))
      },
      'their issuer, our verifier': async () => {
        const { did, verificationMethod: kid, privateKey } = open()
        const payload = Buffer.from(JSON.stringify(credentialBy(did)))
        const cose = await Sign1.sign({ alg }, { kid }, payload, privateKey)
        expect(await judge(inText(cose.encode()))).toBe('verified')
        const other = await Sign1.sign({ alg }, { kid }, payload, open().privateKey)
        expect(await judge(inText(other.encode()))).toBe('signature_invalid')
      },
      ...{ 'our issuer, their wallet': noClaims, 'their wallet, our verifier': noClaims },
      'their issuer, our wallet': async () => {
        const [issuer, holder] = [open(), open()]
        const payload = Buffer.from(JSON.stringify(credentialBy(issuer.did)))
        const credential = await Sign1.sign({ alg }, { kid: issuer.verificationMethod }, payload, issuer.privateKey)
        const document = presentationBy(holder.did, inText(credential.encode()))
        const presentation = (await securing('vc+cose', holder).present(document, { challenge, domain })) as Json
        await acceptedThere(Buffer.from(tokenOf(presentation), 'base64'), holder.privateKey, document)
        expect(await judgePresentation(presentation)).toBe('verified')
        expect(await judgePresentation(presentation, 'another')).toBe('challenge_mismatch')
      },
      'our wallet, their verifier': async () => {
        const [issuer, holder] = [open(), open()]
        const credential = await securing('vc+cose', issuer).secure(credentialBy(issuer.did), {})
        const document = presentationBy(holder.did, credential)
        const presentation = await securing('vc+cose', holder).present(document, { challenge, domain })
        await acceptedThere(Buffer.from(tokenOf(presentation as Json), 'base64'), holder.privateKey, document)
      },
    },
  }
}

export const cose: Group = { rows: [rowOf('ES256'), rowOf('ES384'), rowOf('EdDSA')] }
