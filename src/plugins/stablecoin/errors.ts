import { Refusal } from '../../kernel/refusal.ts'

export const coinUnknown = (): Refusal =>
  new Refusal(
    'not_found',
    'coin_unknown',
    'This agency neither issues a token of that currency nor attests its reserve.',
  )
export const issuerOnly = (): Refusal =>
  new Refusal(
    'forbidden',
    'coin_issuer_only',
    'Only the agency that issues the token does that; this one attests its reserve.',
  )
export const attestorOnly = (): Refusal =>
  new Refusal(
    'forbidden',
    'coin_attestor_only',
    'The reserve is attested by the agency that the contract names as attestor, and never by the issuer.',
  )
export const licenceMissing = (): Refusal =>
  new Refusal(
    'rejected',
    'coin_licence_missing',
    'No licence to issue tokens has been presented; an officer presents the one that the regulator issued.',
  )
export const licenceNotInForce = (why: string): Refusal =>
  new Refusal(
    'rejected',
    'coin_licence_not_in_force',
    'The licence to issue tokens is not in force; present one that is.',
    { facts: { why } },
  )
export const licenceOfAnother = (): Refusal =>
  new Refusal(
    'rejected',
    'coin_licence_of_another',
    'The licence names this agency as its holder, comes from another institution, and is of a class that may issue money.',
  )
export const mintBeyondReserve = (coverable: bigint): Refusal =>
  new Refusal(
    'rejected',
    'mint_beyond_attested_reserve',
    'With this there would be more tokens than the attested reserve covers; have a new reserve attested first.',
    { facts: { coverableMinor: String(coverable) } },
  )
export const mintAllowanceExceeded = (left: bigint): Refusal =>
  new Refusal(
    'rejected',
    'mint_allowance_exceeded',
    'The minter may mint no more than is left of its limit; it refills within a day.',
    { facts: { leftMinor: String(left) } },
  )
export const mintAwaitsOthers = (): Refusal =>
  new Refusal(
    'conflict',
    'mint_awaits_others',
    'Mints that are on their way to the chain may use up what is left; try again when they stand in a block.',
  )
export const burnAllowanceExceeded = (): Refusal =>
  new Refusal(
    'rejected',
    'burn_allowance_exceeded',
    'The issuer may burn no more than is left of its limit; it refills within a day.',
  )
export const attestationStale = (): Refusal =>
  new Refusal(
    'rejected',
    'attestation_stale',
    'No attestation of the reserve is valid now; ask the attestor for a new one.',
  )
export const attestationOutOfRange = (): Refusal =>
  new Refusal(
    'rejected',
    'attestation_out_of_range',
    'An attestation is newer than the one before, not from the future, and valid for at most 40 days from its time.',
  )
export const walletNotEligible = (): Refusal =>
  new Refusal(
    'rejected',
    'wallet_not_eligible',
    'Nobody with KYC in force stands behind the wallet in the domain of the currency; let a bank bind it.',
  )
export const walletNotYours = (): Refusal =>
  new Refusal(
    'forbidden',
    'wallet_not_yours',
    'The wallet is bound to another person; redeem from a wallet of your own.',
  )
export const walletFrozen = (): Refusal =>
  new Refusal('rejected', 'wallet_frozen', 'The wallet is frozen by an order, or so much of what is in it.')
export const walletFundsInsufficient = (): Refusal =>
  new Refusal('rejected', 'wallet_funds_insufficient', 'There is less in the wallet than that.')
export const tokenPaused = (): Refusal =>
  new Refusal(
    'rejected',
    'token_paused',
    'The token is paused by a guardian; nothing is minted, moved or lifted meanwhile.',
  )
export const tokenRefuses = (error: string): Refusal =>
  new Refusal('rejected', 'token_refuses', 'The token’s contract would refuse this now.', { facts: { error } })
export const authorizationInvalid = (): Refusal =>
  new Refusal(
    'rejected',
    'authorization_invalid',
    'The authorization is not the wallet’s own over this amount to the issuer, is used up, or is not valid for ten minutes more.',
  )
export const redemptionPseudonymMissing = (domain: string): Refusal =>
  new Refusal(
    'forbidden',
    'redemption_pseudonym_missing',
    'The KYC attestation asserts no pseudonym in the domain of the currency; ask the bank for one.',
    { facts: { domain } },
  )
export const redemptionUnknown = (): Refusal =>
  new Refusal('not_found', 'token_redemption_unknown', 'There is no redemption of tokens with that id.')
export const redemptionState = (state: string): Refusal =>
  new Refusal('conflict', 'token_redemption_state', 'That does not follow from the state the redemption is in.', {
    facts: { state },
  })
export const actUnknown = (): Refusal =>
  new Refusal('not_found', 'coin_act_unknown', 'There is no act on the token with that id.')
export const actState = (state: string): Refusal =>
  new Refusal('conflict', 'coin_act_state', 'The freeze does not stand on the chain (any more).', { facts: { state } })
export const referenceTaken = (): Refusal =>
  new Refusal('conflict', 'coin_reference_taken', 'That reference has served; each serves once.')

/** What the contract says, in the words of this house; the rest goes by the contract's own name. */
const named: Record<string, () => Refusal> = {
  MoneyPaused: tokenPaused,
  AccountFrozen: walletFrozen,
  MoneyFrozen: walletFrozen,
  ERC20InsufficientBalance: walletFundsInsufficient,
  LimitExceeded: burnAllowanceExceeded,
  ReserveNotAttested: attestationStale,
  AttestationOutOfRange: attestationOutOfRange,
  NotAttestor: attestorOnly,
  InvalidSignature: authorizationInvalid,
  AuthorizationNotYetValid: authorizationInvalid,
  AuthorizationExpired: authorizationInvalid,
  AuthorizationUsedOrCanceled: authorizationInvalid,
}

/** Of a mint that something overtook since it was judged. */
const namedOfMint: typeof named = {
  LimitExceeded: () => mintAllowanceExceeded(0n),
  ReserveExceeded: () => mintBeyondReserve(0n),
  SupplyExceeded: () => mintBeyondReserve(0n),
}

/** @param error the contract's, with or without its arguments. */
export const ofChain = (error: string, method: string): Refusal => {
  const name = error.split('(')[0] ?? error
  const known = (method === 'mint' ? namedOfMint[name] : undefined) ?? named[name]
  return known?.() ?? tokenRefuses(name)
}
