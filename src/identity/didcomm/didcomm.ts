import { createHash } from 'node:crypto'
import type { DIDDocument } from 'did-resolver'
import { isRefusal } from '../../kernel/refusal.ts'
import { isRecord, readJson } from '../formats/json.ts'
import { type AgreementKey, agreementJwk, rawX25519 } from './agreement-keys.ts'
import { didOf, type ReadJwe, readJwe, readJws } from './envelope.ts'
import { type PlainMessage, readMessage } from './message.ts'
import { type Jwe, openJwe, sealJwe } from './one-pass.ts'
import { openPeers, type PeerOptions, type Peers } from './peers.ts'
import { malformed, senderUnproven, undecryptable, unprotected, unreachable, unsupported } from './refusals.ts'
import { verifiedPayload } from './signed.ts'
import { openVeramoMessages, type VeramoParts } from './veramo.ts'

/** Which form of authenticated encryption a peer reads: that of DIDComm v2.1, or that of Veramo's agents. */
export type Dialect = 'v2' | 'veramo'

export type Received = {
  message: PlainMessage
  /** The DID that is proven to have sent it; undefined for an anonymous message. */
  sender: string | undefined
  /** Of a signed message: DID URL of the key. */
  signer: string | undefined
  /** The sender's key agreement key, where that proved it. */
  senderKey: string | undefined
  dialect: Dialect
}

export type Outgoing = { id: string; type: string; to: string } & Readonly<Record<string, unknown>>

/** What is sent, and where to. */
export type Routed = { endpoint: string; envelope: Jwe }

export type Didcomm = {
  /** The DID under which the agency is written to. */
  did: string
  /** Members that its document has for that. */
  members: { verificationMethod: Record<string, unknown>[]; keyAgreement: string[]; service: Record<string, unknown> }
  /**
   * Opens an envelope and judges it: for whom it is, who proves to have sent it, when it counts.
   * @throws Refusal didcomm_malformed, didcomm_unsupported, didcomm_unprotected, didcomm_undecryptable,
   * didcomm_sender_unproven, didcomm_expired, didcomm_untimely; of the resolution of DIDs
   */
  open(envelope: unknown): Promise<Received>
  /** Encrypts to all the keys of a DID, as the agency (authcrypt). @throws Refusal didcomm_unreachable */
  seal(message: Outgoing, dialect: Dialect): Promise<Jwe>
  /** Wraps for the mediators of a DID, and says where to send it. @throws Refusal didcomm_unreachable */
  route(did: string, envelope: Jwe): Promise<Routed>
}

export type DidcommOptions = {
  did: string
  publicUrl: string
  /** One a curve. */
  keys: readonly AgreementKey[]
  /** Veramo's, and the id there of the key of X25519. */
  manager: VeramoParts['manager']
  managedKeyId: string
  resolve: PeerOptions['resolve']
  newId(): string
  now(): number
}

/** Envelopes within one another: anoncrypt(authcrypt(sign(plaintext))) at most. */
const layersMost = 3

type Layer = { sender?: string; senderKey?: string; signer?: string; dialect: Dialect }

type Parts = { keys: readonly AgreementKey[]; peers: Peers; veramo: ReturnType<typeof openVeramoMessages> | undefined }

