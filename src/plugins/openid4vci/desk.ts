import { createSecretKey } from 'node:crypto'
import { type Collecting, openCollecting } from './actions/collecting.ts'
import type { DeliveryKeys } from './actions/deliveries.ts'
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
    /** Of what is collected and waited for. */
    deliveryKeys: DeliveryKeys
    /** Keeps credentials that are signed, as most are collected. @returns whether it did */
    collect(collecting: Collecting): Promise<boolean>
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
  const deliveryKeys = {
    naming: createSecretKey(derive('openid4vci transactions')),
    holders: createSecretKey(derive('openid4vci waiting holders')),
  }
  return {
    ...needs,
    ...{ configurations, book, issuances: book.port },
    metadata: issuerMetadata(needs, configurations),
    nonces: openNonces({ secret: derive('openid4vci c_nonces'), clock: house.clock }),
    deliveryKeys,
    collect: openCollecting({ ...needs, book, deliveryKeys }),
    sweep: openSweep(needs),
  }
}
