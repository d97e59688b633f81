import type { AgencyOnChain } from './agency.ts'
import { qr } from './http/qr.ts'
import { didWebFor } from './identity/did-web.ts'
import { managedKeyId, obtainAgreementKeys } from './identity/didcomm/agreement-keys.ts'
import { type Didcomm, messageDigest, openDidcomm } from './identity/didcomm/didcomm.ts'
import type { Jwe } from './identity/didcomm/one-pass.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import { parseDcql } from './identity/openid/dcql/parse.ts'
import { judgeVpToken } from './identity/openid/vp/response-judge.ts'
import type { Dcql } from './kernel/dcql-query.ts'
import type { FormatId, Identity, Issuance } from './kernel/identity.ts'
import { Refusal } from './kernel/refusal.ts'
import { timeId } from './kernel/time-id.ts'
import type { Mounting } from './mounting.ts'
import { issuable, issuedBefore } from './openid4vci.ts'
import type { DidcommNeeds, Messages } from './plugins/didcomm/needs.ts'

/**
 * DIDComm over an agency. It is written to under its did:web, whose document names the key and the endpoint: so a peer finds both
 * from the public URL, bound to it by TLS and to the did:ethr of the credentials by `alsoKnownAs`. A did:peer would be bound to
 * neither, and attributes of the did:ethr would cost transactions for what changes with an address.
 */

type Document = Record<string, unknown>

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The did:web document with what others need to write to the agency. */
const extended = (document: Document, { members }: Pick<Didcomm, 'members'>): Document => {
  const { verificationMethod, keyAgreement, service } = members
  return {
    ...document,
    verificationMethod: [...listOf(document['verificationMethod']), ...verificationMethod],
    keyAgreement: [...listOf(document['keyAgreement']), ...keyAgreement],
    service: [...listOf(document['service']), service],
  }
}

/** The agency as a party that is written to; of agencies that mount the plugin. */
export const openMessages = async (agency: AgencyOnChain): Promise<Didcomm> => {
  const { keys, dids, settings } = agency
  const { publicUrl, clock } = settings
  const did = didWebFor(publicUrl)
  return openDidcomm({
    ...{ did, publicUrl, keys: await obtainAgreementKeys(keys, did), manager: keys.manager, managedKeyId },
    resolve: asked => dids.resolve(asked),
    newId: () => timeId(clock.now()),
    now: () => clock.now(),
  })
}

/** The identity whose did:web document says how to write to the agency. */
export const reachableBy = (identity: Identity, messages: Didcomm): Identity => ({
  ...identity,
  didDocument: async () => extended(await identity.didDocument(), messages),
})

const answerBytesMost = 300_000

/** What was taken before is taken: an earlier answer got lost. */
const isTaken = (status: number): boolean => (status >= 200 && status < 300) || status === 409

/** What takes no messages is not asked again: anybody may name any host as their endpoint. */
const isFinal = (status: number): boolean => status >= 300 && status < 500 && ![408, 425, 429].includes(status)

/** @throws Refusal unavailable/didcomm_undelivered, fetch_failed; rejected/didcomm_unreachable, url_forbidden */
export const deliver = async (
  endpoint: string,
  envelope: Readonly<Record<string, unknown>>,
  allowedHttpOrigins: readonly string[],
): Promise<void> => {
  const post = { body: JSON.stringify(envelope), contentType: 'application/didcomm-encrypted+json' }
  const bounds = { allowedHttpOrigins, post, maxBytes: answerBytesMost, accept: '*/*' }
  const { status } = await fetchBounded(endpoint, bounds)
  if (isTaken(status)) return
  if (isFinal(status)) throw new Refusal('rejected', 'didcomm_unreachable', `The endpoint answered ${status}.`)
  throw new Refusal('unavailable', 'didcomm_undelivered', `The endpoint answered ${status}; it is tried again later.`)
}

const messagesOf = (messages: Didcomm, allowedHttpOrigins: readonly string[]): Messages => ({
  did: messages.did,
  open: messages.open,
  seal: async (message, dialect) => ({ ...(await messages.seal(message, dialect)) }),
  async route(did, envelope) {
    const routed = await messages.route(did, envelope as unknown as Jwe)
    return { endpoint: routed.endpoint, envelope: { ...routed.envelope } }
  },
  digest: messageDigest,
  post: (endpoint, envelope) => deliver(endpoint, envelope, allowedHttpOrigins),
})

const formats: readonly FormatId[] = ['ldp_vc', 'dc+sd-jwt', 'vc+jwt', 'jwt_vc']
const queried = ['ldp_vc', 'dc+sd-jwt', 'vc+jwt', 'jwt_vc_json']

/** @throws Refusal dcql_malformed, rejected/format_unsupported */
const readDcql = (value: unknown): Dcql => {
  const dcql = parseDcql(value)
  if (dcql.credentials.every(({ format }) => queried.includes(format))) return dcql
  throw new Refusal('rejected', 'format_unsupported', `Formats that are verified here: ${queried.join(', ')}.`)
}

/** What the plugin didcomm needs of an agency. @param issuance as other plugins issue. */
export const didcommOf = (
  mounting: Mounting & { messages: Didcomm },
  issuance: Issuance,
  proveKey: DidcommNeeds['proveKey'],
): DidcommNeeds => {
  const { agency, identity, newId, messages } = mounting
  const { house, config, settings, derive, did } = agency
  return {
    ...{ house, derive, newId, qr, did, issuance, proveKey, readDcql, formats },
    ...{ publicUrl: settings.publicUrl, title: config.title, types: issuable(mounting) },
    mediator: config.didcomm?.mediator === true,
    issued: issuedBefore(mounting),
    messages: messagesOf(messages, config.allowedHttpOrigins),
    judge: (vpToken, asked) => judgeVpToken(vpToken, asked, identity),
  }
}
