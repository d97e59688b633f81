import fc from 'fast-check'
import { exchangeDcql } from '../../../src/instances.ts'
import { fill, variablesOf } from '../../../src/plugins/vc-api/exchanges/template.ts'
import { parseWorkflow, stepsInOrder } from '../../../src/plugins/vc-api/exchanges/workflow.ts'
import type { Document, Instance } from '../../../src/plugins/vc-api/needs.ts'

const ask = { verifiablePresentationRequest: { query: [{ type: 'DIDAuthentication' }] } }
const template = { type: 'application/json', template: { credentialSubject: { name: '{name}' } } }
const issuing = (template: unknown, more: Document = {}): Document => ({
  ...{ issuer: 'one', initialStep: 'ask', credentialTemplates: [template] },
  steps: { ask: { ...ask, issueRequests: [{ credentialTemplateIndex: 0, ...more }] } },
})
const of = (content: unknown) => issuing({ type: 'application/json', template: content })
const steps = (all: Document, initialStep = 'ask'): Document => ({ initialStep, steps: all })
const query = (value: unknown): Document => steps({ ask: { verifiablePresentationRequest: { query: value } } })
const dcql = (credential: Document, more: Document = {}): Document =>
  query({
    type: 'DigitalCredentialQueryLanguage',
    credentials: [{ id: 'a', format: 'ldp_vc', meta: { type_values: [['urn:a']] }, ...credential }],
    ...more,
  })
const parse = (value: unknown) =>
  parseWorkflow(value, { instances: new Map([['one', {} as Instance]]), dcql: exchangeDcql })
const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    return (error as { code: string }).code
  }
  return 'taken'
}

