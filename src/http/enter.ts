import { randomBytes } from 'node:crypto'
import { type Door, mayPresent } from '../kernel/door.ts'
import {
  admit,
  anonymous,
  type Caller,
  fourEyesOf,
  type Resolved,
  resolveCases,
  withoutFourEyes,
} from '../kernel/gate.ts'
import type { Answer, Context, Route } from '../kernel/plugin.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { answerContentType } from './answer.ts'
import type { Auth } from './auth.ts'
import { checkAnswer, checkBody, checkParameters, mediaTypeOf, type Operation } from './contract.ts'
import type { Failures } from './failures.ts'
import type { Throttle } from './throttle.ts'

/** What judging the calls of one agency needs, however they come. */
export type EntryDesk = {
  publicUrl: string
  auth: Auth
  failures: Failures
  throttle: Throttle
  /** Without it no requirement of credentials is ever met. */
  door?: Door | undefined
}

/** A call of one operation, without its body. */
export type Call = {
  operation: Operation
  route: Route
  params: Record<string, string>
  query: Record<string, string>
  /** In lower case, without those that prove who calls. */
  headers: Record<string, string | undefined>
  authorization: string | undefined
  dpop: string | undefined
  method: string
  /** Public URL that was called, without its query. */
  url: string
  /** As it came, without the question mark. */
  search: string
  requestId: string
  /** Whose failures count together; not given for calls from within the process. */
  address?: string | undefined
  /** Takes the nonce that the caller's next proof should carry. */
  renew(nonce: string): void
}

export type Admitted = {
  context: Context
  requirement: Resolved
  isJudged: boolean
  /** Names this call among all, for what it uses up. */
  request: string
}

const callPrefix = randomBytes(12).toString('base64url')
let calls = 0
/** Made here and told to nobody: a request id is the client's own to choose, so a replay would choose the one it repeats. */
const nextCall = (): string => `${callPrefix}-${(calls++).toString(36)}`

const isFailedAttempt = (error: unknown): boolean =>
  isRefusal(error) && error.kind === 'unauthenticated' && error.code !== 'use_dpop_nonce'

const counting = async <T>(desk: EntryDesk, { address }: Call, place: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (address !== undefined && isFailedAttempt(error)) await desk.failures.count(address, place)
    throw error
  }
}

const judge = async (desk: EntryDesk, call: Call, admitted: Admitted): Promise<void> => {
  const { context, requirement } = admitted
  admitted.isJudged = true
  if (desk.door === undefined) return admit(context.caller, withoutFourEyes(requirement))
  const { caller, params, body } = context
  const entry = { operationId: call.operation.id, requirement, caller, params, body, request: admitted.request }
  const entered = await desk.door.enter(entry)
  context.caller = entered.caller
  context.body = entered.body
}

/**
 * Everything before the body, in the order of precedence: too many failures, who is calling, may they, parameters. Where
 * a presentation in the body may still help, the requirement is judged when the body is known.
 */
export const admitCall = async (desk: EntryDesk, call: Call): Promise<Admitted> => {
  const { operation, route, params, query, headers, authorization, dpop, address } = call
  if (address !== undefined) {
    await desk.failures.check(address, operation.id)
    if (authorization !== undefined) await desk.failures.check(address, 'credentials')
  }
  const { method, url, search, renew } = call
  const request = nextCall()
  const caller = operation.ownCaller
    ? anonymous
    : await counting(desk, call, 'credentials', () =>
        desk.auth.authenticate({ authorization, dpop, method, url, query: search, request, renew }),
      )
  const requirement = resolveCases(route.requires, params)
  const context: Context = { caller, params, query, headers, body: undefined, publicUrl: desk.publicUrl }
  const admitted: Admitted = { context, requirement, isJudged: false, request }
  const readsOneBody = 'run' in route && operation.body !== undefined
  if (!readsOneBody || !mayPresent(requirement, caller)) await judge(desk, call, admitted)
  checkParameters(operation, { path: params, query, header: headers })
  return admitted
}

/** Whom the agency has let in itself: a service with pages of its own asks for all its visitors from one address. */
const isAccountable = ({ kind }: Caller): boolean => kind === 'apiKey' || kind === 'oidc' || kind === 'agency'

/**
 * Judges what the body had to tell, and runs the operation or keeps it for a second officer. The answer fits the contract.
 * @throws Refusal; ContractBroken
 */
export const runCall = async (
  desk: EntryDesk,
  call: Call,
  admitted: Admitted,
  run: (context: Context) => Promise<Answer>,
): Promise<Answer> => {
  const { operation, address } = call
  const { context, requirement } = admitted
  if (address !== undefined && operation.perMinute !== undefined && !isAccountable(context.caller)) {
    // Of a body that was read: a page elsewhere cannot have its visitors' browsers send one, and so not lock their network out.
    await desk.throttle.take(address, operation.id, operation.perMinute)
  }
  const answer = await counting(desk, call, operation.id, async () => {
    if (!admitted.isJudged) await judge(desk, call, admitted)
    if (fourEyesOf(requirement) === undefined) return run(context)
    if (desk.door === undefined)
      throw new Error(`${operation.id} needs a second officer, and this agency keeps no acts`)
    return desk.door.pend(context, { operationId: operation.id, requirement })
  })
  checkAnswer(operation, answer.status, mediaTypeOf(answerContentType(answer)), answer.body)
  return answer
}

/** A call from within the process, by whoever has proof of their own. */
export type InnerCall = {
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: unknown
  authorization?: string
  /** As for HTTP: made for the operation's method and public URL. */
  dpop?: string
  requestId: string
}

const json = 'application/json'

/** The path of openapi.yaml with its parameters filled in. */
const pathOf = ({ path }: Operation, params: Readonly<Record<string, string>>): string =>
  path.replace(/\{([^}]+)\}/g, (_whole, name: string) => encodeURIComponent(params[name] ?? ''))

/**
 * Runs one operation through the same door as HTTP does: the same authentication, requirement, contract and journal.
 * @throws Refusal; ContractBroken
 */
export const callOperation = async (
  desk: EntryDesk,
  served: { operation: Operation; route: Route },
  inner: InnerCall,
): Promise<Answer> => {
  const { operation, route } = served
  if (!('run' in route)) {
    throw new Refusal('rejected', 'operation_streams', 'This operation reads lines; call it over HTTP.')
  }
  const { params = {}, query = {}, headers = {}, body, authorization, dpop, requestId } = inner
  const call: Call = {
    ...{ operation, route, params, query, authorization, dpop, requestId },
    headers: { ...headers, ...(dpop === undefined ? {} : { dpop }), 'x-request-id': requestId },
    method: operation.method,
    url: `${desk.publicUrl}${pathOf(operation, params)}`,
    search: new URLSearchParams(query).toString(),
    renew: () => undefined,
  }
  const admitted = await admitCall(desk, call)
  if (operation.body !== undefined) {
    if (body === undefined && operation.body.required) {
      throw new Refusal('malformed', 'body_missing', 'This operation needs a body.')
    }
    if (body !== undefined) checkBody(operation, json, body)
    admitted.context.body = body
  }
  return runCall(desk, call, admitted, route.run)
}
