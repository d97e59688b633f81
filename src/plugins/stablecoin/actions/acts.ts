import { digestOf } from '../../../kernel/canonical.ts'
import { type Act, type Asked, perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { ChainWrite, Row, Tx } from '../../../kernel/ports.ts'
import { actUnknown, attestorOnly, coinUnknown, issuerOnly, ofChain, referenceTaken } from '../errors.ts'
import type { Coin, IssuedCoin, StablecoinNeeds } from '../needs.ts'

export type Ask = <T extends Row = Row>(sql: string, params?: (string | number | null)[]) => Promise<T[]>

export type ActKind = 'mint' | 'attest' | 'freeze' | 'unfreeze' | 'force' | 'limits'

/** `sent`: on its way to the chain. `done`: final there. `failed`: the chain refused it, and `reason` says why. */
export type ActState = 'sent' | 'done' | 'failed'

export type ActRow = {
  id: string
  currency: number
  kind: ActKind
  wallet: string | null
  other: string | null
  amount: bigint
  burning: bigint | null
  authority: string
  reference: string
  legal_basis: string | null
  digest: string | null
  as_of: number | null
  valid_until: number | null
  under: string | null
  state: ActState
  reason: string | null
  outbox: string
  since: number
  changed: number
}

const columns = `id, currency, kind, wallet, other, cast(amount AS TEXT) AS amount, cast(burning AS TEXT) AS burning,
  authority, reference, legal_basis, digest, as_of, valid_until, under, state, reason, outbox, since, changed`

const actOf = (row: Row): ActRow => ({
  ...(row as unknown as ActRow),
  amount: BigInt(row['amount'] as string),
  burning: row['burning'] === null ? null : BigInt(row['burning'] as string),
})

export const readActs = async (ask: Ask, where: string, params: (string | number)[]): Promise<ActRow[]> =>
  (await ask(`SELECT ${columns} FROM stablecoin_acts WHERE ${where}`, params)).map(actOf)

const iso = (at: number): string => new Date(at).toISOString()

export const actView = (act: ActRow): Record<string, unknown> => ({
  ...{ act: act.id, currency: act.currency, kind: act.kind, amountMinor: String(act.amount), state: act.state },
  ...{ reason: act.reason, since: iso(act.since), changed: iso(act.changed) },
})

/** @throws Refusal coin_unknown */
export const coinOf = ({ coins }: StablecoinNeeds, { params }: Context): StablecoinNeeds['coins'][number] => {
  const coin = coins.find(({ number }) => number === Number(params['currency']))
  if (coin === undefined) throw coinUnknown()
  return coin
}

/** @throws Refusal coin_unknown, coin_issuer_only */
export const issuedCoin = (needs: StablecoinNeeds, context: Context): IssuedCoin => {
  const coin = coinOf(needs, context)
  if (coin.role !== 'issuer') throw issuerOnly()
  return coin
}

/** @throws Refusal coin_unknown, coin_attestor_only */
export const attestedCoin = (needs: StablecoinNeeds, context: Context): Coin => {
  const coin = coinOf(needs, context)
  if (coin.role !== 'attestor') throw attestorOnly()
  return coin
}

/** Of acts on one token at one moment each sees those before it. */
export const takeTurn = async (tx: Tx, currency: number): Promise<void> => {
  await tx.query(
    `INSERT INTO stablecoin_heads (currency, acts) VALUES (?, 1)
     ON CONFLICT (currency) DO UPDATE SET acts = stablecoin_heads.acts + 1`,
    [currency],
  )
}

/** @throws Refusal of what the chain would refuse now */
export const assertTaken = async ({ chain }: Coin, write: ChainWrite): Promise<void> => {
  const error = await chain.refusalOf(write)
  if (error !== undefined) throw ofChain(error, write.method)
}

export type Sent = Pick<ActRow, 'kind' | 'authority' | 'reference'> &
  Partial<
    Pick<
      ActRow,
      'wallet' | 'other' | 'amount' | 'burning' | 'legal_basis' | 'digest' | 'as_of' | 'valid_until' | 'under'
    >
  >

type Sending = Pick<Asked, 'operation' | 'requires'> & {
  coin: Coin
  /** The act, and what it asks of the chain, under its id; run once it is this act's turn. */
  plan(tx: Tx, id: string): Promise<{ act: Sent; write: ChainWrite }>
}

const rowOf = (act: ActRow): Row => ({
  ...act,
  amount: String(act.amount),
  burning: act.burning === null ? null : String(act.burning),
})

const insert = (tx: Tx, act: ActRow): Promise<Row[]> => {
  const row = rowOf(act)
  const names = Object.keys(row)
  return tx.query(
    `INSERT INTO stablecoin_acts (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    names.map(name => row[name] ?? null),
  )
}

const nothing = {
  ...{
    wallet: null,
    other: null,
    amount: 0n,
    burning: null,
    legal_basis: null,
    digest: null,
    as_of: null,
    valid_until: null,
  },
  under: null,
}

/**
 * One act on the token, handed to the chain with its record. Nothing is sent that the chain would refuse now; what it refuses all the
 * same ends as `failed`.
 * @throws Refusal coin_reference_taken, and those of the token
 */
export const sendAct = async (needs: StablecoinNeeds, context: Context, sending: Sending): Promise<Answer> => {
  const { coin, operation, requires, plan } = sending
  const run: Act<Record<string, unknown>> = async (tx, record) => {
    await takeTurn(tx, coin.number)
    const { act, write } = await plan(tx, record.id)
    const { kind, authority, reference } = act
    const taken = `SELECT id FROM stablecoin_acts
      WHERE currency = ? AND kind = ? AND authority = ? AND reference = ? AND state <> 'failed'`
    if ((await tx.query(taken, [coin.number, kind, authority, reference])).length > 0) throw referenceTaken()
    await assertTaken(coin, write)
    const outbox = await needs.outbox.enqueue(tx, [write])
    const at = needs.house.clock.now()
    const row: ActRow = {
      ...{ ...nothing, ...act, id: record.id, currency: coin.number, outbox },
      ...{ state: 'sent', reason: null, since: at, changed: at },
    }
    await insert(tx, row)
    record.effect(digestOf(rowOf(row)))
    return actView(row)
  }
  const answer = await perform(needs.house, {
    ...{ operation, requires, caller: context.caller, input: { params: context.params, body: context.body } },
    idempotencyKey: context.headers['idempotency-key'],
    act: run,
  })
  return { status: 202, body: answer }
}

/** How far an act has come, for whoever has its id. @throws Refusal coin_act_unknown */
export const getCoinAct = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const { number } = coinOf(needs, context)
  const ask = needs.house.store.read
  const [act] = await readActs(ask, 'id = ? AND currency = ?', [context.params['act'] ?? '', number])
  if (act === undefined) throw actUnknown()
  return { status: 200, body: actView(act) }
}
