import { disclose } from '../../../kernel/disclose.ts'
import { admit } from '../../../kernel/gate.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, Refusal, type RefusalKind } from '../../../kernel/refusal.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import {
  agentArgumentUnsupported,
  agentMethodUnknown,
  agentPolicyUnsupported,
  credentialUnknown,
  didComponentUnknown,
  identifierUnknown,
  proofFormatUnsupported,
} from '../errors.ts'
import type { CredentialsNeeds, VeramoMethod } from '../needs.ts'
import { requires } from '../policy.ts'
import { countCredentials, credentialByHash, findCredentials } from './agent-query.ts'
import { type IssueBody, issueCredential } from './issue.ts'
import { verifyCredential, verifyPresentation } from './verify.ts'

/*
 * Veramo's remote agent (`POST /agent/{method}`, arguments in, result out; an error has its message in `error`) for
 * clients with @veramo/remote-client. Only what is listed below is answered. The agent does not do the work: issuing
 * and judging are those of our own operations, so that nothing is weaker for coming in by this door.
 */

type Args = Record<string, unknown>
type Method = {
  /** Of the operation that the method stands for. */
  requires: Requirement
  args: readonly string[]
  run(needs: CredentialsNeeds, context: Context, args: Args): Promise<unknown>
}

const isRecord = (value: unknown): value is Args => typeof value === 'object' && value !== null && !Array.isArray(value)

const textIn = (args: Args, name: string): string => {
  const value = args[name]
  if (typeof value !== 'string' || value === '' || value.length > 2_048) throw agentArgumentUnsupported(name)
  return value
}

const optionalText = (args: Args, name: string): string | undefined =>
  args[name] === undefined ? undefined : textIn(args, name)

/** Contexts are never fetched; a client may say so, but not ask for the opposite. */
const assertOff = (args: Args, name: string): void => {
  if (args[name] !== undefined && args[name] !== false) throw agentArgumentUnsupported(name)
}

const read =
  (method: VeramoMethod, texts: readonly string[]): Method['run'] =>
  (needs, _context, args) => {
    for (const name of texts) optionalText(args, name)
    return needs.veramo.call(method, args)
  }

const getIdentifier: Method['run'] = async (needs, _context, args) => {
  textIn(args, 'did')
  try {
    return await needs.veramo.call('didManagerGet', args)
  } catch (error) {
    if (error instanceof Error && error.message === 'Identifier not found') throw identifierUnknown()
    throw error
  }
}

const resolveDid: Method['run'] = (needs, _context, args) => {
  const options = args['options'] ?? {}
  if (!isRecord(options)) throw agentArgumentUnsupported('options')
  return needs.identity.resolve(textIn(args, 'didUrl'), { versionTime: optionalText(options, 'versionTime') })
}

/** A pure look into a document that the caller gave: whatever goes wrong in it is the caller's. */
const getComponent: Method['run'] = async (needs, _context, args) => {
  textIn(args, 'didUrl')
  optionalText(args, 'section')
  if (!isRecord(args['didDocument'])) throw agentArgumentUnsupported('didDocument')
  try {
    return await needs.veramo.call('getDIDComponentById', args)
  } catch {
    throw didComponentUnknown()
  }
}

const dateOf = (value: unknown, name: string): string | undefined => {
  if (value === undefined) return undefined
  const time = new Date(typeof value === 'number' ? value * 1_000 : typeof value === 'string' ? value : Number.NaN)
  if (Number.isNaN(time.getTime())) throw agentArgumentUnsupported(name)
  return time.toISOString()
}

const textsOf = (value: unknown, name: string): string[] => {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value]
  if (list.length > 8 || !list.every(item => typeof item === 'string')) throw agentArgumentUnsupported(name)
  return list
}

const issuerOf = (issuer: unknown): { issuer?: string } => {
  if (issuer === undefined) return {}
  const id = isRecord(issuer) ? issuer['id'] : issuer
  if (typeof id !== 'string') throw agentArgumentUnsupported('credential.issuer')
  return { issuer: id }
}

