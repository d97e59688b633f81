import { isUtf8 } from 'node:buffer'
import { decode, encode, Tag } from '../cbor.ts'
import { malformed } from '../formats/json.ts'
import {
  algorithmNamed,
  algorithmNumber,
  type CoseAlgorithm,
  type CoseVerificationKey,
  coseSignatureHolds,
  signatureLength,
} from './algorithms.ts'

/** Labels of header parameters (RFC 9052, section 3.1; RFC 9597; RFC 9596; RFC 9360). */
export const headerLabel = { alg: 1, crit: 2, contentType: 3, kid: 4, claims: 15, typ: 16, x5chain: 33 } as const

const sign1Tag = 18
const certificatesMost = 8
const kidLengthMost = 2_048

export type HeaderMap = Map<number | string, unknown>

/** The header of a COSE_Sign1. Of `kid` and `x5chain` alone may a part be unprotected: they are hints, not claims. */
export type Sign1Header = {
  algorithm: CoseAlgorithm
  kid: Uint8Array | undefined
  /** RFC 9596: a media type, or the number of a CoAP content format. */
  typ: string | number | undefined
  contentType: string | number | undefined
  /** RFC 9597: CWT claims. */
  claims: HeaderMap | undefined
  /** RFC 9360: DER certificates, the signer's first. */
  x5chain: readonly Uint8Array[] | undefined
  protected: HeaderMap
  unprotected: HeaderMap
}

/** A COSE_Sign1 taken apart. Nothing in it is believed yet. */
export type OpenedSign1 = {
  header: Sign1Header
  payload: Uint8Array
  signature: {
    /** `kid` as text; empty when there is none or it is no text. */
    kid: string
    algorithm: CoseAlgorithm
    holds(key: CoseVerificationKey): Promise<boolean>
  }
}

export type Sign1Surroundings = {
  /** For a message whose payload is nil: the payload, carried elsewhere (RFC 9052, section 4.2). */
  detachedPayload?: Uint8Array
  /** Externally supplied data (RFC 9052, section 4.3). */
  externalAad?: Uint8Array
}

/** What is about to be signed. */
export type Sign1Draft = Sign1Surroundings & {
  algorithm: CoseAlgorithm
  kid?: string | Uint8Array
  typ?: string
  contentType?: string
  claims?: HeaderMap
  /** Goes into the unprotected header, as ISO/IEC 18013-5, section 9.1.2.4, wants it. */
  x5chain?: readonly Uint8Array[]
  /** Further header parameters by their labels. */
  protected?: HeaderMap
  unprotected?: HeaderMap
  /** Absent when `detachedPayload` is given. */
  payload?: Uint8Array
}

/** @returns r and s side by side, or the signature of Ed25519. */
export type CoseSign = (algorithm: CoseAlgorithm, input: Buffer) => Promise<Uint8Array>

/** `COSE_Sign1` (RFC 9052, section 4.2), to be encoded or put into another structure. */
export type Sign1Item = [
  protectedHeader: Uint8Array,
  unprotected: HeaderMap,
  payload: Uint8Array | null,
  signature: Uint8Array,
]

const nothing = new Uint8Array(0)

/** The head of a byte string (RFC 8949, section 3.1), in its shortest form. */
const byteStringHead = ({ length }: Uint8Array): Buffer => {
  if (length < 24) return Buffer.of(0x40 + length)
  if (length < 0x100) return Buffer.of(0x58, length)
  if (length < 0x1_0000) return Buffer.of(0x59, length >> 8, length & 0xff)
  const head = Buffer.of(0x5a, 0, 0, 0, 0)
  head.writeUInt32BE(length, 1)
  return head
}

const signatureContext = Buffer.concat([Buffer.of(0x84, 0x6a), Buffer.from('Signature1')])

/** The Sig_structure that is signed (RFC 9052, section 4.4). A protected header without parameters counts as empty. */
export const sigStructure = (parts: {
  protectedHeader: Uint8Array
  payload: Uint8Array
  externalAad?: Uint8Array
}): Buffer => {
  const { payload, externalAad = nothing } = parts
  const isEmpty = parts.protectedHeader.length === 1 && parts.protectedHeader[0] === 0xa0
  const header = isEmpty ? nothing : parts.protectedHeader
  const strings = [header, externalAad, payload].flatMap(bytes => [byteStringHead(bytes), bytes])
  return Buffer.concat([signatureContext, ...strings])
}

