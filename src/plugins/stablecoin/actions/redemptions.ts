import { digestOf } from '../../../kernel/canonical.ts'
import { disclose } from '../../../kernel/disclose.ts'
import { admit, type HolderCaller, holderOf } from '../../../kernel/gate.ts'
import { orderKey } from '../../../kernel/order-key.ts'
import { type ActRecord, perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import {
  authorizationInvalid,
  redemptionPseudonymMissing,
  redemptionState,
  redemptionUnknown,
  referenceTaken,
  walletNotEligible,
  walletNotYours,
} from '../errors.ts'
import type { CoinAuthorization, IssuedCoin, StablecoinNeeds } from '../needs.ts'
import { authorizationLeastMs, coinDomain, listMost, requires } from '../policy.ts'
import { type Ask, assertTaken, issuedCoin, takeTurn } from './acts.ts'

/**
 * `requested`: the chain was asked to take the tokens. `received`: the issuer has them, and burns them; where the burn failed, `reason`
 * says why and an officer has it tried again. `burnt`: the customer is owed money. `paid`. `failed`: nothing was taken.
 */
export type RedemptionState = 'requested' | 'received' | 'burnt' | 'paid' | 'failed'

export type RedemptionRow = {
  id: string
  currency: number
  pseudonym: string
  wallet: string
  amount: bigint
  nonce: string
  pay_to: string
  state: RedemptionState
  reason: string | null
  /** What is under way on the chain; null: nothing. */
  outbox: string | null
  payment: string | null
  since: number
  changed: number
}

const columns = `id, currency, pseudonym, wallet, cast(amount AS TEXT) AS amount, nonce, pay_to, state, reason, outbox, payment, since,
  changed`

export const readRedemptions = async (ask: Ask, where: string, params: (string | number)[]): Promise<RedemptionRow[]> =>
  (await ask(`SELECT ${columns} FROM stablecoin_redemptions WHERE ${where}`, params)).map(row => ({
    ...(row as unknown as RedemptionRow),
    amount: BigInt(row['amount'] as string),
  }))

/** What whoever has its id may see. */
const viewOf = ({ id, currency, amount, state, reason, since, changed }: RedemptionRow): Record<string, unknown> => ({
  ...{ redemption: id, currency, amountMinor: String(amount), state, reason },
  ...{ since: new Date(since).toISOString(), changed: new Date(changed).toISOString() },
})

/** @throws Refusal redemption_pseudonym_missing */
const pseudonymOf = ({ matched }: HolderCaller, domain: string): string => {
  const pseudonym = matched['kyc']?.claims['pseudonym'] as { domain?: unknown; value?: unknown } | undefined
  if (pseudonym?.domain === domain && typeof pseudonym.value === 'string') return pseudonym.value
  throw redemptionPseudonymMissing(domain)
}

/** @throws Refusal redemption_pseudonym_missing, wallet_not_eligible, wallet_not_yours */
const ownerOf = ({ wallets }: StablecoinNeeds, caller: HolderCaller, { code }: IssuedCoin, wallet: string): string => {
  const domain = coinDomain(code)
  const pseudonym = pseudonymOf(caller, domain)
  const standing = wallets.standing(wallet, domain)
  if (!standing.valid) throw walletNotEligible()
  if (standing.pseudonym !== pseudonym) throw walletNotYours()
  return pseudonym
}

type RedeemBody = {
  wallet: string
  amountMinor: string
  authorization: Omit<CoinAuthorization, 'from' | 'amount'>
  payTo: string
}

/**
 * A customer gives tokens back: their wallet authorises the issuer to take them (EIP-3009), who burns them and pays.
 * @throws Refusal coin_unknown, coin_issuer_only, redemption_pseudonym_missing, wallet_not_eligible, wallet_not_yours,
 * authorization_invalid, wallet_frozen, wallet_funds_insufficient, token_paused, coin_reference_taken, token_refuses
 */
export const redeemTokens = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = issuedCoin(needs, context)
  admit(context.caller, requires.redeem)
  const caller = holderOf(context.caller)
  const { payTo, amountMinor, ...body } = context.body as RedeemBody
  const [wallet, amount] = [body.wallet.toLowerCase(), BigInt(amountMinor)]
  const nonce = body.authorization.nonce.toLowerCase()
  const { clock } = needs.house
  const answer = await perform(needs.house, {
    ...{ operation: 'redeemTokens', requires: requires.redeem, caller },
    input: { currency: coin.number, body: context.body },
    idempotencyKey: context.headers['idempotency-key'],
    async act(tx, record) {
      const pseudonym = ownerOf(needs, caller, coin, wallet)
      await takeTurn(tx, coin.number)
      const at = clock.now()
      if (body.authorization.validBefore * 1_000 < at + authorizationLeastMs) throw authorizationInvalid()
      const taken = `currency = ? AND wallet = ? AND nonce = ? AND state <> 'failed'`
      if ((await readRedemptions(tx.query, taken, [coin.number, wallet, nonce])).length > 0) throw referenceTaken()
      const write = coin.chain.receive({ ...body.authorization, nonce, from: wallet, amount })
      await assertTaken(coin, write)
      const row: RedemptionRow = {
        ...{ id: record.id, currency: coin.number, pseudonym, wallet, amount, nonce, pay_to: payTo },
        ...{ state: 'requested', reason: null, payment: null, since: at, changed: at },
        outbox: await needs.outbox.enqueue(tx, [write]),
      }
      tx.insert('stablecoin_redemptions', [{ ...row, amount: String(amount) }])
      record.effect(digestOf({ ...row, amount: String(amount) }))
      return viewOf(row)
    },
  })
  return { status: 202, body: answer }
}

