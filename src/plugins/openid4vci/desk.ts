import type { AuthorizationDesk } from './authorization/needs.ts'
import { type Configuration, configurationsOf } from './configurations.ts'
import { type IssuanceBook, openIssuances } from './issuances.ts'
import { issuerMetadata } from './metadata.ts'
import type { Openid4vciNeeds } from './needs.ts'
import { type Nonces, openNonces } from './nonces.ts'
import { openSweep } from './sweep.ts'

/** What every operation of the plugin has at hand. */
export type Desk = Openid4vciNeeds &
  Omit<AuthorizationDesk, 'configurations'> & {
    configurations: ReadonlyMap<string, Configuration>
    metadata: Readonly<Record<string, unknown>>
    book: IssuanceBook
    nonces: Nonces
    /** Names transactions and notifications, which no table holds. */
    naming: Buffer
    sweep(): void
  }

export const openDesk = (needs: Openid4vciNeeds): Desk => {
  const { types, keyProofs, policy, house, derive } = needs
  const configurations = configurationsOf(types, {
    algorithm: needs.signingAlgorithm(),
    proofAlgorithms: keyProofs.algorithms,
    attestations: keyProofs.attestations,
    attestation: policy.attestation,
  })
  const book = openIssuances(needs)
  return {
    ...needs,
    ...{ configurations, book, issuances: book.port },
    metadata: issuerMetadata(needs, configurations),
    nonces: openNonces({ secret: derive('openid4vci c_nonces'), clock: house.clock }),
    naming: derive('openid4vci transactions'),
    sweep: openSweep(needs),
  }
}
