import type { JsonWebKey } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { decode } from '../cbor.ts'
import { coseKeyOf, jwkOfCoseKey } from '../cose/key.ts'
import { malformed } from '../formats/json.ts'
import { isListUrl } from '../status-lists/url.ts'
import { dateTime, encodedIn, listIn, mapIn, plainValue, readDateTime, type Spent, textIn } from './values.ts'

/** ISO/IEC 18013-5, section 9.1.2.5: algorithms of digests, with their names in node:crypto. */
export const digestAlgorithms = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const
export type DigestAlgorithm = keyof typeof digestAlgorithms

/** Milliseconds, whole seconds. */
export type MdocValidity = { signed: number; validFrom: number; validUntil: number; expectedUpdate?: number }

/**
 * A place in a Token Status List (draft-ietf-oauth-status-list, section 6.3). Beside it an agency writes where the same status
 * stands on chain, as in its SD-JWT VCs: mechanisms that a reader does not know are none of its business (section 6.1).
 */
export type MdocStatus = { uri: string; index: number; onChain?: Readonly<Record<string, unknown>> }

/** What the device may sign for itself (ISO/IEC 18013-5, section 9.1.2.4, `KeyAuthorizations`). */
export type KeyAuthorizations = {
  nameSpaces: readonly string[]
  dataElements: Readonly<Record<string, readonly string[]>>
}

/** The mobile security object, MSO (ISO/IEC 18013-5, section 9.1.2.4). */
export type SecurityObject = {
  docType: string
  digestAlgorithm: DigestAlgorithm
  /** By namespace and digest id. */
  digests: ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>
  deviceKey: JsonWebKey
  keyAuthorizations: KeyAuthorizations
  validity: MdocValidity
  status?: MdocStatus
}

/** Any unsigned integer: issuers out there go beyond the bound of 2^31 that the standard sets them. */
export const isDigestId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

const readDigests = (value: unknown, octets: number): SecurityObject['digests'] => {
  const digests = new Map<string, Map<number, Uint8Array>>()
  for (const [namespace, ofNamespace] of mapIn(value, 'valueDigests')) {
    const read = new Map<number, Uint8Array>()
    for (const [id, digest] of mapIn(ofNamespace, 'A namespace of valueDigests')) {
      if (!isDigestId(id) || !(digest instanceof Uint8Array) || digest.length !== octets)
        throw malformed(`A digest of the mdoc has no digest id, or not ${octets} octets.`)
      read.set(id, digest)
    }
    digests.set(textIn(namespace, 'A namespace of valueDigests'), read)
  }
  return digests
}

const readValidity = (value: unknown): MdocValidity => {
  const info = mapIn(value, 'validityInfo')
  const signed = readDateTime(info.get('signed'), 'signed')
  const validFrom = readDateTime(info.get('validFrom'), 'validFrom')
  const validUntil = readDateTime(info.get('validUntil'), 'validUntil')
  if (validFrom < signed || validUntil <= validFrom)
    throw malformed('The dates of the mdoc are not in order: signed, validFrom, validUntil.')
  const update = info.get('expectedUpdate')
  const expectedUpdate = update === undefined ? {} : { expectedUpdate: readDateTime(update, 'expectedUpdate') }
  return { signed, validFrom, validUntil, ...expectedUpdate }
}

const readAuthorizations = (value: unknown): KeyAuthorizations => {
  const info = value === undefined ? new Map() : mapIn(value, 'keyAuthorizations')
  const names = (list: unknown) =>
    listIn(list, 'A list of keyAuthorizations').map(each => textIn(each, 'An authorization'))
  const elements = [...mapIn(info.get('dataElements') ?? new Map(), 'dataElements')]
  return {
    nameSpaces: names(info.get('nameSpaces') ?? []),
    dataElements: Object.fromEntries(
      elements.map(([namespace, list]) => [textIn(namespace, 'A namespace'), names(list)]),
    ),
  }
}