export const setRedemption = async (
  tx: Tx,
  { id }: Pick<RedemptionRow, 'id'>,
  to: Pick<RedemptionRow, 'state' | 'reason' | 'outbox' | 'payment'>,
  at: number,
): Promise<void> => {
  const sql =
    'UPDATE stablecoin_redemptions SET state = ?, reason = ?, outbox = ?, payment = ?, changed = ? WHERE id = ?'
  await tx.query(sql, [to.state, to.reason, to.outbox, to.payment, at, id])
}

type Change = {
  operation: string
  requires: typeof requires.redemptions | typeof requires.pay
  change(tx: Tx, row: RedemptionRow, coin: IssuedCoin): Promise<RedemptionRow>
}

const changeRedemption = async (needs: StablecoinNeeds, context: Context, { change, ...act }: Change) => {
  const coin = issuedCoin(needs, context)
  const { params, body } = context
  return perform(needs.house, {
    ...{ ...act, caller: context.caller, input: { params, body } },
    idempotencyKey: context.headers['idempotency-key'],
    async act(tx: Tx, record: ActRecord) {
      await takeTurn(tx, coin.number)
      const where = 'id = ? AND currency = ?'
      const [row] = await readRedemptions(tx.query, where, [params['redemption'] ?? '', coin.number])
      if (row === undefined) throw redemptionUnknown()
      const now = { ...(await change(tx, row, coin)), changed: needs.house.clock.now() }
      await setRedemption(tx, row, now, now.changed)
      record.effect(digestOf({ ...now, amount: String(now.amount) }))
      return viewOf(now)
    },
  })
}

/**
 * Has the burn tried again that the chain refused, as it does while the token is paused.
 * @throws Refusal coin_unknown, coin_issuer_only, token_redemption_unknown, token_redemption_state, token_paused,
 * token_refuses
 */
export const burnRedeemed = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const answer = await changeRedemption(needs, context, {
    ...{ operation: 'burnRedeemed', requires: requires.redemptions },
    async change(tx, row, coin) {
      if (row.state !== 'received' || row.outbox !== null) throw redemptionState(row.state)
      const write = coin.chain.burn(row.amount)
      await assertTaken(coin, write)
      return { ...row, reason: null, outbox: await needs.outbox.enqueue(tx, [write]) }
    },
  })
  return { status: 202, body: answer }
}

/**
 * The customer was paid: with this reference, which serves once.
 * @throws Refusal coin_unknown, coin_issuer_only, token_redemption_unknown, token_redemption_state, coin_reference_taken
 */
export const payRedemption = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const { reference } = orderKey({ authority: '', reference: (context.body as { payment: string }).payment })
  const answer = await changeRedemption(needs, context, {
    ...{ operation: 'payRedemption', requires: requires.pay },
    async change(tx, row) {
      if (row.state !== 'burnt') throw redemptionState(row.state)
      const taken = 'SELECT id FROM stablecoin_redemptions WHERE currency = ? AND payment = ?'
      if ((await tx.query<Row>(taken, [row.currency, reference])).length > 0) throw referenceTaken()
      return { ...row, state: 'paid', reason: null, payment: reference }
    },
  })
  return { status: 200, body: answer }
}

/** @throws Refusal coin_unknown, coin_issuer_only, token_redemption_unknown */
export const getTokenRedemption = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const { number } = issuedCoin(needs, context)
  const ask = needs.house.store.read
  const [row] = await readRedemptions(ask, 'id = ? AND currency = ?', [context.params['redemption'] ?? '', number])
  if (row === undefined) throw redemptionUnknown()
  return { status: 200, body: viewOf(row) }
}

/** Those that are not at their end, the oldest first, with whom to pay. @throws Refusal coin_unknown, coin_issuer_only */
export const listTokenRedemptions = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const { number } = issuedCoin(needs, context)
  const items = await disclose(needs.house, {
    ...{ operation: 'listTokenRedemptions', requires: requires.redemptions, caller: context.caller },
    input: { currency: number },
    async read() {
      const where = `currency = ? AND state IN ('requested', 'received', 'burnt') ORDER BY id LIMIT ${listMost}`
      const rows = await readRedemptions(needs.house.store.read, where, [number])
      return rows.map(row => ({ ...viewOf(row), wallet: row.wallet, payTo: row.pay_to }))
    },
  })
  return { status: 200, body: { items } }
}
