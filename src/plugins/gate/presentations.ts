import type { PresentationKey } from '../../kernel/presentation-requests.ts'
import { presentationMalformed } from './errors.ts'
import { presentationsMost } from './policy.ts'

/** What came from one wallet: itself, or by the name of the request that the wallet answered. */
export type Handed = { presentations: string[] } | { request: PresentationKey }

/** Presentations that came in a body: of one caller, or of each party to a joint act. */
export type Presented =
  | { by: 'nobody' }
  | { by: 'caller'; handed: Handed }
  | { by: 'parties'; parties: Record<string, Handed> }

const partiesMost = 16
/** Of the names and secrets of a request. */
const textMost = 128

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A token, or the text of an object with its proof or its mdocs in it. */
export const textOf = (value: unknown): string => {
  if (isMembers(value) && (isMembers(value['proof']) || value['deviceResponse'] !== undefined))
    return JSON.stringify(value)
  if (typeof value === 'string' && value !== '') return value
  throw presentationMalformed()
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= textMost

const referenceOf = ({ request, secret, response_code: code, ...rest }: Record<string, unknown>): PresentationKey => {
  if (!isText(request) || !isText(secret) || Object.keys(rest).length > 0) throw presentationMalformed()
  if (code === undefined) return { id: request, secret }
  if (!isText(code)) throw presentationMalformed()
  return { id: request, secret, responseCode: code }
}

const handedOf = (value: unknown): Handed => {
  if (isMembers(value) && value['request'] !== undefined) return { request: referenceOf(value) }
  const list = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > presentationsMost) throw presentationMalformed()
  return { presentations: list.map(textOf) }
}

/**
 * Takes the presentations out of a body; what is left is what they have to be bound to.
 * @throws Refusal malformed/presentation_malformed
 */
export const takePresentations = (body: unknown): { presented: Presented; rest: unknown } => {
  if (!isMembers(body)) return { presented: { by: 'nobody' }, rest: body }
  const { presentation, presentations, ...rest } = body
  if (presentation === undefined && presentations === undefined) return { presented: { by: 'nobody' }, rest: body }
  if (presentations === undefined) return { presented: { by: 'caller', handed: handedOf(presentation) }, rest }
  if (presentation !== undefined || !isMembers(presentations)) throw presentationMalformed()
  const entries = Object.entries(presentations)
  if (entries.length === 0 || entries.length > partiesMost) throw presentationMalformed()
  const parties = Object.fromEntries(entries.map(([name, value]) => [name, handedOf(value)]))
  return { presented: { by: 'parties', parties }, rest }
}
