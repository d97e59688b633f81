import { isUtf8 } from 'node:buffer'
import { Refusal } from '../kernel/refusal.ts'

export const formType = 'application/x-www-form-urlencoded'

const fieldsMost = 64

const malformed = (cause?: unknown): Refusal =>
  new Refusal('malformed', 'form_malformed', 'The form has a field that no operation reads.', { cause })

/** Strictly: what is no UTF-8 behind its percent signs would be read as another text. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw malformed(cause)
  }
}

/**
 * A form (`application/x-www-form-urlencoded`) as an object of texts. A name given twice is refused, as OAuth has it (RFC 6749,
 * section 3.2); a field without a value counts as left out.
 * @throws Refusal form_malformed, parameter_repeated
 */
export const parseForm = (bytes: Uint8Array): Record<string, string> => {
  if (!isUtf8(bytes)) throw new Refusal('malformed', 'form_malformed', 'The form is not encoded in UTF-8.')
  const fields = new Map<string, string>()
  for (const field of Buffer.from(bytes)
    .toString('utf8')
    .split('&', fieldsMost + 1)) {
    if (field === '') continue
    const cut = field.indexOf('=')
    const name = decoded(cut < 0 ? field : field.slice(0, cut))
    const value = cut < 0 ? '' : decoded(field.slice(cut + 1))
    if (fields.has(name)) throw new Refusal('malformed', 'parameter_repeated', 'A field of the form is given twice.')
    if (name === '__proto__' || `${name}${value}`.includes('\0') || fields.size >= fieldsMost) throw malformed()
    fields.set(name, value)
  }
  return Object.fromEntries([...fields].filter(([, value]) => value !== ''))
}

/** @throws Refusal form_malformed */
export const parseText = (bytes: Uint8Array): string => {
  if (!isUtf8(bytes)) throw new Refusal('malformed', 'form_malformed', 'The text is not encoded in UTF-8.')
  return Buffer.from(bytes).toString('utf8')
}
