import { generateKeyPairSync, sign } from 'node:crypto'
import { addProof, verifyProofs } from '../../src/identity/integrity/proofs.ts'
import type { ProofSigner } from '../../src/identity/integrity/suite.ts'
import { suiteNamed } from '../../src/identity/integrity/suites.ts'
import { bundledContext } from '../../src/identity/linked-data/contexts.ts'
import { fromMultikey, toMultikey } from '../../src/identity/multikey.ts'
import { answer, readInput } from '../child.ts'
import { spin } from '../identity/spin.ts'
import { credentialOf, type IntegrityResult, type IntegrityRun } from './credential.ts'

/** eddsa-rdfc-2022 in process: each credential is another one, and is secured or judged whole. */

type Side = {
  issue(credential: Record<string, unknown>): Promise<Record<string, unknown>>
  /** @throws when it does not hold */
  verify(credential: Record<string, unknown>): Promise<void>
  issuer: string
}

const own = (): Side => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')
  const multikey = toMultikey({ kind: 'Ed25519', raw })
  const did = `did:key:${multikey}`
  const signer: ProofSigner = {
    verificationMethod: `${did}#${multikey}`,
    algorithm: 'EdDSA',
    sign: async data => sign(null, data, privateKey),
  }
  const suite = suiteNamed('eddsa-rdfc-2022')
  return {
    issuer: did,
    issue: credential => addProof(credential, { suite, signer, proofPurpose: 'assertionMethod', created }),
    async verify(credential) {
      const keyOf = async (method: string) => ({
        ...fromMultikey(method.slice(method.indexOf('#') + 1)),
        controller: did,
      })
      await verifyProofs(credential, { now: Date.now(), proofPurpose: 'assertionMethod' }, keyOf)
    },
  }
}
const created = '2026-01-01T00:00:00Z'

/** @digitalbazaar/vc over the same contexts, with a loader that reads nothing from anywhere. */
const digitalBazaar = async (): Promise<Side> => {
  const vc = await import('@digitalbazaar/vc')
  const { DataIntegrityProof } = await import('@digitalbazaar/data-integrity')
  const { cryptosuite } = await import('@digitalbazaar/eddsa-rdfc-2022-cryptosuite')
  const Ed25519Multikey = await import('@digitalbazaar/ed25519-multikey')
  const pair = await Ed25519Multikey.generate()
  const did = `did:key:${pair.publicKeyMultibase}`
  pair.id = `${did}#${pair.publicKeyMultibase}`
  pair.controller = did
  const method = await pair.export({ publicKey: true, includeContext: true })
  const documents: Record<string, unknown> = {
    [pair.id]: method,
    [did]: {
      '@context': 'https://www.w3.org/ns/did/v1',
      id: did,
      assertionMethod: [method],
      verificationMethod: [method],
    },
  }
  const documentLoader = async (url: string) => {
    const document = documents[url] ?? bundledContext(url)
    if (document === undefined) throw new Error(`nobody knows ${url}`)
    return { contextUrl: null, documentUrl: url, document }
  }
  const signing = { suite: new DataIntegrityProof({ signer: pair.signer(), cryptosuite }), documentLoader }
  const judging = { suite: new DataIntegrityProof({ cryptosuite }), documentLoader }
  return {
    issuer: did,
    issue: credential => vc.issue({ credential, ...signing }),
    async verify(credential) {
      const result = await vc.verifyCredential({
        credential,
        ...judging,
        checkStatus: async () => ({ verified: true }),
      })
      if (result.verified !== true) throw new Error(String(result.error))
    },
  }
}

const run = await readInput<IntegrityRun>()
const side = run.who === 'own' ? own() : await digitalBazaar()
const poolSize = 512
const pool: Record<string, unknown>[] = []
for (let number = 0; number < poolSize; number++) pool.push(await side.issue(credentialOf(side.issuer, number)))
const times = { ...run, inFlight: 16 }
const issued = await spin(async piece => void (await side.issue(credentialOf(side.issuer, piece))), times)
const verified = await spin(async piece => side.verify(structuredClone(pool[piece % poolSize] ?? {})), times)
answer({ issue: issued.perSecond, verify: verified.perSecond } satisfies IntegrityResult)
