import { ConfigError } from './config/agency.ts'
import type { VerifierAttestationConfig } from './config/openid4vp.ts'
import { qr } from './http/qr.ts'
import { parseDcql } from './identity/openid/dcql/parse.ts'
import { encryptText, newEncryptionKey, type PublicEncryptionJwk } from './identity/openid/jwe.ts'
import { type ClientNeeds, openClients, type VerifierAttestation } from './identity/openid/vp/clients.ts'
import { formatsKnown } from './identity/openid/vp/formats-supported.ts'
import { readOwnAttestation } from './identity/openid/vp/own-attestation.ts'
import {
  digitalSigned,
  digitalUnsigned,
  type RequestTerms,
  signRequestObject,
  unsignedClientId,
  urlByReference,
  urlByValue,
  urlUnsigned,
} from './identity/openid/vp/request-make.ts'
import { judgeVpToken } from './identity/openid/vp/response-judge.ts'
import { readResponse } from './identity/openid/vp/response-read.ts'
import { encodeTransactionData } from './identity/openid/vp/transaction-data.ts'
import { judgeWalletMetadata } from './identity/openid/vp/wallet-metadata.ts'
import type { Identity } from './kernel/identity.ts'
import type { Route } from './kernel/plugin.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import type { Mounting } from './mounting.ts'
import type { Openid4vpNeeds, Protocol } from './plugins/openid4vp/needs.ts'
import { openDesk } from './plugins/openid4vp/plugin.ts'

type Parts = Omit<Mounting, 'presentations' | 'routes'>

/** The verifier of an agency: OpenID4VP over its keys and certificates, and its own judgement of what is presented. */

/** @throws Refusal malformed/dcql_malformed, rejected/format_unsupported */
const readDcql = (value: unknown) => {
  const dcql = parseDcql(value)
  const stray = dcql.credentials.find(({ format }) => !formatsKnown.includes(format))
  if (stray === undefined) return dcql
  throw new Refusal('rejected', 'format_unsupported', `Formats that are verified here: ${formatsKnown.join(', ')}.`)
}

type Asked = Parameters<Protocol['requestObject']>

const protocolOf = (
  clients: ReturnType<typeof openClients>,
  identity: Pick<Identity, 'verify' | 'verifyPresentation'>,
): Protocol => {
  const told = (terms: Asked[0]): RequestTerms => ({
    ...terms,
    encryptionKey: terms.encryptionKey as PublicEncryptionJwk | undefined,
  })
  return {
    newKey: async () => {
      const { publicJwk, privateJwk } = await newEncryptionKey()
      // The very object: what opens with it is remembered by it.
      return { publicJwk, privateJwk: privateJwk as Record<string, unknown> }
    },
    readDcql,
    encodeTransactionData,
    async clientId(prefix, responseUri) {
      if (prefix === 'redirect_uri') return unsignedClientId(responseUri)
      return (await clients.signing(prefix)).clientId
    },
    async requestObject(terms, { prefix, clientId }, period, wallet = {}) {
      const client = await clients.signing(prefix)
      // Its certificate was renewed between the two: the wallet was told the old one.
      if (client.clientId !== clientId) {
        const detail = 'The key that this request was begun under has changed since; ask for a new one.'
        throw new Refusal('conflict', 'presentation_request_outdated', detail)
      }
      const { encryptTo } = judgeWalletMetadata(wallet.metadata, {
        ...{ dcql: terms.dcql, clientId, algorithm: client.header.alg },
        encrypted: terms.encryptionKey !== undefined,
      })
      const object = await signRequestObject(told(terms), client, { ...period, walletNonce: wallet.nonce })
      return encryptTo === undefined ? object : encryptText(object, { ...encryptTo, cty: 'oauth-authz-req+jwt' })
    },
    urls: {
      byReference: urlByReference,
      byValue: urlByValue,
      unsigned: (scheme, terms) => urlUnsigned(scheme, told(terms)),
    },
    async digitalRequest(terms, prefixes, period) {
      if (prefixes.length === 0) return digitalUnsigned(told(terms))
      return digitalSigned(told(terms), await Promise.all(prefixes.map(clients.signing)), period)
    },
    readResponse: (form, expected) => readResponse(form, expected),
    judge: (vpToken, asked) => judgeVpToken(vpToken, asked, identity),
  }
}

/** @throws ConfigError for an attestation that is not this agency's, or is over */
const readAttestation = async (
  { agency, certificates }: Parts,
  { jwt }: VerifierAttestationConfig,
): Promise<VerifierAttestation> => {
  const { thumbprint } = await agency.keys.info((await certificates.verifier()).keyId)
  try {
    return readOwnAttestation(jwt, { thumbprint, now: agency.settings.clock.now() })
  } catch (cause) {
    if (!isRefusal(cause)) throw cause
    throw new ConfigError(`${agency.config.name}: ${cause.message}`, { cause })
  }
}

export type VerifierParts = Omit<Openid4vpNeeds, 'protocol' | 'qr'> & {
  /** The agency as the client of wallets. */
  client: ClientNeeds
  identity: Pick<Identity, 'verify' | 'verifyPresentation'>
}

/** What every operation of the verifier has at hand, over any agency. */
export const verifierDesk = ({ client, identity, ...needs }: VerifierParts) =>
  openDesk({ ...needs, qr, protocol: protocolOf(openClients(client), identity) })

/** @throws ConfigError for a verifier attestation that is not this agency's, or is over */
export const openVerifier = async (mounting: Parts, routes: () => Readonly<Record<string, Route>>) => {
  const { agency, identity, issuerKey, certificates } = mounting
  const { house, keys, did, derive, config, settings } = agency
  const { publicUrl, clock } = settings
  const { returnOrigins = [], attestation } = config.openid4vp ?? {}
  const client: ClientNeeds = {
    ...{ publicUrl, did, issuerKey, certificates, signer: keys.signer, now: () => clock.now() },
    attestation: attestation && (await readAttestation(mounting, attestation)),
  }
  return verifierDesk({ house, derive, publicUrl, routes, returnOrigins, types: identity.types, identity, client })
}
