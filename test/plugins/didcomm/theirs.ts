import { createServer, type Server } from 'node:http'
import { createAgent } from '@veramo/core'
import type {
  IAgentPlugin,
  ICredentialPlugin,
  IDIDManager,
  IIdentifier,
  IKeyManager,
  IMessage,
  IMessageHandler,
  IResolver,
  TAgent,
} from '@veramo/core-types'
import { CredentialProviderJWT } from '@veramo/credential-jwt'
import { CredentialPlugin } from '@veramo/credential-w3c'
import {
  CoordinateMediationV3RecipientMessageHandler,
  DIDComm,
  DIDCommHttpTransport,
  DIDCommMessageHandler,
  type IDIDComm,
  type IDIDCommMessage,
  PickupRecipientMessageHandler,
  TrustPingMessageHandler,
} from '@veramo/did-comm'
import { DIDManager, MemoryDIDStore } from '@veramo/did-manager'
import { getDidKeyResolver, KeyDIDProvider } from '@veramo/did-provider-key'
import { DIDResolverPlugin } from '@veramo/did-resolver'
import { KeyManager, MemoryKeyStore, MemoryPrivateKeyStore } from '@veramo/key-manager'
import { KeyManagementSystem } from '@veramo/kms-local'
import { AbstractMessageHandler, type Message, MessageHandler } from '@veramo/message-handler'
import { type DIDDocument, Resolver, type VerificationMethod } from 'did-resolver'
import { toBase58btc } from '../../../src/identity/multibase.ts'

/** Agents of Veramo as peers of an agency: what they pack, send, open and handle is theirs. */

type Agent = TAgent<IDIDManager & IKeyManager & IResolver & IDIDComm & IMessageHandler & ICredentialPlugin>

/** Every did:web of the tests is on this machine, where there is no TLS. */
const resolveWeb = async (did: string) => {
  const [, , host = '', ...path] = did.split(':')
  const response = await fetch(`http://${decodeURIComponent(host)}/${path.join('/')}/did.json`)
  const didDocument = (await response.json()) as DIDDocument
  return { didResolutionMetadata: {}, didDocumentMetadata: {}, didDocument }
}

/** Documents of did:peer that the peers of a test have told one another. */
const peerDocuments = new Map<string, DIDDocument>()

const resolvePeer = async (did: string) => ({
  ...{ didResolutionMetadata: {}, didDocumentMetadata: {}, didDocument: peerDocuments.get(did) ?? null },
})

/** What Veramo's handlers keep of messages. */
const messageStore = (messages: Map<string, IMessage>): IAgentPlugin => ({
  methods: {
    async dataStoreSaveMessage({ message }: { message: IMessage }) {
      messages.set(message.id, message)
      return message.id
    },
    dataStoreGetMessage: async ({ id }: { id: string }) => messages.get(id),
    // Services of a did:peer stand in the DID itself.
    didManagerAddService: async () => undefined,
  },
})

/** Veramo's DIDComm turns signing keys into keys for key agreement where it finds them. */
class CopyingStore extends MemoryDIDStore {
  override getDID = async (...args: Parameters<MemoryDIDStore['getDID']>) =>
    structuredClone(await MemoryDIDStore.prototype.getDID.apply(this, args))
}

/** Last in the row: notes what the others let through. */
class Noting extends AbstractMessageHandler {
  readonly #noted: IMessage[]

  constructor(noted: IMessage[]) {
    super()
    this.#noted = noted
  }

  override async handle(message: Message): Promise<Message> {
    this.#noted.push(message)
    return message
  }
}

type Draft = Partial<Omit<IDIDCommMessage, 'to'>> & { type: string; to: string }

export type Peer = {
  agent: Agent
  did: string
  /** Messages that came and that no handler of Veramo's took. */
  noted: IMessage[]
  /** Packs and sends as Veramo does, over HTTP. @returns what came back on the connection, as Veramo opened it */
  send(message: Draft): Promise<IMessage | undefined>
  /** Encrypts a message as Veramo does. */
  pack(message: Draft, packing?: 'authcrypt' | 'anoncrypt'): Promise<string>
  close(): Promise<void>
}

let ids = 0
const newId = (): string => `veramo-${process.pid}-${++ids}`

