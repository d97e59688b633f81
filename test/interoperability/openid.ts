import { randomBytes } from 'node:crypto'
import { expect } from '@jest/globals'
import { DcqlPresentationResult, DcqlQuery } from 'dcql'
import { calculateJwkThumbprint } from 'jose'
import { parseLocalDid } from '../../src/identity/did-local.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'
import { openTheirWallet } from '../plugins/openid4vp/their-wallet.ts'
import { exampleOf } from '../service.ts'
import { newTheirWallet, signerOf, type WalletKey } from '../their-wallet.ts'
import type { Cells, Group, Row } from './cells.ts'
import { type Craft, crafts, type To } from './crafts.ts'
import { closeNation, nation } from './nation.ts'

/** The protocols of OpenID between a nation of ours over HTTP and wallets, issuers and verifiers of others. */

type Held = { credential: unknown; key: WalletKey }

const idOf = (format: string): string => `DrivingLicence.1.${format.replaceAll(/[+-]/g, '_')}`

/** The link of an offer that the staff of the transport authority makes. */
const offered = async ({ format }: Craft): Promise<string> => {
  const { staff } = await nation()
  const claims = { DrivingLicence: exampleOf('driving-licence') }
  const { body } = await staff.createCredentialOffer({ body: { credentialConfigurationIds: [idOf(format)], claims } })
  return body.links.reference
}

/** Their wallet collects a licence of ours with a pre-authorised code, a DPoP key and a proof of its own key. */
const theyCollect = async (craft: Craft): Promise<Held> => {
  const { client, dpopKey, newKey } = newTheirWallet()
  const credentialOffer = await client.resolveCredentialOffer(await offered(craft))
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer)
  const { accessTokenResponse, dpop } = await client.retrievePreAuthorizedCodeAccessTokenFromOffer({
    ...{ credentialOffer, issuerMetadata, dpop: { signer: signerOf(dpopKey) } },
  })
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata })
  const key = newKey()
  const credentialConfigurationId = idOf(craft.format)
  const { jwt } = await client.createCredentialRequestJwtProof({
    ...{ issuerMetadata, credentialConfigurationId, signer: signerOf(key), nonce },
  })
  const { credentialResponse } = await client.retrieveCredentials({
    ...{ issuerMetadata, accessToken: accessTokenResponse.access_token, credentialConfigurationId },
    ...{ proofs: { jwt: [jwt] }, ...(dpop && { dpop }) },
  })
  const [first] = (credentialResponse as { credentials: { credential: unknown }[] }).credentials
  return { credential: first?.credential, key }
}

/** Our wallet takes an offer up, whosever it is; what it holds then. */
const weCollect = async (offer: string): Promise<string> => {
  const { citizen } = await nation()
  const { id } = (await citizen.readOffer({ body: { offer } })).body
  const { state, collected } = (await citizen.acceptOffer({ params: { id }, body: {} })).body
  expect(state).toBe('collected')
  return collected[0]?.heldIds[0] ?? ''
}

const collectedFrom = async (craft: Craft, whose: 'ours' | 'theirs'): Promise<string> => {
  const { issuerOf } = await nation()
  return weCollect(whose === 'theirs' ? issuerOf(craft.format).link : await offered(craft))
}

/** Handed over by hand, as a file. */
const received = async (craft: Craft): Promise<string> => {
  const { citizen, strangerOf } = await nation()
  const { did } = (await citizen.createHolderKey({ body: {} })).body
  const { jwk } = parseLocalDid(did)?.key ?? { jwk: {} }
  const verifiableCredential = (await craft.issue({ did, jwk }, strangerOf(craft.format))) as string
  return (await citizen.receiveCredential({ body: { verifiableCredential } })).body.id
}

const queryFor = ({ format }: Craft, asked: Json) => ({ credentials: [{ id: 'it', format, ...asked }] })

type Way = 'post' | 'page'

const thumbprintOf = async (jwk: Json): Promise<Uint8Array> =>
  Buffer.from(await calculateJwkThumbprint(jwk as never), 'base64url')

