import { digestOf } from '../../../kernel/canonical.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import {
  exchangeAnswered,
  exchangeComplete,
  exchangeExpired,
  exchangeInvalid,
  holderDiffers,
  holderMissing,
  messageUnsupported,
  presentationUnasked,
} from '../errors.ts'
import { type Advance, advance } from '../exchanges/advance.ts'
import {
  type Exchange,
  exchangeUrl,
  readExchange,
  readWorkflow,
  requestOf,
  type StepResult,
  stateOf,
} from '../exchanges/exchange.ts'
import { judgeQueries } from '../exchanges/queries.ts'
import type { PresentationRequest, Step, Workflow } from '../exchanges/workflow.ts'
import type { Document, VcApiNeeds } from '../needs.ts'
import { failuresMost, requires } from '../policy.ts'

type Message = { verifiablePresentation?: unknown; verifiablePresentationRequest?: unknown; redirectUrl?: unknown }

/** One message of a participant, and where the exchange stood when it came. */
type Turn = {
  needs: VcApiNeeds
  context: Context
  workflow: Workflow
  exchange: Exchange
  step: Step
  url: string
}

const assertOpen = (exchange: Exchange, now: number): void => {
  if (exchange.state === 'complete') throw exchangeComplete()
  if (exchange.state === 'invalid') throw exchangeInvalid()
  if (stateOf(exchange, now) === 'invalid') throw exchangeExpired()
}

/** The one presentation of a message. @throws Refusal rejected/message_unsupported */
const presentationOf = ({ verifiablePresentation: value, ...others }: Message): unknown => {
  const isAlone = others.verifiablePresentationRequest === undefined && others.redirectUrl === undefined
  if (!isAlone || (Array.isArray(value) && value.length !== 1)) throw messageUnsupported()
  return Array.isArray(value) ? value[0] : value
}

/** Judged against the challenge of this step and the URL of this exchange. @throws Refusal of the first thing wrong */
const judge = async (turn: Turn, request: PresentationRequest, presentation: unknown): Promise<StepResult> => {
  const { needs, workflow, exchange, step, url } = turn
  const expected = { challenge: exchange.challenge, audience: [request.domain ?? url] }
  const verdict = await needs.identity.verifyPresentation(presentation, expected)
  const { verified, refusal, holder } = verdict
  if (refusal !== undefined) throw new Refusal(refusal.kind, refusal.code, refusal.detail)
  if (!verified) throw new Error('a verdict without a refusal is no refusal')
  const isIssuing = Object.values(workflow.steps).some(({ issueRequests }) => issueRequests !== undefined)
  if (isIssuing && holder === undefined) throw holderMissing()
  const before = Object.values(exchange.results).find(({ did }) => did !== undefined)?.did
  if (before !== undefined && holder !== before) throw holderDiffers()
  const holderIsSubject = step.verifyPresentationOptions?.holderIsSubject ?? true
  judgeQueries(request.query, { presentation, verdict, holderIsSubject, dcql: needs.dcql })
  return { verifiablePresentation: presentation, ...(holder === undefined ? {} : { did: holder }) }
}

const asked = ({ context, exchange }: Turn) => ({
  operation: 'participateInExchange',
  requires: requires.anyone,
  caller: context.caller,
  input: { exchange: exchange.digest, message: context.body },
})

/** Participants are nobody by name: what one calls a message says nothing about those of other exchanges. */
const keyOf = ({ context, exchange }: Turn): string | undefined => {
  const key = context.headers['idempotency-key']
  return key === undefined ? undefined : `${exchange.digest} ${key}`
}

/** A refused answer is remembered for whoever began the exchange, and a few of them end it. */
const refuse = (turn: Turn, refusal: Refusal): Promise<unknown> => {
  const { needs, exchange } = turn
  const { code, message } = refusal
  const error = JSON.stringify({ type: `urn:chancery:refusal:${code}`, title: code, detail: message })
  return perform(needs.house, {
    ...asked(turn),
    act: async tx => {
      await tx.query(
        `UPDATE exchanges SET failures = failures + 1, last_error = ?,
         state = CASE WHEN failures + 1 >= ${failuresMost} THEN 'invalid' ELSE 'active' END
         WHERE digest = ? AND sequence = ? AND state IN ('pending', 'active')`,
        [error, exchange.digest, exchange.sequence],
      )
    },
  })
}

const presentationWith = (issued: Advance['issued']): Document => ({
  '@context': ['https://www.w3.org/ns/credentials/v2'],
  type: ['VerifiablePresentation'],
  verifiableCredential: issued.map(each => each.issued.verifiableCredential),
})

