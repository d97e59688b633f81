import { instanceNamed, type Prepared, prepareIssue } from '../actions/issue.ts'
import { isRecord } from '../document.ts'
import { subjectForeign, variableUnknown } from '../errors.ts'
import type { Document, VcApiNeeds } from '../needs.ts'
import type { Exchange } from './exchange.ts'
import { newChallenge } from './exchange.ts'
import { fill } from './template.ts'
import { type IssueRequest, templateOf, type Workflow } from './workflow.ts'

/** What a template sees: the exchange's variables, or those its request names instead, and what the steps came to. */
export const scopeOf = (
  { variables: chosen }: IssueRequest,
  { variables, results }: Pick<Exchange, 'variables' | 'results'>,
): Document => {
  if (chosen === undefined) return { ...variables, results }
  if (typeof chosen !== 'string') return { ...chosen, results }
  const named = Object.hasOwn(variables, chosen) ? variables[chosen] : undefined
  if (!isRecord(named)) throw variableUnknown(chosen)
  return { ...named, results }
}

/** Whoever proved a DID in the exchange gets what it issues; nobody else does. */
const about = (credential: Document, did: string | undefined): Document => {
  const subject = credential['credentialSubject']
  if (!isRecord(subject)) throw subjectForeign()
  if (did === undefined) return credential
  if (subject['id'] !== undefined && subject['id'] !== did) throw subjectForeign()
  return { ...credential, credentialSubject: { id: did, ...subject } }
}

const issueFor = async (
  needs: VcApiNeeds,
  workflow: Workflow,
  request: IssueRequest,
  exchange: Pick<Exchange, 'variables' | 'results'>,
): Promise<Prepared> => {
  const filled = fill(templateOf(workflow, request), scopeOf(request, exchange)) as Document
  const isWrapped = isRecord(filled['credential'])
  const credential = isWrapped ? (filled['credential'] as Document) : filled
  const options = isWrapped && isRecord(filled['options']) ? filled['options'] : {}
  const did = Object.values(exchange.results).find(result => result.did !== undefined)?.did
  const instance = instanceNamed(needs, request.issuer ?? workflow.issuer ?? '')
  return prepareIssue(needs, instance, { credential: about(credential, did), options })
}

/** Where an exchange goes on to, with what it issues on the way. Nothing of it is kept yet. */
export type Advance = {
  state: 'active' | 'complete'
  step: string
  challenge: string
  issued: Prepared[]
  redirectUrl?: string
}

/** Carries out the step, and those after it, up to one that asks for a presentation or to the end. */
export const advance = async (
  needs: VcApiNeeds,
  workflow: Workflow,
  exchange: Pick<Exchange, 'step' | 'variables' | 'results'>,
): Promise<Advance> => {
  const issued: Prepared[] = []
  let name = exchange.step
  for (;;) {
    const step = workflow.steps[name]
    for (const request of step?.issueRequests ?? []) issued.push(await issueFor(needs, workflow, request, exchange))
    const challenge = newChallenge()
    const next = step?.nextStep
    if (next === undefined) {
      const end: Advance = { state: 'complete', step: name, challenge, issued }
      return step?.redirectUrl === undefined
        ? end
        : { ...end, redirectUrl: String(fill(step.redirectUrl, exchange.variables)) }
    }
    name = next
    if (workflow.steps[name]?.verifiablePresentationRequest !== undefined) {
      return { state: 'active', step: name, challenge, issued }
    }
  }
}
