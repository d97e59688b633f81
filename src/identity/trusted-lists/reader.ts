import { isUtf8 } from 'node:buffer'
import { openThread } from '../own-thread.ts'
import type { TrustedList } from './list.ts'
import { schemeOperators } from './operators.ts'
import { listMalformed, listUnavailable } from './refusals.ts'
import { readTrustedEntities } from './ts119602.ts'

export type XmlWork = { xml: string; operators: readonly Uint8Array[]; now: number }

const readXml = openThread<XmlWork>({
  file: new URL('./xml-worker.ts', import.meta.url),
  most: 8,
  unavailable: listUnavailable,
})

const byteOrderMark = '\ufeff'

/**
 * Reads a trusted list of either form: XML begins with `<`, a compact JWS does not.
 * @param operators DER of the certificates that the configuration pins.
 * @throws Refusal trusted_list_malformed, trusted_list_unsigned, trusted_list_of_another, certificate_expired
 */
export const readTrustedList = async (
  bytes: Uint8Array,
  operators: readonly Uint8Array[],
  now: number,
): Promise<TrustedList> => {
  if (!isUtf8(bytes)) throw listMalformed('The list is not UTF-8.')
  const decoded = Buffer.from(bytes).toString('utf8')
  const text = (decoded.startsWith(byteOrderMark) ? decoded.slice(1) : decoded).trim()
  if (text.startsWith('<')) return readXml<TrustedList>({ xml: text, operators, now })
  return readTrustedEntities(text, schemeOperators(operators), now)
}
