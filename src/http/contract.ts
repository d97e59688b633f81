import type { ErrorObject, ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { Refusal } from '../kernel/refusal.ts'
import type { ErrorForm } from './oauth-problem.ts'

/*
 * Requests and answers are held against openapi.yaml with ajv itself, not with express-openapi-validator: that one
 * clones, dereferences and compiles the document anew for every place it is mounted (ten agencies in one process), keeps
 * its last instance in a module variable, wraps `res.json`, and coerces bodies through its own parsers, while our bodies
 * come from a stricter reader and our answers are plain values. Here the document is compiled once for all agencies.
 * Measured side by side, one operation mounted ten times: 365 ms and 8–11 thousand requests a second with it, 80 ms and
 * 22 thousand this way.
 */

type Members = Record<string, unknown>

/** openapi.yaml, parsed. */
export type OpenApiDocument = { openapi: string; paths: Record<string, Members>; [member: string]: unknown }

/** The answer of a route, or its request line, breaks the contract: our defect, not the caller's. */
export class ContractBroken extends Error {
  override name = 'ContractBroken'
}

/** Compiled when it is first used: all of them together take as long as the rest of a start. */
export type Check = {
  (value: unknown): boolean
  errors: ErrorObject[] | null | undefined
  /** @throws Error on an unknown keyword or format. */
  compile(): void
}

type Checks = Map<string, Check | undefined>

export type Operation = {
  id: string
  method: string
  path: string
  /** The plugin whose routes serve it; `http` for what app.ts serves itself. */
  plugin: string | undefined
  /** Its 422 is a verdict, so all its problems also carry `verified: false, errors, warnings, results`. */
  verdict: boolean
  body: { required: boolean; types: Checks } | undefined
  parameters: {
    query: ReadonlySet<string>
    /** Others in the query are passed on as they are (`x-query: open`), as OAuth 2.0 has it. */
    open: boolean
    check: Check | undefined
    headers: readonly string[]
  }
  /** How its refusals are written (`x-errors`). */
  errors: ErrorForm
  /** What a request that cannot be read is called there (`x-malformed`), where not `invalid_request`. */
  malformed: string | undefined
  /** Pages of any origin may call it (`x-cors`): what wallets in a browser need. */
  cors: boolean
  /**
   * It knows its callers by tokens or cookies of its own (`x-caller: own`), which reach the route as the headers `authorization`
   * and `cookie`.
   */
  ownCaller: boolean
  /** How often one address may call it (`x-per-minute`): of what anybody may call, and what leaves something behind. It has a body. */
  perMinute: number | undefined
  /** By status, `4XX` or `default`; then by media type. */
  answers: Map<string, Checks>
}

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const
const contractId = 'urn:chancery:openapi'

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const membersOf = (value: unknown): Members => (isMembers(value) ? value : {})

/** Follows a `$ref` inside the document, for what is not a schema (parameters, bodies, answers). */
const resolved = (document: OpenApiDocument, value: unknown): Members => {
  let target = membersOf(value)
  for (let hops = 0; typeof target['$ref'] === 'string'; hops++) {
    const reference = target['$ref']
    let place: unknown = document
    for (const part of reference.replace(/^#\//, '').split('/')) {
      place = membersOf(place)[part.replaceAll('~1', '/').replaceAll('~0', '~')]
    }
    if (!isMembers(place) || hops > 8) throw new Error(`openapi.yaml: ${reference} leads nowhere.`)
    target = place
  }
  return target
}

const isVerdict = (document: OpenApiDocument, source: Members): boolean => {
  const refused = resolved(document, membersOf(source['responses'])['422'])
  const media = membersOf(membersOf(refused['content'])['application/json'])
  const required = resolved(document, media['schema'])['required']
  return Array.isArray(required) && required.includes('verified')
}

const errorForm = (value: unknown, id: string): ErrorForm => {
  if (value === undefined) return 'problem'
  if (value === 'oauth' || value === 'oauth-resource') return value
  throw new Error(`openapi.yaml: ${id} has an unknown form of errors.`)
}

/** References of a schema that is compiled by itself must name the document they lead into. */
const anchored = (value: unknown, extensions: Set<string>): unknown => {
  if (Array.isArray(value)) return value.map(element => anchored(element, extensions))
  if (!isMembers(value)) return value
  const copy: Members = {}
  for (const [name, member] of Object.entries(value)) {
    if (name.startsWith('x-')) extensions.add(name)
    const local = name === '$ref' && typeof member === 'string' && member.startsWith('#/')
    copy[name] = local ? contractId + member : anchored(member, extensions)
  }
  return copy
}

const annotations = ['components', 'discriminator', 'xml', 'example', 'externalDocs']

/** Strict: a misspelt keyword or an unknown format is an error, which a test finds before anybody starts it. */
const createAjv = (document: OpenApiDocument, coerceTypes: boolean): Ajv2020 => {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    coerceTypes,
    addUsedSchema: false,
    // What ajv would tidy up in its code the engine does as well: without it a check is made in half the time.
    code: { optimize: false },
    validateSchema: !coerceTypes,
  })
  formats.default(ajv)
  const extensions = new Set(annotations)
  const components = anchored(membersOf(document['components']), extensions)
  for (const item of Object.values(document.paths)) anchored(item, extensions)
  ajv.addVocabulary([...extensions])
  ajv.addSchema({ $id: contractId, components } as Members, contractId, undefined, false)
  return ajv
}

