import { hash, timingSafeEqual } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { malformed } from './json.ts'

const lengthMost = 4_096
/** The strongest last. */
const strengths = ['sha256', 'sha384', 'sha512'] as const
const expression = /^(sha256|sha384|sha512)-([A-Za-z0-9+/]{1,128}={0,2})(\?[\x21-\x7e]*)?$/

const mismatch = (why: string): Refusal => new Refusal('rejected', 'digest_mismatch', why)

/**
 * Checks a document that an SD-JWT VC or its type metadata refers to against the `#integrity` beside the reference
 * (SD-JWT VC section 5). Of several hash expressions the strongest count, and one of those has to fit; hashes that are
 * not known are passed over, as Subresource Integrity (section 3.3.2) has it.
 * @param document its octets as they came.
 * @throws Refusal rejected/digest_mismatch, malformed/credential_malformed
 */
export const assertIntegrity = (document: Uint8Array, metadata: unknown): void => {
  if (typeof metadata !== 'string' || metadata.length > lengthMost) {
    throw malformed('The integrity metadata is not a string of a bearable length.')
  }
  const known = metadata.split(/[ \t\r\n\f]+/).flatMap(text => {
    const [, algorithm, digest = ''] = expression.exec(text) ?? []
    return algorithm === undefined ? [] : [{ algorithm, digest: Buffer.from(digest, 'base64') }]
  })
  const strongest = strengths.findLast(each => known.some(({ algorithm }) => algorithm === each))
  if (strongest === undefined) throw mismatch('The integrity metadata names no hash that is known here.')
  const actual = Buffer.from(hash(strongest, document, 'base64'), 'base64')
  const fits = known.some(
    ({ algorithm, digest }) =>
      algorithm === strongest && digest.length === actual.length && timingSafeEqual(digest, actual),
  )
  if (!fits) throw mismatch('The document differs from the one that the integrity metadata names.')
}
