import { join } from 'node:path'
import { bodyDigest, dpopFetch, dpopProof, newKey, send } from '../../holder.ts'
import { temporaryFolder } from '../../service.ts'
import { type GateHouse, openGateHouse } from '../gate/fixture.ts'
import { openStaff, type Staff } from './fixture.ts'
import { openTheirWallet } from './their-wallet.ts'
import { type Held, type Json, presentSdJwt, sha256Of } from './wallet.ts'

/** Our verifier and a wallet made with @openid4vc/openid4vp, over HTTP. */

let house: GateHouse
let staff: Staff
let held: Held
const folder = temporaryFolder()
beforeAll(async () => {
  house = await openGateHouse({ file: join(folder.path, 'agency.sqlite') })
  staff = await openStaff(house)
  held = await house.issue('DrivingLicence')
})
afterAll(async () => {
  await house.close()
  folder.remove()
})

type Asked = { client_id: string; nonce: string }

const answered = async (walletUrl: string, more: Json = {}): Promise<Response> => {
  const { transport } = house.world
  const wallet = openTheirWallet({ [transport.kid]: { ...transport.jwk } })
  const resolved = await wallet.resolve(walletUrl)
  expect(resolved.version).toBe(100)
  const { client_id: audience, nonce: challenge } = resolved.authorizationRequestPayload as Asked
  return wallet.submit(resolved, { licence: [presentSdJwt(held, { audience, challenge }, more)] })
}

/** What the wallet brings back to the device where it was asked. */
const codeOfAnswer = async (begun: Json): Promise<string | null> => {
  const { redirect_uri: back } = (await (await answered(String(begun['wallet_url']))).json()) as {
    redirect_uri: string
  }
  return new URL(back).searchParams.get('response_code')
}

describe('a wallet made with @openid4vc/openid4vp', () => {
  it.each<[string, Json]>([
    ['fetched and encrypted, as HAIP 1.0 has it', { profile: 'haip' }],
    ['signed under a DID', { client_id_prefix: 'decentralized_identifier' }],
    ['in the clear', { response_mode: 'direct_post' }],
    ['by value', { delivery: 'value', response_mode: 'direct_post' }],
    ['unsigned', { client_id_prefix: 'redirect_uri', response_mode: 'direct_post' }],
    ['unsigned and encrypted', { client_id_prefix: 'redirect_uri' }],
    ['fetched by GET', { request_uri_method: 'get' }],
  ])('answers a request %s', async (_what, more) => {
    const begun = await staff.begin(more)
    const response = await answered(begun.wallet_url)
    expect([response.status, await response.json()]).toEqual([200, {}])
    expect((await staff.result(begun.id)).status).toBe(200)
  })

  it('is sent back with a code on the same device', async () => {
    const begun = await staff.begin({ return_to: 'https://www.office.example/back' })
    const { redirect_uri: back } = (await (await answered(begun.wallet_url)).json()) as { redirect_uri: string }
    const code = new URL(back).searchParams.get('response_code')
    expect((await staff.result(begun.id, { response_code: code })).status).toBe(200)
  })

  it('reads transaction data, and signs for it', async () => {
    const transaction = { type: 'urn:example:payment', credential_ids: ['licence'], amount: '12.00' }
    const begun = await staff.begin({ transaction_data: [transaction] })
    const wallet = openTheirWallet()
    const resolved = await wallet.resolve(begun.wallet_url)
    const [read] = resolved.transactionData ?? []
    expect(read?.transactionData).toEqual(transaction)
    const { client_id: audience, nonce: challenge } = resolved.authorizationRequestPayload as Asked
    const signed = { transaction_data_hashes: [sha256Of(read?.encoded ?? '')] }
    const response = await wallet.submit(resolved, { licence: [presentSdJwt(held, { audience, challenge }, signed)] })
    expect(response.status).toBe(200)
  })

  it.each<[string, Json]>([
    ['unsigned', { encrypted: false }],
    ['unsigned and encrypted', {}],
    ['signed', { signatures: ['x509_hash'], encrypted: false }],
  ])('answers over the Digital Credentials API, %s', async (_what, more) => {
    const origin = 'https://www.office.example'
    const begun = await staff.begin({ digital_credentials: { origins: [origin], ...more } })
    const { data } = begun['digital_request'] as { data: Json }
    const wallet = openTheirWallet()
    const resolved = await wallet.resolve(data, origin)
    const to = { audience: `origin:${origin}`, challenge: begun.nonce }
    const made = await wallet.respond(resolved, { licence: [presentSdJwt(held, to)] }, origin)
    const answer = made.jarm === undefined ? made.authorizationResponsePayload : { response: made.jarm.responseJwt }
    const url = `${house.url}/presentation-requests/${begun.id}/digital-credential`
    const taken = await send(url, 'POST', { secret: begun.secret, data: answer })
    expect([taken.status, taken.body]).toEqual([200, {}])
  })

  it('opens a session at the gate, and does an act in it and one by itself', async () => {
    const key = newKey()
    const asked = { dpop_jkt: key.thumbprint, requirement: { operationId: 'grantPermit' } }
    const begun = (await send(`${house.url}/sessions/presentation-request`, 'POST', asked)).body as Json
    const presentation = { request: begun['id'], secret: begun['secret'], response_code: await codeOfAnswer(begun) }
    const dpop = dpopProof(key, { method: 'POST', url: `${house.url}/sessions` })
    const opened = await send(`${house.url}/sessions`, 'POST', { presentation }, { dpop })
    const nonce = opened.headers.get('dpop-nonce') ?? undefined
    const session = dpopFetch(house.url, String(opened.body['access_token']), key, nonce)
    expect((await session.call('POST', '/office/grantPermit', {})).status).toBe(200)

    const body = { note: 'by itself' }
    const url = `${house.url}/requirements/grantOnce/presentation-request`
    const one = (await send(url, 'POST', { bodySha256: bodyDigest(body) })).body as Json
    const named = { request: one['id'], secret: one['secret'], response_code: await codeOfAnswer(one) }
    const done = await send(`${house.url}/office/grantOnce`, 'POST', { ...body, presentation: named })
    expect(done.status).toBe(200)
  })

  it('refuses a request that was changed on the way', async () => {
    const begun = await staff.begin()
    const changed = begun.wallet_url.replace(/client_id=x509_hash%3A./, 'client_id=x509_hash%3A_')
    await expect(openTheirWallet().resolve(changed)).rejects.toThrow()
  })
})