/** Our wallet answers their verifier; what the verifier was shown. */
const presentedThere = async (craft: Craft, asked: Json, heldId: string, way: Way = 'post'): Promise<Json> => {
  const { citizen, verifier, world } = await nation()
  const { origin, nonce, responseUri, encryptionKey } = verifier
  const query = queryFor(craft, asked)
  const invitation =
    way === 'post'
      ? { link: await verifier.ask(query, 'direct_post.jwt') }
      : { origin, ...(await verifier.askByPage(query)) }
  const { body: shown } = await citizen.readPresentationRequest({ body: invitation })
  expect(shown.client?.assurance).toBe(way === 'post' ? 'certificate' : 'origin')
  expect(shown.queries[0]?.candidates.map(each => each.heldId)).toContain(heldId)
  const choice = { digest: shown.digest, credentials: [{ query: 'it', heldId }] }
  const answer = await citizen.answerPresentationRequest({ params: { request: shown.id }, body: choice })
  if (answer.body.data !== undefined) await verifier.take(answer.body.data)
  const key = { nonce, thumbprint: await thumbprintOf(encryptionKey) }
  const to: To =
    way === 'post'
      ? { clientId: verifier.clientId, responseUri, ...key }
      : { clientId: `origin:${origin}`, origin, ...key }
  const claims = await craft.accept(verifier.answer()['it']?.[0], to, world)
  judgedByDcql(craft, asked, claims)
  return claims
}

/** What each format is to the library `dcql`. */
const factsFor: Record<string, (claims: Json) => Json> = {
  'dc+sd-jwt': claims => ({ vct: claims['vct'], claims }),
  mso_mdoc: claims => ({ doctype: 'org.iso.18013.5.1.mDL', namespaces: { 'org.iso.18013.5.1': claims } }),
}

const judgedByDcql = (craft: Craft, asked: Json, claims: Json): void => {
  if (unknownToDcql.has(craft.format)) return
  const query = queryFor(craft, asked)
  const types = (asked['meta'] as { type_values?: string[][] }).type_values?.[0]
  const facts = factsFor[craft.format]?.(claims) ?? { type: types, claims }
  const presented = { credential_format: craft.format, cryptographic_holder_binding: true, ...facts }
  const dcqlQuery = DcqlQuery.parse(query as never)
  const { can_be_satisfied } = DcqlPresentationResult.fromDcqlPresentation({ it: [presented] } as never, { dcqlQuery })
  expect(can_be_satisfied).toBe(true)
}

const unknownToDcql = new Set(['vc+jwt'])

type Payload = { client_id?: string; nonce: string; response_uri: string; client_metadata: { jwks: { keys: Json[] } } }

/** What our verifier took. */
const assertTaken = async (request: string): Promise<void> => {
  const { staff } = await nation()
  const { presentations } = (await staff.getPresentationResult({ params: { request }, body: {} })).body
  expect(presentations['it']?.[0]).toMatchObject({ verified: true, type: 'DrivingLicence' })
}

/** Their wallet answers our verifier, who asks as HAIP 1.0 has it: signed with a certificate, encrypted. */
const presentedHere = async (craft: Craft, { credential, key }: Held): Promise<void> => {
  const { staff, world } = await nation()
  const dcql_query = queryFor(craft, craft.licence)
  const { body: begun } = await staff.createPresentationRequest({ body: { purpose: 'a test', dcql_query } })
  const wallet = openTheirWallet()
  const resolved = await wallet.resolve(begun.wallet_url ?? '')
  const {
    client_id: clientId = '',
    nonce,
    response_uri: responseUri,
    client_metadata,
  } = resolved.authorizationRequestPayload as unknown as Payload
  const thumbprint = await thumbprintOf(client_metadata.jwks.keys[0] ?? {})
  const to: To = { clientId, nonce, responseUri, thumbprint }
  const answer = await wallet.submit(resolved, { it: [(await craft.present(credential, key, to, world)) as string] })
  expect([answer.status, await answer.json()]).toEqual([200, {}])
  await assertTaken(begun.id)
}

