import type { Expectation } from '../../kernel/identity.ts'
import type { Desk } from './desk.ts'
import { answerMissing, answerRefused, presentationMalformed, requestExpired } from './errors.ts'
import { type Handed, textOf } from './presentations.ts'

/** Presentations, and where a wallet answered a request of ours, to what. */
export type Fetched = { presentations: string[]; expected?: Expectation }

/**
 * What was handed in, itself or by the name of the request that a wallet answered (OpenID4VP 1.0).
 * @throws Refusal presentation_request_unknown, presentation_request_expired, presentation_waiting, presentation_refused
 */
export const fetchHanded = async ({ presentations }: Desk, handed: Handed): Promise<Fetched> => {
  if ('presentations' in handed) return handed
  if (presentations === undefined) throw presentationMalformed()
  const outcome = await presentations.outcome(handed.request)
  if (outcome.state === 'waiting') throw answerMissing()
  if (outcome.state === 'expired') throw requestExpired()
  if (outcome.state === 'refused') throw answerRefused(outcome.error)
  return { presentations: Object.values(outcome.vpToken).flat().map(textOf), expected: outcome.expected }
}
