import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { openKeccak } from '../../src/chain/keccak.ts'
import { digestOf } from '../../src/kernel/canonical.ts'
import { type EntryOf, encodeEntry } from '../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../src/kernel/ledger-typed-data.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { domainSeparatorOf, type TypedDomain, typedDigest } from '../../src/kernel/typed-domain.ts'
import { answer, readInput } from '../child.ts'
import { type Draw, openDraw } from './draw.ts'
import { keyCount, signerAt } from './keys.ts'
import { firstCustomer, openMoneyStore, domain as ownDomain, type Place } from './ledger.ts'

/** What the customers sign beforehand: requests of so many transfers each, a line of JSON a request. */

export type SignRun = {
  place: Place
  into: string
  draw: Draw
  customers: number
  requests: number
  /** Records in a request. */
  records: number
  seed: number
  /** Of a nation's ledger: the number of the first customer, and the domain that owners sign in. */
  nation?: { first: number; domain: TypedDomain }
}

/** A request, and the digest that the bank's own signature covers. */
export type SignedRequest = { bodySha256: string; body: { chains: { id: string; record: string }[][] } }

const run = await readInput<SignRun>()
const { customers } = run
const { first, domain } = run.nation ?? { first: firstCustomer, domain: ownDomain }

/** The nonces as they stand, so that a ledger can be used again and again. */
const readNonces = async (): Promise<Uint32Array> => {
  const store = await openMoneyStore(run.place)
  const nonces = new Uint32Array(first + customers)
  const chunk = 50_000
  for (let from = 0; from < nonces.length; from += chunk) {
    const sql = 'SELECT number, nonce FROM cbdc_accounts WHERE number >= ? AND number < ?'
    const rows = await store.read<{ number: number; nonce: number }>(sql, [from, Math.min(nonces.length, from + chunk)])
    for (const { number, nonce } of rows) nonces[number] = nonce
  }
  await store.close()
  return nonces
}

const nonces = await readNonces()
const signers = Array.from({ length: keyCount }, (_, index) => signerAt(index))
const keccak = await openKeccak()
const separator = domainSeparatorOf(domain, keccak)
const structOf = openStructs(keccak)
const drawn = openDraw(run.draw, customers, run.seed)
const validUntil = Math.floor(Date.now() / 1_000) + 86_400

const signed = (): { id: string; record: string } => {
  const draw = drawn()
  const [from, to] = [draw.from + first, draw.to + first]
  const nonce = nonces[from] ?? 0
  nonces[from] = nonce + 1
  const amount = BigInt(1 + (nonce % 100))
  const entry: EntryOf<'transfer'> = {
    ...{ kind: 'transfer', from, to, currency: 1, amount, fee: 0, nonce, validUntil, signature: '' },
  }
  const digest = typedDigest(separator, structOf(entry), keccak)
  entry.signature = signers[from % keyCount]?.sign(digest) ?? ''
  return { id: timeId(Date.now()), record: encodeEntry(entry).toString('base64url') }
}

const file = createWriteStream(run.into)
for (let request = 0; request < run.requests; request += 1) {
  const chains = Array.from({ length: run.records }, () => [signed()])
  const body = { chains }
  const line: SignedRequest = { bodySha256: digestOf(body).toString('base64url'), body }
  if (!file.write(`${JSON.stringify(line)}\n`)) await once(file, 'drain')
}
file.end()
await once(file, 'finish')
answer({})
