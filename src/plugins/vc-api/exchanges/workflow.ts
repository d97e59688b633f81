import { isRecord } from '../document.ts'
import { workflowEndless, workflowMalformed, workflowUnsupported } from '../errors.ts'
import type { Document, QueryLanguage, VcApiNeeds } from '../needs.ts'
import { issueRequestsMost, stepsMost, templatesMost } from '../policy.ts'
import { assertQueries, type Query } from './queries.ts'
import { variablesOf } from './template.ts'

/** A request for a presentation, without the challenge, which every step of every exchange has of its own. */
export type PresentationRequest = { query: Query | Query[]; domain?: string }

export type IssueRequest = {
  credentialTemplateId?: string
  credentialTemplateIndex?: number
  /** The name of a variable of the exchange whose members the template sees instead; or such members. */
  variables?: string | Document
  /** The instance that issues, where it is not that of the workflow. */
  issuer?: string
}

export type Step = {
  createChallenge?: boolean
  verifiablePresentationRequest?: PresentationRequest
  /** Whether a presented credential about somebody must be about the holder. @default true */
  verifyPresentationOptions?: { holderIsSubject?: boolean }
  issueRequests?: IssueRequest[]
  redirectUrl?: string
  nextStep?: string
}

export type Workflow = {
  steps: Readonly<Record<string, Step>>
  initialStep: string
  /** By their place. `content` is the template as JSON. */
  templates: readonly { id?: string; content: Document }[]
  /** The instance that issues. */
  issuer: string | undefined
}

const known = {
  workflow: ['id', 'steps', 'initialStep', 'credentialTemplates', 'issuer', 'controller'],
  step: [
    ...['createChallenge', 'verifiablePresentationRequest', 'verifyPresentationOptions', 'issueRequests'],
    ...['redirectUrl', 'nextStep'],
  ],
  request: ['query', 'domain'],
  issueRequest: ['credentialTemplateId', 'credentialTemplateIndex', 'variables', 'issuer'],
  template: ['id', 'type', 'template'],
  options: ['holderIsSubject'],
} as const

/** A member that is not understood is never passed over: it might be what the step is about. */
const membersOf = (value: unknown, kind: keyof typeof known, where: string): Document => {
  if (!isRecord(value)) throw workflowMalformed(`${where} must be an object.`)
  const names: readonly string[] = known[kind]
  const stranger = Object.keys(value).find(name => !names.includes(name))
  if (stranger !== undefined) throw workflowUnsupported(`${stranger} in ${where}`)
  return value
}

const textOf = (value: unknown, where: string): string | undefined => {
  if (value === undefined || (typeof value === 'string' && value.length > 0 && value.length <= 2_048)) return value
  throw workflowMalformed(`${where} must be a string.`)
}

const listOf = (value: unknown, most: number, where: string): unknown[] => {
  if (Array.isArray(value) && value.length > 0 && value.length <= most) return value
  throw workflowMalformed(`${where} must be a list of 1 to ${most}.`)
}

const contentOf = (template: unknown): unknown => {
  if (typeof template !== 'string') return template
  try {
    return JSON.parse(template)
  } catch {
    throw workflowMalformed('A template must be JSON.')
  }
}

const parseTemplate = (value: unknown): Workflow['templates'][number] => {
  const { id, type, template } = membersOf(value, 'template', 'credentialTemplates')
  if (type !== 'application/json') throw workflowUnsupported(`templates of type ${String(type)}`)
  const content = contentOf(template)
  if (!isRecord(content)) throw workflowMalformed('A template must be a JSON object.')
  const credential = isRecord(content['credential']) ? content['credential'] : content
  if (!isRecord(credential['credentialSubject'])) {
    throw workflowMalformed('A template must have one credentialSubject, which is an object.')
  }
  variablesOf(content)
  const name = textOf(id, 'credentialTemplates.id')
  return name === undefined ? { content } : { id: name, content }
}

const parseRequest = (value: unknown, dcql: QueryLanguage): PresentationRequest => {
  const { query, domain } = membersOf(value, 'request', 'verifiablePresentationRequest')
  assertQueries(query, dcql)
  const named = textOf(domain, 'domain')
  return { query, ...(named === undefined ? {} : { domain: named }) }
}

const parseIssueRequest = (value: unknown): IssueRequest => {
  const { credentialTemplateId, credentialTemplateIndex, variables, issuer } = membersOf(
    value,
    'issueRequest',
    'issueRequests',
  )
  const id = textOf(credentialTemplateId, 'credentialTemplateId')
  const index = credentialTemplateIndex
  if ((id === undefined) === (index === undefined)) {
    throw workflowMalformed(
      'An issue request names its template by credentialTemplateId or by credentialTemplateIndex.',
    )
  }
  if (index !== undefined && !(Number.isSafeInteger(index) && Number(index) >= 0)) {
    throw workflowMalformed('credentialTemplateIndex must be a whole number.')
  }
  const isScope = variables === undefined || typeof variables === 'string' || isRecord(variables)
  if (!isScope) throw workflowMalformed('variables must be the name of a variable, or an object.')
  const instance = textOf(issuer, 'issueRequests.issuer')
  return {
    ...(id === undefined ? { credentialTemplateIndex: Number(index) } : { credentialTemplateId: id }),
    ...(variables === undefined ? {} : { variables }),
    ...(instance === undefined ? {} : { issuer: instance }),
  }
}