const readStatus = (value: unknown): MdocStatus => {
  const list = mapIn(value, 'status').get('status_list')
  if (list === undefined)
    throw new Refusal('rejected', 'status_type_unknown', 'The status of the mdoc is not in a Token Status List.')
  const reference = mapIn(list, 'status_list')
  const index = reference.get('idx')
  if (typeof index !== 'number' || !Number.isSafeInteger(index) || index < 0)
    throw malformed('idx in the status of the mdoc is not a whole number.')
  const uri = reference.get('uri')
  if (!isListUrl(uri)) throw malformed('uri in the status of the mdoc is no URI of a bearable length.')
  const entry = mapIn(value, 'status').get('evm_status')
  if (entry === undefined) return { uri, index }
  return { uri, index, onChain: plainValue(mapIn(entry, 'evm_status')) as Record<string, unknown> }
}

/**
 * Reads `MobileSecurityObjectBytes`, the payload of the issuer's signature.
 * @throws Refusal malformed/credential_malformed, malformed/key_malformed, rejected/algorithm_refused,
 *   rejected/status_type_unknown
 */
export const readSecurityObject = (payload: Uint8Array, spent: Spent): SecurityObject => {
  const octets = encodedIn(decode(payload, { spent }), 'The security object')
  const object = mapIn(decode(octets, { spent }), 'The security object')
  const version = textIn(object.get('version'), 'The version')
  if (!/^1\.\d+$/.test(version)) throw malformed('The mdoc is of a version that is not read here; 1.0 is.')
  const name = textIn(object.get('digestAlgorithm'), 'digestAlgorithm')
  if (!Object.hasOwn(digestAlgorithms, name))
    throw new Refusal('rejected', 'algorithm_refused', 'The digests of an mdoc must be SHA-256, SHA-384 or SHA-512.')
  const digestAlgorithm = name as DigestAlgorithm
  const keyInfo = mapIn(object.get('deviceKeyInfo'), 'deviceKeyInfo')
  const status = object.get('status')
  return {
    docType: textIn(object.get('docType'), 'docType'),
    digestAlgorithm,
    digests: readDigests(object.get('valueDigests'), Number(digestAlgorithm.slice(4)) / 8),
    deviceKey: jwkOfCoseKey(keyInfo.get('deviceKey')),
    keyAuthorizations: readAuthorizations(keyInfo.get('keyAuthorizations')),
    validity: readValidity(object.get('validityInfo')),
    ...(status === undefined ? {} : { status: readStatus(status) }),
  }
}

/** The security object as CBOR wants it, to be encoded. */
export const securityObjectItem = (object: SecurityObject): Map<string, unknown> => {
  const { validity, status, keyAuthorizations } = object
  const { nameSpaces, dataElements } = keyAuthorizations
  const authorizations = new Map<string, unknown>()
  if (nameSpaces.length > 0) authorizations.set('nameSpaces', nameSpaces)
  if (Object.keys(dataElements).length > 0) authorizations.set('dataElements', dataElements)
  const keyInfo = new Map<string, unknown>([['deviceKey', coseKeyOf(object.deviceKey)]])
  if (authorizations.size > 0) keyInfo.set('keyAuthorizations', authorizations)
  const dates = Object.entries(validity).map(([name, at]): [string, unknown] => [name, dateTime(at)])
  const item = new Map<string, unknown>([
    ['version', '1.0'],
    ['digestAlgorithm', object.digestAlgorithm],
    ['valueDigests', object.digests],
    ['deviceKeyInfo', keyInfo],
    ['docType', object.docType],
    ['validityInfo', new Map(dates)],
  ])
  if (status !== undefined) {
    const { index: idx, uri, onChain } = status
    item.set('status', { status_list: { idx, uri }, ...(onChain === undefined ? {} : { evm_status: onChain }) })
  }
  return item
}
