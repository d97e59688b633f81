import { digestOf } from '../../../../kernel/canonical.ts'
import type { EntryOf, OwnerKey } from '../../../../kernel/ledger-entry.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { invalidEntry, participantAdmitted, participantMissing } from '../../errors.ts'
import { amountMost } from '../../ledger/state.ts'
import { orderRequires } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { Desk } from '../desk.ts'
import { allOf } from '../execute.ts'
import type { Ask } from '../rows.ts'
import { currencyParam } from './order.ts'

/** Institutions with a reserve account. */

export type Participant = {
  did: string
  currency: number
  account: number
  name: string
  issuanceLimit: bigint
  admittedAt: number
  endedAt: number | null
}

type ParticipantRow = Row & {
  did: string
  currency: number
  account: number
  name: string
  issuance_limit: string
  admitted_at: number
  ended_at: number | null
}

const columns = 'did, currency, account, name, cast(issuance_limit AS TEXT) AS issuance_limit, admitted_at, ended_at'

const participantOf = (row: ParticipantRow): Participant => ({
  ...{ did: row.did, currency: row.currency, account: row.account, name: row.name },
  ...{ issuanceLimit: BigInt(row.issuance_limit), admittedAt: row.admitted_at, endedAt: row.ended_at },
})

/** Also one whose admission has ended. */
export const findParticipant = async (ask: Ask, did: string, currency: number): Promise<Participant | undefined> => {
  const sql = `SELECT ${columns} FROM cbdc_participants WHERE did = ? AND currency = ?`
  const [row] = await ask<ParticipantRow>(sql, [did, currency])
  return row && participantOf(row)
}

const view = ({ did, currency, account, name, issuanceLimit, admittedAt, endedAt }: Participant) => ({
  ...{ did, currency, account, name, issuanceLimitMinor: String(issuanceLimit) },
  admittedAt: new Date(admittedAt).toISOString(),
  ...(endedAt === null ? {} : { endedAt: new Date(endedAt).toISOString() }),
})

type AdmitBody = OwnerKey & { did: string; name: string; issuanceLimitMinor: string }

/**
 * A bank gets its reserve account in a currency, under the key that it names. One whose admission had ended is admitted
 * again with
 * the account that it had; its key stays what it is.
 * @throws Refusal currency_unknown, participant_admitted, key_invalid
 */
export const admitParticipant = async (desk: Desk, context: Context): Promise<Answer> => {
  const currency = currencyParam(context)
  const body = context.body as AdmitBody
  const { name, scheme, prefix, x } = body
  const did = body.did.toLowerCase()
  const limit = BigInt(body.issuanceLimitMinor)
  if (limit > amountMost) throw invalidEntry('amount_too_large')
  let former: Participant | undefined
  const answer = await desk.ledger.execute({
    ...{ operation: 'admitParticipant', requires: orderRequires.participants, caller: context.caller },
    input: { currency, body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: async ({ tx, book, currencies, record }) => {
      currencies.of(currency)
      former = await findParticipant(tx.query, did, currency)
      if (former?.endedAt === null) throw participantAdmitted()
      if (former !== undefined) return []
      const account = book.state.nextAccount
      const order = orderOf(record.id)
      const entry: EntryOf<'open'> = { kind: 'open', account, currency, side: 0, scheme, prefix, x, order }
      return [[{ entry, signer: undefined, facts: { class: 'reserve', lead: account } }]]
    },
    async answer({ tx, book, record }, outcomes) {
      const account = former?.account ?? allOf(outcomes)[0]?.debit ?? 0
      await tx.query(
        `INSERT INTO cbdc_participants (did, currency, account, name, issuance_limit, admitted_at, ended_at)
         VALUES (?, ?, ?, ?, ?, ?, NULL)
         ON CONFLICT (did, currency) DO UPDATE SET name = excluded.name, issuance_limit = excluded.issuance_limit,
           admitted_at = excluded.admitted_at, ended_at = NULL`,
        [did, currency, account, name, String(limit), book.at],
      )
      const admitted = { did, currency, account, name, issuanceLimit: limit, admittedAt: book.at, endedAt: null }
      record.effect(digestOf(view(admitted)))
      return view(admitted)
    },
  })
  return { status: 201, body: answer }
}

type EndBody = { did: string; legalBasis: string }

/**
 * Nothing more is issued to the institution, and it acts for no customer any more. What is on its account stays: it
 * redeems it, or
 * pays it to another.
 * @throws Refusal participant_missing
 */
export const endParticipant = async (desk: Desk, context: Context): Promise<Answer> => {
  const currency = currencyParam(context)
  const body = context.body as EndBody
  const did = body.did.toLowerCase()
  const answer = await desk.ledger.execute({
    ...{ operation: 'endParticipant', requires: orderRequires.participants, caller: context.caller },
    input: { currency, body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer({ tx, book, record }) {
      const known = await findParticipant(tx.query, did, currency)
      if (known === undefined || known.endedAt !== null) throw participantMissing()
      const ending = 'UPDATE cbdc_participants SET ended_at = ? WHERE did = ? AND currency = ?'
      await tx.query(ending, [book.at, did, currency])
      const ended = view({ ...known, endedAt: book.at })
      record.effect(digestOf(ended))
      return ended
    },
  })
  return { status: 200, body: answer }
}

/** Who has a reserve account, for anyone; those whose admission has ended too. */
export const listParticipants = async (desk: Desk, context: Context): Promise<Answer> => {
  const sql = `SELECT ${columns} FROM cbdc_participants WHERE currency = ? ORDER BY account LIMIT ${participantsMost}`
  const rows = await desk.house.store.read<ParticipantRow>(sql, [currencyParam(context)])
  // What a bank may be issued is between it and the central bank.
  const items = rows.map(participantOf).map(view)
  return { status: 200, body: { items: items.map(({ issuanceLimitMinor: _, ...shown }) => shown) } }
}
const participantsMost = 1_000