/** `application/json; charset=utf-8` → `application/json`. */
export const mediaTypeOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase()

/** The first thing that is wrong, as facts for the caller: a place and a rule, never the value. */
const violation = (check: Pick<Check, 'errors'>): { at: string; rule: string } => {
  const error: ErrorObject | undefined = check.errors?.at(-1)
  const extra = error?.params['additionalProperty'] ?? error?.params['unevaluatedProperty']
  const at = `${error?.instancePath ?? ''}${typeof extra === 'string' ? `/${extra}` : ''}`
  return { at: at.slice(0, 200) || '/', rule: error?.message ?? 'must satisfy the schema' }
}

class Compiler {
  readonly #document: OpenApiDocument
  readonly #bodies: Ajv2020
  readonly #words: Ajv2020

  constructor(document: OpenApiDocument) {
    this.#document = document
    this.#bodies = createAjv(document, false)
    this.#words = createAjv(document, true)
  }

  operation(method: string, path: string, item: Members, source: Members): Operation {
    const id = source['operationId']
    if (typeof id !== 'string') throw new Error(`openapi.yaml: ${method} ${path} has no operationId.`)
    const declared = [item['parameters'], source['parameters']].flatMap(list => (Array.isArray(list) ? list : []))
    const answers = new Map<string, Checks>()
    for (const [status, answer] of Object.entries(membersOf(source['responses']))) {
      answers.set(status, this.#content(resolved(this.#document, answer), `${id}, answer ${status}`))
    }
    const plugin = source['x-plugin'] ?? item['x-plugin']
    return {
      id,
      method,
      path,
      plugin: typeof plugin === 'string' ? plugin : undefined,
      verdict: isVerdict(this.#document, source),
      errors: errorForm(source['x-errors'], id),
      malformed: typeof source['x-malformed'] === 'string' ? source['x-malformed'] : undefined,
      cors: source['x-cors'] === true,
      ownCaller: source['x-caller'] === 'own',
      perMinute: typeof source['x-per-minute'] === 'number' ? source['x-per-minute'] : undefined,
      body: this.#body(source, id),
      parameters: { ...this.#parameters(declared, id), open: source['x-query'] === 'open' },
      answers,
    }
  }

  #body(source: Members, id: string): Operation['body'] {
    if (source['requestBody'] === undefined) return undefined
    const body = resolved(this.#document, source['requestBody'])
    return { required: body['required'] === true, types: this.#content(body, `${id}, request`) }
  }

  #content(holder: Members, where: string): Checks {
    const checks: Checks = new Map()
    for (const [type, media] of Object.entries(membersOf(holder['content']))) {
      // OpenAPI 3.1 describes a stream as one text; what a line holds is said with 3.2's `itemSchema` as an extension.
      const lines = mediaTypeOf(type) === 'application/x-ndjson'
      const schema = membersOf(media)[lines ? 'x-item-schema' : 'schema']
      checks.set(mediaTypeOf(type), this.#compile(this.#bodies, schema, where))
    }
    return checks
  }

  #parameters(declared: unknown[], id: string): Omit<Operation['parameters'], 'open'> {
    const places: Record<string, { properties: Members; required: string[] }> = {}
    for (const entry of declared) {
      const parameter = resolved(this.#document, entry)
      const [name, place] = [String(parameter['name']), String(parameter['in'])]
      if (!['path', 'query', 'header'].includes(place))
        throw new Error(`openapi.yaml: ${id}: no parameters in ${place}.`)
      places[place] ??= { properties: {}, required: [] }
      const key = place === 'header' ? name.toLowerCase() : name
      places[place].properties[key] = parameter['schema'] ?? true
      if (parameter['required'] === true) places[place].required.push(key)
    }
    const properties: Members = {}
    for (const [place, schema] of Object.entries(places)) properties[place] = { type: 'object', ...schema }
    return {
      query: new Set(Object.keys(places['query']?.properties ?? {})),
      headers: Object.keys(places['header']?.properties ?? {}),
      check:
        declared.length === 0
          ? undefined
          : this.#compile(this.#words, { type: 'object', properties }, `${id}, parameters`),
    }
  }

  #compile(ajv: Ajv2020, schema: unknown, where: string): Check | undefined {
    if (schema === undefined) return undefined
    let compiled: ValidateFunction | undefined
    const compile = (): ValidateFunction => {
      try {
        compiled ??= ajv.compile(anchored(schema, new Set()) as Members)
        return compiled
      } catch (cause) {
        throw new Error(`openapi.yaml: ${where}: ${cause instanceof Error ? cause.message : 'no schema'}`, { cause })
      }
    }
    const check: Check = Object.assign(
      (value: unknown): boolean => {
        const validate = compiled ?? compile()
        const isValid = validate(value)
        check.errors = validate.errors
        return isValid
      },
      { errors: undefined, compile: () => void compile() },
    )
    return check
  }
}

export const isJson = (mediaType: string): boolean => /^application\/(?:[\w.-]+\+)?json$/.test(mediaTypeOf(mediaType))

/**
 * Every operation of the document with its checks.
 * @throws Error on a missing or doubled operationId, or a broken reference
 */
export const compileContract = (document: OpenApiDocument): Map<string, Operation> => {
  const compiler = new Compiler(document)
  const operations = new Map<string, Operation>()
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      if (!isMembers(item[method])) continue
      const operation = compiler.operation(method.toUpperCase(), path, item, item[method])
      if (operations.has(operation.id)) throw new Error(`openapi.yaml: two operations are called ${operation.id}.`)
      operations.set(operation.id, operation)
    }
  }
  return operations
}

const unfit = ({ at, rule }: { at: string; rule: string }): string => `does not fit the operation: ${at} ${rule}.`

type Words = Record<string, string | undefined>

/** @throws Refusal parameter_unknown, parameter_invalid */
export const checkParameters = (operation: Operation, parts: { path: Words; query: Words; header: Words }): void => {
  const { query, open, headers, check } = operation.parameters
  for (const name of Object.keys(parts.query)) {
    if (open || query.has(name)) continue
    throw new Refusal('malformed', 'parameter_unknown', 'The operation has no query parameter of this name.', {
      facts: { at: `/query/${name.slice(0, 100)}` },
    })
  }
  if (check === undefined) return
  // The check turns words into numbers in place; routes get the words as they came.
  const header = Object.fromEntries(headers.map(name => [name, parts.header[name]]))
  if (check({ path: { ...parts.path }, query: { ...parts.query }, header })) return
  const facts = violation(check)
  throw new Refusal('malformed', 'parameter_invalid', `A parameter ${unfit(facts)}`, { facts })
}

/** @throws Refusal body_invalid */
export const checkBody = (operation: Operation, mediaType: string, value: unknown): void => {
  const check = operation.body?.types.get(mediaType)
  if (check === undefined || check(value)) return
  const facts = violation(check)
  throw new Refusal('malformed', 'body_invalid', `The body ${unfit(facts)}`, { facts })
}

/** @throws ContractBroken when a route answers what openapi.yaml does not say. */
export const checkAnswer = (operation: Operation, status: number, mediaType: string, body: unknown): void => {
  const { id, answers } = operation
  const checks = answers.get(String(status)) ?? answers.get(`${Math.trunc(status / 100)}XX`) ?? answers.get('default')
  if (checks === undefined) throw new ContractBroken(`${id} answered ${status}, which openapi.yaml does not declare.`)
  if (checks.size === 0 && body === undefined) return
  if (!checks.has(mediaType)) throw new ContractBroken(`${id} answered ${status} with ${mediaType}, not declared.`)
  const check = checks.get(mediaType)
  if (check === undefined || body instanceof Uint8Array || check(body)) return
  const { at, rule } = violation(check)
  throw new ContractBroken(`${id} answered ${status} with a body that does not fit: ${at} ${rule}.`)
}
