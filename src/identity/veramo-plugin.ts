import { createAgent } from '@veramo/core'
import { type IAgent, type IAgentPlugin, type IPluginMethodMap, schema } from '@veramo/core-types'
import { isRecord } from '../kernel/record.ts'
import { Refusal } from '../kernel/refusal.ts'

/** A call of an operation without HTTP: what a request would bring, but for its wire. */
export type OperationCall = {
  params?: Record<string, string>
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: unknown
  /** As the header of this name; without it, that of the agent's context. */
  authorization?: string
  /** Proof of possession (RFC 9449) for this very call. */
  dpop?: string
}

export type OperationAnswer = { status: number; body?: unknown }

/** Operations of a plugin behind the one door that all calls take: authentication, requirement, contract, journal. */
export type OperationPlugin = {
  name: string
  operations: readonly string[]
  /** @throws Refusal as the operation itself would over HTTP. */
  call(operation: string, call: OperationCall): Promise<OperationAnswer>
}

const members = ['params', 'query', 'headers', 'body', 'authorization', 'dpop'] as const

const isTexts = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every(member => typeof member === 'string')

const unsupported = (name: string): Refusal =>
  new Refusal('malformed', 'agent_argument_unsupported', `The argument ${name} is missing, malformed or not supported.`)

/** An argument without effect would be a promise that is not kept, so it is refused. */
const callOf = (args: unknown, context: unknown): OperationCall => {
  if (!isRecord(args)) throw unsupported('of an operation')
  const strange = Object.keys(args).find(name => !members.some(member => member === name))
  if (strange !== undefined) throw unsupported(JSON.stringify(strange.slice(0, 60)))
  for (const name of ['params', 'query', 'headers'] as const) {
    if (args[name] !== undefined && !isTexts(args[name])) throw unsupported(name)
  }
  for (const name of ['authorization', 'dpop'] as const) {
    if (args[name] !== undefined && typeof args[name] !== 'string') throw unsupported(name)
  }
  const shared = isRecord(context) ? context['authorization'] : undefined
  return { ...(typeof shared === 'string' && { authorization: shared }), ...(args as OperationCall) }
}

/** Every method that Veramo's own plugins have. */
const veramoMethods = new Set(Object.values(schema).flatMap(part => Object.keys(part.components.methods)))

/** Names under which an agent keeps something else, or which make an object pass for another. */
const reserved = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  ...['methods', 'schema', 'schemaValidation', 'context', 'protectedMethods', 'eventBus', 'eventQueue'],
  ...['availableMethods', 'getSchema', 'execute', 'emit', 'then', 'toJSON'],
])

/**
 * The method of an operation has its name; where Veramo has a method of that name, the plugin's name goes before it:
 * `verifyCredential` of the plugin `credentials` is `credentialsVerifyCredential`.
 * @throws Error for a name that an agent cannot have.
 */
export const methodOf = (plugin: string, operation: string): string => {
  const isVeramos = veramoMethods.has(operation)
  const method = isVeramos ? `${plugin}${operation.charAt(0).toUpperCase()}${operation.slice(1)}` : operation
  if (reserved.has(method) || veramoMethods.has(method) || !/^[a-z]\w*$/i.test(method)) {
    throw new Error(`a Veramo agent cannot have the operation ${operation} of ${plugin} as a method`)
  }
  return method
}

/** The plugin as one of Veramo's: a method an operation, `{ params, query, headers, body }` in, `{ status, body }` out. */
export const veramoPlugin = ({ name, operations, call }: OperationPlugin): IAgentPlugin => {
  const methods: IPluginMethodMap = {}
  for (const operation of operations) {
    methods[methodOf(name, operation)] = async (args, context) => {
      const { status, body } = await call(operation, callOf(args, context))
      return { status, ...(body === undefined ? {} : { body }) }
    }
  }
  return { methods }
}

/**
 * Veramo's own methods with Veramo's own arguments, answered by an operation that stands for them: an agent that has
 * these has no key, no store and no credential plugin that could be asked past the gate.
 */
export const veramoSurface = (
  methods: readonly string[],
  answer: (method: string, args: unknown, authorization: string | undefined) => Promise<unknown>,
): IAgentPlugin => ({
  methods: Object.fromEntries(
    methods.map(method => [
      method,
      async (args: unknown, context: unknown) => answer(method, args, callOf({}, context).authorization),
    ]),
  ),
})

/** @throws Error when two plugins have one method: Veramo would let the later one answer in the place of the other. */
export const assertDistinct = (plugins: readonly IAgentPlugin[]): void => {
  const seen = new Set<string>()
  for (const method of plugins.flatMap(plugin => Object.keys(plugin.methods ?? {}))) {
    if (seen.has(method)) throw new Error(`two plugins of the Veramo agent have the method ${method}`)
    seen.add(method)
  }
}

export type GatedAgent = IAgent

/**
 * A Veramo agent for one caller, whose every method goes through the gate.
 * @param authorization of that caller. In the agent's context it stays out of Veramo's debug output, which shows arguments.
 */
export const openGatedAgent = (plugins: readonly IAgentPlugin[], authorization?: string): GatedAgent => {
  assertDistinct(plugins)
  return createAgent({ plugins: [...plugins], ...(authorization !== undefined && { context: { authorization } }) })
}
