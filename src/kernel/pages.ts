import { Refusal } from './refusal.ts'

/** Where a page of a listing begins, and how long it is. */
export type Page = { after: string; limit: number }

/** What an id may look like that a cursor holds. */
const idForm = /^[0-9a-z:-]{1,100}$/

/** Listings whose cursor is more than an id refuse one in the same words. */
export const cursorMalformed = (cause?: unknown): Refusal =>
  new Refusal('malformed', 'cursor_malformed', 'The cursor is not one that a listing gave out.', { cause })

const afterOf = (cursor: string | undefined, form: RegExp): string => {
  if (cursor === undefined) return ''
  const id = Buffer.from(cursor, 'base64url').toString('utf8')
  if (form.test(id)) return id
  throw cursorMalformed()
}

/**
 * Listings go by an id that is ordered by time, so that the thousandth page costs what the first does: rows with
 * `id > after ORDER BY id LIMIT limit`.
 * @param bounds `most` and `usual` rows of a page; `form` of the ids, where it is narrower than that of all of ours.
 * @throws Refusal malformed/cursor_malformed
 */
export const pageOf = (
  query: Record<string, string | undefined>,
  { most, usual, form = idForm }: { most: number; usual: number; form?: RegExp },
): Page => ({
  after: afterOf(query['cursor'], form),
  limit: Math.min(Number(query['limit'] ?? usual), most),
})

/** The cursor of the next page, when there may be one. */
export const nextPage = (rows: readonly { id: string }[], { limit }: Page): { next?: string } => {
  const last = rows.length === limit ? rows.at(-1) : undefined
  return last === undefined ? {} : { next: Buffer.from(last.id).toString('base64url') }
}
