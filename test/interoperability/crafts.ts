import { createHash, createPublicKey, type JsonWebKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import { DeviceResponse, Document, MDoc, parse, Verifier } from '@auth0/mdl'
import * as vc from '@digitalbazaar/vc'
import { expect } from '@jest/globals'
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc'
import { ES256Signer } from 'did-jwt'
import {
  createVerifiableCredentialJwt,
  createVerifiablePresentationJwt,
  verifyCredential,
  verifyPresentation,
} from 'did-jwt-vc'
import type { DIDDocument } from 'did-resolver'
import { compactVerify, SignJWT } from 'jose'
import { decode, encode, Tag } from '../../src/identity/cbor.ts'
import { parseLocalDid } from '../../src/identity/did-local.ts'
import { publicKeyFromJwk, rawPublicKey } from '../../src/identity/key-material.ts'
import { digitalCredentialsTranscript, redirectTranscript } from '../../src/identity/mdoc/session-transcript.ts'
import { toMultikey } from '../../src/identity/multikey.ts'
import { DataIntegrityProof, documentLoader as ofTheHouse, theirPair, theirs } from '../identity/integrity/others.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'
import { didJwkOf, type WalletKey } from '../their-wallet.ts'
import { contextV2, enveloped, presentationBy, tokenOf } from './ours.ts'

/** What libraries of others do with each format: issue it, present it, and judge what is presented. */

/** Whom a presentation is for. `origin` is of a page that asked over the Digital Credentials API. */
export type To = {
  clientId: string
  nonce: string
  thumbprint?: Uint8Array | undefined
} & ({ responseUri: string } | { origin: string })

/** An issuer without our software: a key under the did:web of its origin, and a certificate of an office. */
export type Stranger = {
  origin: string
  did: string
  kid: string
  key: WalletKey
  office: { certificate: string; privateKey: KeyObject; root: string }
}

/** Where libraries of others look up keys: over HTTP, as anybody does. */
export type World = { resolve(did: string): Promise<DIDDocument>; anchors(): Promise<string[]> }

export type Craft = {
  /** As OpenID4VP and OpenID4VCI call it. */
  format: string
  libraries: readonly string[]
  /** What a stranger issues, in the words of its metadata. */
  offered: Json
  /** The queries for our licence, and for what a stranger issues. */
  licence: Json
  asked: Json
  issue(holder: { did: string; jwk: JsonWebKey }, stranger: Stranger): Promise<unknown>
  present(credential: unknown, key: WalletKey, to: To, world: World): Promise<unknown>
  /** @throws for whatever the library refuses; @returns what it says that is claimed. */
  accept(presentation: unknown, to: To, world: World): Promise<Json>
}

const now = () => Math.floor(Date.now() / 1_000)
const kidOf = (key: WalletKey): string => `${didJwkOf(key)}#0`
const decoded = (segment = ''): Json => JSON.parse(Buffer.from(segment, 'base64url').toString()) as Json
const headerOf = (jws: string): Json => decoded(jws.split('.')[0])
const payloadOf = (jws: string): Json => decoded(jws.split('.')[1])

const methodOf = async (url: string, { resolve }: World): Promise<{ publicKeyJwk?: JsonWebKey }> => {
  const [did = ''] = url.split('#')
  const { verificationMethod = [] } = await resolve(did)
  const found = verificationMethod.find(({ id }) => id === url || did + id === url) ?? verificationMethod.at(-1)
  return found as { publicKeyJwk?: JsonWebKey }
}

const keyOf = async (url: string, world: World): Promise<KeyObject> => {
  const local = parseLocalDid(url.split('#')[0] ?? '')
  const { publicKeyJwk: key = {} } = local === undefined ? await methodOf(url, world) : {}
  return local?.key.publicKey ?? createPublicKey({ key, format: 'jwk' })
}

const resolverOf = ({ resolve }: World) => ({
  resolve: async (did: string) => ({
    ...{ didDocument: await resolve(did), didResolutionMetadata: {}, didDocumentMetadata: {} },
  }),
})

// ─── dc+sd-jwt ───

const es256 = (key: KeyObject) => async (data: string) =>
  sign('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
const holds = (key: KeyObject) => async (data: string, signature: string) =>
  verify('sha256', Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))

const instanceOf = (issuer: KeyObject, more: object = {}) =>
  new SDJwtVcInstance({
    ...{ hashAlg: 'sha-256', verifier: holds(issuer), statusVerifier: holds(issuer) },
    hasher: (data: string | ArrayBuffer) =>
      createHash('sha256')
        .update(Buffer.from(data as string))
        .digest(),
    saltGenerator: () => randomBytes(16).toString('base64url'),
    kbVerifier: async (data, signature, { cnf }) =>
      holds(createPublicKey({ key: (cnf as { jwk: JsonWebKey }).jwk, format: 'jwk' }))(data, signature),
    ...more,
  })

/** An agency's key by its DID; a stranger's at its URL (SD-JWT VC, section 4). */
const sdJwtKey = async (compact: string, world: World): Promise<KeyObject> => {
  const { kid } = headerOf(compact)
  if (String(kid).startsWith('did:')) return keyOf(String(kid), world)
  const answer = await fetch(`${String(payloadOf(compact)['iss'])}/.well-known/jwt-vc-issuer`)
  const { jwks } = (await answer.json()) as { jwks: { keys: (JsonWebKey & { kid: string })[] } }
  return createPublicKey({ key: jwks.keys.find(each => each.kid === kid) ?? {}, format: 'jwk' })
}

const theirVct = 'https://university.example/diploma'
const sdJwt: Craft = {
  ...{ format: 'dc+sd-jwt', libraries: ['@sd-jwt/sd-jwt-vc'] },
  offered: { vct: theirVct, cryptographic_binding_methods_supported: ['jwk'] },
  licence: { meta: { vct_values: ['urn:chancery:vct:driving-licence:1'] }, claims: [{ path: ['familyName'] }] },
  asked: { meta: { vct_values: [theirVct] }, claims: [{ path: ['familyName'] }] },
  async issue({ jwk }, { origin, key }) {
    const { crv, kty, x, y } = jwk
    const claims = { vct: theirVct, cnf: { jwk: { crv, kty, x, y } }, familyName: 'Okafor', grade: 1 }
    const payload = { iss: origin, iat: now(), ...claims }
    const instance = instanceOf(createPublicKey(key.privateKey), { signer: es256(key.privateKey), signAlg: 'ES256' })
    return instance.issue(payload as never, { _sd: ['familyName', 'grade'] } as never, { header: { kid: 'key-1' } })
  },
  async present(credential, { privateKey }, to, world) {
    const holder = { kbSigner: es256(privateKey), kbSignAlg: 'ES256' }
    const kb = { payload: { iat: now(), aud: to.clientId, nonce: to.nonce } }
    const instance = instanceOf(await sdJwtKey(String(credential), world), holder)
    return instance.present(String(credential), { familyName: true } as never, { kb })
  },
  async accept(presentation, to, world) {
    const instance = instanceOf(await sdJwtKey(String(presentation), world))
    const { payload, kb } = await instance.verify(String(presentation), { keyBindingNonce: to.nonce })
    expect(kb?.payload).toMatchObject({ aud: to.clientId })
    await expect(instance.verify(String(presentation), { keyBindingNonce: 'another' })).rejects.toThrow()
    return payload as unknown as Json
  },
}

// ─── W3C credentials ───

const subjectOf = (did: string) => ({ id: did, degree: { type: 'BachelorDegree', name: 'Bachelor of Science' } })
const vcType = 'https://www.w3.org/2018/credentials#VerifiableCredential'
const licenceTypes = { type_values: [[vcType, 'https://chancery.example/ns#DrivingLicence']] }
const familyName = [{ path: ['credentialSubject', 'familyName'] }]
const didsOf = { cryptographic_binding_methods_supported: ['did:key', 'did:jwk', 'jwk'] }
const degreeV2 = (stranger: Stranger, did: string): Json => ({
  '@context': [contextV2, 'https://www.w3.org/ns/credentials/examples/v2'],
  type: ['VerifiableCredential', 'ExampleDegreeCredential'],
  issuer: stranger.did,
  validFrom: new Date().toISOString(),
  credentialSubject: { id: did, degree: { type: 'ExampleBachelorDegree', name: 'Bachelor of Science' } },
})
/** What is offered and asked for in the formats of Data Model 2.0. */
const degrees = {
  offered: {
    credential_definition: {
      '@context': [contextV2, 'https://www.w3.org/ns/credentials/examples/v2'],
      type: ['VerifiableCredential', 'ExampleDegreeCredential'],
    },
    ...didsOf,
  },
  licence: { meta: licenceTypes, claims: familyName },
  asked: {
    meta: { type_values: [[vcType, 'https://www.w3.org/ns/credentials/examples#ExampleDegreeCredential']] },
    claims: [{ path: ['credentialSubject', 'degree'] }],
  },
}

const v1 = ['https://www.w3.org/2018/credentials/v1', 'https://www.w3.org/2018/credentials/examples/v1']
const identityOf = (did: string, { privateKey }: WalletKey) => {
  const secret = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url')
  return { did, alg: 'ES256', signer: ES256Signer(secret) }
}

const jwtVc: Craft = {
  ...{ format: 'jwt_vc_json', libraries: ['did-jwt-vc'] },
  offered: { credential_definition: { type: ['VerifiableCredential', 'UniversityDegreeCredential'] }, ...didsOf },
  licence: { meta: licenceTypes, claims: familyName },
  asked: {
    meta: { type_values: [['https://example.org/examples#UniversityDegreeCredential']] },
    claims: [{ path: ['credentialSubject', 'degree'] }],
  },
  issue({ did }, stranger) {
    const credential = {
      ...{ '@context': v1, type: ['VerifiableCredential', 'UniversityDegreeCredential'], issuer: stranger.did },
      ...{ issuanceDate: new Date().toISOString(), credentialSubject: subjectOf(did) },
    }
    const header = { kid: stranger.kid } as never
    return createVerifiableCredentialJwt(credential as never, identityOf(stranger.did, stranger.key), { header })
  },
  present(credential, key, to) {
    const presentation = {
      ...{ '@context': [v1[0]], type: ['VerifiablePresentation'], holder: didJwkOf(key) },
      ...{ verifiableCredential: [credential], issuanceDate: new Date().toISOString() },
      expirationDate: new Date(Date.now() + 60_000).toISOString(),
    }
    const options = { challenge: to.nonce, domain: to.clientId }
    return createVerifiablePresentationJwt(presentation as never, identityOf(didJwkOf(key), key), options)
  },
  async accept(presentation, to, world) {
    const asked = { challenge: to.nonce, domain: to.clientId }
    const { verified } = await verifyPresentation(String(presentation), resolverOf(world), asked)
    expect(verified).toBe(true)
    const other = { ...asked, challenge: 'another' }
    await expect(verifyPresentation(String(presentation), resolverOf(world), other)).rejects.toThrow()
    const [credential] = (payloadOf(String(presentation))['vp'] as { verifiableCredential: string[] })
      .verifiableCredential
    const judged = await verifyCredential(credential ?? '', resolverOf(world))
    expect(judged.verified).toBe(true)
    return judged.verifiableCredential as unknown as Json
  },
}

/** DIDs and an agency's contexts over HTTP; those that everybody knows from the library. */
const loaderOf = (world: World) => async (url: string) => {
  if (/^did:(?!key:)/.test(url)) {
    const document = url.includes('#') ? await methodOf(url, world) : await world.resolve(url)
    return { contextUrl: null, documentUrl: url, document }
  }
  if (url.startsWith('http://localhost:')) {
    return { contextUrl: null, documentUrl: url, document: await (await fetch(url)).json() }
  }
  return ofTheHouse(url)
}

const pairFor = (did: string, kid: string, { jwk, privateKey }: WalletKey) => {
  const raw = rawPublicKey(publicKeyFromJwk(jwk as JsonWebKey))
  const multikey = toMultikey({ kind: 'P-256', raw })
  return theirPair({ did, verificationMethod: kid, privateKey, multikey }, 'P-256')
}

const rdfc = theirs['ecdsa-rdfc-2019']
const ldpVc: Craft = {
  ...{ format: 'ldp_vc', libraries: ['@digitalbazaar/vc', '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite'] },
  ...degrees,
  async issue({ did }, stranger) {
    const pair = await pairFor(stranger.did, stranger.kid, stranger.key)
    const suite = new DataIntegrityProof({ signer: pair.signer(), cryptosuite: rdfc.sign })
    return vc.issue({ credential: degreeV2(stranger, did), suite, documentLoader: ofTheHouse })
  },
  async present(credential, key, to, world) {
    const pair = await pairFor(didJwkOf(key), kidOf(key), key)
    const suite = new DataIntegrityProof({ signer: pair.signer(), cryptosuite: rdfc.sign })
    const presentation = vc.createPresentation({ verifiableCredential: credential, holder: didJwkOf(key) })
    const options = { challenge: to.nonce, domain: to.clientId, documentLoader: loaderOf(world) }
    return vc.signPresentation({ presentation, suite, ...options })
  },
  async accept(presentation, to, world) {
    const suite = new DataIntegrityProof({ cryptosuite: rdfc.verify })
    // What a status of ours means it leaves to another of its libraries.
    const checkStatus = async () => ({ verified: true })
    const judged = (challenge: string) =>
      vc.verify({
        ...{ presentation, suite, challenge, domain: to.clientId, checkStatus },
        documentLoader: loaderOf(world),
      })
    const { verified, error } = await judged(to.nonce)
    expect({ verified, error: JSON.stringify(error) }).toEqual({ verified: true, error: undefined })
    expect((await judged('another')).verified).toBe(false)
    return [(presentation as Json)['verifiableCredential']].flat()[0] as Json
  },
}

const vcJose: Craft = {
  ...{ format: 'vc+jwt', libraries: ['jose'] },
  ...degrees,
  issue: ({ did }, stranger) =>
    new SignJWT(degreeV2(stranger, did))
      .setProtectedHeader({ alg: 'ES256', kid: stranger.kid, typ: 'vc+jwt' })
      .setIssuedAt()
      .sign(stranger.key.privateKey),
  present: (credential, key, to) =>
    new SignJWT({
      ...presentationBy(didJwkOf(key), enveloped(`vc+jwt,${String(credential)}`)),
      ...{ nonce: to.nonce, aud: to.clientId },
    })
      .setProtectedHeader({ alg: 'ES256', kid: kidOf(key), typ: 'vp+jwt' })
      .setIssuedAt()
      .sign(key.privateKey),
  async accept(presentation, to, world) {
    const opened = async (token: string): Promise<Json> => {
      const { payload } = await compactVerify(token, await keyOf(String(headerOf(token)['kid']), world))
      return JSON.parse(Buffer.from(payload).toString()) as Json
    }
    const { nonce, aud, verifiableCredential } = await opened(String(presentation))
    expect({ nonce, aud: [aud].flat() }).toEqual({ nonce: to.nonce, aud: [to.clientId] })
    return opened(tokenOf([verifiableCredential].flat()[0] as Json))
  },
}

// ─── mso_mdoc ───

const docType = 'org.iso.18013.5.1.mDL'
const namespace = 'org.iso.18013.5.1'

const transcriptFor = ({ thumbprint, ...to }: To): Buffer => {
  const key = thumbprint === undefined ? {} : { jwkThumbprint: thumbprint }
  const transcript =
    'origin' in to ? digitalCredentialsTranscript({ ...to, ...key }) : redirectTranscript({ ...to, ...key })
  return Buffer.from(encode(new Tag(24, transcript)))
}

const mdlQuery = {
  meta: { doctype_value: docType },
  claims: [{ path: [namespace, 'family_name'], intent_to_retain: false }],
}
const mdlDefinition = {
  id: 'licence',
  input_descriptors: [
    {
      ...{ id: docType, format: { mso_mdoc: { alg: ['ES256'] } } },
      constraints: {
        limit_disclosure: 'required' as const,
        fields: [{ path: [`$['${namespace}']['family_name']`], intent_to_retain: false }],
      },
    },
  ],
}

const mdoc: Craft = {
  ...{ format: 'mso_mdoc', libraries: ['@auth0/mdl'] },
  offered: { doctype: docType, cryptographic_binding_methods_supported: ['cose_key'] },
  ...{ licence: mdlQuery, asked: mdlQuery },
  async issue({ jwk }, { office }) {
    const document = await new Document(docType)
      .addIssuerNameSpace(namespace, {
        ...{ family_name: 'Okafor', given_name: 'Amara', birth_date: '1990-04-17', issue_date: '2020-06-21' },
        ...{ expiry_date: '2036-06-21', issuing_country: 'XN', issuing_authority: 'Elsewhere' },
        ...{ document_number: 'E-1', un_distinguishing_sign: 'XN', portrait: Buffer.from('ffd8ff', 'hex') },
        driving_privileges: [{ vehicle_category_code: 'B', issue_date: '2010-06-21', expiry_date: '2036-02-02' }],
      })
      .useDigestAlgorithm('SHA-256')
      .addValidityInfo({ signed: new Date(), validUntil: new Date(Date.now() + 86_400_000) })
      .addDeviceKeyInfo({ deviceKey: jwk as { kty: string } })
      .sign({
        issuerPrivateKey: office.privateKey.export({ format: 'jwk' }) as { kty: string },
        ...{ issuerCertificate: office.certificate, alg: 'ES256', kid: 'key-1' },
      })
    const response = decode(new MDoc([document]).encode()) as Map<string, Map<string, unknown>[]>
    return Buffer.from(encode(response.get('documents')?.[0]?.get('issuerSigned'))).toString('base64url')
  },
  async present(credential, { privateKey }, to) {
    const issuerSigned = decode(Buffer.from(String(credential), 'base64url'))
    const wrapped = encode({ version: '1.0', documents: [{ docType, issuerSigned }], status: 0 })
    const response = await DeviceResponse.from(parse(wrapped))
      .usingPresentationDefinition(mdlDefinition)
      .usingSessionTranscriptBytes(transcriptFor(to))
      .authenticateWithSignature(privateKey.export({ format: 'jwk' }) as { kty: string }, 'ES256')
      .sign()
    return Buffer.from(response.encode()).toString('base64url')
  },
  async accept(presentation, to, world) {
    const response = Buffer.from(String(presentation), 'base64url')
    const verifier = new Verifier(await world.anchors())
    const judged = (asked: To) => verifier.verify(response, { encodedSessionTranscript: transcriptFor(asked) })
    const { documents } = await judged(to)
    await expect(judged({ ...to, nonce: 'another' })).rejects.toThrow()
    return documents[0]?.getIssuerNameSpace(namespace) as unknown as Json
  },
}

export const crafts: readonly Craft[] = [sdJwt, jwtVc, ldpVc, mdoc, vcJose]
