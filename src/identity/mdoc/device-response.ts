import type { KeyObject } from 'node:crypto'
import { Refusal } from '../../kernel/refusal.ts'
import { decode, encode, Tag } from '../cbor.ts'
import type { CoseSign } from '../cose/sign1.ts'
import { malformed } from '../formats/json.ts'
import type { TrustedChain } from '../x509/chain.ts'
import { type DeviceProof, deviceVouches, readDeviceAuth, signDevice } from './device-authentication.ts'
import {
  discloseElements,
  type IssuerExpectation,
  type OpenedMdoc,
  openMdoc,
  readIssuerSigned,
  verifyIssuer,
} from './issuer-signed.ts'
import type { SessionTranscript } from './session-transcript.ts'
import { cborTag, encodedIn, listIn, mapIn, plainValue, type Spent, textIn } from './values.ts'

/** A document of a device response, taken apart. Nothing in it is believed yet but that its elements fit their digests. */
export type PresentedMdoc = OpenedMdoc & {
  /** What the device itself says, by namespace and name. */
  deviceNamespaces: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  device: {
    kind: DeviceProof['kind']
    /**
     * Whether the holder's device vouches for this document in this exchange.
     * @throws Refusal as `deviceVouches`
     */
    vouches(transcript: SessionTranscript, readerKey?: KeyObject): Promise<boolean>
  }
}

export type OpenedDeviceResponse = {
  documents: readonly PresentedMdoc[]
  /** ISO/IEC 18013-5, table 8: 0 is good. */
  status: number
  /** Document types that the device does not give, with a code of table 9. */
  errors: readonly { docType: string; code: number }[]
}

const documentsMost = 16

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

const readDeviceNamespaces = (octets: Uint8Array, spent: Spent): PresentedMdoc['deviceNamespaces'] =>
  Object.fromEntries(
    [...mapIn(decode(octets, { spent }), 'The device’s nameSpaces')].map(([namespace, elements]) => {
      mapIn(elements, 'A namespace of the device')
      return [textIn(namespace, 'A namespace'), plainValue(elements) as Record<string, unknown>]
    }),
  )

/** A device may sign only what its issuer authorized it to (ISO/IEC 18013-5, section 9.3.3 and `KeyAuthorizations`). */
const assertAuthorized = (mdoc: OpenedMdoc, namespaces: PresentedMdoc['deviceNamespaces']): void => {
  const { nameSpaces, dataElements } = mdoc.keyAuthorizations
  for (const [namespace, elements] of Object.entries(namespaces)) {
    if (nameSpaces.includes(namespace)) continue
    const named = Object.hasOwn(dataElements, namespace) ? (dataElements[namespace] ?? []) : []
    if (!Object.keys(elements).every(name => named.includes(name)))
      throw rejected(
        'device_element_unauthorized',
        'The device says something that its issuer did not authorize it to.',
      )
  }
}

const readDocument = (item: unknown, spent: Spent): PresentedMdoc => {
  const document = mapIn(item, 'A document')
  const mdoc = readIssuerSigned(document.get('issuerSigned'), spent)
  if (document.get('docType') !== mdoc.docType)
    throw rejected('payload_edited', 'The document is presented as another type than its issuer signed.')
  const signed = mapIn(document.get('deviceSigned'), 'deviceSigned')
  const nameSpaces = encodedIn(signed.get('nameSpaces'), 'The device’s nameSpaces')
  const deviceNamespaces = readDeviceNamespaces(nameSpaces, spent)
  assertAuthorized(mdoc, deviceNamespaces)
  const proof = readDeviceAuth(signed.get('deviceAuth'))
  const { docType, deviceKey } = mdoc
  return {
    ...mdoc,
    deviceNamespaces,
    device: {
      kind: proof.kind,
      vouches: (transcript, readerKey) =>
        deviceVouches(proof, { transcript, docType, nameSpaces }, { deviceKey, readerKey }),
    },
  }
}

const readErrors = (value: unknown): OpenedDeviceResponse['errors'] =>
  listIn(value ?? [], 'documentErrors').flatMap(each =>
    [...mapIn(each, 'A document error')].map(([docType, code]) => {
      if (typeof code !== 'number') throw malformed('A document error of the mdoc is not a number.')
      return { docType: textIn(docType, 'A document type'), code }
    }),
  )

