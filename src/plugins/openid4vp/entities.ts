import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { answerKeepMs } from './policy.ts'

const text: EntitySchemaColumnOptions = { type: 'text' }
const integer: EntitySchemaColumnOptions = { type: 'bigint' }
const bytes: EntitySchemaColumnOptions = { type: 'blob' }

/**
 * What wallets are asked for. `sealed` (what is asked, and the key that opens the answer) and `answer` open with a key of the
 * agency; with the answer the key goes.
 */
export const requestEntity = new EntitySchema({
  name: 'presentation_requests',
  columns: {
    id: { ...text, primary: true },
    asker: text,
    state: text,
    sealed: bytes,
    answer: { ...bytes, nullable: true },
    error: { ...text, nullable: true },
    failures: integer,
    created: integer,
    expires: integer,
  },
})

export const entities = [requestEntity]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'presentation_requests',
    keepMs: answerKeepMs,
    why: 'Whoever asked fetches the answer within a day; what was presented is personal and kept no longer.',
    key: 'id',
    age: { column: 'expires', kind: 'ms' },
  },
] as const
