import { createAgent } from '@veramo/core'
import type { IAgentPlugin, IDIDManager, IIdentifier, IKeyManager, IResolver } from '@veramo/core-types'
import { DIDComm, type IDIDComm, type IDIDCommMessage } from '@veramo/did-comm'
import { DIDResolverPlugin } from '@veramo/did-resolver'
import type { KeyManager } from '@veramo/key-manager'
import type { DIDDocument } from 'did-resolver'
import { withFewKeys } from './agreement-keys.ts'
import type { Jwe } from './one-pass.ts'

export type VeramoParts = {
  manager: KeyManager
  /** Of the agency: the DID under which it is written to, and its key. */
  did: string
  keyId: string
  publicKeyHex: string
  document(did: string): Promise<DIDDocument>
}

/**
 * Veramo's DIDComm over the agency's key: it opens what names no sender (ECDH-ES), and opens and packs what Veramo's own agents
 * encrypt with ECDH-1PU as it was before its draft 04, which DIDComm v2 took over. It judges nothing: who sends, for whom, when
 * and whether for the first time is for `envelope.ts` and `message.ts`. It sends nothing either.
 */
export const openVeramoMessages = ({ manager, did, keyId, publicKeyHex, document }: VeramoParts) => {
  const identifier: IIdentifier = {
    ...{ did, provider: 'did:web', services: [] },
    keys: [{ kid: keyId, type: 'X25519', publicKeyHex, kms: 'local' }],
  }
  const ownIdentifier: IAgentPlugin = {
    methods: {
      async didManagerGet(asked: { did: string }): Promise<IIdentifier> {
        if (asked.did === did) return identifier
        throw new Error('this identifier is not managed here')
      },
    },
  }
  const resolver = {
    async resolve(asked: string) {
      // Veramo encrypts to each key that it is shown, for milliseconds each, and anybody may publish a thousand.
      const didDocument = withFewKeys(await document(asked.split(/[?#]/)[0] ?? ''))
      return { didDocument, didResolutionMetadata: {}, didDocumentMetadata: {} }
    },
  }
  const agent = createAgent<IDIDManager & IKeyManager & IResolver & IDIDComm>({
    plugins: [manager, ownIdentifier, new DIDResolverPlugin({ resolver }), new DIDComm({ transports: [] })],
  })
  return {
    /** @throws Error when nothing here opens it */
    async open(jwe: Jwe): Promise<unknown> {
      const { message } = await agent.unpackDIDCommMessage({ message: JSON.stringify(jwe) })
      return message
    },
    /** Authenticated encryption, as a Veramo agent opens it. */
    async seal(message: Readonly<Record<string, unknown>>): Promise<Jwe> {
      const packed = await agent.packDIDCommMessage({
        ...{ packing: 'authcrypt', message: message as unknown as IDIDCommMessage },
        options: { enc: 'A256CBC-HS512' },
      })
      return JSON.parse(packed.message) as Jwe
    },
  }
}
