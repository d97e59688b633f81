import * as bbsSuite from '@digitalbazaar/bbs-2023-cryptosuite'
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey'
import { DataIntegrityProof } from '@digitalbazaar/data-integrity'
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey'
import * as ecdsaSuite from '@digitalbazaar/ecdsa-sd-2023-cryptosuite'
import signatures from 'jsonld-signatures'
import { bbsKeyPair, bbsSign } from '../../../src/identity/bbs.ts'
import { type BbsSigner, bbs2023 } from '../../../src/identity/integrity/bbs-2023.ts'
import { ecdsaSd2023 } from '../../../src/identity/integrity/ecdsa-sd-2023.ts'
import type { Cryptosuite, ProofKey, ProofSigner } from '../../../src/identity/integrity/suite.ts'
import { bundledContext } from '../../../src/identity/linked-data/contexts.ts'
import { toBase58btc } from '../../../src/identity/multibase.ts'
import { ecdsaIssuer, type Json, partsOf } from './sd.ts'

/** Implementations of others: the cryptosuites of Digital Bazaar, each with its own JSON-LD and canonicalization. */

const document: Json = {
  '@context': [
    'https://www.w3.org/ns/credentials/v2',
    {
      '@vocab': 'https://example.org/terms#',
      label: { '@id': 'https://example.org/label', '@container': '@language' },
      raw: { '@id': 'https://example.org/raw', '@type': '@json' },
    },
  ],
  id: 'urn:uuid:0f0c6b2e-9f0f-4f4e-8f47-8f1f3b7d6c11',
  type: ['VerifiableCredential', 'Licence'],
  issuer: { id: 'did:example:office', name: 'Office' },
  validFrom: '2026-01-01T00:00:00Z',
  credentialStatus: { type: 'StatusEntry', statusListIndex: '94' },
  credentialSubject: {
    name: 'Ådå 🦊 \ufffd',
    age: 36,
    share: 0.25,
    address: { street: 'Long "Road"\n', number: 5, seen: true },
    vehicles: [{ plate: 'A 1' }, { plate: 'B 2', keeper: { name: 'Bob' } }, { type: 'Bike' }],
    codes: ['x', 'y', 'z'],
    label: { en: 'Licence', de: 'Schein' },
    raw: { b: [1, { c: null }], a: 'x' },
  },
}
const mandatoryPointers = ['/issuer', '/credentialStatus', '/credentialSubject/vehicles/1/plate']
const selectivePointers = [
  '/validFrom',
  '/credentialSubject/name',
  '/credentialSubject/codes/2',
  '/credentialSubject/address/number',
  '/credentialSubject/vehicles/1/keeper',
  '/credentialSubject/label',
  '/credentialSubject/raw',
]

type Party = {
  suite: Cryptosuite
  theirs: {
    createSignCryptosuite(options: Json): unknown
    createDiscloseCryptosuite(options: Json): unknown
    createVerifyCryptosuite(options?: Json): unknown
  }
  signer: ProofSigner
  key: ProofKey
  /** The issuer's key as their libraries have it. */
  theirSigner: unknown
  method: Json
}

const multikeyOf = (multicodec: number[], raw: Uint8Array): string =>
  toBase58btc(Buffer.concat([Buffer.from(multicodec), raw]))

const methodOf = (publicKeyMultibase: string): Json & { id: string } => {
  const controller = `did:key:${publicKeyMultibase}`
  const id = `${controller}#${publicKeyMultibase}`
  return { '@context': 'https://w3id.org/security/multikey/v1', id, type: 'Multikey', controller, publicKeyMultibase }
}

const ecdsaParty = async (): Promise<Party> => {
  const secret = new Uint8Array(32).fill(9)
  const { key } = ecdsaIssuer(secret, '')
  const method = methodOf(multikeyOf([0x80, 0x24], key.raw))
  const { signer } = ecdsaIssuer(secret, method.id)
  const pair = await EcdsaMultikey.from({ ...method, secretKeyMultibase: multikeyOf([0x86, 0x26], secret) })
  return { suite: ecdsaSd2023, theirs: ecdsaSuite, signer, key, theirSigner: pair.signer(), method }
}