const parseOptions = (value: unknown): { holderIsSubject?: boolean } => {
  const { holderIsSubject } = membersOf(value, 'options', 'verifyPresentationOptions')
  if (holderIsSubject === undefined) return {}
  if (typeof holderIsSubject !== 'boolean') throw workflowMalformed('holderIsSubject must be true or false.')
  return { holderIsSubject }
}

const parseStep = (value: unknown, name: string, dcql: QueryLanguage): Step => {
  const members = membersOf(value, 'step', `the step ${name}`)
  const { createChallenge, verifiablePresentationRequest: request, verifyPresentationOptions: options } = members
  const { issueRequests, redirectUrl, nextStep } = members
  if (createChallenge !== undefined && typeof createChallenge !== 'boolean') {
    throw workflowMalformed('createChallenge must be true or false.')
  }
  if (redirectUrl !== undefined && nextStep !== undefined) {
    throw workflowMalformed('A redirectUrl ends an exchange, so its step has no nextStep.')
  }
  const step: Step = {}
  if (createChallenge !== undefined) step.createChallenge = createChallenge
  if (request !== undefined) step.verifiablePresentationRequest = parseRequest(request, dcql)
  if (options !== undefined) step.verifyPresentationOptions = parseOptions(options)
  if (issueRequests !== undefined) {
    step.issueRequests = listOf(issueRequests, issueRequestsMost, 'issueRequests').map(parseIssueRequest)
  }
  const url = textOf(redirectUrl, 'redirectUrl')
  if (url !== undefined) step.redirectUrl = url
  const next = textOf(nextStep, 'nextStep')
  if (next !== undefined) step.nextStep = next
  return step
}

/** The template of an issue request. @throws Refusal malformed/workflow_malformed */
export const templateOf = (
  { templates }: Pick<Workflow, 'templates'>,
  { credentialTemplateId: id, credentialTemplateIndex: index }: IssueRequest,
): Document => {
  const template = id === undefined ? templates[index ?? -1] : templates.find(each => each.id === id)
  if (template === undefined) throw workflowMalformed('An issue request names a template that the workflow has not.')
  return template.content
}

/** Each step, from the first on, once. @throws Refusal malformed/workflow_malformed, rejected/workflow_endless */
export const stepsInOrder = ({ steps, initialStep }: Pick<Workflow, 'steps' | 'initialStep'>): string[] => {
  const names: string[] = []
  for (let name: string | undefined = initialStep; name !== undefined; name = steps[name]?.nextStep) {
    if (!Object.hasOwn(steps, name)) throw workflowMalformed(`The workflow has no step ${name.slice(0, 100)}.`)
    if (names.includes(name)) throw workflowEndless()
    names.push(name)
  }
  return names
}

const assertResults = (workflow: Workflow): void => {
  const before = new Set<string>()
  for (const name of stepsInOrder(workflow)) {
    const step = workflow.steps[name]
    if (step?.verifiablePresentationRequest !== undefined) before.add(name)
    for (const request of step?.issueRequests ?? []) {
      for (const [first, second] of variablesOf(templateOf(workflow, request))) {
        if (first !== 'results' || (second !== undefined && before.has(second))) continue
        throw workflowMalformed('A template names the results of a step that is not answered before it.')
      }
    }
  }
}

/**
 * A workflow as it is configured (VCALM 1.0, Create Workflow). `issuer`, for the workflow or for an issue request, and
 * templates of type `application/json` are our own; whatever else is not understood is refused by its name.
 * @throws Refusal malformed/workflow_malformed, template_malformed, dcql_malformed, rejected/workflow_unsupported,
 * format_unsupported, workflow_endless
 */
export const parseWorkflow = (value: unknown, needs: Pick<VcApiNeeds, 'instances' | 'dcql'>): Workflow => {
  const members = membersOf(value, 'workflow', 'the workflow')
  const { steps, initialStep, credentialTemplates, issuer } = members
  if (!isRecord(steps)) throw workflowMalformed('steps must be an object.')
  const entries = Object.entries(steps)
  if (entries.length === 0 || entries.length > stepsMost) {
    throw workflowMalformed(`A workflow has 1 to ${stepsMost} steps.`)
  }
  if (entries.some(([name]) => !/^[A-Za-z][\w-]{0,63}$/.test(name))) {
    throw workflowMalformed('The name of a step begins with a letter, and has letters, digits, - and _.')
  }
  const templates =
    credentialTemplates === undefined ? [] : listOf(credentialTemplates, templatesMost, 'credentialTemplates')
  const first = textOf(initialStep, 'initialStep')
  if (first === undefined) throw workflowMalformed('initialStep must be the name of a step.')
  const workflow: Workflow = {
    steps: Object.fromEntries(entries.map(([name, step]) => [name, parseStep(step, name, needs.dcql)])),
    initialStep: first,
    templates: templates.map(parseTemplate),
    issuer: textOf(issuer, 'issuer'),
  }
  for (const step of Object.values(workflow.steps)) {
    for (const request of step.issueRequests ?? []) {
      templateOf(workflow, request)
      const instance = request.issuer ?? workflow.issuer
      if (instance === undefined || !needs.instances.has(instance)) {
        throw workflowMalformed('An issue request needs the name of an issuer instance of this agency.')
      }
    }
    if (step.nextStep !== undefined && !Object.hasOwn(workflow.steps, step.nextStep)) {
      throw workflowMalformed(`The workflow has no step ${step.nextStep.slice(0, 100)}.`)
    }
  }
  assertResults(workflow)
  return workflow
}
