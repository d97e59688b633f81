import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { entryHash, scidOf } from '../../../src/identity/did-webvh/hash.ts'
import { methodOfMultikey } from '../../../src/identity/did-webvh/proofs.ts'
import { eddsaJcs2022 } from '../../../src/identity/integrity/eddsa.ts'
import { addProof } from '../../../src/identity/integrity/proofs.ts'
import type { ProofSigner } from '../../../src/identity/integrity/suite.ts'
import { toMultikey } from '../../../src/identity/multikey.ts'

/** Makes logs that keep the rules, and logs that break one of them under good signatures. */

export type TestKey = { multikey: string; did: string; signer: ProofSigner; privateKey: KeyObject }

export const newKey = (): TestKey => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x as string, 'base64url')
  const multikey = toMultikey({ kind: 'Ed25519', raw })
  const verificationMethod = methodOfMultikey(multikey)
  const signer: ProofSigner = {
    ...{ verificationMethod, algorithm: 'EdDSA' },
    sign: async data => sign(null, data, privateKey),
  }
  return { multikey, did: `did:key:${multikey}`, signer, privateKey }
}

export type Document = Record<string, unknown>

export const proven = async (document: Document, key: TestKey, purpose = 'assertionMethod'): Promise<Document> =>
  addProof(document, {
    ...{ suite: eddsaJcs2022, signer: key.signer, proofPurpose: purpose, created: '2024-01-01T00:00:00Z' },
  })

export type Wanted = {
  key: TestKey
  time?: string
  parameters?: Document
  state?: Document
  /** Changes the entry after its hash was made, before it is signed. */
  before?: (entry: Document) => Document
  /** Changes the entry after it was signed. */
  after?: (entry: Document) => Document
}

const same = (entry: Document): Document => entry
const text = (number: number): string => `2024-01-${String(number).padStart(2, '0')}T00:00:00Z`

const finished = async (preliminary: Document, number: number, { key, before = same, after = same }: Wanted) => {
  const entry = before({ ...preliminary, versionId: `${number}-${entryHash(preliminary)}` })
  const { proof, ...rest } = await proven(entry, key)
  return JSON.stringify(after({ ...rest, proof: [proof] }))
}

/** A log line by line: the first entry makes the SCID, the others follow the one before. */
export const makeLog = async (
  place: string,
  first: Wanted,
  ...others: Wanted[]
): Promise<{ did: string; log: Buffer }> => {
  const placed = `did:webvh:{SCID}:${place}`
  const draft = {
    versionId: '{SCID}',
    versionTime: first.time ?? text(1),
    parameters: { method: 'did:webvh:1.0', scid: '{SCID}', updateKeys: [first.key.multikey], ...first.parameters },
    state: { '@context': ['https://www.w3.org/ns/did/v1'], id: placed, ...first.state },
  }
  const scid = scidOf(draft, '{SCID}')
  const made = JSON.parse(JSON.stringify(draft).replaceAll('{SCID}', scid)) as typeof draft
  const lines = [await finished(made, 1, first)]
  for (const [at, wanted] of others.entries()) {
    const previous = JSON.parse(lines.at(-1) as string) as typeof draft
    const state = { ...previous.state, ...wanted.state }
    const { time = text(at + 2), parameters = {} } = wanted
    const entry = { versionId: previous.versionId, versionTime: time, parameters, state }
    lines.push(await finished(JSON.parse(JSON.stringify(entry).replaceAll('{SCID}', scid)), at + 2, wanted))
  }
  return { did: placed.replace('{SCID}', scid), log: Buffer.from(`${lines.join('\n')}\n`) }
}

export const versionIds = (log: Buffer): string[] =>
  log
    .toString()
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { versionId: string }).versionId)

/** `did-witness.json`: who approves which version. */
export const makeWitnesses = async (approvals: { versionId: string; keys: TestKey[] }[]): Promise<Buffer> => {
  const items = approvals.map(async ({ versionId, keys }) => {
    const secured = await Promise.all(keys.map(key => proven({ versionId }, key)))
    return { versionId, proof: secured.map(({ proof }) => proof) }
  })
  return Buffer.from(JSON.stringify(await Promise.all(items)))
}
