import type { Row, Store, Tx } from '../../../../kernel/ports.ts'
import type { Ask } from '../rows.ts'

export type RequestState = 'open' | 'paid' | 'declined' | 'withdrawn' | 'expired'

/** What one account gets of a request: a transfer of its own. */
export type Leg = {
  account: number
  amount: bigint
  /** Null: what the shares leave to the payee. */
  share: { numerator: number; denominator: number } | null
  /** The entry that paid it. */
  entry: number | null
}

/** Amounts in minor units, times in milliseconds. */
export type PaymentRequest = {
  id: string
  currency: number
  payee: number
  /** Whose account that is, by the lead account of the person. */
  payeeLead: number
  /** The account that is asked; null: whoever has the id. */
  payer: number | null
  /** Whose that is, or who paid; null: nobody's. */
  payerLead: number | null
  amount: bigint
  /** SHA-256 in hex of what the two know it by. */
  reference: string | null
  expires: number
  since: number
  /** As it was written: one that nobody answered in time stays open there. */
  state: RequestState
  endedAt: number | null
  legs: readonly Leg[]
}

const columns = `id, currency, payee, payee_lead, payer, payer_lead, cast(amount AS TEXT) AS amount, reference, expires,
  since, state, ended_at`

type IdRow = Row & { id: string }

const legOf = (row: Row): Leg => ({
  ...{ account: row['account'] as number, amount: BigInt(row['amount'] as string) },
  share:
    row['numerator'] === null
      ? null
      : { numerator: row['numerator'] as number, denominator: row['denominator'] as number },
  entry: row['entry'] as number | null,
})

const requestOf = (row: IdRow, legs: readonly Leg[]): PaymentRequest => ({
  ...{ id: row.id, currency: row['currency'] as number, payee: row['payee'] as number },
  ...{ payeeLead: row['payee_lead'] as number, payer: row['payer'] as number | null },
  ...{ payerLead: row['payer_lead'] as number | null, amount: BigInt(row['amount'] as string) },
  ...{ reference: row['reference'] as string | null, expires: row['expires'] as number },
  ...{ since: row['since'] as number, state: row['state'] as RequestState },
  ...{ endedAt: row['ended_at'] as number | null, legs },
})

const inTexts = (dialect: Store['dialect']): string =>
  dialect === 'sqlite'
    ? 'IN (SELECT value FROM json_each(?))'
    : 'IN (SELECT value FROM json_array_elements_text(?::json))'

/** @param where after `WHERE`, with its order. */
export const readRequests = async (
  ask: Ask,
  dialect: Store['dialect'],
  { where, params }: { where: string; params: (string | number)[] },
): Promise<PaymentRequest[]> => {
  const rows = await ask<IdRow>(`SELECT ${columns} FROM cbdc_requests WHERE ${where}`, params)
  if (rows.length === 0) return []
  const ofLegs = `SELECT request, account, cast(amount AS TEXT) AS amount, numerator, denominator, entry
    FROM cbdc_request_legs WHERE request ${inTexts(dialect)} ORDER BY request, ordinal`
  const legs = await ask<Row & { request: string }>(ofLegs, [JSON.stringify(rows.map(({ id }) => id))])
  const byRequest = Map.groupBy(legs, ({ request }) => request)
  return rows.map(row => requestOf(row, (byRequest.get(row.id) ?? []).map(legOf)))
}

export const findRequest = async (
  ask: Ask,
  dialect: Store['dialect'],
  id: string,
): Promise<PaymentRequest | undefined> => (await readRequests(ask, dialect, { where: 'id = ?', params: [id] }))[0]

/** What a payee has open at a time, and of that what asks one account. */
export const countOpen = async (
  ask: Ask,
  { payeeLead, payer, at }: { payeeLead: number; payer: number | null; at: number },
): Promise<{ open: number; ofPayer: number }> => {
  const sql = `SELECT count(*) AS open, count(CASE WHEN payer = ? THEN 1 END) AS of_payer FROM cbdc_requests
    WHERE payee_lead = ? AND state = 'open' AND expires > ?`
  const [row] = await ask(sql, [payer ?? 0, payeeLead, at])
  return { open: Number(row?.['open'] ?? 0), ofPayer: Number(row?.['of_payer'] ?? 0) }
}

/** At once, so that the next request of the same batch finds it. */
export const insertRequest = async (tx: Tx, request: PaymentRequest): Promise<void> => {
  await tx.query(
    `INSERT INTO cbdc_requests (id, currency, payee, payee_lead, payer, payer_lead, amount, reference, expires, since,
       state, ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)`,
    [
      ...[request.id, request.currency, request.payee, request.payeeLead, request.payer, request.payerLead],
      ...[String(request.amount), request.reference, request.expires, request.since, request.state],
    ],
  )
  const values = request.legs.map(() => '(?, ?, ?, ?, ?, ?, NULL)').join(', ')
  await tx.query(
    `INSERT INTO cbdc_request_legs (request, ordinal, account, amount, numerator, denominator, entry) VALUES ${values}`,
    request.legs.flatMap(({ account, amount, share }, ordinal) => [
      ...[request.id, ordinal, account, String(amount), share?.numerator ?? null, share?.denominator ?? null],
    ]),
  )
}

/** Ends a request that was read as open while the ledger was held. */
export const endRequest = async (
  tx: Tx,
  { id, payerLead, legs }: PaymentRequest,
  { state, at }: { state: RequestState; at: number },
): Promise<void> => {
  const sql = `UPDATE cbdc_requests SET state = ?, ended_at = ?, payer_lead = ? WHERE id = ? AND state = 'open'
    RETURNING id`
  const ended = await tx.query(sql, [state, at, payerLead, id])
  if (ended.length !== 1) throw new Error(`the request ${id} was ended while the ledger was held`)
  for (const [ordinal, { entry }] of legs.entries()) {
    if (entry === null) continue
    await tx.query('UPDATE cbdc_request_legs SET entry = ? WHERE request = ? AND ordinal = ?', [entry, id, ordinal])
  }
}