describe('a workflow (VCALM 1.0, Create Workflow)', () => {
  it('is its steps, its templates and the instance that issues', () => {
    const workflow = parse({ ...issuing(template), steps: { ask: { ...ask, nextStep: 'end' }, end: {} } })
    expect(stepsInOrder(workflow)).toEqual(['ask', 'end'])
    expect(workflow).toMatchObject({ issuer: 'one', templates: [{ content: template.template }] })
  })

  it('takes a template as JSON or as its text, for a whole request to issue or for the credential in it', () => {
    const content = { credential: template.template, options: { mandatoryPointers: ['/issuer'] } }
    expect(parse(of(JSON.stringify(content)))).toEqual(parse(of(content)))
  })

  it.each<[string, string, unknown]>([
    ['what is no object', 'workflow_malformed', []],
    ['no steps', 'workflow_malformed', steps({})],
    [
      'more than 20 steps',
      'workflow_malformed',
      steps(Object.fromEntries([...Array(21)].map((_, n) => [`s${n}`, {}]))),
    ],
    ['a step with a name that is no name', 'workflow_malformed', steps({ '0': {} }, '0')],
    ['a first step that is not there', 'workflow_malformed', steps({ other: {} })],
    ['a first step by a name that every object has', 'workflow_malformed', steps({ other: {} }, 'constructor')],
    ['a next step that is not there', 'workflow_malformed', steps({ ask: { nextStep: 'none' } })],
    ['a step that is its own next', 'workflow_endless', steps({ ask: { nextStep: 'ask' } })],
    ['steps in a circle', 'workflow_endless', steps({ ask: { nextStep: 'b' }, b: { nextStep: 'ask' } })],
    [
      'a redirect in the middle',
      'workflow_malformed',
      steps({ ask: { redirectUrl: 'https://a', nextStep: 'b' }, b: {} }),
    ],
    ['a step template', 'workflow_unsupported', steps({ ask: { stepTemplate: { type: 'jsonata', template: '{}' } } })],
    ['a callback', 'workflow_unsupported', steps({ ask: { callback: { url: 'https://a' } } })],
    ['a presentation schema', 'workflow_unsupported', steps({ ask: { presentationSchema: {} } })],
    ['OpenID4 options', 'workflow_unsupported', steps({ ask: { openId: {} } })],
    ['authorization by others', 'workflow_unsupported', { ...steps({ ask: {} }), authorization: {} }],
    [
      'a challenge that everybody knows',
      'workflow_unsupported',
      steps({ ask: { verifiablePresentationRequest: { query: [{ type: 'DIDAuthentication' }], challenge: 'a' } } }),
    ],
    ['a template of JSONata', 'workflow_unsupported', issuing({ type: 'jsonata', template: '{}' })],
    ['a template that is no JSON', 'workflow_malformed', of('{')],
    ['a template without a subject', 'workflow_malformed', of({ type: 'VerifiableCredential' })],
    ['a template with two subjects', 'workflow_malformed', of({ credentialSubject: [{}, {}] })],
    ['a variable inside a text', 'template_malformed', of({ credentialSubject: { name: 'Dear {name}' } })],
    ['two variables in one text', 'template_malformed', of({ credentialSubject: { name: '{a}{b}' } })],
    ['a variable in a variable', 'template_malformed', of({ credentialSubject: { name: '{a{b}}' } })],
    ['a template in a template', 'template_malformed', of({ credentialSubject: { name: '{{name}}' } })],
    ['an expression', 'template_malformed', of({ credentialSubject: { name: '{$uppercase(name)}' } })],
    ['a variable by the name of a prototype', 'template_malformed', of({ credentialSubject: { name: '{__proto__}' } })],
    ['a variable as a name', 'template_malformed', of({ credentialSubject: { '{name}': 1 } })],
    ['results of a step to come', 'workflow_malformed', of({ credentialSubject: { name: '{results.none.did}' } })],
    ['all results at once', 'workflow_malformed', of({ credentialSubject: { name: '{results}' } })],
    ['an instance that is not there', 'workflow_malformed', issuing(template, { issuer: 'two' })],
    ['a template that is not there', 'workflow_malformed', issuing(template, { credentialTemplateIndex: 1 })],
    ['a template before the first', 'workflow_malformed', issuing(template, { credentialTemplateIndex: -1 })],
    ['a template named twice', 'workflow_malformed', issuing(template, { credentialTemplateId: 'a' })],
    ['a place to keep what is issued', 'workflow_unsupported', issuing(template, { result: 'issued' })],
    ['no query', 'workflow_malformed', query([])],
    ['a query without a type', 'workflow_malformed', query([{}])],
    ['a query for capabilities', 'workflow_unsupported', query([{ type: 'AuthorizationCapabilityQuery' }])],
    ['a query of a type that every object has', 'workflow_unsupported', query([{ type: 'constructor' }])],
    ['a query with a member too many', 'workflow_unsupported', query([{ type: 'DIDAuthentication', x: 1 }])],
    [
      'an issuer by a list of others',
      'workflow_unsupported',
      query([{ type: 'QueryByExample', credentialQuery: { acceptedIssuers: [{ recognizedIn: {} }] } }]),
    ],
    [
      'an empty list of issuers',
      'workflow_malformed',
      query([{ type: 'QueryByExample', credentialQuery: { acceptedIssuers: [] } }]),
    ],
    [
      'an example that is none',
      'workflow_malformed',
      query([{ type: 'QueryByExample', credentialQuery: { example: 'x' } }]),
    ],
    ['DCQL for a format that no such presentation holds', 'format_unsupported', dcql({ format: 'mso_mdoc' })],
    ['DCQL for a format that nobody knows', 'format_unsupported', dcql({ format: 'ac_vp' })],
    ['DCQL without meta', 'dcql_malformed', dcql({ meta: undefined })],
    ['DCQL with types that are no list', 'dcql_malformed', dcql({ meta: { type_values: 'urn:a' } })],
    ['DCQL with an empty list of trusted authorities', 'dcql_malformed', dcql({ trusted_authorities: [] })],
    ['DCQL with a path that is none', 'dcql_malformed', dcql({ claims: [{ path: [-1] }] })],
    ['DCQL with an id that is none', 'dcql_malformed', dcql({ id: 'a b' })],
    [
      'DCQL with a set of claims that are not there',
      'dcql_malformed',
      dcql({ claims: [{ path: ['a'] }], claim_sets: [['b']] }),
    ],
    [
      'DCQL with a set of credentials that are not there',
      'dcql_malformed',
      dcql({}, { credential_sets: [{ options: [['b']] }] }),
    ],
    ['DCQL with a member that is of no query', 'workflow_unsupported', dcql({}, { presentation_definition: {} })],
  ])('refuses %s as %s', (_what, refused, workflow) => {
    expect(codeOf(() => parse(workflow))).toBe(refused)
  })
})

describe('a template', () => {
  const hasBraces = (value: unknown): boolean => {
    if (typeof value === 'string') return /[{}]/.test(value)
    if (typeof value !== 'object' || value === null) return false
    return Object.entries(value).some(([name, each]) => /[{}]/.test(name) || hasBraces(each))
  }
  const withoutBraces = fc.jsonValue({ maxDepth: 3 }).filter(value => !hasBraces(value))

  it('without variables is what it says', () => {
    fc.assert(fc.property(withoutBraces, value => void expect(fill(value, {})).toEqual(value)))
  })

  it('takes a value as it is, whatever is in it: nothing of a value is a variable', () => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('{other}', '{value}', '{{value}}'))
    fc.assert(
      fc.property(value, given => {
        const filled = fill({ a: ['{value}'] }, { value: given, other: 'secret' })
        expect(filled).toEqual({ a: [given] })
      }),
    )
  })

  it.each([
    'toString',
    'constructor',
    'hasOwnProperty',
    'value.length',
    'value.constructor',
    'list.length',
    'list.map',
  ])('has no variable %s that nobody gave', name => {
    expect(codeOf(() => fill(`{${name}}`, { value: 'text', list: [1] }))).toBe('variable_unknown')
  })

  it('reaches into members and lists', () => {
    expect(fill({ a: '{a.b.1}' }, { a: { b: [0, { c: 1 }] } })).toEqual({ a: { c: 1 } })
    expect(variablesOf({ a: ['{b.c}', 'd'] })).toEqual([['b', 'c']])
  })
})