const openLayers = ({ keys, peers, veramo }: Parts) => {
  const opened = async (read: ReadJwe): Promise<unknown> => {
    const { skid, apv, ephemeral } = read
    const own = read.jwe.recipients.find(({ header }) => keys.some(({ kid }) => kid === header.kid))
    const key = keys.find(({ kid }) => kid === own?.header.kid)
    if (own === undefined || key === undefined || key.curve !== ephemeral.curve) throw undecryptable()
    const isVeramos = key.curve === 'X25519' && (skid === undefined || apv === undefined)
    if (isVeramos && veramo !== undefined) {
      // Veramo parses it without bounds.
      return readJson(JSON.stringify(await veramo.open(structuredClone(read.jwe))), 'message')
    }
    if (skid !== undefined && read.encryption !== 'A256CBC-HS512') throw malformed('ECDH-1PU goes with A256CBC-HS512.')
    if (read.encryption === 'XC20P') throw unsupported('XC20P is read over X25519 only.')
    const sender = skid === undefined ? undefined : await peers.senderKey(skid)
    if (sender !== undefined && sender.curve !== key.curve) throw senderUnproven('skid is a key of another curve.')
    const recipient = { encryptedKey: own.encrypted_key, agree: key.agree }
    const header = { ...read, epk: ephemeral.publicKey, apv: apv ?? '' }
    const plain = await openJwe(read.jwe, header, recipient, sender?.publicKey)
    return readJson(plain.toString('utf8'), 'message')
  }
  const decrypt = async (value: Record<string, unknown>): Promise<{ inner: unknown; layer: Layer }> => {
    const read = readJwe(value)
    const { skid, apv } = read
    // The sender's key is looked for first, so that what fails after that is the message.
    if (skid !== undefined) await peers.senderKey(skid)
    try {
      const inner = await opened(read)
      const dialect = skid !== undefined && apv === undefined ? ('veramo' as const) : ('v2' as const)
      const proven = skid === undefined ? {} : { sender: didOf(skid), senderKey: skid }
      return { inner, layer: { ...proven, dialect } }
    } catch (error) {
      if (isRefusal(error)) throw error
      throw undecryptable(error)
    }
  }
  const verify = async (value: Record<string, unknown>): Promise<{ inner: unknown; layer: Layer }> => {
    const read = readJws(value)
    const signer = didOf(read.kid)
    const inner = await verifiedPayload(read, await peers.document(signer))
    return { inner, layer: { sender: signer, signer: read.kid, dialect: 'v2' } }
  }
  return { decrypt, verify }
}

/** What the layers came to: every one that names a sender names the same. */
const combined = (layers: readonly Layer[]): Omit<Received, 'message'> => {
  const named = layers.flatMap(({ sender }) => (sender === undefined ? [] : [sender]))
  const [sender] = named
  if (named.some(each => each !== sender)) throw senderUnproven('The message is signed by one DID and sent by another.')
  return {
    sender,
    signer: layers.find(each => each.signer !== undefined)?.signer,
    senderKey: layers.find(each => each.senderKey !== undefined)?.senderKey,
    dialect: layers.some(({ dialect }) => dialect === 'veramo') ? 'veramo' : 'v2',
  }
}

const membersOf = (did: string, publicUrl: string, keys: readonly AgreementKey[]): Didcomm['members'] => ({
  verificationMethod: keys.map(({ kid, publicKey }) => ({
    ...{ id: kid, type: 'JsonWebKey2020', controller: did, publicKeyJwk: agreementJwk(publicKey) },
  })),
  keyAgreement: keys.map(({ kid }) => kid),
  service: {
    ...{ id: `${did}#didcomm`, type: 'DIDCommMessaging' },
    serviceEndpoint: { uri: `${publicUrl}/didcomm`, accept: ['didcomm/v2'], routingKeys: [] },
  },
})

