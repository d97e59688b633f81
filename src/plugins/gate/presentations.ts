import { presentationMalformed } from './errors.ts'

/** Presentations that came in a body: of one caller, or of each party to a joint act. */
export type Presented =
  | { by: 'nobody' }
  | { by: 'caller'; presentations: string[] }
  | { by: 'parties'; parties: Record<string, string[]> }

const most = 8
const partiesMost = 16

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A token, or the text of an object with its proof in it. */
const textOf = (value: unknown): string => {
  if (isMembers(value) && isMembers(value['proof'])) return JSON.stringify(value)
  if (typeof value === 'string' && value !== '') return value
  throw presentationMalformed()
}

const listOf = (value: unknown): string[] => {
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > most) throw presentationMalformed()
  return list.map(textOf)
}

/**
 * Takes the presentations out of a body; what is left is what they have to be bound to.
 * @throws Refusal malformed/presentation_malformed
 */
export const takePresentations = (body: unknown): { presented: Presented; rest: unknown } => {
  if (!isMembers(body)) return { presented: { by: 'nobody' }, rest: body }
  const { presentation, presentations, ...rest } = body
  if (presentation === undefined && presentations === undefined) return { presented: { by: 'nobody' }, rest: body }
  if (presentations === undefined) return { presented: { by: 'caller', presentations: listOf(presentation) }, rest }
  if (presentation !== undefined || !isMembers(presentations)) throw presentationMalformed()
  const entries = Object.entries(presentations)
  if (entries.length === 0 || entries.length > partiesMost) throw presentationMalformed()
  const parties = Object.fromEntries(entries.map(([name, value]) => [name, listOf(value)]))
  return { presented: { by: 'parties', parties }, rest }
}
