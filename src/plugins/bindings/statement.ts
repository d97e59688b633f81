/**
 * What a wallet signs (EIP-191) so that nobody binds a wallet that is not theirs: for this institution, this domain and the key
 * that holds the citizen's KYC attestation, at this time.
 */
export const walletStatement = (of: {
  wallet: string
  institution: string
  domain: string
  /** RFC 7638 thumbprint. */
  holderKey: string
  /** ISO 8601, as the request has it. */
  signedAt: string
}): string =>
  [
    'I bind this wallet to me.',
    '',
    `Wallet: ${of.wallet}`,
    `Institution: ${of.institution}`,
    `Domain: ${of.domain}`,
    `Holder key: ${of.holderKey}`,
    `Signed at: ${of.signedAt}`,
  ].join('\n')
