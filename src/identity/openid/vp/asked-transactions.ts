import type { Dcql } from '../../../kernel/dcql-query.ts'
import type { AskedTransaction } from '../../../kernel/presentation-answers.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import { isRecord, readSegment } from '../../formats/json.ts'

/** Transaction data as a wallet reads them (OpenID4VP 1.0, sections 5.1 and 8.4; appendix B.3.3.1). */

const itemsMost = 8
const itemLengthMost = 8_192

const refused = (detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', 'invalid_transaction_data', detail, { cause })

/** Of each type the members that it has beside those of every type: what is not listed is refused, as section 8.5 says. */
type Member = { required: boolean; isValid(value: unknown): boolean }
export type TransactionTypes = Readonly<Record<string, Readonly<Record<string, Member>>>>

const text = (most: number, required: boolean): Member => ({
  required,
  isValid: value => typeof value === 'string' && value !== '' && value.length <= most,
})

/**
 * The types that this wallet can show: a statement to agree to, for whoever has no type of their own. `amount` is a decimal
 * with its currency (`12.50 XNC`), for reading alone.
 */
export const transactionTypes: TransactionTypes = {
  'urn:chancery:transaction-data:confirmation:1': {
    text: text(2_000, true),
    reference: text(200, false),
    payee: text(200, false),
    amount: text(60, false),
  },
}

const hashAlgorithm = 'sha-256'
const common = ['type', 'credential_ids', 'transaction_data_hashes_alg']

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.length <= 32 && value.every(each => typeof each === 'string')

const objectIn = (encoded: string): Record<string, unknown> => {
  try {
    const value = readSegment(encoded, 'transaction data')
    if (isRecord(value)) return value
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
  }
  throw refused('transaction_data is a list of JSON objects, each as base64url.')
}

const assertCredentials = (ids: readonly string[], { credentials }: Dcql): void => {
  for (const id of ids) {
    const query = credentials.find(each => each.id === id)
    if (query === undefined) throw refused('credential_ids names a credential that is not asked for.')
    if (query.format !== 'dc+sd-jwt')
      throw refused('Transaction data is signed for with credentials in dc+sd-jwt only.')
    if (query.require_cryptographic_holder_binding === false) {
      throw refused('A credential that is presented without its holder’s key signs for nothing (appendix B.3.3).')
    }
  }
}

const itemOf = (encoded: unknown, dcql: Dcql, types: TransactionTypes): AskedTransaction => {
  if (typeof encoded !== 'string' || encoded.length > itemLengthMost)
    throw refused('A transaction is too long, or no string.')
  const { type, credential_ids: ids, transaction_data_hashes_alg: algorithms, ...content } = objectIn(encoded)
  const members = typeof type === 'string' && Object.hasOwn(types, type) ? types[type] : undefined
  if (typeof type !== 'string' || members === undefined)
    throw refused('The transaction is of a type that is not known here.')
  if (!isTexts(ids)) throw refused('credential_ids of a transaction lists ids of credentials.')
  assertCredentials(ids, dcql)
  if (algorithms !== undefined && !(isTexts(algorithms) && algorithms.includes(hashAlgorithm))) {
    throw refused('transaction_data_hashes_alg lists hashes, and sha-256, which alone is known here, is among them.')
  }
  const stranger = Object.keys(content).find(name => !Object.hasOwn(members, name) || common.includes(name))
  if (stranger !== undefined) throw refused('The transaction has a member that its type does not know.')
  for (const [name, { required, isValid }] of Object.entries(members)) {
    const value = content[name]
    if (value === undefined ? required : !isValid(value))
      throw refused('A member of the transaction is missing or malformed.')
  }
  return { encoded, type, credentialIds: ids, namesAlgorithm: algorithms !== undefined, content }
}

/** @throws Refusal rejected/invalid_transaction_data: for one that is wrong all are refused (section 5.1). */
export const readTransactions = (
  value: unknown,
  dcql: Dcql,
  types: TransactionTypes = transactionTypes,
): AskedTransaction[] => {
  if (value === undefined) return []
  if (!Array.isArray(value) || value.length === 0 || value.length > itemsMost) {
    throw refused(`transaction_data is a list of 1 to ${itemsMost} transactions.`)
  }
  return value.map(each => itemOf(each, dcql, types))
}
