import type { JsonWebKey } from 'node:crypto'
import type { Handover } from '../../kernel/identity.ts'
import type { SignatureAlgorithm } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import { publicKeyFromJwk } from '../key-material.ts'
import { presentMdocs } from '../mdoc/device-response.ts'
import { digitalCredentialsTranscript, redirectTranscript, type SessionTranscript } from '../mdoc/session-transcript.ts'
import type { Opened, Sign } from './format.ts'
import { isRecord, malformed, readJson } from './json.ts'
import { isMdoc } from './mso-mdoc.ts'

/** A handover with the nonce of its exchange: what a transcript is made of. */
export type BoundHandover = Handover & { nonce: string }

/**
 * Mdocs as they are presented: the device response as base64url, which says nothing of its exchange, or with it, as JSON text
 * `{"deviceResponse":…,"handover":{…}}`. In the second form a presentation can be handed on to whoever judges it later.
 */
export type ShownMdocs = { deviceResponse: string; handover?: BoundHandover }

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

const withHandover = /^\{\s*"(?:deviceResponse|handover)"\s*:/

const textIn = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || value === '' || value.length > 4_096) throw malformed(`${name} is not text.`)
  return value
}

const readHandover = (value: unknown): BoundHandover => {
  const { by, nonce, jwkThumbprint, ...rest } = isRecord(value) ? value : {}
  const bound = {
    nonce: textIn(nonce, 'nonce of the handover'),
    ...(jwkThumbprint === undefined ? {} : { jwkThumbprint: textIn(jwkThumbprint, 'jwkThumbprint of the handover') }),
  }
  if (by === 'dc_api') return { by, ...bound, origin: textIn(rest['origin'], 'origin of the handover') }
  if (by !== 'redirect') throw malformed('A handover is by redirect or dc_api.')
  const { clientId, responseUri } = rest
  return {
    ...{ by, ...bound },
    clientId: textIn(clientId, 'clientId of the handover'),
    responseUri: textIn(responseUri, 'responseUri of the handover'),
  }
}

/**
 * The mdocs that a presentation consists of, if it does.
 * @throws Refusal malformed/credential_malformed
 */
export const readShownMdocs = (text: string): ShownMdocs | undefined => {
  if (isMdoc(text)) return { deviceResponse: text }
  if (!withHandover.test(text)) return undefined
  const shown = readJson(text, 'presentation')
  const { deviceResponse, handover, ...rest } = isRecord(shown) ? shown : {}
  if (Object.keys(rest).length > 0 || typeof deviceResponse !== 'string' || !isMdoc(deviceResponse)) {
    throw malformed('An mdoc is presented as a deviceResponse in base64url, and its handover.')
  }
  return { deviceResponse, handover: readHandover(handover) }
}

/** As mdocs are presented with what they were asked for by. */
export const shownWith = (deviceResponse: string, handover: BoundHandover): string =>
  JSON.stringify({ deviceResponse, handover })

const transcriptOf = ({ nonce, jwkThumbprint, ...handover }: BoundHandover): SessionTranscript => {
  const key =
    jwkThumbprint === undefined ? {} : { jwkThumbprint: new Uint8Array(Buffer.from(jwkThumbprint, 'base64url')) }
  if (handover.by === 'redirect') return redirectTranscript({ ...handover, ...key, nonce })
  return digitalCredentialsTranscript({ ...handover, ...key, nonce })
}

type Expected = { challenge: string; audience: readonly string[]; handovers?: readonly Handover[] | undefined }

/** An answer that was sent to somebody else's address was asked for by somebody else, whatever name they gave themselves. */
const isOurs = (handover: Handover, audience: readonly string[]): boolean => {
  if (handover.by === 'dc_api') return audience.includes(`origin:${handover.origin}`)
  const { clientId, responseUri } = handover
  return (
    audience.includes(clientId) && audience.some(each => responseUri === each || responseUri.startsWith(`${each}/`))
  )
}

