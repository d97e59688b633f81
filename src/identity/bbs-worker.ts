import { parentPort } from 'node:worker_threads'
import * as bbs from '@digitalbazaar/bbs-signatures'
import type { BbsWork } from './bbs.ts'
import type { Reply } from './own-thread.ts'

const ciphersuite = bbs.CIPHERSUITES.BLS12381_SHA256

/** The library throws where the specification answers INVALID. */
const holds = async (verified: Promise<boolean>): Promise<boolean> => {
  try {
    return (await verified) === true
  } catch {
    return false
  }
}

/** What was cloned into this thread is a plain Uint8Array; so is what goes back, in memory of its own. */
const own = async (bytes: Promise<Uint8Array>): Promise<Uint8Array> => Uint8Array.from(await bytes)

const done = async (work: BbsWork): Promise<unknown> => {
  if (work.op === 'keyPair') {
    const { seed } = work.input
    return bbs.generateKeyPair(seed === undefined ? { ciphersuite } : { seed, ciphersuite })
  }
  if (work.op === 'publicKey') return own(bbs.secretKeyToPublicKey({ ...work.input, ciphersuite }))
  const messages = [...work.input.messages]
  if (work.op === 'sign') return own(bbs.sign({ ...work.input, messages, ciphersuite }))
  if (work.op === 'verify') return holds(bbs.verifySignature({ ...work.input, messages, ciphersuite }))
  const { disclosed, ...input } = work.input
  const disclosedMessageIndexes = [...disclosed]
  if ('proof' in input) {
    const proven = { ...input, disclosedMessages: messages, disclosedMessageIndexes, ciphersuite }
    return holds(bbs.verifyProof(proven))
  }
  return own(bbs.deriveProof({ ...input, messages, disclosedMessageIndexes, ciphersuite }))
}

parentPort?.on('message', async ({ id, ...work }: { id: number } & BbsWork) => {
  const reply = (message: Reply) => parentPort?.postMessage(message)
  try {
    reply({ id, result: await done(work) })
  } catch {
    const detail = 'The BBS key or signature cannot be read.'
    reply({ id, refusal: { kind: 'malformed', code: 'proof_malformed', detail } })
  } finally {
    if ('secretKey' in work.input) work.input.secretKey.fill(0)
  }
})
