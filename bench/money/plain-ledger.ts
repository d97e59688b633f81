import { p256 } from '@noble/curves/nist.js'
import { computeAddress, TypedDataEncoder, verifyTypedData } from 'ethers'
import { DataSource, EntitySchema } from 'typeorm'
import { type EntryOf, schemes } from '../../src/kernel/ledger-entry.ts'
import { type Draw, openDraw } from './draw.ts'
import { keyCount, signerAt } from './keys.ts'
import { domain } from './ledger.ts'

/**
 * A ledger as one writes it first: TypeORM on SQLite, durable, each transfer a transaction of its own that reads two
 * accounts, checks signature, nonce, limit and balance, and saves both accounts and the transfer.
 */

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

const keyText = (index: number): string => {
  const { scheme, prefix, x } = signerAt(index).key
  const point = `0${prefix}${x}`
  return scheme === schemes.secp256k1 ? computeAddress(`0x${point}`) : point
}
const members = ['uint32 from', 'uint32 to', 'uint16 currency', 'uint64 amount', 'uint16 fee', 'uint32 nonce']
const types = {
  Transfer: [...members, 'uint32 validUntil'].map(member => {
    const [type = '', name = ''] = member.split(' ')
    return { name, type }
  }),
}
type Message = Omit<EntryOf<'transfer'>, 'kind' | 'signature'>
export type Signed = { id: string; message: Message; signature: string }

/** Pays from one to another, each payment a transaction. TypeORM has one connection to SQLite, so they take turns. */
export type PlainLedger = { transfer(signed: Signed): Promise<void>; close(): Promise<void> }

const isSignedBy = (key: string, { message, signature }: Signed): boolean => {
  if (key.startsWith('0x')) return verifyTypedData(domain, types, message, `0x${signature}`) === key
  const digest = Buffer.from(TypedDataEncoder.hash(domain, types, message).slice(2), 'hex')
  return p256.verify(Buffer.from(signature, 'hex'), digest, Buffer.from(key, 'hex'))
}

const fill = async (source: DataSource, customers: number): Promise<void> => {
  const keys = Array.from({ length: keyCount }, (_, index) => keyText(index))
  await source.query('CREATE TEMPORARY TABLE bench_keys (at INTEGER PRIMARY KEY, key TEXT)')
  await source.query(`INSERT INTO bench_keys VALUES ${keys.map((key, at) => `(${at}, '${key}')`).join(', ')}`)
  await source.query(
    `WITH RECURSIVE v(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM v WHERE n < ${customers - 1})
     INSERT INTO account (number, key, nonce, balance, spent) SELECT n, k.key, 0, '1000000', '0'
     FROM v JOIN bench_keys k ON k.at = v.n % ${keyCount}`,
  )
}

const perDay = 100_000_000n

export const openPlainLedger = async (file: string, customers: number): Promise<PlainLedger> => {
  const source = new DataSource({
    ...{ type: 'sqlite', database: file, enableWAL: true, synchronize: true },
    entities: [accounts, transfers],
  })
  await source.initialize()
  await source.query('PRAGMA synchronous = FULL')
  await fill(source, customers)
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
  let last: Promise<unknown> = Promise.resolve()
  return {
    transfer(signed) {
      const turn = last.then(() => transfer(signed))
      last = turn.catch(() => undefined)
      return turn
    },
    close: () => source.destroy(),
  }
}

/** What customers sign beforehand. */
export const signPlain = (draw: Draw, customers: number, count: number): Signed[] => {
  const validUntil = Math.floor(Date.now() / 1_000) + 86_400
  const nonces = new Map<number, number>()
  const drawn = openDraw(draw, customers, 5)
  const signers = Array.from({ length: keyCount }, (_, index) => signerAt(index))
  const sign = (_: unknown, at: number): Signed => {
    const { from, to } = drawn()
    const nonce = nonces.get(from) ?? 0
    nonces.set(from, nonce + 1)
    const message: Message = { from, to, currency: 1, amount: 100n, fee: 0, nonce, validUntil }
    const digest = Buffer.from(TypedDataEncoder.hash(domain, types, message).slice(2), 'hex')
    return { id: String(at).padStart(12, '0'), message, signature: signers[from % keyCount]?.sign(digest) ?? '' }
  }
  return Array.from({ length: count }, sign)
}