/** VCALM 1.0, Workflows and Exchanges: what is offered, what is asked for next, where to go on; at the end nothing. */
const messageOf = ({ workflow, url }: Turn, to: Advance): Document => {
  const message: Document = {}
  if (to.issued.length > 0) message['verifiablePresentation'] = presentationWith(to.issued)
  const request = to.state === 'active' ? workflow.steps[to.step]?.verifiablePresentationRequest : undefined
  if (request !== undefined) {
    message['verifiablePresentationRequest'] = requestOf(request, { challenge: to.challenge, url })
  }
  if (to.redirectUrl !== undefined) message['redirectUrl'] = to.redirectUrl
  return message
}

/** One statement decides: the exchange is where it was when the answer was judged, or another answer came first. */
const proceed = (turn: Turn, to: Advance, results: Exchange['results']): Promise<Document> => {
  const { needs, exchange } = turn
  return perform(needs.house, {
    ...asked(turn),
    idempotencyKey: keyOf(turn),
    act: async (tx, record) => {
      const at = [exchange.digest, exchange.sequence, needs.house.clock.now()]
      const moved = await tx.query(
        `UPDATE exchanges SET state = ?, step = ?, challenge = ?, results = ?, sequence = sequence + 1
         WHERE digest = ? AND sequence = ? AND state IN ('pending', 'active') AND expires > ? RETURNING digest`,
        [...[to.state, to.step, to.challenge, JSON.stringify(results)], ...at],
      )
      if (moved.length === 0) throw exchangeAnswered()
      for (const { issued, store } of to.issued) {
        await store(tx)
        record.effect(digestOf(issued.verifiableCredential))
      }
      return messageOf(turn, to)
    },
  })
}

/** The first message of a participant, or one who asks again what is asked for. */
const remind = async (turn: Turn, request: PresentationRequest): Promise<Document> => {
  const { needs, exchange, url } = turn
  if (exchange.state === 'pending') {
    await perform(needs.house, {
      ...asked(turn),
      act: async tx => {
        await tx.query(`UPDATE exchanges SET state = 'active' WHERE digest = ? AND state = 'pending'`, [
          exchange.digest,
        ])
      },
    })
  }
  return { verifiablePresentationRequest: requestOf(request, { challenge: exchange.challenge, url }) }
}

/** A participant who repeats a message whose answer was lost gets the same answer again; else the refusal stands. */
const recalled = async (turn: Turn, refusal: Refusal, otherwise?: () => Promise<unknown>): Promise<Document> => {
  try {
    return await perform(turn.needs.house, {
      ...asked(turn),
      idempotencyKey: keyOf(turn),
      act: async () => {
        throw refusal
      },
    })
  } catch (error) {
    if (error === refusal) await otherwise?.()
    throw error
  }
}

const answer = async (turn: Turn, presentation: unknown): Promise<Document> => {
  const { needs, workflow, exchange, step } = turn
  const { verifiablePresentationRequest: request } = step
  if (presentation === undefined) {
    return request === undefined
      ? proceed(turn, await advance(needs, workflow, exchange), exchange.results)
      : remind(turn, request)
  }
  if (request === undefined) throw presentationUnasked()
  let result: StepResult
  try {
    result = await judge(turn, request, presentation)
  } catch (error) {
    if (!isRefusal(error) || error.kind === 'unavailable') throw error
    return recalled(turn, error, () => refuse(turn, error))
  }
  const results = { ...exchange.results, [exchange.step]: result }
  return proceed(turn, await advance(needs, workflow, { ...exchange, results }), results)
}

/**
 * VCALM 1.0, Participate in an Exchange: `{}` begins it or asks what is asked for; a presentation answers.
 * @throws Refusal not_found/workflow_unknown, exchange_unknown, rejected/exchange_expired, conflict/exchange_complete,
 * exchange_invalid, exchange_answered
 */
export const participateInExchange = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const { workflow: name = '', exchange: id = '' } = context.params
  const presentation = presentationOf((context.body ?? {}) as Message)
  const exchange = await readExchange(needs, { id, workflow: name })
  const workflow = await readWorkflow(needs, name)
  const url = exchangeUrl(needs.publicUrl, name, id)
  const turn: Turn = { needs, context, workflow, exchange, step: workflow.steps[exchange.step] ?? {}, url }
  try {
    assertOpen(exchange, needs.house.clock.now())
  } catch (error) {
    if (!isRefusal(error)) throw error
    return { status: 200, body: await recalled(turn, error) }
  }
  return { status: 200, body: await answer(turn, presentation) }
}