/** The agency as a party that messages are written to, under the DID of its public URL. */
export const openDidcomm = (options: DidcommOptions): Didcomm => {
  const { did, keys, publicUrl, newId, now } = options
  const members = membersOf(did, publicUrl, keys)
  const managed = keys.find(({ curve }) => curve === 'X25519')
  const peers = openPeers({
    resolve: options.resolve,
    own: { id: did, ...members, service: [members.service] } as unknown as DIDDocument,
  })
  const veramo =
    managed &&
    openVeramoMessages({
      ...{ manager: options.manager, did, keyId: options.managedKeyId, document: peers.document },
      publicKeyHex: rawX25519(managed.publicKey).toString('hex'),
    })
  const { decrypt, verify } = openLayers({ keys, peers, veramo })

  const open: Didcomm['open'] = async envelope => {
    const layers: Layer[] = []
    let value: unknown = envelope
    while (isRecord(value) && ('ciphertext' in value || 'payload' in value)) {
      if (layers.length === layersMost) throw malformed('The message is wrapped in too many envelopes.')
      const previous = layers.at(-1)
      const isEncryption = 'ciphertext' in value
      // DIDComm v2.1, IANA Media Types: what is signed is not encrypted afterwards, and only anoncrypt goes around authcrypt.
      if (isEncryption && previous !== undefined && previous.sender !== undefined) {
        throw malformed('These envelopes do not go within one another.')
      }
      if (!isEncryption && previous?.signer !== undefined) throw malformed('A message is signed once.')
      const { inner, layer } = await (isEncryption ? decrypt(value) : verify(value))
      layers.push(layer)
      value = inner
    }
    if (layers.length === 0) throw unprotected()
    const proven = combined(layers)
    const message = readMessage(value, now())
    // Of an anonymous message `from` is hearsay (Message Headers); nobody acts on it.
    if (proven.sender !== undefined && message.from !== proven.sender) {
      throw senderUnproven('from is not the DID that proved to have sent the message.')
    }
    // Message Layer Addressing Consistency; and a signature can be passed on: it counts for those whom it was made for.
    const isAddressed = message.to.length > 0 || proven.signer !== undefined
    if (isAddressed && !message.to.includes(did)) throw undecryptable()
    return { message, ...proven }
  }

  const seal: Didcomm['seal'] = async (message, dialect) => {
    const { to } = message
    const plain = {
      ...{ typ: 'application/didcomm-plain+json', from: did, created_time: Math.floor(now() / 1_000) },
      ...{ ...message, to: [to] },
    }
    const theirs = await peers.keysOf(to)
    const own = keys.find(({ curve }) => curve === theirs[0]?.curve)
    if (own === undefined) throw unreachable(to)
    if (dialect === 'veramo' && veramo !== undefined) return veramo.seal(plain)
    return sealJwe(Buffer.from(JSON.stringify(plain)), theirs, own)
  }
  /** Routing Protocol 2.0: encrypted to nobody but the mediator, by nobody who is named. */
  const forwarded = async (next: string, envelope: Jwe, mediator: string): Promise<Jwe> => {
    const mediatorDid = didOf(mediator)
    const all = await peers.keysOf(mediatorDid, mediator === mediatorDid ? undefined : mediator)
    const message = {
      ...{ id: newId(), type: 'https://didcomm.org/routing/2.0/forward', typ: 'application/didcomm-plain+json' },
      ...{ to: [mediatorDid], body: { next } },
      attachments: [{ id: newId(), media_type: 'application/didcomm-encrypted+json', data: { json: envelope } }],
    }
    return sealJwe(Buffer.from(JSON.stringify(message)), all, undefined)
  }

  const route: Didcomm['route'] = async (to, envelope) => {
    for (const { uri, routingKeys } of await peers.endpointsOf(to)) {
      // A mediator's own document is asked once: it had better not name another (Using a DID as an endpoint).
      const isDid = uri.startsWith('did:')
      const endpoint = isDid ? (await peers.endpointsOf(uri)).find(each => !each.uri.startsWith('did:'))?.uri : uri
      if (endpoint === undefined || !URL.canParse(endpoint) || !/^https?:/.test(endpoint)) continue
      const hops = [...(isDid ? [uri] : []), ...routingKeys]
      let [wrapped, next] = [envelope, to]
      for (const hop of hops.toReversed()) {
        wrapped = await forwarded(next, wrapped, hop)
        next = didOf(hop)
      }
      return { endpoint, envelope: wrapped }
    }
    throw unreachable(to)
  }

  return {
    ...{ did, members, open, seal, route },
  }
}

/** By which it is told whether a message has come before. @param from the DID that proved to have sent it */
export const messageDigest = (from: string | undefined, id: string, carried: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(from === undefined ? [null, id, carried] : [from, id]))
    .digest('base64url')
