import type { Caller, HolderCaller, Resolved } from './gate.ts'
import type { Answer, Context } from './plugin.ts'

/** A call with a session's token, and the proof that it comes from the key the token is bound to. */
export type SessionCall = {
  token: string
  /** The DPoP header. */
  dpop: string | undefined
  method: string
  /** Public URL of the operation, without query. */
  url: string
  /** Names this request among all. */
  request: string
  /** Takes the nonce that the next proof should carry, when it is another one. */
  renew(nonce: string): void
}

/** A call whose operation, parameters and body are known and fit the contract. */
export type Entry = {
  operationId: string
  requirement: Resolved
  caller: Caller
  params: Readonly<Record<string, string>>
  body: unknown
  request: string
}

/** Who acts, and the body without the presentations it came with. */
export type Entered = { caller: Caller; body: unknown }

/** What stands between a request and its operation, however the request came: judges who calls and what they proved. */
export type Door = {
  /** @throws Refusal unauthenticated; or why a credential of the session no longer stands. */
  session(call: SessionCall): Promise<HolderCaller>
  /** Proves the presentations of the body and judges the whole requirement, but for a second officer's approval. */
  enter(entry: Entry): Promise<Entered>
  /**
   * Judges again what a call was admitted by, where the call goes on for long.
   * @throws Refusal session_invalid, credentials_invalid; or why a credential no longer stands.
   */
  stands(caller: Caller): Promise<void>
  /** Keeps an act for a second officer instead of running it. */
  pend(context: Context, act: { operationId: string; requirement: Resolved }): Promise<Answer>
}

/** Whether a presentation in the body can help: then the body has to be read before the caller is judged. */
export const mayPresent = ({ by }: Resolved, caller: Caller): boolean =>
  (by === 'holder' || by === 'parties' || by === 'known') && (caller.kind === 'anonymous' || caller.kind === 'holder')
