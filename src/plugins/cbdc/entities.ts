import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { exchangeEntities, exchangeRetention } from './exchange/entities.ts'
import { instructionEntities, instructionRetention } from './instructions/entities.ts'
import { interbankEntities, interbankRetention } from './interbank/entities.ts'
import { offlineEntities, offlineRetention } from './offline/entities.ts'
import { orderEntities, orderRetention } from './orders/entities.ts'
import { purposeEntities, purposeRetention } from './purpose/entities.ts'
import { railEntities, railRetention } from './rail/entities.ts'
import { receiptEntities, receiptRetention } from './receipts/entities.ts'
import { requestEntities, requestRetention } from './requests/entities.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }
const optional = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, nullable: true })
const key = (column: EntitySchemaColumnOptions): EntitySchemaColumnOptions => ({ ...column, primary: true })

/** The ledger. `cbdc_entries`, `cbdc_batches`, `cbdc_marks` and `cbdc_policies` are never changed. */
export const entities: EntitySchema[] = [
  {
    name: 'cbdc_head',
    columns: {
      id: key(integer),
      next_entry: integer,
      next_batch: integer,
      last_time: integer,
      next_account: integer,
      next_reservation: integer,
      next_instruction: integer,
    },
  },
  {
    name: 'cbdc_currencies',
    columns: {
      number: key(integer),
      code: text,
      decimals: integer,
      home: text,
      issuance: integer,
      fees: integer,
      rail: integer,
      suspense: integer,
      interest: integer,
      opened_at: integer,
    },
  },
  {
    name: 'cbdc_accounts',
    columns: {
      number: key(integer),
      currency: integer,
      side: integer,
      scheme: integer,
      prefix: integer,
      x: bytes,
      nonce: integer,
      debits_pending: integer,
      debits_posted: integer,
      credits_pending: integer,
      credits_posted: integer,
      frozen: integer,
      holds: integer,
      linked: integer,
      interest_day: integer,
      closed: integer,
      last_entry: integer,
      entries: integer,
      last_active: integer,
      class: text,
      level: integer,
      lead: integer,
      day: integer,
      spent: integer,
      held: integer,
      rules: optional(bytes),
      jurisdiction: optional(text),
      servicer: integer,
      kyc_issuer: optional(text),
      kyc_list: optional(integer),
      kyc_place: optional(integer),
      kyc_until: optional(integer),
      opened_at: integer,
      screened_at: optional(integer),
      screening_list: optional(text),
      screening_result: optional(text),
      device: optional(text),
    },
  },
  { name: 'cbdc_account_ids', columns: { id: key(text), number: integer } },
  { name: 'cbdc_persons', columns: { currency: key(integer), pseudonym: key(text), lead: integer } },
  {
    name: 'cbdc_batches',
    columns: {
      number: key(integer),
      at: integer,
      first_entry: integer,
      entries: integer,
      root: bytes,
    },
  },
  {
    name: 'cbdc_entries',
    columns: {
      number: key(integer),
      batch: integer,
      at: integer,
      id: optional(bytes),
      raw: bytes,
      debit: optional(integer),
      credit: optional(integer),
      debit_balance: optional(integer),
      credit_balance: optional(integer),
      debit_before: optional(integer),
      credit_before: optional(integer),
    },
  },
  {
    name: 'cbdc_marks',
    columns: {
      account: key(integer),
      ordinal: key(integer),
      entry: integer,
      at: integer,
    },
  },
  {
    name: 'cbdc_reservations',
    columns: {
      number: key(integer),
      payer: integer,
      payee: integer,
      currency: integer,
      amount: integer,
      remaining: integer,
      posted: integer,
      expiry: integer,
      lock_hash: bytes,
      arbiter: integer,
      entry: integer,
      state: text,
      ended_by: optional(integer),
    },
  },
  {
    name: 'cbdc_policies',
    columns: {
      currency: key(integer),
      version: key(integer),
      valid_from: integer,
      policy: text,
      record: text,
    },
  },
  {
    name: 'cbdc_orders',
    columns: {
      id: key(text),
      kind: text,
      authority: text,
      reference: text,
      account: integer,
      amount: integer,
      legal_basis: text,
      entry: integer,
      since: integer,
      ended_at: optional(integer),
      ended_by: optional(text),
    },
  },
  { name: 'cbdc_arbiters', columns: { did: key(text), currency: key(integer), account: integer } },
  {
    name: 'cbdc_participants',
    columns: {
      did: key(text),
      currency: key(integer),
      account: integer,
      name: text,
      issuance_limit: integer,
      admitted_at: integer,
      ended_at: optional(integer),
    },
  },
]
  .map(schema => new EntitySchema({ ...schema, tableName: schema.name }))
  .concat(
    purposeEntities,
    offlineEntities,
    railEntities,
    receiptEntities,
    orderEntities,
    interbankEntities,
    exchangeEntities,
    instructionEntities,
    requestEntities,
  )

const ledger = 'The ledger itself: balances are the sum of its entries.'

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  { table: 'cbdc_head', keep: 'forever', why: ledger },
  { table: 'cbdc_currencies', keep: 'forever', why: ledger },
  { table: 'cbdc_accounts', keep: 'forever', why: ledger },
  { table: 'cbdc_account_ids', keep: 'forever', why: ledger },
  { table: 'cbdc_persons', keep: 'forever', why: ledger },
  { table: 'cbdc_batches', keep: 'forever', why: ledger },
  { table: 'cbdc_entries', keep: 'forever', why: ledger },
  { table: 'cbdc_marks', keep: 'forever', why: ledger },
  { table: 'cbdc_reservations', keep: 'forever', why: ledger },
  { table: 'cbdc_policies', keep: 'forever', why: ledger },
  { table: 'cbdc_orders', keep: 'forever', why: ledger },
  { table: 'cbdc_arbiters', keep: 'forever', why: ledger },
  { table: 'cbdc_participants', keep: 'forever', why: ledger },
  ...railRetention,
  ...orderRetention,
  ...interbankRetention,
  ...exchangeRetention,
  ...instructionRetention,
  ...offlineRetention,
  ...purposeRetention,
  ...receiptRetention,
  ...requestRetention,
] as const
