import type { KeyObject } from 'node:crypto'
import * as DataIntegrity from '@digitalbazaar/data-integrity'
import * as ecdsaJcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite'
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey'
import { cryptosuite as ecdsaRdfc } from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite'
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey'
import * as eddsaJcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite'
import { cryptosuite as eddsaRdfc } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite'
import { type LocalMethod, localDocument, parseLocalMethod } from '../../../src/identity/did-local.ts'
import { bundledContext } from '../../../src/identity/linked-data/contexts.ts'
import { toBase58btc } from '../../../src/identity/multibase.ts'
import { type Curve, newSigner } from './signers.ts'

/** The cryptosuites of Digital Bazaar with a document loader and keys, as their users set them up. */

export const { DataIntegrityProof } = DataIntegrity

const jcsOf = (library: typeof eddsaJcs) => ({
  sign: library.createSignCryptosuite(),
  verify: library.createVerifyCryptosuite(),
})
export const theirs = {
  'eddsa-rdfc-2022': { sign: eddsaRdfc, verify: eddsaRdfc },
  'eddsa-jcs-2022': jcsOf(eddsaJcs),
  'ecdsa-rdfc-2019': { sign: ecdsaRdfc, verify: ecdsaRdfc },
  'ecdsa-jcs-2019': jcsOf(ecdsaJcs),
}

/** Copies of the contexts that are bundled, because theirs writes into them; and the document of a did:key. */
export const documentLoader = async (documentUrl: string) => {
  const context = bundledContext(documentUrl)
  if (context !== undefined) return { contextUrl: null, documentUrl, document: structuredClone(context) }
  const [did = '', fragment] = documentUrl.split('#')
  const controller = localDocument(parseLocalMethod(did) as LocalMethod)
  const method = { '@context': 'https://w3id.org/security/multikey/v1', ...controller.verificationMethod?.[0] }
  return { contextUrl: null, documentUrl, document: fragment === undefined ? controller : method }
}

const secretPrefix = { Ed25519: '8026', 'P-256': '8626', 'P-384': '8726', 'P-521': '8826' }
type Named = { privateKey: KeyObject; multikey: string; did: string; verificationMethod: string }

/** A key as theirs has it, under the name of a DID. */
export const theirPair = (signer: Named, curve: Curve) => {
  const secret = Buffer.from(signer.privateKey.export({ format: 'jwk' }).d as string, 'base64url')
  const keys = curve === 'Ed25519' ? Ed25519Multikey : EcdsaMultikey
  // Their Ed25519 secret keys go with the public half behind them.
  return keys.from({
    '@context': 'https://w3id.org/security/multikey/v1',
    type: 'Multikey',
    id: signer.verificationMethod,
    controller: signer.did,
    publicKeyMultibase: signer.multikey,
    secretKeyMultibase: toBase58btc(Buffer.concat([Buffer.from(secretPrefix[curve], 'hex'), secret])),
  })
}

/** A new key as both sides have it. */
export const pairOf = async (curve: Curve) => {
  const signer = newSigner(curve)
  return { signer, pair: await theirPair(signer, curve) }
}
