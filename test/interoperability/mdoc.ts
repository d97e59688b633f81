import { expect } from '@jest/globals'
import { encode, Tag } from '../../src/identity/cbor.ts'
import { verifyDeviceResponse } from '../../src/identity/mdoc/device-response.ts'
import { openMdoc, verifyIssuer } from '../../src/identity/mdoc/issuer-signed.ts'
import { redirectTranscript } from '../../src/identity/mdoc/session-transcript.ts'
import { trustAnchors } from '../../src/identity/x509/chain.ts'
import { namespace, openOffice, outcomeOf } from '../identity/mdoc/fixture.ts'
import { type Exchange, names, now, openExchange, privateJwk } from '../identity/mdoc/others.ts'
import type { Group } from './cells.ts'

/** Driving licences of ISO 18013-5 in the exchange of OpenID4VP, with @auth0/mdl. */

const shown = [...names].sort()
const another = redirectTranscript({ clientId: 'b', nonce: 'n', responseUri: 'https://b.example' })

const theyPresent = async ({ office, theirWallet }: Exchange, issuerSigned: Uint8Array): Promise<Uint8Array> => {
  const wallet = theirWallet(issuerSigned).authenticateWithSignature(privateJwk(office.device), 'ES256')
  return (await wallet.sign()).encode()
}

const acceptedHere = async ({ expected }: Exchange, response: Uint8Array): Promise<void> => {
  const [verified] = await verifyDeviceResponse(response, expected())
  expect(Object.keys(verified?.mdoc.namespaces[namespace] ?? {}).sort()).toEqual(shown)
  const elsewhere = verifyDeviceResponse(response, { ...expected(), transcript: another })
  expect(await outcomeOf(elsewhere)).toBe('holder_mismatch')
}

const acceptedThere = async ({ theirJudgement }: Exchange, response: Uint8Array): Promise<void> => {
  expect(await theirJudgement(response)).toBe(shown.join())
  expect(await theirJudgement(response, encode(new Tag(24, another)))).toMatch('Device signature must be valid')
}

export const mdoc: Group = {
  rows: [
    {
      ...{ format: '`mso_mdoc`, ES256', protocol: 'ISO 18013-5 in OpenID4VP 1.0', libraries: ['@auth0/mdl'] },
      cells: {
        'our issuer, their verifier':
          '`@auth0/mdl` verifies what a device signed, and not what the issuer signed alone.',
        'their issuer, our verifier': async () => {
          const { theirs, office } = await openExchange()
          const licence = openMdoc(await theirs())
          await expect(verifyIssuer(licence, { issuers: office.issuers, at: now })).resolves.toBeDefined()
          const stranger = trustAnchors([(await openOffice()).root.certificate])
          expect(await outcomeOf(verifyIssuer(licence, { issuers: stranger, at: now }))).not.toBe('passed')
        },
        'our issuer, their wallet': async () => {
          const exchange = await openExchange()
          await acceptedHere(exchange, await theyPresent(exchange, await exchange.ours()))
        },
        'their issuer, our wallet': async () => {
          const exchange = await openExchange()
          const response = await exchange.shownByUs(await exchange.theirs())
          await acceptedThere(exchange, response)
          await acceptedHere(exchange, response)
        },
        'our wallet, their verifier': async () => {
          const exchange = await openExchange()
          await acceptedThere(exchange, await exchange.shownByUs(await exchange.ours()))
        },
        'their wallet, our verifier': async () => {
          const exchange = await openExchange()
          await acceptedHere(exchange, await theyPresent(exchange, await exchange.theirs()))
        },
      },
    },
  ],
}