const bbsParty = async (): Promise<Party> => {
  const { secretKey, publicKey } = await bbsKeyPair(new Uint8Array(32).fill(9))
  const method = methodOf(multikeyOf([0xeb, 0x01], publicKey))
  const signer: BbsSigner = {
    ...{ verificationMethod: method.id, algorithm: 'BBS', publicKey },
    sign: () => Promise.reject(new Error('BBS signs messages')),
    signMessages: (header, messages) => bbsSign({ secretKey, publicKey, header, messages }),
  }
  const algorithm = Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256
  const pair = await Bls12381Multikey.fromRaw({ algorithm, secretKey, publicKey })
  Object.assign(pair, { id: method.id, controller: method['controller'] })
  const theirSigner = pair.signer()
  return { suite: bbs2023, theirs: bbsSuite, signer, key: { algorithm: 'BBS', raw: publicKey }, theirSigner, method }
}

const parties = { 'ecdsa-sd-2023': ecdsaParty, 'bbs-2023': bbsParty }

describe.each(Object.entries(parties))('%s of others', (cryptosuite, open) => {
  let party: Party
  let options: Json
  let ours: Json
  let theirs: Json
  beforeAll(async () => {
    party = await open()
    options = {
      type: 'DataIntegrityProof',
      cryptosuite,
      created: '2026-01-02T03:04:05Z',
      verificationMethod: party.method['id'],
      proofPurpose: 'assertionMethod',
    }
    ours = await weIssue()
    theirs = await theyIssue()
  })
  const documentLoader = async (url: string) => {
    const { method } = party
    const controller = {
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
      ...{ id: method['controller'], assertionMethod: [method] },
    }
    const found = url === method['id'] ? method : url === method['controller'] ? controller : bundledContext(url)
    if (found === undefined) throw new Error(`not found: ${url}`)
    return { contextUrl: null, documentUrl: url, document: structuredClone(found), tag: 'static' }
  }
  const purpose = () => new signatures.purposes.AssertionProofPurpose()
  const addSuiteContext = false

  const theyIssue = (): Promise<Json> => {
    const suite = new DataIntegrityProof({
      signer: party.theirSigner,
      date: options['created'],
      cryptosuite: party.theirs.createSignCryptosuite({ mandatoryPointers }),
    })
    return signatures.sign(structuredClone(document), { suite, purpose: purpose(), documentLoader, addSuiteContext })
  }
  const theyDerive = (secured: Json): Promise<Json> => {
    const suite = new DataIntegrityProof({ cryptosuite: party.theirs.createDiscloseCryptosuite({ selectivePointers }) })
    return signatures.derive(structuredClone(secured), { suite, purpose: purpose(), documentLoader, addSuiteContext })
  }
  const theyVerify = async (secured: Json): Promise<boolean> => {
    const suite = new DataIntegrityProof({ cryptosuite: party.theirs.createVerifyCryptosuite() })
    const controlled = { suite, purpose: purpose(), documentLoader, addSuiteContext }
    return (await signatures.verify(structuredClone(secured), controlled)).verified
  }
  const weIssue = async (): Promise<Json> => ({
    ...document,
    proof: await party.suite.create(document, options, party.signer, { mandatoryPointers }),
  })
  const weDerive = async (secured: Json): Promise<Json> => {
    const { document: of, proof } = partsOf(secured)
    return (await party.suite.derive?.(of, proof, { selectivePointers })) as Json
  }
  const weVerify = (secured: Json): Promise<boolean> => {
    const { document: of, proof } = partsOf(secured)
    return party.suite.verify(of, proof, party.key)
  }
  const changed = (secured: Json): Json => ({ ...secured, validFrom: '2027-01-01T00:00:00Z' })

  it('verify what we issue and derive', async () => {
    const derived = await weDerive(ours)
    expect(await theyVerify(derived)).toBe(true)
    expect(await theyVerify(changed(derived))).toBe(false)
  })

  it('derive from what we issue, and we verify it', async () => {
    const derived = await theyDerive(ours)
    expect(await weVerify(derived)).toBe(true)
    expect(partsOf(derived).document).toEqual(partsOf(await weDerive(ours)).document)
  })

  it('issue what we derive from, and they verify it', async () => {
    expect(await theyVerify(await weDerive(theirs))).toBe(true)
  })

  it('issue and derive what we verify', async () => {
    const derived = await theyDerive(theirs)
    expect(await weVerify(derived)).toBe(true)
    expect(await weVerify(changed(derived))).toBe(false)
  })
})
