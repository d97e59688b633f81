import type { JsonWebKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DIDDocument } from 'did-resolver'
import { openDidcomm } from '../../../src/identity/didcomm/didcomm.ts'
import { importedKey, keyOfJwk, managedKeyId } from './party.ts'

type Json = Record<string, unknown>
type Appendix = {
  recipientSecrets: (JsonWebKey & { kid: string })[]
  senderDocument: DIDDocument
  recipientDocument: DIDDocument
  plaintext: Json
  signed: Json[]
  encrypted: Json[]
}

const appendix = JSON.parse(readFileSync(join(import.meta.dirname, 'appendix.json'), 'utf8')) as Appendix
const documents = new Map([appendix.senderDocument, appendix.recipientDocument].map(each => [each.id, each]))
const bob = 'did:example:bob'
const when = 1_516_300_000_000

const openBob = async (kid = `${bob}#key-x25519-1`, now = when) => {
  const secret = appendix.recipientSecrets.find(each => each.kid === kid) as JsonWebKey & { d: string }
  const { manager, key } = await importedKey(secret.crv === 'X25519' ? Buffer.from(secret.d, 'base64url') : undefined)
  return openDidcomm({
    ...{ did: bob, manager, managedKeyId, publicUrl: 'https://bob.example', newId: () => 'new', now: () => now },
    keys: [{ kid, ...(secret.crv === 'X25519' ? key : keyOfJwk(secret)) }],
    resolve: async did => ({
      ...{ didResolutionMetadata: {}, didDocumentMetadata: {}, didDocument: documents.get(did) ?? null },
    }),
  })
}

const [anonXc20p, anonP384, anonP521, authX25519, signedAuthP256, allThreeP521] = appendix.encrypted as [
  Json,
  Json,
  Json,
  Json,
  Json,
  Json,
]

describe('the test vectors of DIDComm Messaging 2.1, appendix C', () => {
  it.each([1, 2, 3])(
    'opens ECDH-1PU+A256KW with A256CBC-HS512 over X25519 with each key of the recipient: %d',
    async at => {
      const { message, ...proven } = await (await openBob(`${bob}#key-x25519-${at}`)).open(authX25519)
      expect(proven).toEqual({
        ...{ sender: 'did:example:alice', senderKey: 'did:example:alice#key-x25519-1', signer: undefined },
        dialect: 'v2',
      })
      expect({ id: message.id, body: message.body }).toEqual({
        id: appendix.plaintext['id'],
        body: appendix.plaintext['body'],
      })
    },
  )

  it.each(appendix.signed)('verifies a message signed with EdDSA, ES256 or ES256K', async signed => {
    const { message, sender, signer } = await (await openBob()).open(signed)
    expect({ sender, id: message.id }).toEqual({ sender: 'did:example:alice', id: appendix.plaintext['id'] })
    expect(signer).toMatch(/^did:example:alice#key-[123]$/)
  })

  it('opens ECDH-ES+A256KW with XC20P, and believes nothing of the sender that it names', async () => {
    const { message, sender } = await (await openBob()).open(anonXc20p)
    expect({ sender, id: message.id }).toEqual({ sender: undefined, id: appendix.plaintext['id'] })
  })

  it.each([1, 2])('opens ECDH-ES+A256KW with A256CBC-HS512 over P-384: key %d', async at => {
    const { message, sender } = await (await openBob(`${bob}#key-p384-${at}`)).open(anonP384)
    expect({ sender, id: message.id }).toEqual({ sender: undefined, id: appendix.plaintext['id'] })
  })

  it.each([1, 2])('opens what was signed, and encrypted by ECDH-1PU+A256KW over P-256: key %d', async at => {
    const opened = await (await openBob(`${bob}#key-p256-${at}`)).open(signedAuthP256)
    expect(opened).toMatchObject({ sender: 'did:example:alice', message: { id: appendix.plaintext['id'] } })
    expect([opened.senderKey, opened.signer]).toEqual(['did:example:alice#key-p256-1', 'did:example:alice#key-1'])
  })

  it.each([anonP521, allThreeP521])('refuses key agreement over P-521, which is optional, by name', async each => {
    await expect((await openBob()).open(each)).rejects.toMatchObject({ code: 'didcomm_unsupported' })
  })

  it('refuses all of them after expires_time', async () => {
    const late = await openBob(undefined, 1_516_385_931_000)
    for (const each of [authX25519, anonXc20p, ...appendix.signed]) {
      await expect(late.open(each)).rejects.toMatchObject({ code: 'didcomm_expired' })
    }
  })

  it.each(['tag', 'ciphertext', 'iv'] as const)('refuses a changed %s', async member => {
    const text = authX25519[member] as string
    const changed = { ...authX25519, [member]: (text.startsWith('A') ? 'B' : 'A') + text.slice(1) }
    await expect((await openBob()).open(changed)).rejects.toMatchObject({ code: 'didcomm_undecryptable' })
  })
})
