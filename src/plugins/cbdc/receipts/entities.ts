import { EntitySchema } from 'typeorm'

/** The journal record of a batch: of the requests that it took, one stands for all, since each commits to the batch's root. */
export const receiptEntities: EntitySchema[] = [
  new EntitySchema({
    name: 'cbdc_batch_records',
    tableName: 'cbdc_batch_records',
    columns: { batch: { type: 'bigint', primary: true }, record: { type: 'text' } },
  }),
]

export const receiptRetention = [
  { table: 'cbdc_batch_records', keep: 'forever', why: 'Receipts lead from a batch to the log by it.' },
] as const
