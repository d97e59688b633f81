import type { Dcql, DcqlCredential } from '../../../kernel/dcql-query.ts'
import type { Expectation, Identity, Verdict } from '../../../kernel/identity.ts'
import type { VpToken } from '../../../kernel/presentation-requests.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { openJws } from '../../formats/jose.ts'
import { credentialsIn } from '../../prove.ts'
import { factsOfVerdict } from '../dcql/facts.ts'
import { judgeResponse } from '../dcql/judge.ts'
import { judgeTransactionData } from './transaction-data.ts'

/** Whether an answer is good, and what was asked for (OpenID4VP 1.0, section 8.6). */

export type JudgeNeeds = Pick<Identity, 'verify' | 'verifyPresentation'>

export type Asked = { dcql: Dcql; transactionData?: readonly string[] | undefined; expected: Expectation }

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

const severalCredentials = (): Refusal =>
  rejected('presentation_several', 'Each presentation of a vp_token holds exactly one credential.')

const assertGood = ({ verified, refusal }: Verdict): void => {
  if (refusal !== undefined) throw new Refusal(refusal.kind, refusal.code, refusal.detail)
  if (!verified) throw new Error('a verdict without a refusal is no refusal')
}

/** An SD-JWT ends with `~` where its holder proves no key; a JWT or a document is a credential where it holds no presentation. */
const isUnbound = (presentation: unknown, { format }: DcqlCredential): boolean => {
  if (format === 'dc+sd-jwt') return typeof presentation === 'string' && presentation.endsWith('~')
  if (format === 'mso_mdoc') return false
  if (typeof presentation !== 'string') {
    return ![(presentation as Record<string, unknown>)['type']].flat().includes('VerifiablePresentation')
  }
  const { payload } = openJws(presentation)
  return payload['vp'] === undefined && payload['verifiableCredential'] === undefined
}

type Judged = { verdict: Verdict; holderBound: boolean }

/** One presentation is of one credential: which query it answers could not be told otherwise. */
const judgeOne = async (
  presentation: unknown,
  query: DcqlCredential,
  { expected }: Asked,
  needs: JudgeNeeds,
): Promise<Judged> => {
  if (query.require_cryptographic_holder_binding === false && isUnbound(presentation, query)) {
    // Nobody proved to be whom it is about.
    const { holder: _named, ...verdict } = await needs.verify(presentation, {})
    assertGood(verdict)
    return { verdict, holderBound: false }
  }
  const whole = await needs.verifyPresentation(presentation, expected)
  assertGood(whole)
  const [verdict, ...others] = whole.credentials
  if (verdict === undefined || others.length > 0) {
    throw severalCredentials()
  }
  const holder = verdict.holder ?? whole.holder
  return { verdict: { ...verdict, ...(holder === undefined ? {} : { holder }) }, holderBound: true }
}

/**
 * Judges every presentation by the house's own judgement, then whether they are what was asked for, then what they sign for.
 * One that fails fails the answer: nothing of it is taken.
 * @throws Refusal of the first thing wrong: of the credential, its holder, the nonce and audience; of `judgeResponse`;
 * invalid_transaction_data
 */
export const judgeVpToken = async (
  vpToken: VpToken,
  asked: Asked,
  needs: JudgeNeeds,
): Promise<Record<string, Verdict[]>> => {
  // Before any of them is judged: a judgement may ask another server for the DID of an issuer.
  if (Object.values(vpToken).some(list => list.some(each => credentialsIn(each) > 1))) throw severalCredentials()
  const judged: Record<string, Judged[]> = {}
  for (const [id, list] of Object.entries(vpToken)) {
    const query = asked.dcql.credentials.find(each => each.id === id)
    if (query === undefined)
      throw rejected('presentation_unasked', 'The response has a presentation that nobody asked for.')
    judged[id] = await Promise.all(list.map(each => judgeOne(each, query, asked, needs)))
  }
  const factsOf = ({ verdict, holderBound }: Judged) => factsOfVerdict(verdict, holderBound)
  const facts = Object.fromEntries(Object.entries(judged).map(([id, list]) => [id, list.map(factsOf)]))
  judgeResponse(asked.dcql, facts)
  judgeTransactionData(asked.transactionData, vpToken)
  return Object.fromEntries(Object.entries(judged).map(([id, list]) => [id, list.map(({ verdict }) => verdict)]))
}