const isMap = (value: unknown): value is HeaderMap => value instanceof Map

const readProtected = (bytes: Uint8Array): HeaderMap => {
  const header = bytes.length === 0 ? new Map() : decode(bytes, { size: 65_536, depth: 16, items: 4_096 })
  if (!isMap(header)) throw malformed('The protected header of the COSE_Sign1 is not a map.')
  return header
}

/** Every label under `crit` has to be protected and understood (RFC 9052, section 3.1). */
const assertCritical = (header: HeaderMap): void => {
  const critical = header.get(headerLabel.crit)
  if (critical === undefined) return
  if (!Array.isArray(critical) || critical.length === 0) throw malformed('crit of the COSE_Sign1 is not a list.')
  const understood: unknown[] = Object.values(headerLabel)
  if (critical.some(label => !understood.includes(label) || !header.has(label))) {
    throw malformed('The COSE_Sign1 has critical header parameters (crit) that are absent or not understood.')
  }
}

const readType = (value: unknown, name: string): string | number | undefined => {
  if (value === undefined || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw malformed(`${name} of the COSE_Sign1 is neither text nor a whole number.`)
}

/** `COSE_X509 = bstr / [ 2*certs: bstr ]` (RFC 9360, section 2). */
const readChain = (value: unknown): readonly Uint8Array[] | undefined => {
  if (value === undefined) return undefined
  if (value instanceof Uint8Array) return [value]
  const isChain = Array.isArray(value) && value.every(each => each instanceof Uint8Array)
  if (!isChain || value.length < 2) throw malformed('x5chain is neither one certificate nor a list of two or more.')
  if (value.length > certificatesMost) throw malformed(`x5chain has more than ${certificatesMost} certificates.`)
  return value
}

const readHeader = (protectedHeader: HeaderMap, unprotected: HeaderMap): Sign1Header => {
  for (const label of unprotected.keys()) {
    if (protectedHeader.has(label)) throw malformed('A header parameter of the COSE_Sign1 stands in both headers.')
  }
  // RFC 9052, section 3.1: alg is authenticated and crit is protected; RFC 9597, section 2: so are CWT claims.
  for (const label of [headerLabel.alg, headerLabel.crit, headerLabel.claims]) {
    if (unprotected.has(label)) throw malformed('alg, crit and CWT claims of a COSE_Sign1 have to be protected.')
  }
  assertCritical(protectedHeader)
  const either = (label: number): unknown => protectedHeader.get(label) ?? unprotected.get(label)
  const kid = either(headerLabel.kid)
  if (kid !== undefined && !(kid instanceof Uint8Array && kid.length <= kidLengthMost)) {
    throw malformed(`The kid of the COSE_Sign1 is not a byte string of at most ${kidLengthMost} octets.`)
  }
  const claims = protectedHeader.get(headerLabel.claims)
  if (claims !== undefined && !isMap(claims)) throw malformed('The CWT claims of the COSE_Sign1 are not a map.')
  return {
    algorithm: algorithmNamed(protectedHeader.get(headerLabel.alg)),
    kid,
    typ: readType(protectedHeader.get(headerLabel.typ), 'typ'),
    contentType: readType(protectedHeader.get(headerLabel.contentType), 'The content type'),
    claims,
    x5chain: readChain(either(headerLabel.x5chain)),
    protected: protectedHeader,
    unprotected,
  }
}

const payloadOf = (attached: unknown, { detachedPayload }: Sign1Surroundings): Uint8Array => {
  if (attached === null) {
    if (detachedPayload === undefined) throw malformed('The payload of the COSE_Sign1 is detached and not given.')
    return detachedPayload
  }
  if (!(attached instanceof Uint8Array)) throw malformed('The payload of the COSE_Sign1 is not a byte string.')
  if (detachedPayload !== undefined) throw malformed('The COSE_Sign1 carries a payload where none is wanted.')
  return attached
}

/**
 * Takes a COSE_Sign1 apart that stands inside another structure, tagged or not (RFC 9052, section 4.2).
 * @param item as `decode` gave it.
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const readSign1 = (item: unknown, surroundings: Sign1Surroundings = {}): OpenedSign1 => {
  if (item instanceof Tag && item.tag !== sign1Tag) throw malformed('The CBOR tag is not that of a COSE_Sign1 (18).')
  const parts = item instanceof Tag ? item.contents : item
  if (!Array.isArray(parts) || parts.length !== 4) throw malformed('A COSE_Sign1 is an array of four.')
  const [protectedHeader, unprotected, attached, signature] = parts as unknown[]
  if (!(protectedHeader instanceof Uint8Array) || !isMap(unprotected) || !(signature instanceof Uint8Array)) {
    throw malformed('A COSE_Sign1 is a byte string, a map, a payload and a signature.')
  }
  const header = readHeader(readProtected(protectedHeader), unprotected)
  const payload = payloadOf(attached, surroundings)
  const { algorithm, kid } = header
  if (signature.length !== signatureLength(algorithm)) {
    throw malformed(`A signature of ${algorithm} has ${signatureLength(algorithm)} octets.`)
  }
  const { externalAad = nothing } = surroundings
  return {
    header,
    payload,
    signature: {
      kid: kid !== undefined && isUtf8(kid) ? Buffer.from(kid).toString('utf8') : '',
      algorithm,
      holds: key =>
        coseSignatureHolds(
          algorithm,
          { input: sigStructure({ protectedHeader, payload, externalAad }), signature },
          key,
        ),
    },
  }
}

/**
 * Takes the octets of a COSE_Sign1 apart, tagged or not.
 * @throws Refusal malformed/credential_malformed, rejected/algorithm_refused
 */
export const openSign1 = (bytes: Uint8Array, surroundings: Sign1Surroundings = {}): OpenedSign1 =>
  readSign1(decode(bytes), surroundings)

const protectedOf = (draft: Sign1Draft): HeaderMap => {
  const header: HeaderMap = new Map(draft.protected)
  header.set(headerLabel.alg, algorithmNumber(draft.algorithm))
  if (draft.contentType !== undefined) header.set(headerLabel.contentType, draft.contentType)
  if (draft.kid !== undefined) header.set(headerLabel.kid, Buffer.from(draft.kid))
  if (draft.claims !== undefined) header.set(headerLabel.claims, draft.claims)
  if (draft.typ !== undefined) header.set(headerLabel.typ, draft.typ)
  return header
}

const unprotectedOf = (draft: Sign1Draft): HeaderMap => {
  const header: HeaderMap = new Map(draft.unprotected)
  const [only, ...others] = draft.x5chain ?? []
  if (only !== undefined) header.set(headerLabel.x5chain, others.length === 0 ? only : draft.x5chain)
  return header
}

/**
 * Signs a payload as a COSE_Sign1 that another structure takes in (an mdoc, for one).
 * @throws TypeError for a draft with both payloads or none, or a signature of another length: a defect of the caller.
 */
export const sign1Item = async (draft: Sign1Draft, sign: CoseSign): Promise<Sign1Item> => {
  const { algorithm, externalAad = nothing } = draft
  const payload = draft.payload ?? draft.detachedPayload
  if (payload === undefined || (draft.payload !== undefined && draft.detachedPayload !== undefined)) {
    throw new TypeError('A COSE_Sign1 is made of either a payload or a detached payload')
  }
  const protectedHeader = encode(protectedOf(draft))
  const signature = await sign(algorithm, sigStructure({ protectedHeader, payload, externalAad }))
  if (signature.length !== signatureLength(algorithm)) throw new TypeError(`This is no signature of ${algorithm}`)
  return [protectedHeader, unprotectedOf(draft), draft.payload ?? null, signature]
}

/** Signs a payload as a tagged COSE_Sign1 (RFC 9052, section 4.2: `COSE_Sign1_Tagged`). */
export const sealSign1 = async (draft: Sign1Draft, sign: CoseSign): Promise<Uint8Array> =>
  encode(new Tag(sign1Tag, await sign1Item(draft, sign)))