/** Their wallet answers a page of ours over the Digital Credentials API, where the request is signed and the answer encrypted. */
const presentedToPage = async (craft: Craft, { credential, key }: Held): Promise<void> => {
  const { staff, world, authority } = await nation()
  const { origin } = new URL(authority)
  const digital_credentials = { origins: [origin], signatures: ['x509_hash' as const] }
  const dcql_query = queryFor(craft, craft.licence)
  const order = { purpose: 'a test', dcql_query, digital_credentials }
  const { body: begun } = await staff.createPresentationRequest({ body: order })
  const wallet = openTheirWallet()
  const resolved = await wallet.resolve((begun.digital_request as { data: Json }).data, origin)
  const { nonce, client_metadata } = resolved.authorizationRequestPayload as unknown as Payload
  const thumbprint = await thumbprintOf(client_metadata.jwks.keys[0] ?? {})
  const to: To = { clientId: `origin:${origin}`, nonce, origin, thumbprint }
  const shown = (await craft.present(credential, key, to, world)) as string
  const { jarm } = await wallet.respond(resolved, { it: [shown] }, origin)
  const answer = await fetch(`${authority}/presentation-requests/${begun.id}/digital-credential`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ secret: begun.secret, data: { response: jarm?.responseJwt } }),
  })
  expect([answer.status, await answer.json()]).toEqual([200, {}])
  await assertTaken(begun.id)
}

const mdocsOfStrangers =
  'An mdoc does not say for which credential issuer it was signed: our wallet collects those of agencies, and takes those of strangers whom `trusts` names in by hand.'

const cellsOfIssuing = (craft: Craft): Cells => ({
  'our issuer, their wallet': async () => {
    const { world } = await nation()
    const { credential, key } = await theyCollect(craft)
    const to: To = {
      clientId: 'https://elsewhere.example',
      nonce: randomBytes(9).toString('hex'),
      responseUri: 'https://elsewhere.example/r',
    }
    const claims = await craft.accept(await craft.present(credential, key, to, world), to, world)
    expect(JSON.stringify(claims)).toContain('Okafor')
  },
  'their issuer, our wallet':
    craft.format === 'mso_mdoc'
      ? mdocsOfStrangers
      : async () => {
          const { citizen } = await nation()
          const { body: held } = await citizen.getHeld({ params: { id: await collectedFrom(craft, 'theirs') } })
          expect(held.holder).toMatch(/^did:(key|jwk):/)
        },
})

const cellsOfPresenting = (craft: Craft): Cells => ({
  'their issuer, our wallet': async () => {
    const held = craft.format === 'mso_mdoc' ? received(craft) : collectedFrom(craft, 'theirs')
    await presentedThere(craft, craft.asked, await held)
  },
  'our wallet, their verifier': async () => {
    const claims = await presentedThere(craft, craft.licence, await collectedFrom(craft, 'ours'))
    expect(JSON.stringify(claims)).toContain('Okafor')
  },
  'their wallet, our verifier': async () => presentedHere(craft, await theyCollect(craft)),
})

const cellsOfPages = (craft: Craft): Cells => ({
  'our wallet, their verifier': async () => {
    const claims = await presentedThere(craft, craft.licence, await collectedFrom(craft, 'ours'), 'page')
    expect(JSON.stringify(claims)).toContain('Okafor')
  },
  'their wallet, our verifier': async () => presentedToPage(craft, await theyCollect(craft)),
})

/** VC Data Model 2.0 as a JWT has no identifier there. */
const nameOf = ({ format }: Craft): string => `\`${format}\`${format === 'vc+jwt' ? ', our own identifier' : ''}`
/** Formats that HAIP 1.0 profiles. */
const isOfHaip = ({ format }: Craft): boolean => format === 'dc+sd-jwt' || format === 'mso_mdoc'

const presenting = ({ format, libraries }: Craft): string[] => [
  ...['@openid4vc/openid4vp', ...(unknownToDcql.has(format) ? [] : ['dcql']), ...libraries],
]

const rows: Row[] = [
  ...crafts.map(craft => ({
    ...{ format: nameOf(craft), protocol: 'OpenID4VCI 1.0' },
    libraries: ['@openid4vc/openid4vci', '@openid4vc/oauth2', ...craft.libraries],
    cells: cellsOfIssuing(craft),
  })),
  ...crafts.map(craft => ({
    ...{ format: nameOf(craft), protocol: `OpenID4VP 1.0${isOfHaip(craft) ? ', HAIP 1.0' : ''}` },
    ...{ libraries: presenting(craft), cells: cellsOfPresenting(craft) },
    ...(unknownToDcql.has(craft.format) ? { lacks: '`dcql` knows no `vc+jwt`, which is our own identifier.' } : {}),
  })),
  ...crafts.filter(isOfHaip).map(craft => ({
    ...{ format: nameOf(craft), protocol: 'OpenID4VP 1.0 over the Digital Credentials API' },
    ...{ libraries: presenting(craft), cells: cellsOfPages(craft) },
  })),
]

export const openid: Group = { rows, open: nation, close: closeNation }
