import { type Described, type Media, type Members, membersOf, operationsOf, type Parameter } from './document.ts'
import { keyOf, schemaTypes, typeOf } from './types.ts'

const isJson = (type: string): boolean => /^application\/(?:[\w.-]+\+)?json$/.test(type)
const form = 'application/x-www-form-urlencoded'

const inType = (media: Media): string => {
  if (media.isLines) return `Lines<${typeOf(media.schema, '    ')}>`
  if (isJson(media.type) || media.type === form) return typeOf(media.schema, '    ')
  return 'string'
}

const outType = (media: Media): string => {
  if (media.isLines) return `AsyncIterable<${typeOf(media.schema, '    ')}>`
  if (isJson(media.type)) return typeOf(media.schema, '    ')
  return /^text\/|jwt$/.test(media.type) ? 'string' : 'Uint8Array'
}

const union = (types: string[]): string => [...new Set(types)].join(' | ') || 'undefined'

const place = (parameters: readonly Parameter[], name: string, at: string): string => {
  const own = parameters.filter(each => each.place === at)
  if (own.length === 0) return ''
  const members = own.map(({ name: key, required, schema }) => `${keyOf(key)}${required ? '' : '?'}: ${wordOf(schema)}`)
  const optional = own.some(({ required }) => required) ? '' : '?'
  return `    ${name}${optional}: { ${members.join('; ')} }\n`
}

/** What stands in an URL or a header; numbers and booleans are written out. */
const wordOf = (schema: unknown): string => {
  const type = typeOf(schema)
  return type === 'unknown' ? 'string' : type
}

const argumentsOf = ({ parameters, body }: Described): string => {
  const parts = [
    place(parameters, 'params', 'path'),
    place(parameters, 'query', 'query'),
    place(parameters, 'headers', 'header'),
  ]
  if (body !== undefined) {
    parts.push(`    body${body.required ? '' : '?'}: ${union(body.media.map(inType))}\n`)
    if (body.media.length > 1) {
      parts.push(`    contentType?: ${union(body.media.map(({ type }) => JSON.stringify(type)))}\n`)
    }
  }
  return parts.join('')
}

const isGood = (status: string): boolean => /^[23]/.test(status)

const answersOf = ({ answers }: Described): string =>
  answers
    .filter(({ status }) => isGood(status))
    .map(({ status, media }) => `{ status: ${Number(status)}; headers: Headers; body: ${union(media.map(outType))} }`)
    .join(' | ') || 'never'

const typesOf = (operation: Described): string => {
  const { id, summary, method, path } = operation
  const given = argumentsOf(operation)
  const call = given === '' ? '{}' : `{\n${given}  }`
  return `  /** ${summary.replaceAll('*/', '* /')}. \`${method} ${path}\` */\n  ${keyOf(id)}: Operation<${call}, ${answersOf(operation)}>\n`
}

const entryOf = ({ id, method, path, parameters, body, answers }: Described): [string, Members] => {
  const named = (at: string) => parameters.filter(each => each.place === at).map(({ name }) => name)
  const accepted = [
    ...new Set(answers.filter(({ status }) => isGood(status)).flatMap(({ media }) => media.map(({ type }) => type))),
  ]
  return [
    id,
    {
      ...{ method, path },
      ...(named('query').length > 0 && { query: named('query') }),
      ...(named('header').length > 0 && { headers: named('header') }),
      ...(body && { body: body.media.map(({ type }) => type) }),
      ...(accepted.length > 0 && { accept: accepted }),
    },
  ]
}

const head = '/* Generated from openapi.yaml by `npm run client`; not edited by hand. */\n'

/** The two generated files of the client: what operations there are, and their types. */
export const clientFiles = (document: Members): Record<'operations.ts' | 'types.ts', string> => {
  const operations = operationsOf(document)
  const schemas = membersOf(membersOf(document['components'])['schemas'])
  const table = operations.map(entryOf).map(([id, entry]) => `  ${keyOf(id)}: ${JSON.stringify(entry)},\n`)
  return {
    'operations.ts': `${head}import type { OperationEntry } from './client.ts'\n\nexport const operations: Record<string, OperationEntry> = {\n${table.join('')}}\n`,
    'types.ts': `${head}import type { Lines, Operation } from './client.ts'\n\nexport type schemas = {\n${schemaTypes(schemas)}}\n\nexport type Operations = {\n${operations.map(typesOf).join('')}}\n`,
  }
}
