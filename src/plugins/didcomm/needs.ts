import type { Dcql } from '../../kernel/dcql-query.ts'
import type { Expectation, FormatId, Issuance, TypeView, Verdict } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { VpToken } from '../../kernel/presentation-requests.ts'

/** Which form of authenticated encryption a peer reads; `identity/didcomm/`. */
export type Dialect = 'v2' | 'veramo'

export type Attachment = {
  id: string | undefined
  format: string | undefined
  mediaType: string | undefined
  json: unknown
}

/** A message whose envelope held. Times are milliseconds. */
export type Message = {
  id: string
  type: string
  thid: string
  pthid: string | undefined
  created: number | undefined
  expires: number | undefined
  returnRoute: boolean
  body: Readonly<Record<string, unknown>>
  attachments: readonly Attachment[]
}

export type Received = {
  message: Message
  /** The DID that is proven to have sent it. */
  sender: string | undefined
  /** DID URL of the key that signed it, if one did. */
  signer: string | undefined
  dialect: Dialect
}

/** A message of ours before it is encrypted. */
export type Reply = {
  id: string
  type: string
  thid?: string | undefined
  pthid?: string | undefined
  body: Record<string, unknown>
  attachments?: Record<string, unknown>[]
}

export type Envelope = Readonly<Record<string, unknown>>

/** Messages as `identity/didcomm/` opens, judges and makes them. */
export type Messages = {
  /** The DID under which the agency is written to. */
  did: string
  /** @throws Refusal didcomm_malformed and others of its errors */
  open(envelope: unknown): Promise<Received>
  /** @throws Refusal didcomm_unreachable; of the resolution of DIDs */
  seal(message: Reply & { to: string }, dialect: Dialect): Promise<Envelope>
  /** Wrapped for the mediators of a DID. @throws Refusal didcomm_unreachable */
  route(did: string, envelope: Envelope): Promise<{ endpoint: string; envelope: Envelope }>
  /** Tells messages apart, whatever they are wrapped in; those of nobody by what they carry as well. */
  digest(sender: string | undefined, id: string, carried: unknown): string
  /** @throws Refusal unavailable/fetch_failed, rejected/url_forbidden */
  post(endpoint: string, envelope: Envelope): Promise<void>
}

/** A credential type that this agency issues. */
export type IssuableType = TypeView & {
  contexts: readonly string[]
  validity: { defaultDays: number; maxDays: number }
  /** What is wrong with claims that name no holder yet, or undefined. */
  problemOf(claims: Readonly<Record<string, unknown>>): string | undefined
}

/** What the composition root hands to this plugin. */
export type DidcommNeeds = {
  house: House
  /** For purposes of the agency's own; never leaves the process. */
  derive(purpose: string): Buffer
  newId(): string
  publicUrl: string
  title: string
  /** A text as a picture that can be scanned. */
  qr(text: string): Promise<{ svg: string; png: Uint8Array }>
  /** Of the agency: the issuer of its credentials. */
  did: string
  messages: Messages
  /** Whether it keeps messages for others. */
  mediator: boolean
  types: readonly IssuableType[]
  formats: readonly FormatId[]
  issuance: Pick<Issuance, 'issue' | 'store'>
  /** Credentials that were issued before, by id. */
  issued(ids: readonly string[]): Promise<{ id: string; format: FormatId; compact: string }[]>
  /** Holds a proof of possession against what was asked for. @throws Refusal key_proof_refused */
  proveKey(proof: string, expected: { audience: readonly string[]; nonce: string }): Promise<{ did: string }>
  /** @throws Refusal dcql_malformed, format_unsupported */
  readDcql(value: unknown): Dcql
  /** @throws Refusal for the first thing wrong */
  judge(vpToken: VpToken, asked: { dcql: Dcql; expected: Expectation }): Promise<Record<string, Verdict[]>>
}
