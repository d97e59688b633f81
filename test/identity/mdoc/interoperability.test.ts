import { DataItem } from '@auth0/mdl'
import { encode, Tag } from '../../../src/identity/cbor.ts'
import { coseKeyOf } from '../../../src/identity/cose/key.ts'
import { verifyDeviceResponse } from '../../../src/identity/mdoc/device-response.ts'
import { openMdoc, verifyIssuer } from '../../../src/identity/mdoc/issuer-signed.ts'
import { redirectTranscript } from '../../../src/identity/mdoc/session-transcript.ts'
import { newKeys } from '../x509/authority.ts'
import { namespace, outcomeOf, publicJwk } from './fixture.ts'
import { elements, names, now, openExchange, privateJwk } from './others.ts'

const { office, ours, theirs, shownByUs, theirWallet, theirJudgement, expected } = await openExchange()

describe('mdocs and @auth0/mdl', () => {
  it('our issuer, our wallet, their verifier', async () => {
    expect(await theirJudgement(await shownByUs(await ours()))).toBe('birth_date,driving_privileges,family_name')
  })

  it('our issuer, our wallet, their verifier: another exchange is refused', async () => {
    const other = encode(
      new Tag(24, redirectTranscript({ clientId: 'b', nonce: 'n', responseUri: 'https://b.example' })),
    )
    expect(await theirJudgement(await shownByUs(await ours()), other)).toMatch('Device signature must be valid')
  })

  it('our issuer, their wallet, our verifier', async () => {
    const response = await theirWallet(await ours())
      .authenticateWithSignature(privateJwk(office.device), 'ES256')
      .sign()
    const [verified] = await verifyDeviceResponse(response.encode(), expected())
    expect(verified?.mdoc.namespaces[namespace]).toEqual({
      family_name: 'Okafor',
      birth_date: '1990-04-17',
      driving_privileges: [{ vehicle_category_code: 'B', issue_date: '2010-06-21' }],
    })
  })

  it('our issuer, their wallet with a device MAC, our verifier', async () => {
    const reader = newKeys()
    const ephemeral = Buffer.from(encode(coseKeyOf(publicJwk(reader))))
    const response = await theirWallet(await ours())
      .authenticateWithMAC(privateJwk(office.device), ephemeral, 'HS256')
      .sign()
    const verified = await verifyDeviceResponse(response.encode(), { ...expected(), readerKey: reader.privateKey })
    expect(verified[0]?.mdoc.device.kind).toBe('mac')
    const other = verifyDeviceResponse(response.encode(), { ...expected(), readerKey: newKeys().privateKey })
    expect(await outcomeOf(other)).toBe('holder_mismatch')
  })

  it('our issuer, their wallet with another device, our verifier: refused', async () => {
    const response = await theirWallet(await ours())
      .authenticateWithSignature(privateJwk(newKeys()), 'ES256')
      .sign()
    expect(await outcomeOf(verifyDeviceResponse(response.encode(), expected()))).toBe('holder_mismatch')
  })

  it('our issuer, their wallet saying something of its own, our verifier: refused without authorization', async () => {
    const respond = async (issuerSigned: Uint8Array) => {
      const wallet = theirWallet(issuerSigned).authenticateWithSignature(privateJwk(office.device), 'ES256')
      const response = await wallet.addDeviceNameSpace('org.example.device', { battery: 80 }).sign()
      return verifyDeviceResponse(response.encode(), expected())
    }
    expect(await outcomeOf(respond(await ours()))).toBe('device_element_unauthorized')
    const keyAuthorizations = { nameSpaces: ['org.example.device'], dataElements: {} }
    const [verified] = await respond(await office.issue({ keyAuthorizations, namespaces: { [namespace]: elements } }))
    expect(verified?.mdoc.deviceNamespaces).toEqual({ 'org.example.device': { battery: 80 } })
  })

  it('their issuer, our reader', async () => {
    const mdoc = openMdoc(await theirs())
    await expect(verifyIssuer(mdoc, { issuers: office.issuers, at: now })).resolves.toBeDefined()
    expect(mdoc.namespaces[namespace]).toMatchObject({ given_name: 'Amara', birth_date: '1990-04-17' })
    expect(mdoc.deviceKey).toEqual(publicJwk(office.device))
  })

  it('their issuer, our wallet, their verifier and ours', async () => {
    const response = await shownByUs(await theirs())
    expect(await theirJudgement(response)).toBe('birth_date,driving_privileges,family_name')
    const [verified] = await verifyDeviceResponse(response, expected())
    expect(Object.keys(verified?.mdoc.namespaces[namespace] ?? {}).sort()).toEqual([...names].sort())
  })

  it('their data items and ours are the same octets', () => {
    expect(Buffer.from(DataItem.fromData([1, 'a']).buffer)).toEqual(Buffer.from(encode([1, 'a'])))
  })
})
