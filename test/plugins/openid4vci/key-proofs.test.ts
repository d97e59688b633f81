import { judgeProofs, proofAlgorithms } from '../../../src/identity/openid/vci/key-proofs.ts'
import { newKey, signJwt } from '../../holder.ts'
import { TestDids } from '../../identity/world.ts'

const audience = 'https://issuer.example/agency'
const now = Date.parse('2026-06-15T10:00:00Z')

/** DIDs, and which of them were asked for. */
class AskedDids extends TestDids {
  readonly asked: string[] = []

  override key(...parameters: Parameters<TestDids['key']>): ReturnType<TestDids['key']> {
    this.asked.push(parameters[0])
    return super.key(...parameters)
  }
}

const judge = async (dids: AskedDids, kid: string, key = newKey()): Promise<unknown> => {
  const payload = { aud: audience, iat: now / 1_000, nonce: 'nonce' }
  const proof = signJwt({ typ: 'openid4vci-proof+jwt', kid }, payload, key)
  const expected = { audience, nonce: () => undefined, client: { id: undefined }, attestation: undefined, most: 1 }
  const needs = { dids, clock: { now: () => now } }
  return judgeProofs({ jwt: [proof] }, needs, { ...expected, algorithms: proofAlgorithms })
}

describe('the DID that a proof of a key names', () => {
  it.each([
    'did:web:evil.example#key-1',
    'did:web:evil.example',
    'did:webvh:QmScid:evil.example#key-1',
    'did:ethr:0x1:0x1111111111111111111111111111111111111111#delegate-1',
    'did:keys:zNobody#zNobody',
    'did:',
  ])('is not asked for where it is %s: no stranger makes the issuer fetch', async kid => {
    const dids = new AskedDids()
    await expect(judge(dids, kid)).rejects.toMatchObject({
      code: 'invalid_proof',
      message: 'A credential is bound to a key, a did:jwk or a did:key.',
    })
    expect(dids.asked).toEqual([])
  })

  it('is asked for where it holds its key itself', async () => {
    const key = newKey()
    const did = `did:jwk:${Buffer.from(JSON.stringify(key.jwk)).toString('base64url')}`
    const dids = new AskedDids()
    expect(await judge(dids, `${did}#0`, key)).toMatchObject({ keys: [{ did }] })
    expect(dids.asked).toEqual([`${did}#0`])
  })
})
