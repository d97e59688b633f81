import { EntitySchema } from 'typeorm'
import { evaluationsWindowMs } from './policy.ts'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const

/** How much each institution has asked for in a window; `id` is the window's beginning and the institution. */
export const rateEntity = new EntitySchema({
  name: 'pseudonym_rates',
  columns: { id: { ...text, primary: true }, since: integer, evaluations: integer },
})

/** Who asked for which domain, when and for how many; `id` is that of the journal record. Never what was asked. */
export const requestEntity = new EntitySchema({
  name: 'pseudonym_requests',
  columns: { id: { ...text, primary: true }, agency: text, domain: text, evaluations: integer, at: integer },
})

export const entities = [rateEntity, requestEntity]

const year = 365 * 24 * 60 * 60_000

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  {
    table: 'pseudonym_rates',
    keepMs: evaluationsWindowMs,
    why: 'A window counts until it is over.',
    key: 'id',
    age: { column: 'since', kind: 'ms' },
  },
  {
    table: 'pseudonym_requests',
    keepMs: 10 * year,
    why: 'Which institution derived pseudonyms of which domain can be asked as long as its acts can be contested.',
    key: 'id',
    age: { column: 'id', kind: 'timeId' },
  },
] as const
