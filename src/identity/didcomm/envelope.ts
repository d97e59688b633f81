import { isRecord, readSegment } from '../formats/json.ts'
import { type AgreementPublicKey, curves, fromAgreementJwk } from './agreement-keys.ts'
import { type Jwe, recipientsInfo } from './one-pass.ts'
import { malformed, senderUnproven, unsupported } from './refusals.ts'

/** What an encrypted envelope says of itself (DIDComm v2.1, ECDH-1PU key wrapping and common protected headers). */
export type ReadJwe = {
  jwe: Jwe
  algorithm: 'ECDH-ES+A256KW' | 'ECDH-1PU+A256KW'
  encryption: string
  ephemeral: AgreementPublicKey
  /** DID URL of the sender's key; of ECDH-1PU only. */
  skid: string | undefined
  apu: string
  /** Veramo's agents leave it out, by which they are known: the specification asks for it. */
  apv: string | undefined
}

const recipientsMost = 10
const base64url = /^[A-Za-z0-9_-]+$/
const didUrl = /^did:[a-z0-9]+:[^\s#?]{1,4096}#[^\s#]{1,1024}$/

export const didOf = (url: string): string => url.split(/[?#/]/)[0] ?? ''

const mediaType = (typ: unknown): string =>
  typeof typ === 'string' ? (typ.includes('/') ? typ : `application/${typ}`).toLowerCase() : ''

const isEncoded = (value: unknown): value is string => typeof value === 'string' && base64url.test(value)

const recipientsOf = (value: unknown): Jwe['recipients'] => {
  if (!Array.isArray(value) || value.length === 0 || value.length > recipientsMost) {
    throw malformed(`An encrypted message has one to ${recipientsMost} recipients.`)
  }
  const recipients = value.map(each => {
    const { header, encrypted_key: key, ...rest } = isRecord(each) ? each : {}
    const kid = isRecord(header) ? header['kid'] : undefined
    // Nothing but the kid may stand where nobody vouches for it.
    const isBare = isRecord(header) && Object.keys(header).length === 1 && Object.keys(rest).length === 0
    if (!isBare || typeof kid !== 'string' || !didUrl.test(kid) || !isEncoded(key)) {
      throw malformed('A recipient is an encrypted_key, and a header with its kid, a DID URL, alone.')
    }
    return { encrypted_key: key, header: { kid } }
  })
  const kids = new Set(recipients.map(({ header }) => header.kid))
  if (kids.size < recipients.length) throw malformed('A recipient is named twice.')
  return recipients
}

const jweOf = (value: Record<string, unknown>): Jwe => {
  const { protected: header, iv, ciphertext, tag, recipients, ...rest } = value
  if (Object.keys(rest).length > 0) throw malformed('An encrypted message is a JWE without unprotected members.')
  if (!isEncoded(header) || !isEncoded(iv) || !isEncoded(ciphertext) || !isEncoded(tag)) {
    throw malformed('An encrypted message is a JWE in the general JSON form, in base64url.')
  }
  return { protected: header, iv, ciphertext, tag, recipients: recipientsOf(recipients) }
}

const headerOf = (segment: string): Record<string, unknown> => {
  const header = readSegment(segment, 'protected header')
  if (!isRecord(header)) throw malformed('The protected header is no JSON object.')
  const { typ, crit, zip } = header
  if (mediaType(typ) !== 'application/didcomm-encrypted+json') {
    throw malformed('typ of an encrypted message is application/didcomm-encrypted+json.')
  }
  if (crit !== undefined || zip !== undefined) throw unsupported('crit and zip have no place in a DIDComm message.')
  return header
}

/** `apu` is the skid, and stands for it where there is none. @throws Refusal didcomm_sender_unproven */
const skidOf = ({ skid, apu }: Record<string, unknown>): string => {
  const named = isEncoded(apu) ? Buffer.from(apu, 'base64url').toString('utf8') : undefined
  const kid = skid ?? named
  if (typeof kid !== 'string' || !didUrl.test(kid)) throw malformed('skid is the DID URL of the sender’s key.')
  if (apu !== undefined && named !== kid) throw senderUnproven('skid and apu name two keys.')
  return kid
}

const contentEncryptions = ['A256CBC-HS512', 'A256GCM', 'XC20P']

/**
 * Reads an encrypted envelope without opening it.
 * @throws Refusal didcomm_malformed, didcomm_unsupported, didcomm_sender_unproven
 */
export const readJwe = (value: Record<string, unknown>): ReadJwe => {
  const jwe = jweOf(value)
  const header = headerOf(jwe.protected)
  const { alg, enc, epk, apu, apv } = header
  if (alg !== 'ECDH-ES+A256KW' && alg !== 'ECDH-1PU+A256KW') {
    throw unsupported('Keys are wrapped by ECDH-1PU+A256KW or ECDH-ES+A256KW.')
  }
  if (typeof enc !== 'string' || !contentEncryptions.includes(enc)) {
    throw unsupported(`Content is encrypted by ${contentEncryptions.join(', ')}.`)
  }
  const ephemeral = fromAgreementJwk(epk)
  if (ephemeral === undefined) throw unsupported(`epk is a key of ${curves.join(', ')}.`)
  const kids = jwe.recipients.map(({ header: { kid } }) => kid)
  const [to = ''] = kids.map(didOf)
  if (kids.some(kid => didOf(kid) !== to)) throw malformed('A message is encrypted to the keys of one DID.')
  const isLeftOut = apv === undefined && ephemeral.curve === 'X25519'
  if (!isLeftOut && apv !== recipientsInfo(kids).toString('base64url')) {
    throw malformed('apv is not of the recipients.')
  }
  const isProven = alg === 'ECDH-1PU+A256KW'
  // A name that nothing proves had better not stand there at all.
  if (!isProven && (header['skid'] !== undefined || apu !== undefined)) {
    throw senderUnproven('ECDH-ES proves no sender, and the message names one.')
  }
  return {
    ...{ jwe, algorithm: alg, encryption: enc, ephemeral, apv: apv as string | undefined },
    skid: isProven ? skidOf(header) : undefined,
    apu: isEncoded(apu) ? apu : '',
  }
}

/** A signed envelope with its one signature, in the general form or the flattened. */
export type ReadJws = { payload: string; protected: string; signature: string; kid: string }

/** @throws Refusal didcomm_malformed */
export const readJws = (value: Record<string, unknown>): ReadJws => {
  const { payload, signatures, ...flattened } = value
  const all = Array.isArray(signatures) ? signatures : [flattened]
  const [one] = all
  const isOneForm = signatures === undefined || Object.keys(flattened).length === 0
  if (!isOneForm || all.length !== 1 || !isRecord(one) || !isEncoded(payload)) {
    throw malformed('A signed message is a JWS in JSON with one signature.')
  }
  const { protected: segment, signature, header, ...rest } = one
  if (!isEncoded(segment) || !isEncoded(signature) || Object.keys(rest).length > 0) {
    throw malformed('A signature has a protected header, and is base64url.')
  }
  const said = readSegment(segment, 'protected header')
  const unprotected = isRecord(header) ? header : {}
  if (!isRecord(said) || Object.keys(unprotected).some(name => name !== 'kid')) {
    throw malformed('Nothing but a kid may stand beside the protected header of a signature.')
  }
  if (said['typ'] !== undefined && mediaType(said['typ']) !== 'application/didcomm-signed+json') {
    throw malformed('typ of a signed message is application/didcomm-signed+json.')
  }
  const kids = [said['kid'], unprotected['kid']].filter(kid => kid !== undefined)
  const [kid] = kids
  if (typeof kid !== 'string' || !didUrl.test(kid) || kids.some(each => each !== kid)) {
    throw malformed('kid of a signature is the DID URL of the signer’s key.')
  }
  return { payload, protected: segment, signature, kid }
}
