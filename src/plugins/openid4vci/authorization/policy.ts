const second = 1_000
const minute = 60 * second

/** Codes, tokens and states: 256 bits. */
export const handleBytes = 32

/** RFC 9126, section 2.2: how long a pushed request waits for the citizen's browser. */
export const pushedLifeMs = 90 * second
/** How long a citizen has from there to the code. */
export const authorizationLifeMs = 15 * minute
/** FAPI 2.0: a minute at most. */
export const codeLifeMs = minute

/** OpenID4VCI 1.0, section 13.10: what lives longer than five minutes is bound to a key. */
export const bearerLifeMs = 5 * minute
export const boundLifeMs = 15 * minute
/** How long tokens can be renewed, where the issuance does not say. */
export const refreshLifeMs = 24 * 60 * minute

/** Wrong transaction codes before the pre-authorized code is dead (OpenID4VCI 1.0, section 13.6.3). */
export const triesMost = 5
/** Presentations that say somebody else, or nothing, before an authorization ends. */
export const identificationsMost = 5

/** What a request says of its wallet is kept, and shown, at most as long as this (characters). */
export const clientIdMost = 512
export const stateMost = 1_024

/** Requests under way, past which wallets that nobody vouches for have to wait: some 30 MB. */
export const strangersMost = 20_000
/** Past which those have to wait as well that are only registered: their names are no secret, so anybody may ask under them. */
export const registeredMost = 2 * strangersMost

/** How often the page of a citizen looks whether the wallet has answered. */
export const refreshPageSeconds = 4
export const sweepEveryMs = minute

/**
 * Schemes by which an app may be called back that nobody registered: those that wallets are known by, and any name of a
 * domain the wrong way round, which has a period (RFC 8252, section 7.1).
 */
export const walletSchemes: ReadonlySet<string> = new Set([
  ...['openid-credential-offer:', 'haip-vci:', 'haip:', 'openid4vci:', 'openid-vc:', 'eudi-openid4ci:', 'eudi-wallet:'],
  ...['walletapp:', 'openid:'],
])
