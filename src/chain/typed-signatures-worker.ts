import { parentPort, workerData } from 'node:worker_threads'
import { openKeccak } from './keccak.ts'
import { openClaimVerifier, openKeyMemory, unpackClaims } from './typed-claims.ts'

/** Hashes and verifies on a thread of its own, a message of claims at a time. */
const { separator, keysKept } = workerData as { separator: Uint8Array; keysKept: number }

const isSigned = openClaimVerifier(separator, await openKeccak(), openKeyMemory(keysKept))

parentPort?.on('message', ({ id, packed }: { id: number; packed: ArrayBuffer }) => {
  const answers = Uint8Array.from(unpackClaims(packed), claim => (isSigned(claim) ? 1 : 0))
  parentPort?.postMessage({ id, answers }, [answers.buffer])
})
