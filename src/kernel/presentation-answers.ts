import type { Dcql, DcqlPath } from './dcql-query.ts'
import type { SignatureAlgorithm, Signer } from './ports.ts'

/** What a plugin asks of the wallet's side of OpenID4VP 1.0; the composition root hands it over. Times are milliseconds. */

/** How it is known who asks (section 5.9.3). `address`: by nothing but where the answer goes. */
export const clientAssurances = [
  'certificate',
  'did',
  'attestation',
  'federation',
  'registration',
  'address',
  'origin',
] as const

export type AskingClient = {
  /** With its prefix. */
  id: string
  /** Without it: a host, a DID, a URL, a name. */
  name: string
  assurance: (typeof clientAssurances)[number]
  /** Who says so: the subject of a certificate, an attester, a trust anchor. */
  vouchedBy?: string
}

/** Something that the holder is asked to sign for (section 8.4). */
export type AskedTransaction = {
  /** As the request has it: what is hashed. */
  encoded: string
  type: string
  /** Ids of queries, one of whose credentials is to sign. */
  credentialIds: readonly string[]
  /** Whether the answer has to say which hash it is. */
  namesAlgorithm: boolean
  /** What it says, for the holder to read. */
  content: Record<string, unknown>
}

export type AnswerMode = 'direct_post' | 'direct_post.jwt' | 'dc_api' | 'dc_api.jwt'

/** A request that was read and judged: plain data, to be kept until the holder decides. */
export type AskedPresentation = {
  client: AskingClient
  mode: AnswerMode
  /** Whom presentations are for: the client identifier, or over the Digital Credentials API the origin. */
  audience: string
  nonce: string
  state?: string
  /** Of direct_post. */
  responseUri?: string
  /** Of the Digital Credentials API. */
  origin?: string
  dcql: Dcql
  transactions: AskedTransaction[]
  /** The key to encrypt the answer to, of `….jwt` modes. */
  encryption?: { jwk: Record<string, unknown>; enc: 'A128GCM' | 'A256GCM' }
  /** `vp_formats_supported` of the verifier; without it nobody said. */
  formats?: Record<string, Record<string, unknown>>
  /** High Assurance Interoperability Profile: the request came by its own scheme. */
  haip: boolean
  expires?: number
}

/** What the holder hands in: a link, or what a browser got over the Digital Credentials API and from which page. */
export type PresentationInvitation = { link: string } | { origin: string; protocol: string; data: unknown }

/** A credential of the wallet. */
export type HeldForm = { id: string; compact: string; format: string }

export type AnswerableClaim = { path: DcqlPath; values: unknown[]; retained?: boolean }

/** A credential that answers a query, and what it would show: what was asked for, and all that shows with it. */
export type AnswerCandidate = { credential: string; claims: AnswerableClaim[]; shown: string[] }

export type AnswerChoices = {
  satisfiable: boolean
  queries: { id: string; format: string; multiple: boolean; candidates: AnswerCandidate[] }[]
  wanted: { required: boolean; options: string[][] }[]
}

/** Who presents: the key that a credential is bound to, and what signs with it. */
export type PresentingKey = { did: string; kid: string; keyId: string; algorithm: SignatureAlgorithm }
export type ChosenCredential = HeldForm & { query: string; key: PresentingKey }

/** What goes to the verifier: a form for its response URI, or an object for the page that asked. */
export type AnswerContent = { form: Record<string, string> } | { data: Record<string, unknown> }

export type AnswerMade = { content: AnswerContent; presented: { credential: string; query: string; shown: string[] }[] }

export type PresentationAnswers = {
  /**
   * Reads what was handed in, fetches the request it names, once, and judges who asks. Nothing is sent but the question for the
   * request.
   * @throws Refusal of what is wrong with it
   */
  read(invitation: PresentationInvitation): Promise<AskedPresentation>
  /** What of the holder's credentials answers, and how. */
  choices(asked: AskedPresentation, held: readonly HeldForm[]): Promise<AnswerChoices>
  /** @throws Refusal presentation_choice, invalid_transaction_data, those of the formats */
  answer(asked: AskedPresentation, chosen: readonly ChosenCredential[], signer: Signer): Promise<AnswerMade>
  /** That the holder declines. */
  decline(asked: AskedPresentation): Promise<AnswerContent>
  /**
   * Hands an answer to the verifier's response URI.
   * @returns where the holder is to go on, if the verifier says so.
   * @throws Refusal verifier_refused, verifier_unreachable
   */
  send(asked: AskedPresentation, form: Record<string, string>): Promise<{ redirectUri?: string }>
}
