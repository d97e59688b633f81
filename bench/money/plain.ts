import { p256 } from '@noble/curves/nist.js'
import { computeAddress, TypedDataEncoder, verifyTypedData } from 'ethers'
import { DataSource, EntitySchema } from 'typeorm'
import { type EntryOf, schemes } from '../../src/kernel/ledger-entry.ts'
import { answer, cpuOf, readInput } from '../child.ts'
import { type Draw, openDraw } from './draw.ts'
import { keyCount, signerAt } from './keys.ts'
import { domain } from './ledger.ts'

/**
 * A ledger as one writes it first: TypeORM on SQLite, durable, each transfer a transaction of its own that reads two
 * accounts, checks signature, nonce, limit and balance, and saves both accounts and the transfer.
 */

export type PlainRun = { file: string; customers: number; draw: Draw; transfers: number }
export type PlainResult = { perSecond: number; cpuMicros: number }

const run = await readInput<PlainRun>()

type Account = { number: number; key: string; nonce: number; balance: string; spent: string }
type Transfer = { id: string; from: number; to: number; amount: string; nonce: number; signature: string; at: number }
const accounts = new EntitySchema<Account>({
  name: 'account',
  columns: {
    number: { type: 'integer', primary: true },
    ...{ key: { type: 'text' }, nonce: { type: 'integer' }, balance: { type: 'text' }, spent: { type: 'text' } },
  },
})
const transfers = new EntitySchema<Transfer>({
  name: 'transfer',
  columns: {
    id: { type: 'text', primary: true },
    ...{ from: { type: 'integer' }, to: { type: 'integer' }, amount: { type: 'text' }, nonce: { type: 'integer' } },
    ...{ signature: { type: 'text' }, at: { type: 'integer' } },
  },
})

const source = new DataSource({
  ...{ type: 'sqlite', database: run.file, enableWAL: true, synchronize: true },
  entities: [accounts, transfers],
})
await source.initialize()
await source.query('PRAGMA synchronous = FULL')

const keyText = (index: number): string => {
  const { scheme, prefix, x } = signerAt(index).key
  const point = `0${prefix}${x}`
  return scheme === schemes.secp256k1 ? computeAddress(`0x${point}`) : point
}
const keys = Array.from({ length: keyCount }, (_, index) => keyText(index))
await source.query('CREATE TEMPORARY TABLE bench_keys (at INTEGER PRIMARY KEY, key TEXT)')
await source.query(`INSERT INTO bench_keys VALUES ${keys.map((key, at) => `(${at}, '${key}')`).join(', ')}`)
await source.query(
  `WITH RECURSIVE v(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM v WHERE n < ${run.customers - 1})
   INSERT INTO account (number, key, nonce, balance, spent) SELECT n, k.key, 0, '1000000', '0'
   FROM v JOIN bench_keys k ON k.at = v.n % ${keyCount}`,
)

const members = ['uint32 from', 'uint32 to', 'uint16 currency', 'uint64 amount', 'uint16 fee', 'uint32 nonce']
const types = {
  Transfer: [...members, 'uint32 validUntil'].map(member => {
    const [type = '', name = ''] = member.split(' ')
    return { name, type }
  }),
}
type Message = Omit<EntryOf<'transfer'>, 'kind' | 'signature'>
type Signed = { id: string; message: Message; signature: string }

const validUntil = Math.floor(Date.now() / 1_000) + 86_400
const nonces = new Map<number, number>()
const drawn = openDraw(run.draw, run.customers, 5)
const signers = Array.from({ length: keyCount }, (_, index) => signerAt(index))
const sign = (_: unknown, at: number): Signed => {
  const { from, to } = drawn()
  const nonce = nonces.get(from) ?? 0
  nonces.set(from, nonce + 1)
  const message: Message = { from, to, currency: 1, amount: 100n, fee: 0, nonce, validUntil }
  const digest = Buffer.from(TypedDataEncoder.hash(domain, types, message).slice(2), 'hex')
  return { id: String(at).padStart(12, '0'), message, signature: signers[from % keyCount]?.sign(digest) ?? '' }
}

const isSignedBy = (key: string, { message, signature }: Signed): boolean => {
  if (key.startsWith('0x')) return verifyTypedData(domain, types, message, `0x${signature}`) === key
  const digest = Buffer.from(TypedDataEncoder.hash(domain, types, message).slice(2), 'hex')
  return p256.verify(Buffer.from(signature, 'hex'), digest, Buffer.from(key, 'hex'))
}

const perDay = 100_000_000n
const transfer = (signed: Signed): Promise<void> =>
  source.transaction(async manager => {
    const { from, to, amount, nonce } = signed.message
    const payer = await manager.findOneByOrFail(accounts, { number: from })
    const payee = await manager.findOneByOrFail(accounts, { number: to })
    const balance = BigInt(payer.balance) - amount
    const spent = BigInt(payer.spent) + amount
    if (!isSignedBy(payer.key, signed)) throw new Error('the signature is wrong')
    if (payer.nonce !== nonce || balance < 0n || spent > perDay) throw new Error('the transfer is not in order')
    await manager.save(accounts, [
      { ...payer, nonce: nonce + 1, balance: String(balance), spent: String(spent) },
      { ...payee, balance: String(BigInt(payee.balance) + amount) },
    ])
    const { id, signature } = signed
    await manager.save(transfers, { id, from, to, amount: String(amount), nonce, signature, at: Date.now() })
  })

const pieces = Array.from({ length: run.transfers }, sign)
const warm = Math.ceil(pieces.length / 5)
for (const piece of pieces.slice(0, warm)) await transfer(piece)
const before = await cpuOf(process.pid)
const from = performance.now()
for (const piece of pieces.slice(warm)) await transfer(piece)
const seconds = (performance.now() - from) / 1_000
const after = await cpuOf(process.pid)
const timed = pieces.length - warm
await source.destroy()
const result: PlainResult = {
  perSecond: timed / seconds,
  cpuMicros: (after.allMicros - before.allMicros) / timed,
}
answer(result)
