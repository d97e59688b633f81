import { hash } from 'node:crypto'
import type { Dcql } from '../../../kernel/dcql-query.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { openJws } from '../../formats/jose.ts'
import { isRecord, readSegment } from '../../formats/json.ts'

/** Transaction data of a request (OpenID4VP 1.0, section 8.4), and what a presentation signs of it (appendix B.3.3.1). */

const itemsMost = 8
const itemBytesMost = 8_192

const refused = (detail: string): Refusal => new Refusal('rejected', 'invalid_transaction_data', detail)

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'string' && each.length <= 200)

/** The one hash that is understood here, and that everybody has to understand. */
const algorithm = 'sha-256'

const assertItem = (item: Record<string, unknown>, dcql: Dcql): void => {
  const { type, credential_ids: ids, transaction_data_hashes_alg: algorithms } = item
  if (typeof type !== 'string' || type === '' || type.length > 200) throw refused('Transaction data names its type.')
  if (!isTexts(ids)) throw refused('Transaction data names in credential_ids the queries that can authorise it.')
  for (const id of ids) {
    const query = dcql.credentials.find(each => each.id === id)
    if (query === undefined) throw refused('credential_ids names a query that is not in the DCQL query.')
    if (query.format !== 'dc+sd-jwt') throw refused('Transaction data is signed for by credentials in dc+sd-jwt only.')
    if (query.require_cryptographic_holder_binding === false) {
      throw refused('A credential without holder binding signs for no transaction data.')
    }
  }
  if (algorithms !== undefined && !(isTexts(algorithms) && algorithms.includes(algorithm))) {
    throw refused('transaction_data_hashes_alg has to list sha-256, which alone is understood here.')
  }
}

/**
 * Transaction data as the request has it: each object as base64url of its JSON.
 * @throws Refusal rejected/invalid_transaction_data
 */
export const encodeTransactionData = (items: readonly Record<string, unknown>[], dcql: Dcql): string[] => {
  if (items.length === 0 || items.length > itemsMost) throw refused(`Transaction data is of 1 to ${itemsMost} objects.`)
  return items.map(item => {
    assertItem(item, dcql)
    const encoded = Buffer.from(JSON.stringify(item)).toString('base64url')
    if (encoded.length > itemBytesMost) throw refused(`An object of transaction data is at most ${itemBytesMost} long.`)
    return encoded
  })
}

type Item = { hash: string; ids: readonly string[]; namesAlgorithm: boolean }

const itemOf = (encoded: string): Item => {
  const item = readSegment(encoded, 'transaction data')
  if (!isRecord(item) || !isTexts(item['credential_ids'])) throw new Error('transaction data of our own is malformed')
  return {
    // Over the string itself: nothing is decoded before hashing.
    hash: hash('sha256', encoded, 'base64url'),
    ids: item['credential_ids'],
    namesAlgorithm: item['transaction_data_hashes_alg'] !== undefined,
  }
}

type Signed = { query: string; hashes: readonly string[]; algorithm: unknown }

/** What the key binding of a presentation signs. The presentation has been found good before. */
const signedBy = (query: string, presentation: unknown): Signed => {
  const none = { query, hashes: [], algorithm: undefined }
  if (typeof presentation !== 'string' || !presentation.includes('~')) return none
  const binding = presentation.slice(presentation.lastIndexOf('~') + 1)
  if (binding === '') return none
  const { payload } = openJws(binding)
  const hashes = payload['transaction_data_hashes']
  if (hashes === undefined) return none
  if (!isTexts(hashes) || hashes.length > itemsMost) throw refused('transaction_data_hashes is a list of hashes.')
  return { query, hashes, algorithm: payload['transaction_data_hashes_alg'] }
}

/**
 * Whether each piece of transaction data was signed for by exactly one presentation of a credential that may, and nothing else was.
 * @param requested as the request had it; without any, nothing may be signed for.
 * @throws Refusal rejected/invalid_transaction_data
 */
export const judgeTransactionData = (
  requested: readonly string[] | undefined,
  vpToken: Readonly<Record<string, readonly unknown[]>>,
): void => {
  const items = (requested ?? []).map(itemOf)
  const signed = Object.entries(vpToken).flatMap(([query, list]) => list.map(each => signedBy(query, each)))
  for (const { query, hashes, algorithm: named } of signed) {
    for (const each of hashes) {
      const item = items.find(known => known.hash === each && known.ids.includes(query))
      if (item === undefined) throw refused('A presentation signs for transaction data that it was not asked to.')
      if (named !== algorithm && (named !== undefined || item.namesAlgorithm)) {
        throw refused('transaction_data_hashes_alg of the presentation has to be sha-256.')
      }
    }
  }
  for (const item of items) {
    const signers = signed.filter(({ hashes }) => hashes.includes(item.hash))
    if (signers.length === 0) throw refused('No presentation signs for all of the transaction data.')
    if (signers.length > 1) throw refused('Transaction data is signed for by one credential, not by several.')
  }
}
