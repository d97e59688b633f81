import { sign } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import {
  createDID,
  deactivateDID,
  deriveNextKeyHash,
  resolveDIDFromLog,
  signWitnessProofEntries,
  updateDID,
} from 'didwebvh-ts'
import { readLog } from '../../../src/identity/did-webvh/log.ts'
import { firstEntry, nextEntry } from '../../../src/identity/did-webvh/make.ts'
import { witnessedLog } from '../../../src/identity/did-webvh/witnesses.ts'
import { makeLog, newKey, type TestKey } from './maker.ts'
import { type DIDLog, linesOf, parsed, Theirs, verifier } from './theirs.ts'

/** Logs of ours that didwebvh-ts resolves, and logs of its making that we read. */

const now = Date.now()
const key = newKey()
const next = newKey()
const last = newKey()

const theirFirst = (more: object = {}) =>
  createDID({
    ...{ address: 'example.com', signer: new Theirs(key), verifier, updateKeys: [key.multikey] },
    verificationMethods: [{ type: 'Multikey', publicKeyMultibase: next.multikey, purpose: 'assertionMethod' }],
    ...more,
  })

describe('a log that didwebvh-ts makes', () => {
  it('is read with its rotation of announced keys', async () => {
    const made = await theirFirst({ nextKeyHashes: [await deriveNextKeyHash(next.multikey)] })
    const updated = await updateDID({
      ...{ log: made.log, signer: new Theirs(next), verifier, updateKeys: [next.multikey] },
      nextKeyHashes: [await deriveNextKeyHash(last.multikey)],
      alsoKnownAs: ['did:web:example.com'],
    })
    const { versions, failure } = await readLog(linesOf(updated.log), { now })
    expect(failure).toBeUndefined()
    expect(versions.at(-1)?.document).toEqual(updated.log.at(-1)?.state)
    expect(versions[0]?.document.id).toBe(made.did)
    const forged = (updated.log as DIDLog).map((entry, at) => (at === 1 ? { ...entry, state: made.doc } : entry))
    expect((await readLog(linesOf(forged), { now })).failure).toMatchObject({ code: 'did_log_proof' })
  })

  it('is read after a deactivation', async () => {
    const { log } = await theirFirst()
    const ended = await deactivateDID({ log, signer: new Theirs(key), verifier })
    const { versions, failure } = await readLog(linesOf(ended.log), { now })
    expect([failure, versions.at(-1)?.active.deactivated]).toEqual([undefined, true])
  })

  it('is read with the approvals of its witnesses, and not without', async () => {
    const ids = [next, last].map(({ did }) => ({ id: did }))
    const { log } = await theirFirst({ witness: { threshold: 2, witnesses: ids } })
    const signers = Object.fromEntries([next, last].map(each => [each.did, new Theirs(each)]))
    const proofs = await signWitnessProofEntries([log[0]?.versionId ?? ''], ids, signers)
    const read = await readLog(linesOf(log), { now })
    expect((await witnessedLog(read, Buffer.from(JSON.stringify(proofs)), now)).versions).toHaveLength(1)
    const one = (proofs as { versionId: string; proof: object[] }[]).map(({ versionId, proof }) => ({
      versionId,
      proof: proof.slice(1),
    }))
    await expect(witnessedLog(read, Buffer.from(JSON.stringify(one)), now)).rejects.toMatchObject({
      code: 'did_log_witness',
    })
  })
})

describe('a log that we make', () => {
  const draft = (by: TestKey, then: TestKey, time: number, state: Record<string, unknown>) => ({
    ...{ time, state, nextMultikey: then.multikey },
    key: { multikey: by.multikey, sign: async (data: Uint8Array) => sign(null, data, by.privateKey) },
  })
  const state = (did: string, more: object = {}) => ({ '@context': ['https://www.w3.org/ns/did/v1'], id: did, ...more })
  const time = Date.parse('2025-01-01T00:00:00Z')

  it('is resolved by didwebvh-ts, rotated, moved and within one second', async () => {
    const one = await firstEntry(draft(key, next, time, state('did:webvh:{SCID}:example.com:agency')))
    const [{ versionId, state: first }] = parsed(one) as [DIDLog[number]]
    const id = String(first.id)
    const moved = state(id.replace('example.com', 'example.org'), { alsoKnownAs: [id] })
    const two = await nextEntry(draft(next, last, time + 1, moved), { versionId, number: 1 })
    const theirs = await resolveDIDFromLog(parsed(`${one}\n${two}`), { verifier })
    expect(theirs.doc).toMatchObject(moved)
    expect(theirs.meta).toMatchObject({ portable: true, prerotation: true, versionId: parsed(two)[0]?.versionId })
    const ours = await readLog(Buffer.from(`${one}\n${two}\n`), { now })
    expect([ours.failure, ours.versions.at(-1)?.versionId]).toEqual([undefined, theirs.meta.versionId])
    const stolen = await nextEntry(draft(key, last, time + 1, moved), { versionId, number: 1 })
    await expect(resolveDIDFromLog(parsed(`${one}\n${stolen}`), { verifier })).rejects.toThrow()
  })

  it('is refused there as it is here when somebody changed it', async () => {
    const { log } = await makeLog('example.com', { key, state: { alsoKnownAs: ['https://a.example'] } })
    const forged = parsed(log.toString().replace('https://a.example', 'https://b.example'))
    await expect(resolveDIDFromLog(forged, { verifier })).rejects.toThrow()
    await expect(readLog(linesOf(forged), { now })).rejects.toMatchObject({ code: 'did_log_proof' })
  })
})
