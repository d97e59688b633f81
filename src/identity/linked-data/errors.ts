import { Refusal } from '../../kernel/refusal.ts'

/** How much of a caller's own text a refusal repeats. */
const shown = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text)

/**
 * A document that JSON-LD calls an error.
 * @param jsonLdError the JsonLdErrorCode of JSON-LD 1.1 API, section 9.6.2, or what safe mode calls it.
 */
export const invalid = (jsonLdError: string, detail: string, cause?: unknown): Refusal =>
  new Refusal('malformed', 'credential_malformed', detail, { facts: { jsonLdError }, cause })

export const contextUnknown = (url: string): Refusal =>
  new Refusal(
    'rejected',
    'context_unknown',
    `The JSON-LD context ${shown(url)} is not known here; contexts are never fetched.`,
    { facts: { jsonLdError: 'loading remote context failed' } },
  )

/** Safe mode: what no context defines would be left out of what a proof covers. */
export const termUnknown = (term: string, what = 'term'): Refusal =>
  new Refusal('rejected', 'term_unknown', `No context of the document defines the ${what} “${shown(term)}”.`, {
    facts: { term: shown(term) },
  })

export const termRedefined = (jsonLdError: string, detail: string): Refusal =>
  new Refusal('rejected', 'term_redefined', detail, { facts: { jsonLdError } })

export const protectedTerm = (term: string): Refusal =>
  termRedefined('protected term redefinition', `A context defines the protected term “${shown(term)}” anew.`)

/** More work than any credential asks for. */
export const tooMuch = (what: string): Refusal =>
  new Refusal('rejected', 'document_poisonous', `The document has too many or too deep ${what} to be processed.`)
