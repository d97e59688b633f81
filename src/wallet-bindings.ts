import type { AgencyOnChain } from './agency.ts'
import { recoverWallet } from './chain/wallet-proof.ts'
import {
  admitIssuerKeyWrite,
  bindCall,
  bindingDigest,
  bindingTypedData,
  bindWrite,
  domainIdOf,
  p256BindingSignature,
  pseudonymIdOf,
  secp256k1BindingSignature,
  type WalletBinding,
} from './chain/wallets.ts'
import type { IssuerKey } from './identity/issue.ts'
import type { Pseudonyms } from './identity/pseudonyms.ts'
import type { ChainWrite, StatusValue, Tx } from './kernel/ports.ts'
import { openBindingLists, statusBitWrites } from './lists.ts'
import type { Binding, BindingsNeeds } from './plugins/bindings/needs.ts'

/** What binding wallets takes of an agency's keys and of the chain. */

/** Keys of KYC issuers that the root has never decided on; what it withdrew stays withdrawn. */
export const missingIssuerKeys = (
  root: AgencyOnChain,
  issuers: readonly Pick<AgencyOnChain, 'address' | 'config' | 'signing'>[],
): ChainWrite[] =>
  issuers
    .filter(({ config }) => config.issues.includes('KycAttestation'))
    .filter(({ address, signing }) => root.chain.follower.wallets.issuerKey(address, signing.thumbprint) === undefined)
    .map(({ address, signing }) => admitIssuerKeyWrite({ issuer: address, jwk: signing.jwk, account: root.address }))

const onChain = (issuer: string, { domain, pseudonym, ...binding }: Binding): WalletBinding => ({
  ...{ ...binding, issuer },
  domain: domainIdOf(domain),
  pseudonym: pseudonymIdOf(pseudonym),
})

export type BindingParts = {
  /** The key that signs now. */
  key(): IssuerKey
  pseudonyms: Pseudonyms
  holdCredential(tx: Tx, id: string): Promise<StatusValue | undefined>
  newId(): string
}

export const bindingsOf = (agency: AgencyOnChain, parts: BindingParts): BindingsNeeds => {
  const { chain, address, keys, controller, house, outbox, settings } = agency
  const { wallets } = chain.follower
  const registry = chain.contracts.WalletRegistry
  const place = { chainId: chain.client.chainId, address: registry.address }
  const { trust } = chain.follower
  /** The key that signs now, and what the root decided on it. */
  const signingKey = async () => {
    const { keyId, thumbprint } = await keys.info(parts.key().keyId)
    return { keyId, thumbprint, standing: wallets.issuerKey(address, thumbprint) }
  }
  /** The owner of the DID may always sign; so a key that the root has not come to yet stops nobody, one it withdrew does. */
  const signatureOver = async (digest: Uint8Array): Promise<string> => {
    const { keyId, thumbprint, standing } = await signingKey()
    if (standing === 'admitted') return p256BindingSignature(thumbprint, await keys.signer.sign(keyId, 'ES256', digest))
    return secp256k1BindingSignature(await keys.signDigest(controller.keyId, digest))
  }
  return {
    ...{ house, outbox, wallets, recoverWallet, publicUrl: settings.publicUrl, newId: parts.newId },
    pseudonymOf: parts.pseudonyms.of,
    holdCredential: parts.holdCredential,
    allot: openBindingLists(agency).allot,
    mayBind: async () =>
      trust.accreditation(address, 'KycAttestation', settings.clock.now()).accredited &&
      (await signingKey()).standing !== 'withdrawn',
    endWrites: places => statusBitWrites(agency.address, [...places], true),
    async sign(given) {
      const binding = onChain(address, given)
      const signature = await signatureOver(bindingDigest(place, binding))
      return {
        ...{ signature, typedData: bindingTypedData(place, binding) },
        call: bindCall(registry, { binding, signature }),
        write: bindWrite({ binding, signature, account: address }),
      }
    },
  }
}
