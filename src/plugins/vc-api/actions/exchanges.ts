import { canonical } from '../../../kernel/canonical.ts'
import { disclose } from '../../../kernel/disclose.ts'
import { admit } from '../../../kernel/gate.ts'
import { page } from '../../../kernel/page.ts'
import { perform } from '../../../kernel/perform.ts'
import { pictureAnswer } from '../../../kernel/picture.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { exchangeExpiry, variableReserved, variablesExcessive, workflowMalformed } from '../errors.ts'
import { scopeOf } from '../exchanges/advance.ts'
import {
  digestOfExchange,
  exchangeUrl,
  interactionUrl,
  newChallenge,
  newSecret,
  readExchange,
  readWorkflow,
  requestOf,
  stateOf,
} from '../exchanges/exchange.ts'
import { fill, valueAt, variablesOf } from '../exchanges/template.ts'
import { templateOf, type Workflow } from '../exchanges/workflow.ts'
import type { Document, VcApiNeeds } from '../needs.ts'
import { exchangeLifeMost, exchangeLifeMs, requires, variablesBytesMost } from '../policy.ts'

type ExchangeBody = { variables?: Document; expires?: string; ttl?: number }

const utc = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

const expiryOf = ({ expires, ttl }: ExchangeBody, now: number): number => {
  if (expires !== undefined && ttl !== undefined) throw exchangeExpiry()
  const at = expires === undefined ? now + (ttl === undefined ? exchangeLifeMs : ttl * 1_000) : Date.parse(expires)
  if (expires !== undefined && !utc.test(expires)) throw exchangeExpiry()
  if (!(at > now && at <= now + exchangeLifeMost)) throw exchangeExpiry()
  return at
}

const reserved = new Set(['results', 'constructor', 'prototype', '__proto__'])

const assertVariables = (variables: Document): void => {
  for (const name of Object.keys(variables)) {
    if (reserved.has(name) || !/^[A-Za-z][\w-]{0,63}$/.test(name)) throw variableReserved(name)
  }
  if (Buffer.byteLength(canonical(variables)) > variablesBytesMost) throw variablesExcessive()
}

/** Whoever begins an exchange hears at once what it lacks, not its participant in the end. */
const assertComplete = (workflow: Workflow, variables: Document): void => {
  for (const { issueRequests = [], redirectUrl } of Object.values(workflow.steps)) {
    for (const request of issueRequests) {
      const scope = scopeOf(request, { variables, results: {} })
      for (const path of variablesOf(templateOf(workflow, request))) {
        if (path[0] !== 'results') valueAt(scope, path)
      }
    }
    if (redirectUrl === undefined) continue
    const url = fill(redirectUrl, variables)
    if (typeof url !== 'string' || !URL.canParse(url) || new URL(url).protocol !== 'https:') {
      throw workflowMalformed('A redirectUrl is an https URL.')
    }
  }
}

/** VCALM 1.0, Create Exchange. */
export const createWorkflowExchange = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.exchange)
  const id = context.params['workflow'] ?? ''
  const body = (context.body ?? {}) as ExchangeBody
  const { variables = {} } = body
  const workflow = await readWorkflow(needs, id)
  assertVariables(variables)
  assertComplete(workflow, variables)
  const answer = await perform(needs.house, {
    operation: 'createWorkflowExchange',
    requires: requires.exchange,
    caller: context.caller,
    input: { workflow: id, ...body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const now = needs.house.clock.now()
      const expires = expiryOf(body, now)
      const secret = newSecret()
      const row = { digest: digestOfExchange(secret), workflow: id, state: 'pending', step: workflow.initialStep }
      const begun = { sequence: 0, challenge: newChallenge(), failures: 0, last_error: null, created: now, expires }
      tx.insert('exchanges', [{ ...row, ...begun, variables: canonical(variables), results: '{}' }])
      return { id: secret, expires: new Date(expires).toISOString() }
    },
  })
  const url = exchangeUrl(needs.publicUrl, id, answer.id)
  const begun = { ...answer, sequence: 0, state: 'pending', step: workflow.initialStep, url }
  const interaction = { interactionUrl: interactionUrl(needs.publicUrl, answer.id) }
  return { status: 201, body: { ...begun, ...interaction }, headers: { location: url } }
}

const named = ({ params }: Context): { id: string; workflow: string } => ({
  id: params['exchange'] ?? '',
  workflow: params['workflow'] ?? '',
})

/** VCALM 1.0, Get Exchange State: what was presented in it is personal. */
export const getWorkflowExchange = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const { id, workflow } = named(context)
  const { house, publicUrl } = needs
  const exchange = await disclose(house, {
    operation: 'getWorkflowExchange',
    requires: requires.exchange,
    caller: context.caller,
    input: { workflow, exchange: digestOfExchange(id) },
    read: () => readExchange(needs, { id, workflow }),
  })
  const { sequence, step, expires, variables, results, lastError } = exchange
  const body: Document = {
    ...{ id, sequence, step, expires: new Date(expires).toISOString() },
    ...{ state: stateOf(exchange, house.clock.now()), url: exchangeUrl(publicUrl, workflow, id) },
    variables: { ...variables, results },
  }
  if (lastError !== undefined) body['lastError'] = lastError
  return { status: 200, body }
}

/** VCALM 1.0, Get Current Exchange VPR. Nothing changes by it. */
export const getExchangeRequest = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const { id, workflow } = named(context)
  const exchange = await readExchange(needs, { id, workflow })
  const { steps } = await readWorkflow(needs, workflow)
  const isOpen = ['pending', 'active'].includes(stateOf(exchange, needs.house.clock.now()))
  const request = isOpen ? steps[exchange.step]?.verifiablePresentationRequest : undefined
  const url = exchangeUrl(needs.publicUrl, workflow, id)
  const asked = request === undefined ? {} : requestOf(request, { challenge: exchange.challenge, url })
  return { status: 200, body: { verifiablePresentationRequest: asked } }
}

const protocolsOf = (needs: VcApiNeeds, workflow: string, id: string): Answer => ({
  status: 200,
  body: { protocols: { vcapi: exchangeUrl(needs.publicUrl, workflow, id) } },
})

/** VCALM 1.0, Get Exchange Protocols. */
export const getExchangeProtocols = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const { id, workflow } = named(context)
  await readExchange(needs, { id, workflow })
  return protocolsOf(needs, workflow, id)
}

const invitation = `<p>This address begins an exchange of credentials. Scan its QR code with a digital wallet that understands
interaction URLs, or paste the address of this page into one.</p>`

/** JSON for whoever asks for it, or for anything at all; a page for people's browsers. */
const wantsJson = (accept: string | undefined): boolean => {
  const types = (accept ?? '*/*').split(',').map(each => (each.split(';')[0] ?? '').trim().toLowerCase())
  return types.includes('application/json') || types.every(type => type === '*/*')
}

/** VCALM 1.0, Interaction Protocols Response. */
export const getInteraction = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const { id } = named(context)
  const { workflow } = await readExchange(needs, { id })
  const headers = { vary: 'Accept' }
  if (wantsJson(context.headers['accept'])) return { ...protocolsOf(needs, workflow, id), headers }
  return page({ heading: 'Open this with your wallet', body: invitation, headers })
}

/** VCALM 1.0, Interaction QR Code Format. */
export const getExchangeQr = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.exchange)
  const { id, workflow } = named(context)
  await readExchange(needs, { id, workflow })
  return pictureAnswer(await needs.qr(interactionUrl(needs.publicUrl, id)), context.query['format'])
}
