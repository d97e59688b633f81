import { Refusal } from '../../kernel/refusal.ts'

export const walletSignatureInvalid = (): Refusal =>
  new Refusal(
    'rejected',
    'wallet_signature_invalid',
    'The wallet has not signed the statement over itself, this institution, the domain, the holder key and signedAt (EIP-191).',
  )
export const walletSignatureOld = (): Refusal =>
  new Refusal('rejected', 'wallet_signature_old', 'The wallet signed too long ago, or in the future; sign again.')
export const walletTaken = (): Refusal =>
  new Refusal('conflict', 'wallet_taken', 'The wallet is bound to another person in this domain; use another wallet.')
export const replacesItself = (): Refusal =>
  new Refusal('malformed', 'wallet_replaces_itself', 'A wallet does not replace itself; leave replaces out to renew.')
export const attestationEnded = (): Refusal =>
  new Refusal(
    'forbidden',
    'kyc_ended',
    'The KYC attestation has been revoked or suspended; ask the institution before binding a wallet.',
  )
export const bindingsExhausted = (most: number): Refusal =>
  new Refusal('rejected', 'bindings_exhausted', `One KYC attestation carries at most ${most} bindings; renew it first.`)
export const bindingRightMissing = (): Refusal =>
  new Refusal(
    'unavailable',
    'binding_right_missing',
    'This institution may not bind wallets now: the root ended its accreditation for KYC, or withdrew its key.',
  )
export const bindingUnknown = (): Refusal =>
  new Refusal('not_found', 'binding_unknown', 'There is no such wallet binding among yours.')
export const bindingEnded = (): Refusal =>
  new Refusal('conflict', 'binding_ended', 'The wallet binding has ended already.')