/** What an issuer of ours honours; a member that would be dropped in silence is refused instead. */
const honoured = [
  ...['@context', 'type', 'issuer', 'credentialSubject'],
  ...['issuanceDate', 'expirationDate', 'validFrom', 'validUntil'],
]

/** Veramo's payload as the body of our own operation; `@context` is ours to set, as there. */
const issueBodyOf = (args: Args): IssueBody => {
  const { credential } = args
  if (!isRecord(credential) || !isRecord(credential['credentialSubject'])) throw agentArgumentUnsupported('credential')
  const dropped = Object.keys(credential).find(name => !honoured.includes(name))
  if (dropped !== undefined) throw agentArgumentUnsupported(`credential.${dropped.slice(0, 60)}`)
  const issued = dateOf(credential['issuanceDate'] ?? credential['validFrom'] ?? args['now'], 'credential.issuanceDate')
  const expires = dateOf(credential['expirationDate'] ?? credential['validUntil'], 'credential.expirationDate')
  return {
    credential: {
      type: textsOf(credential['type'], 'credential.type'),
      credentialSubject: credential['credentialSubject'],
      ...issuerOf(credential['issuer']),
      ...(issued === undefined ? {} : { validFrom: issued }),
      ...(expires === undefined ? {} : { validUntil: expires }),
    },
    options: { format: 'jwt_vc' },
  }
}

const createCredential: Method['run'] = async (needs, context, args) => {
  if (args['proofFormat'] !== 'jwt') throw proofFormatUnsupported()
  assertOff(args, 'fetchRemoteContexts')
  if (args['removeOriginalFields'] === false) throw agentArgumentUnsupported('removeOriginalFields')
  const answer = await issueCredential(needs, { ...context, body: issueBodyOf(args) })
  const { verifiableCredential } = answer.body as { verifiableCredential: string }
  return needs.veramo.show(verifiableCredential)
}

const switches = ['issuanceDate', 'expirationDate', 'audience', 'credentialStatus']

/** What Veramo calls policies are exceptions from checks; here there are none, but for the time that is judged at. */
const timeOf = (args: Args): { at?: string } => {
  const policies = args['policies'] ?? {}
  if (!isRecord(policies)) throw agentArgumentUnsupported('policies')
  for (const [name, value] of Object.entries(policies)) {
    if (name === 'now') continue
    if (!switches.includes(name) || value !== true) throw agentPolicyUnsupported()
  }
  const at = dateOf(policies['now'], 'policies.now')
  return at === undefined ? {} : { at }
}

type Report = { verified: boolean; errors: { kind: RefusalKind; code: string; detail: string }[] }

/** Our report in Veramo's words. What cannot be known is an error and never a verdict. */
const resultOf = (answer: Answer): Record<string, unknown> => {
  const { errors, ...report } = answer.body as Report
  const [first] = errors
  if (first === undefined) return report
  const { kind, code, detail } = first
  if (kind === 'unavailable') throw new Refusal(kind, code, detail)
  return { ...report, error: { message: `${code}: ${detail}`, errorCode: code } }
}

const judgeCredential: Method['run'] = async (needs, context, args) => {
  assertOff(args, 'fetchRemoteContexts')
  if (args['credential'] === undefined) throw agentArgumentUnsupported('credential')
  const body = { verifiableCredential: args['credential'], options: timeOf(args) }
  return resultOf(await verifyCredential(needs, { ...context, body }))
}

const judgePresentation: Method['run'] = async (needs, context, args) => {
  assertOff(args, 'fetchRemoteContexts')
  if (args['presentation'] === undefined) throw agentArgumentUnsupported('presentation')
  const challenge = optionalText(args, 'challenge')
  const domain = optionalText(args, 'domain')
  const options = { ...timeOf(args), ...(challenge && { challenge }), ...(domain && { domain }) }
  const body = { verifiablePresentation: args['presentation'], options }
  return resultOf(await verifyPresentation(needs, { ...context, body }))
}

