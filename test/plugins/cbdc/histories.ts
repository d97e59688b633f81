import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { type Entry, type KindName, kindNames, type OwnerKey } from '../../../src/kernel/ledger-entry.ts'
import { keyName, type Model } from './model.ts'

/**
 * Something that may happen to a ledger: mostly what fits its state, now and then what does not. It becomes an entry when the
 * state is known.
 */
export type Intent = {
  kind: KindName
  one: number
  two: number
  three: number
  amount: bigint
  signed: boolean
  /** Which field is wrong; most numbers spoil nothing. */
  spoilt: number
  passes: number
}

const amounts = fc.oneof(
  { weight: 12, arbitrary: fc.bigInt({ min: 1n, max: 60n }) },
  { weight: 2, arbitrary: fc.bigInt({ min: 1n, max: 2_000n }) },
  { weight: 1, arbitrary: fc.constantFrom(0n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n) },
)

const dayMs = 86_400_000
/** Mostly moments; now and then a day or a month, so that instalments come due. */
const passes = fc.oneof(
  { weight: 40, arbitrary: fc.nat(9_000) },
  { weight: 1, arbitrary: fc.constantFrom(dayMs, 7 * dayMs, 31 * dayMs) },
)

/** Kinds that make the others possible come more often. */
const kindsOften: KindName[] = [
  ...kindNames,
  ...(['transfer', 'transfer', 'transfer', 'mint', 'mint', 'reserve', 'reserve', 'instruct', 'instalment'] as const),
]

export const intents = (kinds: readonly KindName[] = kindsOften, most = 60): fc.Arbitrary<Intent[]> =>
  fc.array(
    fc.record({
      ...{ kind: fc.constantFrom(...kinds), one: fc.nat(40), two: fc.nat(40), three: fc.nat(40), amount: amounts },
      ...{ signed: fc.nat(19).map(n => n > 0), spoilt: fc.nat(60), passes },
    }),
    { minLength: 1, maxLength: most, size: 'max' },
  )
export const kindsMostly = kindsOften

const preimageOf = (seed: number): string => Buffer.alloc(32, seed % 4).toString('hex')
const lockOf = (seed: number): string =>
  seed % 4 === 0
    ? '00'.repeat(32)
    : createHash('sha256')
        .update(Buffer.alloc(32, seed % 4))
        .digest('hex')

const signature = '5e'.repeat(64)
const order = '0d'.repeat(16)

/**
 * The entry that an intent comes to, and the key that signs it.
 * @param keys of owners; an account has the one of its number unless it was changed. @param at in milliseconds.
 */