const multikey = (codec: string, { publicKeyHex }: { publicKeyHex: string }): string =>
  toBase58btc(Buffer.from(codec + publicKeyHex, 'hex'))

/** @param uri where it is reached, as the DID says; undefined: nowhere */
const newPeerDid = async (agent: Agent, store: MemoryDIDStore, uri: string | undefined): Promise<IIdentifier> => {
  const signing = await agent.keyManagerCreate({ kms: 'local', type: 'Ed25519' })
  const agreement = await agent.keyManagerCreate({ kms: 'local', type: 'X25519' })
  const [first, second] = [multikey('ed01', signing), multikey('ec01', agreement)]
  const service = Buffer.from(JSON.stringify({ t: 'dm', s: { uri, a: ['didcomm/v2'] } })).toString('base64url')
  const did = `did:peer:2.V${first}.E${second}${uri === undefined ? '' : `.S${service}`}`
  const method = (id: string, type: string, publicKeyMultibase: string): VerificationMethod => ({
    ...{ id: did + id, type, controller: did, publicKeyMultibase },
  })
  peerDocuments.set(did, {
    id: did,
    verificationMethod: [
      method('#key-1', 'Ed25519VerificationKey2020', first),
      method('#key-2', 'X25519KeyAgreementKey2020', second),
    ],
    ...{ authentication: [`${did}#key-1`], keyAgreement: [`${did}#key-2`] },
    ...(uri === undefined
      ? {}
      : {
          service: [{ id: `${did}#service`, type: 'DIDCommMessaging', serviceEndpoint: { uri } as unknown as string }],
        }),
  })
  const identifier = { did, provider: 'did:peer', keys: [signing, agreement], services: [] }
  await store.importDID(identifier)
  return identifier
}

/** An endpoint of its own, as an agent behind nobody has one. */
const listening = async (handle: (raw: string) => Promise<unknown>): Promise<{ server: Server; url: string }> => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      handle(Buffer.concat(chunks).toString('utf8')).then(
        () => response.writeHead(202).end(),
        () => response.writeHead(500).end(),
      )
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return { server, url: `http://localhost:${(server.address() as { port: number }).port}/` }
}

export type PeerOptions =
  /** A did:key of Ed25519, which says of no endpoint. */
  | { kind: 'key' }
  /** A did:peer:2, reached at an endpoint of its own, at a mediator, or nowhere. */
  | { kind: 'peer'; at?: 'own' | { mediator: string } }

export const openPeer = async (options: PeerOptions = { kind: 'key' }): Promise<Peer> => {
  const messages = new Map<string, IMessage>()
  const noted: IMessage[] = []
  const store = new CopyingStore()
  const agent = createAgent<IDIDManager & IKeyManager & IResolver & IDIDComm & IMessageHandler & ICredentialPlugin>({
    plugins: [
      new KeyManager({
        ...{ store: new MemoryKeyStore(), kms: { local: new KeyManagementSystem(new MemoryPrivateKeyStore()) } },
      }),
      new DIDManager({
        ...{ store, defaultProvider: 'did:key' },
        providers: { 'did:key': new KeyDIDProvider({ defaultKms: 'local' }) },
      }),
      new DIDResolverPlugin({ resolver: new Resolver({ ...getDidKeyResolver(), web: resolveWeb, peer: resolvePeer }) }),
      new CredentialPlugin([new CredentialProviderJWT()]),
      new DIDComm({ transports: [new DIDCommHttpTransport()] }),
      new MessageHandler({
        messageHandlers: [
          new DIDCommMessageHandler(),
          new TrustPingMessageHandler(),
          new CoordinateMediationV3RecipientMessageHandler(),
          new PickupRecipientMessageHandler(),
          new Noting(noted),
        ],
      }),
      messageStore(messages),
    ],
  })
  const own =
    options.kind === 'peer' && options.at === 'own' ? await listening(raw => agent.handleMessage({ raw })) : undefined
  const uri = options.kind === 'peer' && typeof options.at === 'object' ? options.at.mediator : own?.url
  const { did } =
    options.kind === 'key'
      ? await agent.didManagerCreate({ provider: 'did:key', options: { keyType: 'Ed25519' } })
      : await newPeerDid(agent, store, uri)
  const whole = ({ to, ...message }: Draft): IDIDCommMessage => ({
    ...{ id: newId(), from: did, return_route: 'all', body: {}, ...message, to: [to] },
  })
  return {
    ...{ agent, did, noted },
    pack: async (message, packing = 'authcrypt') =>
      (await agent.packDIDCommMessage({ packing, message: whole(message) })).message,
    async send(message) {
      const sent = whole(message)
      messages.set(sent.id, { id: sent.id, type: sent.type, from: did, to: message.to })
      const packedMessage = await agent.packDIDCommMessage({ packing: 'authcrypt', message: sent })
      const { returnMessage } = await agent.sendDIDCommMessage({
        ...{ messageId: sent.id, packedMessage, recipientDidUrl: message.to },
      })
      return returnMessage
    },
    async close() {
      own?.server.closeAllConnections()
      await new Promise(done => (own === undefined ? done(undefined) : own.server.close(done)))
    },
  }
}

