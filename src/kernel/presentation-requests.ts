import type { Dcql } from './dcql-query.ts'
import type { Expectation, Verdict } from './identity.ts'
import type { Tx } from './ports.ts'

/** What plugins ask of the agency's verifier (OpenID4VP 1.0); the composition root hands it over. Times are milliseconds. */

/** How the verifier names itself to a wallet: a prefix of client identifiers (section 5.9.3), and which of our DIDs. */
export const clientIdPrefixes = [
  'x509_hash',
  'x509_san_dns',
  'decentralized_identifier',
  'verifier_attestation',
  'redirect_uri',
] as const
export type ClientIdPrefix = (typeof clientIdPrefixes)[number]

/** What an answer has to be beyond what DCQL can say. */
export type Takes = {
  /** By the id of a query, of which type of credential it is answered. */
  types: Readonly<Record<string, string>>
  /** Presentations in all. */
  presentationsMost: number
}

export type PresentationAsked = {
  dcql: Dcql
  /** One sentence for whoever looks the request up again. */
  purpose: string
  /** Each with `type` and `credential_ids` (section 5.1); presentations have to sign for all of them. */
  transactionData?: readonly Record<string, unknown>[] | undefined
  /** What presentations answer. @default a fresh nonce */
  nonce?: string | undefined
  /**
   * The wallet is on the device of whoever asks: it sends the person back to this URL with the parameter `response_code`, and
   * without that code nobody has the answer (section 14.2). Without it the wallet is on another device.
   */
  returnTo?: string | undefined
  /** The same with the agency's own page to come back to, which shows the code to the browser that began and to no other. */
  sameDevice?: boolean | undefined
  /**
   * Whoever likes is asking, and says where to: then people are sent back to the agency's own page, or to pages whose origin its
   * file names. Of whatever else stands at its origin nobody knows what it makes of the code.
   */
  byAnybody?: boolean | undefined
  /** What its asker can never take is refused as it comes. */
  takes?: Takes | undefined
  /** @default x509_hash, as HAIP 1.0 has it */
  clientIdPrefix?: ClientIdPrefix | undefined
  /** @default direct_post.jwt, as HAIP 1.0 has it */
  responseMode?: 'direct_post' | 'direct_post.jwt' | undefined
  /** @default the life of a request */
  expires?: number | undefined
}

export type PresentationRequested = {
  id: string
  /** Opens the answer; for whoever asked alone, and never in a URL. */
  secret: string
  /** `openid4vp://…`: a link on the same device, a QR code for another. */
  walletUrl: string
  requestUri: string
  /** Of this agency, under which presentations are meant for it. */
  clientId: string
  expires: number
  /** For the browser that begins, where it comes back to the agency's own page. */
  cookie?: string | undefined
}

/** Presentations by the id of the query that they answer. */
export type VpToken = Readonly<Record<string, readonly unknown[]>>

export type PresentationOutcome =
  /** Also while the code is missing that the wallet sends back. */
  | { state: 'waiting' }
  | { state: 'expired' }
  /** By the person, or by their wallet: its error code. */
  | { state: 'refused'; error: string }
  | {
      state: 'answered'
      vpToken: VpToken
      /** Every one of them good, and of what was asked for. */
      verdicts: Readonly<Record<string, readonly Verdict[]>>
      /** What the presentations answered, to judge them again. */
      expected: Expectation
    }

/** How whoever asked is known: by what `ask` gave them, and by what the wallet brought back. */
export type PresentationKey = { id: string; secret: string; responseCode?: string | undefined }

/** A request that is made and signed for, but not there yet: it comes into being with the act that asks. */
export type PresentationPrepared = PresentationRequested & { store(tx: Tx): void }

export type PresentationRequests = {
  /**
   * Makes a request; nothing is stored before `store` is called in an act's transaction.
   * @throws Refusal dcql_malformed, invalid_transaction_data, return_forbidden, request_unsuited
   */
  prepare(asked: PresentationAsked): Promise<PresentationPrepared>
  /** @throws Refusal not_found/presentation_request_unknown, also for another secret */
  outcome(key: PresentationKey): Promise<PresentationOutcome>
}
