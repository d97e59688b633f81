import { EntitySchema } from 'typeorm'

/** Entries of the log of the agency's did:webvh, as they are published. */
export const didLogEntity = new EntitySchema({
  name: 'did_log',
  columns: { version: { type: 'bigint', primary: true }, entry: { type: 'text' } },
})

export const entities = [didLogEntity]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'did_log',
    keep: 'forever',
    why: 'One row a change of keys; without the first of them the DID has no proof.',
  },
] as const