/** Issued credentials are personal data: nobody reads them unrecorded. */
const disclosed =
  (method: string, query: (needs: CredentialsNeeds, args: Args) => Promise<unknown>): Method['run'] =>
  (needs, { caller }, args) =>
    disclose(needs.house, {
      operation: 'callAgent',
      requires: requires.read,
      caller,
      input: { method, args },
      read: () => query(needs, args),
    })

const getCredential = async (needs: CredentialsNeeds, args: Args): Promise<unknown> => {
  const found = await credentialByHash(needs, args)
  if (found === undefined) throw credentialUnknown()
  return found
}

const query = ['where', 'order', 'skip', 'take'] as const
const verifying = ['policies', 'fetchRemoteContexts'] as const

/** The allow-list. By this door keys are neither made, imported, deleted nor used, and nothing else is deleted. */
const methods: Record<string, Method> = {
  resolveDid: { requires: requires.anyone, args: ['didUrl', 'options'], run: resolveDid },
  getDIDComponentById: { requires: requires.anyone, args: ['didDocument', 'didUrl', 'section'], run: getComponent },
  didManagerFind: {
    requires: requires.read,
    args: ['alias', 'provider'],
    run: read('didManagerFind', ['alias', 'provider']),
  },
  didManagerGet: { requires: requires.read, args: ['did'], run: getIdentifier },
  didManagerGetProviders: { requires: requires.read, args: [], run: read('didManagerGetProviders', []) },
  keyManagerGetKeyManagementSystems: {
    requires: requires.read,
    args: [],
    run: read('keyManagerGetKeyManagementSystems', []),
  },
  createVerifiableCredential: {
    requires: requires.issue,
    args: ['credential', 'proofFormat', 'save', 'now', 'removeOriginalFields', 'fetchRemoteContexts'],
    run: createCredential,
  },
  verifyCredential: { requires: requires.verify, args: ['credential', ...verifying], run: judgeCredential },
  verifyPresentation: {
    requires: requires.verify,
    args: ['presentation', 'challenge', 'domain', ...verifying],
    run: judgePresentation,
  },
  dataStoreGetVerifiableCredential: {
    requires: requires.read,
    args: ['hash'],
    run: disclosed('dataStoreGetVerifiableCredential', getCredential),
  },
  dataStoreORMGetVerifiableCredentials: {
    requires: requires.read,
    args: query,
    run: disclosed('dataStoreORMGetVerifiableCredentials', findCredentials),
  },
  dataStoreORMGetVerifiableCredentialsCount: {
    requires: requires.read,
    args: query,
    run: disclosed('dataStoreORMGetVerifiableCredentialsCount', countCredentials),
  },
}

export const agentMethods: readonly string[] = Object.keys(methods)

const call = async (needs: CredentialsNeeds, context: Context): Promise<unknown> => {
  const name = context.params['method'] ?? ''
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (method === undefined) throw agentMethodUnknown()
  admit(context.caller, method.requires)
  const args = context.body ?? {}
  if (!isRecord(args)) throw agentArgumentUnsupported('body')
  // An argument without effect would be a promise that is not kept.
  const strange = Object.keys(args).find(given => !method.args.includes(given))
  if (strange !== undefined) throw agentArgumentUnsupported(JSON.stringify(strange.slice(0, 60)))
  return method.run(needs, context, args)
}

/** One call of a Veramo client; a refusal is one of ours and has its reason in `error` as well. */
export const callAgent = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  try {
    return { status: 200, body: await call(needs, context) }
  } catch (error) {
    if (!isRefusal(error)) throw error
    const facts = { ...error.facts, error: error.message }
    throw new Refusal(error.kind, error.code, error.message, { cause: error, facts })
  }
}
