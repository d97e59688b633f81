import type { OpenApiDocument } from './contract.ts'

/* What the page of the API says of each operation, read from openapi.yaml: references followed, nothing of HTML. */

type Members = Record<string, unknown>

export type Field = { name: string; type: string; required: boolean; description: string }

export type Body = {
  contentType: string
  /** One list of members; several where the body has one of several forms. */
  forms: Field[][]
  /** Example bodies: what must be there, and everything that may be. */
  least: string
  most: string
}

export type Described = {
  id: string
  method: string
  path: string
  summary: string
  description: string
  who: string
  /** Whether the caller proves credentials, which takes a wallet. */
  wallet: boolean
  /** Relative to the agency's mount; only where the agency answers it. */
  requirement: string | undefined
  parameters: (Field & { place: string })[]
  body: Body | undefined
  answers: { status: string; description: string; members: string }[]
}

export type Group = { name: string; description: string; operations: Described[] }

const methods = ['get', 'put', 'post', 'delete', 'patch']
const requirementPath = '/requirements/{operationId}'
const ungrouped = 'other'
/** Schemas may hold themselves. */
const maxHops = 8
const maxSampleDepth = 5
/** What no one types: a wallet makes it for the very body. */
const proofs: Members = { presentation: 'made by a wallet', presentations: { party: 'made by a wallet' } }

