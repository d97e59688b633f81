import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { KeyManager, MemoryKeyStore, MemoryPrivateKeyStore } from '@veramo/key-manager'
import { KeyManagementSystem } from '@veramo/kms-local'
import type { DIDDocument, DIDResolutionResult } from 'did-resolver'
import {
  type Agree,
  type AgreementKey,
  type AgreementPublicKey,
  agreementJwk,
  type Curve,
  managedKey,
} from '../../../src/identity/didcomm/agreement-keys.ts'
import { type Didcomm, openDidcomm } from '../../../src/identity/didcomm/didcomm.ts'

export const managedKeyId = 'didcomm.1'
type Own = AgreementPublicKey & { agree: Agree }

/** A key manager of Veramo in memory, with the key of X25519 of one party. */
export const importedKey = async (secret: Uint8Array | undefined) => {
  const kms = { local: new KeyManagementSystem(new MemoryPrivateKeyStore()) }
  const manager = new KeyManager({ store: new MemoryKeyStore(), kms })
  const kid = managedKeyId
  const { publicKeyHex } =
    secret === undefined
      ? await manager.keyManagerCreate({ kms: 'local', type: 'X25519', kid })
      : await manager.keyManagerImport({
          ...{ kms: 'local', type: 'X25519', kid },
          privateKeyHex: Buffer.from(secret).toString('hex'),
        })
  return { manager, key: managedKey(manager, kid, publicKeyHex) }
}

const withPrivate = (curve: Curve, publicKey: KeyObject, privateKey: KeyObject): Own => ({
  ...{ curve, publicKey },
  agree: async theirs => diffieHellman({ privateKey, publicKey: theirs }),
})

/** A key of another curve. */
export const curveKey = (curve: 'P-256' | 'P-384'): Own => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
  return withPrivate(curve, publicKey, privateKey)
}

export const keyOfJwk = (jwk: JsonWebKey): Own => {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  return withPrivate(jwk.crv as Curve, createPublicKey(key), key)
}

export type Party = Didcomm & { kid: string; key: Own }

type PartyOptions = {
  /** Where its document says that it is reached; `null`: nowhere. */
  endpoint?: unknown
  secret?: Uint8Array
  /** In place of one of X25519. */
  key?: Own
}

/** Parties that find one another's documents in one book. */
export const openParties = (now: () => number) => {
  const book = new Map<string, DIDDocument>()
  let ids = 0
  const resolve = async (did: string): Promise<DIDResolutionResult> => ({
    didResolutionMetadata: book.has(did) ? {} : { error: 'notFound' },
    didDocument: book.get(did) ?? null,
    didDocumentMetadata: {},
  })
  const add = async (did: string, { endpoint, secret, key: other }: PartyOptions = {}): Promise<Party> => {
    const imported = await importedKey(secret)
    const key = other ?? imported.key
    const kid = `${did}#${agreementJwk(key.publicKey).x}`
    const own: AgreementKey = { kid, ...key }
    const party = openDidcomm({
      ...{ did, keys: [own], manager: imported.manager, managedKeyId, resolve, now },
      publicUrl: `https://${did.split(':').at(-1)}.example`,
      newId: () => `made-${++ids}`,
    })
    const { verificationMethod, keyAgreement, service } = party.members
    const shown = endpoint === undefined ? service : { ...service, serviceEndpoint: endpoint }
    book.set(did, {
      ...{ id: did, verificationMethod, keyAgreement, service: endpoint === null ? [] : [shown] },
    } as unknown as DIDDocument)
    return { ...party, kid, key }
  }
  return { book, add, resolve }
}