/**
 * The exchanges that a device may have signed for: those that the verifier names, or the one that comes with the presentation if
 * it is one of this verifier's.
 * @throws Refusal rejected/challenge_mismatch, rejected/audience_mismatch, rejected/holder_unproven
 */
export const transcriptsOf = ({ handover }: ShownMdocs, expected: Expected): SessionTranscript[] => {
  const { challenge: nonce, audience, handovers = [] } = expected
  if (handover === undefined) {
    if (handovers.length > 0) return handovers.map(each => transcriptOf({ ...each, nonce }))
    throw rejected('holder_unproven', 'An mdoc is presented without the exchange that its device signed for.')
  }
  // Which keys the wallet was asked to encrypt to is ours to say, not the presenter's.
  if (handovers.length > 0) throw malformed('An mdoc that a request asked for comes as its device response alone.')
  if (handover.nonce !== nonce) throw rejected('challenge_mismatch', 'The presentation answers another challenge.')
  if (!isOurs(handover, audience)) {
    throw rejected('audience_mismatch', 'The presentation is meant for another verifier.')
  }
  return [transcriptOf(handover)]
}

/**
 * Whether the holder's device presents the mdoc in one of these exchanges.
 * @returns the thumbprint of the device's key.
 * @throws Refusal rejected/holder_unproven, rejected/holder_mismatch, rejected/algorithm_mismatch
 */
export const judgeDevice = async (
  { mdoc, confirmation }: Pick<Opened, 'mdoc' | 'confirmation'>,
  transcripts: readonly SessionTranscript[],
): Promise<string> => {
  if (mdoc?.vouches === undefined) {
    throw rejected('holder_unproven', 'The mdoc is presented without a signature of its holder’s device.')
  }
  for (const transcript of transcripts) {
    if (await mdoc.vouches(transcript)) return publicKeyFromJwk(confirmation as JsonWebKey).thumbprint
  }
  throw rejected('holder_mismatch', 'The mdoc is not presented by the device that holds it, or in another exchange.')
}

/** `namespace/element`: names of elements have no slash (ISO/IEC 18013-5, section 7.2). */
const chosenBy = (claims: readonly string[]): Record<string, string[]> => {
  const shown: Record<string, string[]> = {}
  for (const claim of claims) {
    const slash = claim.lastIndexOf('/')
    if (slash < 1) throw malformed('A data element of an mdoc is named as namespace/element.')
    const namespace = claim.slice(0, slash)
    shown[namespace] = [...(shown[namespace] ?? []), claim.slice(slash + 1)]
  }
  return shown
}

/**
 * A device response with the chosen elements of an mdoc, signed for an exchange; with its handover where nobody asked by
 * OpenID4VP: it is then presented to the audience, and for nothing else.
 * @throws Refusal malformed/credential_malformed
 */
export const presentMdoc = async (
  compact: string,
  to: { audience: string; challenge: string; claims: readonly string[]; handover?: Handover | undefined },
  key: { algorithm: SignatureAlgorithm },
  sign: Sign,
): Promise<string> => {
  const { algorithm } = key
  if (algorithm !== 'ES256' && algorithm !== 'ES384' && algorithm !== 'EdDSA') {
    throw rejected('algorithm_refused', 'A device signs an mdoc with ES256, ES384 or EdDSA.')
  }
  const { audience, challenge: nonce, claims } = to
  const asked: Handover = to.handover ?? { by: 'redirect', clientId: audience, responseUri: audience }
  const handover = { ...asked, nonce }
  const issuerSigned = new Uint8Array(Buffer.from(compact, 'base64url'))
  const part = { issuerSigned, shown: chosenBy(claims), algorithm }
  const response = await presentMdocs(
    [{ ...part, sign: (_each, input) => sign(algorithm, input) }],
    transcriptOf(handover),
  )
  const deviceResponse = Buffer.from(response).toString('base64url')
  return to.handover === undefined ? shownWith(deviceResponse, handover) : deviceResponse
}