const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A description beside a reference goes before that of what it leads to. */
const follow = (document: OpenApiDocument, value: unknown): Members => {
  let target = membersOf(value)
  for (let hops = 0; typeof target['$ref'] === 'string' && hops < maxHops; hops++) {
    const { $ref, ...beside } = target
    let place: unknown = document
    for (const part of String($ref).replace(/^#\//, '').split('/')) {
      place = membersOf(place)[part.replaceAll('~1', '/').replaceAll('~0', '~')]
    }
    target = { ...membersOf(place), ...beside }
  }
  return target
}

/** The schema with what it takes over by `allOf`. */
const merged = (document: OpenApiDocument, value: unknown, hops = 0): Members => {
  const { allOf, ...own } = follow(document, value)
  if (allOf === undefined || hops > maxHops) return own
  const parts = [...listOf(allOf).map(part => merged(document, part, hops + 1)), own]
  const properties = Object.assign({}, ...parts.map(part => membersOf(part['properties'])))
  const required = parts.flatMap(part => listOf(part['required']))
  return Object.assign({}, ...parts, { properties, required })
}

const alternatives = (schema: Members): unknown[] => listOf(schema['oneOf'] ?? schema['anyOf'])

const typeOf = (document: OpenApiDocument, value: unknown, hops = 0): string => {
  const schema = merged(document, value)
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  if (Array.isArray(schema['enum'])) return schema['enum'].map(each => JSON.stringify(each)).join(' or ')
  if (hops < maxHops && schema['properties'] === undefined && alternatives(schema).length > 0) {
    return [...new Set(alternatives(schema).map(each => typeOf(document, each, hops + 1)))].join(' or ')
  }
  const types = listOf(Array.isArray(schema['type']) ? schema['type'] : [schema['type']]).filter(Boolean)
  const [type = schema['properties'] === undefined ? 'anything' : 'object'] = types
  if (type === 'array' && schema['items'] !== undefined && hops < maxHops) {
    return `array of ${typeOf(document, schema['items'], hops + 1)}`
  }
  const format = textOf(schema['format']) || textOf(schema['pattern'])
  return `${types.length > 1 ? types.join(' or ') : String(type)}${format === '' ? '' : ` (${format})`}`
}

const fieldOf = (document: OpenApiDocument, name: string, schema: unknown, required: boolean): Field => ({
  name,
  type: typeOf(document, schema),
  required,
  description: textOf(merged(document, schema)['description']),
})

const fieldsOf = (document: OpenApiDocument, value: unknown, prefix = ''): Field[] => {
  const schema = merged(document, value)
  const required = listOf(schema['required'])
  return Object.entries(membersOf(schema['properties'])).flatMap(([name, member]) => {
    const field = fieldOf(document, prefix + name, member, required.includes(name))
    if (prefix !== '') return [field]
    const inner = merged(document, member)
    if (inner['items'] === undefined) return [field, ...fieldsOf(document, inner, `${name}.`)]
    return [field, ...fieldsOf(document, inner['items'], `${name}[].`)]
  })
}

const formsOf = (document: OpenApiDocument, value: unknown): Field[][] => {
  const schema = merged(document, value)
  const common = fieldsOf(document, schema)
  const forms = alternatives(schema).map(each => [...common, ...fieldsOf(document, each)])
  return (forms.length > 0 ? forms : [common]).filter(form => form.length > 0)
}

const plain: Members = { string: '', integer: 0, number: 0, boolean: false, null: null }

const sampleOf = (document: OpenApiDocument, value: unknown, all: boolean, depth = 0): unknown => {
  const schema = merged(document, value)
  const [example = schema['example'] ?? schema['const'] ?? listOf(schema['enum'])[0]] = listOf(schema['examples'])
  if (example !== undefined) return example
  if (depth > maxSampleDepth) return null
  const [choice] = alternatives(schema)
  if (choice !== undefined && schema['properties'] === undefined) return sampleOf(document, choice, all, depth + 1)
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type']
  if (type === 'array') return [sampleOf(document, schema['items'], all, depth + 1)]
  if (schema['properties'] === undefined && type !== 'object') return plain[String(type)] ?? null
  const properties = membersOf(schema['properties'])
  const names = all ? Object.keys(properties) : listOf(schema['required']).map(String)
  const sampled = (name: string): unknown =>
    (depth === 0 ? proofs[name] : undefined) ?? sampleOf(document, properties[name], all, depth + 1)
  return Object.fromEntries(names.map(name => [name, sampled(name)]))
}

const bodyOf = (document: OpenApiDocument, value: unknown): Body | undefined => {
  const [first] = Object.entries(membersOf(follow(document, value)['content']))
  if (first === undefined) return undefined
  const [contentType, given] = first
  const media = membersOf(given)
  const lines = media['x-item-schema'] !== undefined
  const schema = media['x-item-schema'] ?? media['schema']
  const written = (all: boolean): string =>
    JSON.stringify(media['example'] ?? sampleOf(document, schema, all), null, lines ? 0 : 2)
  return { contentType, forms: formsOf(document, schema), least: written(false), most: written(true) }
}

const answersOf = (document: OpenApiDocument, value: unknown): Described['answers'] =>
  Object.entries(membersOf(value)).map(([status, given]) => {
    const answer = follow(document, given)
    const [media] = Object.values(membersOf(answer['content'])).map(membersOf)
    const schema = merged(document, media?.['x-item-schema'] ?? media?.['schema'])
    const names = Object.keys(membersOf(merged(document, schema['items'] ?? schema)['properties']))
    return { status, description: textOf(answer['description']), members: names.join(', ') }
  })

/** `x-requires` in words. */
const whoOf = (requires: Members): string => {
  const words: Record<string, string> = {
    anyone: 'anyone',
    known: 'whoever proves who they are',
    staff: `staff with ${textOf(requires['scope'])}`,
    citizen: 'a citizen, signed in',
    agency: 'another agency, by a signed request',
    holder: 'a holder of credentials',
    parties: 'several parties together',
    cases: `as the ${textOf(requires['param'])} says`,
  }
  const second = requires['fourEyes'] === undefined ? '' : ', and a second officer approves'
  return `${words[textOf(requires['by'])] ?? 'see its requirement'}${second}`
}

const describe = (document: OpenApiDocument, method: string, path: string, operation: Members): Described => {
  const id = textOf(operation['operationId'])
  const requires = membersOf(operation['x-requires'])
  const shared = listOf(membersOf(document.paths[path])['parameters'])
  const parameters = [...shared, ...listOf(operation['parameters'])].map(given => {
    const { name, in: place, required, description, schema } = follow(document, given)
    const field = fieldOf(document, textOf(name), schema, required === true)
    return { ...field, description: textOf(description) || field.description, place: textOf(place) }
  })
  return {
    ...{ id, method: method.toUpperCase(), path, parameters },
    summary: textOf(operation['summary']),
    description: textOf(operation['description']),
    who: whoOf(requires),
    wallet: ['holder', 'parties', 'cases'].includes(textOf(requires['by'])),
    requirement: document.paths[requirementPath] && requirementPath.slice(1).replace('{operationId}', id),
    body: bodyOf(document, operation['requestBody']),
    answers: answersOf(document, operation['responses']),
  }
}

/** The operations by their first tag, in the order in which the document lists tags; those without one come last. */
export const describeOperations = (document: OpenApiDocument): Group[] => {
  const groups = new Map<string, Group>()
  for (const { name, description } of listOf(document['tags']).map(membersOf)) {
    groups.set(textOf(name), { name: textOf(name), description: textOf(description), operations: [] })
  }
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      const operation = item[method]
      if (operation === undefined) continue
      const name = textOf(listOf(membersOf(operation)['tags'])[0]) || ungrouped
      const group = groups.get(name) ?? { name, description: '', operations: [] }
      groups.set(name, group)
      group.operations.push(describe(document, method, path, membersOf(operation)))
    }
  }
  return [...groups.values()].filter(({ operations }) => operations.length > 0)
}