export const entryFrom = (
  intent: Intent,
  model: Model,
  keys: readonly OwnerKey[],
  at: number,
): { entry: Entry; signer: OwnerKey | undefined } => {
  const { kind, spoilt, amount } = intent
  const pick = (seed: number): number => (seed % 37 === 36 ? 99 : 1 + (seed % Math.max(1, model.counts.accounts)))
  const [one, two] = [pick(intent.one), pick(intent.two)]
  const account = model.accounts.get(one)
  const currency = spoilt === 1 ? 9 : (account?.currency ?? 1)
  const nonce = (account?.nonce ?? 0) + (spoilt === 2 ? 1 : 0)
  const second = Math.floor(at / 1_000)
  const validUntil = spoilt === 3 ? second : second + 60
  const key = keys[intent.three % keys.length] as OwnerKey
  const given = spoilt === 4 ? { ...key, prefix: 4 } : key
  const fee = intent.three % 3
  const reserved = [...model.reservations.keys()]
  const reservation = spoilt === 5 ? 77 : (reserved[intent.one % Math.max(1, reserved.length)] ?? 1)
  const found = model.reservations.get(reservation)
  const stand = [...model.instructions.keys()]
  const instruction = spoilt === 5 ? 77 : (stand[intent.one % Math.max(1, stand.length)] ?? 1)
  const instructed = model.instructions.get(instruction)
  const index = (instructed?.next ?? 0) + (spoilt % 10 === 3 ? 1 : 0) - (spoilt === 9 && instructed?.next ? 1 : 0)
  const by = spoilt === 6 ? one : found === undefined || found.arbiter === 0 ? (found?.to ?? 1) : found.arbiter
  const payment = { from: one, to: two, currency, amount, fee, nonce, validUntil, signature }
  const least = (bound: bigint | undefined): bigint =>
    bound !== undefined && intent.two % 2 === 0 && amount > bound ? bound : amount
  const entries: { [Name in KindName]: () => Extract<Entry, { kind: Name }> } = {
    transfer: () => ({ kind: 'transfer', ...payment }),
    withdraw: () => ({ kind: 'withdraw', ...payment, recipient: 'ab'.repeat(20) }),
    reserve: () => ({
      ...{ kind: 'reserve', ...payment, lockHash: lockOf(intent.three), expiry: second + (spoilt === 7 ? 0 : 20) },
      arbiter: intent.three % 5 === 0 ? pick(intent.three) : 0,
    }),
    post: () => ({
      ...{ kind: 'post', reservation, amount: least(found?.left), by, signature, last: intent.three % 2 },
      remaining: spoilt === 8 ? amount : (found?.left ?? amount),
      preimage: spoilt === 9 ? '11'.repeat(32) : preimageOf([0, 1, 2, 3].find(n => lockOf(n) === found?.lock) ?? 0),
    }),
    void: () => ({ kind: 'void', reservation, by, signature }),
    expire: () => ({ kind: 'expire', reservation }),
    open: () => ({
      ...{ kind: 'open', account: model.counts.accounts + (spoilt === 5 ? 2 : 1), order, ...given },
      ...{ currency: intent.two % 7 === 0 ? 2 : 1, side: intent.three % 6 === 0 ? 1 : 0 },
    }),
    keyChange: () => ({ kind: 'keyChange', account: one, ...given, nonce, validUntil, signature }),
    keyOrder: () => ({ kind: 'keyOrder', account: one, ...given, order }),
    link: () => ({
      kind: 'link',
      account: one,
      linked: intent.three % 9 === 0 ? 0 : two,
      nonce,
      validUntil,
      signature,
    }),
    mint: () => ({ kind: 'mint', from: spoilt === 6 ? one : 1, to: two, currency, amount, order }),
    burn: () => ({ kind: 'burn', from: one, to: spoilt === 6 ? two : 1, currency, amount, order }),
    deposit: () => ({ kind: 'deposit', from: one, to: two, currency, amount, operation: '0e'.repeat(32) }),
    freeze: () => ({ kind: 'freeze', account: one, amount: intent.three % 3 === 0 ? 0n : amount, order }),
    unfreeze: () => ({
      ...{ kind: 'unfreeze', account: one, order },
      amount: (account?.holds ?? 0) > 0 && intent.three % 5 > 0 ? 0n : least(account?.frozen),
    }),
    seize: () => ({
      ...{ kind: 'seize', from: one, to: two, currency, amount, order },
      frozen: intent.three % 2 === 0 ? 0n : least(account?.frozen),
    }),
    interest: () => ({
      ...{ kind: 'interest', account: one, counter: two, currency, order, day: intent.three },
      amount: BigInt.asIntN(64, intent.three % 2 === 0 ? amount : -amount),
    }),
    close: () => ({ kind: 'close', account: one, order }),
    instruct: () => ({
      ...{ kind: 'instruct', account: one, to: two, currency, amount, nonce, validUntil, signature },
      // Soon, so that the history sees it come; of days most are too far for it.
      ...{ first: second + (spoilt === 7 ? 0 : 1 + (intent.three % 9)), unit: spoilt === 8 ? 4 : intent.three % 4 },
      every: spoilt === 9 ? 0 : intent.three % 4 === 0 ? 1 : 1 + (intent.two % 3),
      times: intent.three % 4 === 0 ? 1 : intent.two % 4,
    }),
    instalment: () => ({
      ...{ kind: 'instalment', instruction, index, from: spoilt === 6 ? one : (instructed?.from ?? one) },
      ...{
        to: spoilt === 10 ? two : (instructed?.to ?? two),
        currency: spoilt === 1 ? 9 : (instructed?.currency ?? 1),
      },
      amount: spoilt === 11 ? amount : (instructed?.amount ?? amount),
    }),
    revoke: () => {
      const account = spoilt === 6 ? one : (instructed?.from ?? one)
      return {
        kind: 'revoke',
        account,
        instruction,
        nonce: model.accounts.get(account)?.nonce ?? 0,
        validUntil,
        signature,
      }
    },
    sweep: () => ({
      ...{ kind: 'sweep', from: one, to: spoilt === 6 ? two : (account?.linked ?? two), currency, amount },
    }),
  }
  const entry = entries[kind]()
  const speaks =
    'by' in entry ? entry.by : kind === 'revoke' ? instructed?.from : 'signature' in entry ? one : undefined
  const owned = speaks === undefined ? undefined : model.accounts.get(speaks)?.key
  const owner = keys.find(each => keyName(each) === owned)
  return { entry, signer: intent.signed ? owner : keys.find(each => each !== owner) }
}
