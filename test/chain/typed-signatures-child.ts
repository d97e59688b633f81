import { generateKeyPairSync, sign } from 'node:crypto'
import type { Worker } from 'node:worker_threads'
import { openTypedSignatures } from '../../src/chain/typed-signatures.ts'
import type { TypedClaim } from '../../src/kernel/ports.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { ownerKeyOf } from '../../src/plugins/wallet/ledger.ts'

/** Ends the thread that verifies while it is at work, tells what came of it, and ends by itself: `close` is never called. */
const threads: Worker[] = []
process.on('worker', worker => void threads.push(worker))

const domain = { name: 'Ledger', version: '1', chainId: 1, verifyingContract: `0x${'5f'.repeat(20)}` }
const signatures = await openTypedSignatures(domain)
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { prefix, x } = ownerKeyOf(publicKey.export({ format: 'jwk' }))
const struct = new Uint8Array(64)
const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
let signature = sign('sha256', signatures.digest(struct), key)
while ((signature[32] ?? 0) > 0x7e) signature = sign('sha256', signatures.digest(struct), key)
const claim: TypedClaim = { struct, scheme: 2, key: Buffer.from([prefix, ...Buffer.from(x, 'hex')]), signature }

const before = await signatures.verify([claim])
const waits = signatures.verify(Array.from({ length: 20_000 }, () => claim)).then(
  () => 'answered',
  (error: unknown) => (isRefusal(error) ? `${error.kind}/${error.code}` : String(error)),
)
await threads[0]?.terminate()
const lost = await waits
const after = await signatures.verify([claim])
process.stdout.write(JSON.stringify({ before, lost, after, threads: threads.length }))