type Json = Record<string, unknown>

/** JSON of the first attachment. */
export const attachedTo = (message: IMessage | undefined): { format: string; json: Json; base64?: string } => {
  const [first] = (message?.attachments ?? []) as unknown as { format: string; data: { json: Json; base64?: string } }[]
  if (first === undefined) throw new Error(`${message?.type} has no attachment: ${JSON.stringify(message?.data)}`)
  return { format: first.format, ...first.data }
}

const issue = 'https://didcomm.org/issue-credential/3.0'
const present = 'https://didcomm.org/present-proof/3.0'

/**
 * Takes up an invitation and collects what is offered, bound to the peer's own did:key: whoever sent the message has its key.
 * @returns the credential, as its format has it.
 */
export const collect = async (peer: Peer, invitation: { id: string; from: string }): Promise<unknown> => {
  const to = invitation.from
  const offered = await peer.send({ type: `${issue}/propose-credential`, to, pthid: invitation.id })
  const { format, json } = attachedTo(offered)
  const credential = json['credential'] as { credentialSubject: Json } | undefined
  const wanted =
    credential === undefined
      ? { holder: peer.did }
      : {
          ...json,
          credential: { ...credential, credentialSubject: { ...credential.credentialSubject, id: peer.did } },
        }
  const attachment = { id: 'request', media_type: 'application/json', format, data: { json: wanted } }
  const thid = offered?.threadId as string
  const issued = await peer.send({ type: `${issue}/request-credential`, to, thid, attachments: [attachment] })
  const { json: document, base64 } = attachedTo(issued)
  await peer.send({ type: `${issue}/ack`, to, thid, body: { status: 'OK' } })
  return document ?? Buffer.from(base64 ?? '', 'base64url').toString('utf8')
}

/** Takes up an invitation and answers it with a presentation that Veramo signs around a jwt_vc. @returns what came back */
export const presentJwtVc = async (
  peer: Peer,
  invitation: { id: string; from: string },
  credential: string,
  change: { challenge?: string } = {},
): Promise<{ type: string | undefined; code: unknown }> => {
  const to = invitation.from
  const asked = await peer.send({ type: `${present}/propose-presentation`, to, pthid: invitation.id })
  const all = (asked?.attachments ?? []) as unknown as { format: string; data: { json: Json } }[]
  const dcql = all.find(({ format }) => format === 'urn:chancery:didcomm:dcql:1')?.data.json as {
    options: { challenge: string; domain: string }
    dcql_query: { credentials: { id: string }[] }
  }
  const { challenge, domain } = { ...dcql.options, ...change }
  const made = await peer.agent.createVerifiablePresentation({
    presentation: {
      ...{ holder: peer.did, verifiableCredential: [credential], verifier: [domain] },
      expirationDate: new Date(Date.now() + 60_000).toISOString(),
    },
    ...{ proofFormat: 'jwt', challenge, domain },
  })
  const [query] = dcql.dcql_query.credentials
  const vp_token = { [query?.id ?? '']: [(made.proof as unknown as { jwt: string }).jwt] }
  const data = { json: { vp_token } }
  const attachment = { id: 'vp', media_type: 'application/json', format: 'urn:chancery:didcomm:vp-token:1', data }
  const thid = asked?.threadId as string
  const answer = await peer.send({ type: `${present}/presentation`, to, thid, attachments: [attachment] })
  return { type: answer?.type, code: (answer?.data as Json | undefined)?.['code'] }
}
