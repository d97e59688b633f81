import type { Dcql } from '../../kernel/dcql-query.ts'
import type { Expectation, TypeView, Verdict } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { Route } from '../../kernel/plugin.ts'
import type { ClientIdPrefix, VpToken } from '../../kernel/presentation-requests.ts'

type Members = Record<string, unknown>

/** A key that one answer is encrypted to: as it is published, and what opens the answer. */
export type ResponseKey = { publicJwk: Members & { kid: string }; privateJwk: Members }

export type ResponseMode = 'direct_post' | 'direct_post.jwt' | 'dc_api' | 'dc_api.jwt'
export type Scheme = 'openid4vp' | 'haip-vp'
export type VerifierInfo = { format: string; data: unknown; credential_ids?: readonly string[] }

/** What a request says, but for who asks (OpenID4VP 1.0, section 5.1). */
export type RequestTerms = {
  dcql: Dcql
  nonce: string
  responseMode: ResponseMode
  responseUri?: string | undefined
  state?: string | undefined
  transactionData?: readonly string[] | undefined
  verifierInfo?: readonly VerifierInfo[] | undefined
  encryptionKey?: ResponseKey['publicJwk'] | undefined
  expectedOrigins?: readonly string[] | undefined
}

/** A prefix whose requests are signed. */
export type SignedPrefix = Exclude<ClientIdPrefix, 'redirect_uri'>

export type Period = { now: number; expires: number }

/** OpenID4VP 1.0 as `identity/openid/vp/` has it. */
export type Protocol = {
  newKey(): Promise<ResponseKey>
  /** @throws Refusal malformed/dcql_malformed, rejected/format_unsupported */
  readDcql(value: unknown): Dcql
  /** @throws Refusal rejected/invalid_transaction_data */
  encodeTransactionData(items: readonly Members[], dcql: Dcql): string[]
  /** The client identifier with a prefix; of `redirect_uri` by the address that the response goes to. @throws Refusal client_id_unsupported */
  clientId(prefix: ClientIdPrefix, responseUri: string): Promise<string>
  /**
   * A signed request object, encrypted where the wallet wants it so.
   * @param wallet what it told when it came by POST.
   * @throws Refusal wallet_metadata_malformed, wallet_unsuited, vp_formats_not_supported, client_id_unsupported
   */
  requestObject(
    terms: RequestTerms,
    client: { prefix: SignedPrefix; clientId: string },
    period: Period,
    wallet?: { metadata?: string | undefined; nonce?: string | undefined },
  ): Promise<string>
  urls: {
    byReference(scheme: Scheme, request: { clientId: string; requestUri: string; method: 'get' | 'post' }): string
    byValue(scheme: Scheme, request: { clientId: string; object: string }): string
    unsigned(scheme: Scheme, terms: RequestTerms): string
  }
  /** A request over the Digital Credentials API (appendix A.3), unsigned where there are no prefixes. */
  digitalRequest(
    terms: RequestTerms,
    prefixes: readonly SignedPrefix[],
    period: Period,
  ): Promise<{ protocol: string; data: Members }>
  /** @throws Refusal of what is wrong with the form of an answer, or of what it is encrypted to */
  readResponse(
    form: Members,
    expected: { dcql: Dcql; state?: string | undefined; key?: { jwk: Members; kid: string } | undefined },
  ): Promise<{ kind: 'vp_token'; vpToken: VpToken } | { kind: 'error'; error: string }>
  /** @throws Refusal of the first thing wrong with what was presented */
  judge(
    vpToken: VpToken,
    asked: { dcql: Dcql; transactionData?: readonly string[] | undefined; expected: Expectation },
  ): Promise<Record<string, Verdict[]>>
}

/** What the composition root hands to this plugin. */
export type Openid4vpNeeds = {
  house: House
  protocol: Protocol
  types: readonly TypeView[]
  /** Keys of the agency's own, the same in each of its processes, by purpose. */
  derive(purpose: string): Buffer
  /** Every route of the agency by operationId, once all plugins are mounted. */
  routes(): Readonly<Record<string, Route>>
  /** A text as a QR code, as a picture made of lines and of dots. */
  qr(text: string): Promise<{ svg: string; png: Uint8Array }>
  /** Without a trailing slash. */
  publicUrl: string
  /** Origins beside our own to which wallets may send people back, and whose pages may ask over the Digital Credentials API. */
  returnOrigins: readonly string[]
}
