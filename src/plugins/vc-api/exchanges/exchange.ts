import { hash, randomBytes } from 'node:crypto'
import { exchangeUnknown, workflowUnknown } from '../errors.ts'
import type { Document, VcApiNeeds } from '../needs.ts'
import type { PresentationRequest, Workflow } from './workflow.ts'
import { parseWorkflow } from './workflow.ts'

/** What a step came to: whose presentation it was, and the presentation. */
export type StepResult = { did?: string; verifiablePresentation: unknown }

export type LastError = { type: string; title: string; detail: string }

/** One run through a workflow. Times in milliseconds. */
export type Exchange = {
  digest: string
  state: 'pending' | 'active' | 'complete' | 'invalid'
  step: string
  sequence: number
  /** Of the step it is in. */
  challenge: string
  variables: Document
  results: Readonly<Record<string, StepResult>>
  lastError: LastError | undefined
  expires: number
}

/** 128 bits: whoever has the URL of an exchange may take part in it. */
export const newSecret = (): string => randomBytes(16).toString('base64url')
export const newChallenge = (): string => randomBytes(32).toString('base64url')

/** Under what an exchange is kept, so that whoever reads the database learns no URL. */
export const digestOfExchange = (id: string): string => hash('sha256', id, 'base64url')

export const workflowUrl = (publicUrl: string, workflow: string): string => `${publicUrl}/workflows/${workflow}`
export const exchangeUrl = (publicUrl: string, workflow: string, id: string): string =>
  `${workflowUrl(publicUrl, workflow)}/exchanges/${id}`
/** VCALM 1.0, Interaction URL Format. */
export const interactionUrl = (publicUrl: string, id: string): string => `${publicUrl}/interactions/${id}?iuv=1`

/** @throws Refusal not_found/workflow_unknown */
export const readConfiguration = async (needs: VcApiNeeds, workflow: string): Promise<Document> => {
  const [row] = await needs.house.store.read('SELECT configuration FROM workflows WHERE id = ?', [workflow])
  if (row === undefined) throw workflowUnknown()
  return JSON.parse(String(row['configuration'])) as Document
}

/** @throws Refusal not_found/workflow_unknown; what an instance has issued under may be gone from the agency's file */
export const readWorkflow = async (needs: VcApiNeeds, workflow: string): Promise<Workflow> =>
  parseWorkflow(await readConfiguration(needs, workflow), needs)

const columns = `digest, workflow, state, step, cast(sequence AS text) AS sequence, challenge, variables, results,
  last_error, cast(expires AS text) AS expires`

/** By its URL, or by the id in it alone. @throws Refusal not_found/exchange_unknown */
export const readExchange = async (
  needs: VcApiNeeds,
  { id, workflow }: { id: string; workflow?: string | undefined },
): Promise<Exchange & { workflow: string }> => {
  const digest = digestOfExchange(id)
  const [row] = await needs.house.store.read(`SELECT ${columns} FROM exchanges WHERE digest = ?`, [digest])
  if (row === undefined || (workflow !== undefined && row['workflow'] !== workflow)) throw exchangeUnknown()
  const lastError = row['last_error']
  return {
    digest,
    workflow: String(row['workflow']),
    state: row['state'] as Exchange['state'],
    step: String(row['step']),
    sequence: Number(row['sequence']),
    challenge: String(row['challenge']),
    variables: JSON.parse(String(row['variables'])) as Document,
    results: JSON.parse(String(row['results'])) as Exchange['results'],
    lastError: lastError === null ? undefined : (JSON.parse(String(lastError)) as LastError),
    expires: Number(row['expires']),
  }
}

/** An exchange that expired before it was complete comes to nothing. */
export const stateOf = ({ state, expires }: Pick<Exchange, 'state' | 'expires'>, now: number): Exchange['state'] =>
  state !== 'complete' && expires <= now ? 'invalid' : state

/** The request of a step as a participant gets it: bound to its exchange by the URL, to the step by the challenge. */
export const requestOf = (
  request: PresentationRequest,
  { challenge, url }: { challenge: string; url: string },
): Document => ({ query: [request.query].flat(), challenge, domain: request.domain ?? url })