/**
 * Takes a `DeviceResponse` apart (ISO/IEC 18013-5, section 8.3.2.1.2.2), at most 16 documents. As base64url it is a
 * presentation in the `vp_token` of OpenID4VP 1.0, annex B.2.5.
 * @throws Refusal malformed/credential_malformed, malformed/key_malformed, rejected/digest_mismatch,
 *   rejected/payload_edited, rejected/device_element_unauthorized, rejected/algorithm_refused,
 *   rejected/status_type_unknown
 */
export const openDeviceResponse = (bytes: Uint8Array): OpenedDeviceResponse => {
  const spent = { items: 0 }
  return readDeviceResponse(decode(bytes, { spent }), spent)
}

/** As `openDeviceResponse`. @param item as `decode` gave it. */
export const readDeviceResponse = (item: unknown, spent: Spent): OpenedDeviceResponse => {
  const response = mapIn(item, 'The device response')
  if (!/^1\.\d+$/.test(textIn(response.get('version'), 'The version')))
    throw malformed('The device response is of a version that is not read here; 1.0 is.')
  const status = response.get('status')
  if (typeof status !== 'number') throw malformed('The device response lacks its status.')
  const documents = listIn(response.get('documents') ?? [], 'documents')
  if (documents.length > documentsMost) throw malformed(`The device response has more than ${documentsMost} documents.`)
  const read = documents.map(each => readDocument(each, spent))
  return { documents: read, status, errors: readErrors(response.get('documentErrors')) }
}

export type PresentationExpectationOfMdoc = IssuerExpectation & {
  transcript: SessionTranscript
  /** The reader's ephemeral private key, where devices may answer with a MAC. */
  readerKey?: KeyObject
}

export type VerifiedMdoc = { mdoc: PresentedMdoc; issuer: TrustedChain }

/**
 * Judges a whole device response: who issued each document, when, and that the holder's device presents it in this
 * exchange (ISO/IEC 18013-5, sections 9.1.3 and 9.3.1). Statuses are not looked at here.
 * @throws Refusal those of `openDeviceResponse` and `verifyIssuer`; rejected/holder_mismatch,
 *   rejected/holder_unproven, rejected/algorithm_mismatch; malformed/credential_malformed for a response without
 *   documents or with a status that is not good.
 */
export const verifyDeviceResponse = async (
  bytes: Uint8Array,
  expected: PresentationExpectationOfMdoc,
): Promise<VerifiedMdoc[]> => {
  const { documents, status } = openDeviceResponse(bytes)
  if (status !== 0 || documents.length === 0) throw malformed('The device response brings no document.')
  const verified: VerifiedMdoc[] = []
  for (const mdoc of documents) {
    const issuer = await verifyIssuer(mdoc, expected)
    if (!(await mdoc.device.vouches(expected.transcript, expected.readerKey)))
      throw rejected(
        'holder_mismatch',
        'The mdoc is not presented by the device that holds it, or in another exchange.',
      )
    verified.push({ mdoc, issuer })
  }
  return verified
}

/** One document to present. */
export type MdocToShow = {
  issuerSigned: Uint8Array
  /** Names of data elements by namespace; nothing else is shown. */
  shown: Readonly<Record<string, readonly string[]>>
  /** What the device itself says, where the issuer authorized it to: CBOR values. */
  deviceNamespaces?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  algorithm: 'ES256' | 'ES384' | 'EdDSA'
  /** Signs with the key that the mdoc names. */
  sign: CoseSign
}

const documentOf = async (part: MdocToShow, transcript: SessionTranscript): Promise<Map<string, unknown>> => {
  const { docType } = openMdoc(part.issuerSigned)
  const nameSpaces = encode(part.deviceNamespaces ?? {})
  const deviceSignature = await signDevice({ transcript, docType, nameSpaces }, part.algorithm, part.sign)
  return new Map<string, unknown>([
    ['docType', docType],
    ['issuerSigned', discloseElements(part.issuerSigned, part.shown)],
    ['deviceSigned', { nameSpaces: new Tag(cborTag.encoded, nameSpaces), deviceAuth: { deviceSignature } }],
  ])
}

/**
 * Presents mdocs in one exchange: a `DeviceResponse`, each document signed by the holder's device.
 * @throws Refusal those of `openMdoc`, for an mdoc that nobody else would read either.
 */
export const presentMdocs = async (
  parts: readonly MdocToShow[],
  transcript: SessionTranscript,
): Promise<Uint8Array> => {
  const documents = await Promise.all(parts.map(part => documentOf(part, transcript)))
  return encode({ version: '1.0', documents, status: 0 })
}
