import type { Certificates, Identity } from '../kernel/identity.ts'
import type { Clock, Signer, StatusPointer, StatusReader, TrustReader } from '../kernel/ports.ts'
import { didWebDocument, didWebFor } from './did-web.ts'
import type { Dids } from './dids.ts'
import type { ForeignTrusts } from './foreign/trusted.ts'
import { evmStatusContext, evmStatusContextName } from './formats/w3c.ts'
import { type IssuerKey, issueCredential } from './issue.ts'
import { verifyPresentation } from './present.ts'
import { challengeOf, prove, recheck } from './prove.ts'
import { type OwnDecisions, withOwnDecisions } from './status.ts'
import { type ListBits, openPublishedLists } from './status-lists/published.ts'
import { viewOf } from './type-metadata.ts'
import type { CredentialTypes } from './types.ts'
import { type VerifyNeeds, verifyCredential } from './verify.ts'

export type IdentityNeeds = {
  types: CredentialTypes
  dids: Dids
  signer: Signer
  /** The key that signs credentials now. */
  issuer: () => IssuerKey
  certificates?: Certificates | undefined
  /** Issuers beyond the registry on chain. */
  foreign?: ForeignTrusts | undefined
  signerChains?: VerifyNeeds['signerChains']
  allot: () => Promise<StatusPointer>
  status: StatusReader
  own: OwnDecisions
  trust: TrustReader
  lists: ListBits
  clock: Clock
  /** CAIP-2 */
  chain: string
  did: string
  publicUrl: string
}

/** The agency's identity: what plugins may ask of keys, DIDs, credentials, status and trust. */
export const openIdentity = (needs: IdentityNeeds): Identity => {
  const { types, dids, signer, issuer, allot, trust, clock, chain, did, signerChains, publicUrl: baseUrl } = needs
  const issuing = { types, dids, signer, issuer, allot, clock, baseUrl, certificates: needs.certificates }
  const status = withOwnDecisions(needs.status, needs.own)
  const verifying: VerifyNeeds = { types, dids, status, trust, clock, chain, signerChains, foreign: needs.foreign }
  const proving = { ...verifying, did }
  const published = openPublishedLists({
    ...{ source: needs.lists, signer, issuer, certificates: needs.certificates, clock, baseUrl },
    aggregationUri: `${baseUrl}/status/token`,
  })
  return {
    did,
    types: types.all.map(type => {
      const foreign = needs.foreign?.views(type.id) ?? []
      return { ...viewOf(type), ...(foreign.length === 0 ? {} : { foreign }) }
    }),
    contexts: { [evmStatusContextName]: evmStatusContext },
    async issue(request) {
      const { draft, format, compact } = await issueCredential(request, issuing)
      const { id, type, issuedAt, validUntil, status: pointer } = draft
      return { id, type: type.id, typeVersion: type.version, format, compact, issuedAt, validUntil, status: pointer }
    },
    verify: (credential, options) => verifyCredential(credential, verifying, options),
    async verifyPresentation(presentation, { challenge, ...expected }) {
      if (challenge === undefined) throw new TypeError('a presentation of the house answers a challenge')
      return verifyPresentation(presentation, verifying, { ...expected, challenge })
    },
    challengeOf,
    prove: (presentations, expected) => prove(presentations, expected, proving),
    recheck: proof => recheck(proof, proving),
    decide: needs.own.decide,
    bitstringList: published.bitstring,
    bitstringListWithProof: published.bitstringWithProof,
    tokenList: published.token,
    tokenListCwt: published.tokenCwt,
    listAggregation: published.aggregation,
    async didDocument() {
      const { didDocument } = await dids.resolve(did)
      if (didDocument === null) throw new Error(`our own ${did} does not resolve`)
      return { ...didWebDocument({ did: didWebFor(baseUrl), ethr: didDocument }) }
    },
    async resolve(wanted, { versionTime }) {
      return { ...(await dids.resolve(wanted, versionTime === undefined ? {} : { versionTime })) }
    },
  }
}
