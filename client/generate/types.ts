import { listOf, type Members, membersOf, textOf } from './document.ts'

/* JSON Schema 2020-12, as far as openapi.yaml uses it, in the words of TypeScript. */

const plain = /^[A-Za-z_$][\w$]*$/
export const keyOf = (name: string): string => (plain.test(name) ? name : JSON.stringify(name))

const words: Record<string, string> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
}

const inBrackets = (type: string): string => (/[|&]/.test(type) ? `(${type})` : type)
const union = (types: string[]): string => [...new Set(types)].join(' | ') || 'never'

const comment = (schema: Members, indent: string): string => {
  const text = textOf(schema['description']).trim().replaceAll('*/', '* /').replace(/\s+/g, ' ')
  return text === '' ? '' : `${indent}/** ${text} */\n`
}

const objectType = (schema: Members, indent: string): string => {
  const properties = Object.entries(membersOf(schema['properties']))
  const required = new Set(listOf(schema['required']))
  const rest = schema['additionalProperties']
  const inner = `${indent}  `
  const lines = properties.map(([name, member]) => {
    const optional = required.has(name) ? '' : '?'
    return `${comment(membersOf(member), inner)}${inner}${keyOf(name)}${optional}: ${typeOf(member, inner)}\n`
  })
  if (rest !== false && rest !== undefined && rest !== true && properties.length === 0) {
    return `Record<string, ${typeOf(rest, indent)}>`
  }
  if (properties.length === 0) return rest === false ? 'Record<string, never>' : 'Record<string, unknown>'
  const open = rest === false ? '' : `${inner}[member: string]: unknown\n`
  return `{\n${lines.join('')}${open}${indent}}`
}

const arrayType = (schema: Members, indent: string): string => {
  const items = schema['items']
  return items === undefined ? 'unknown[]' : `${inBrackets(typeOf(items, indent))}[]`
}

const single = (type: string, schema: Members, indent: string): string => {
  if (type === 'object') return objectType(schema, indent)
  if (type === 'array') return arrayType(schema, indent)
  return words[type] ?? 'unknown'
}

const isShaped = (schema: Members): boolean => schema['properties'] !== undefined || schema['type'] !== undefined

/** The type of a schema. What TypeScript cannot say (bounds, patterns, conditions) is left to the service. */
export const typeOf = (value: unknown, indent = ''): string => {
  if (value === undefined || value === true) return 'unknown'
  if (value === false) return 'never'
  const schema = membersOf(value)
  if (typeof schema['$ref'] === 'string') return `schemas[${JSON.stringify(schema['$ref'].split('/').at(-1))}]`
  if ('const' in schema) return JSON.stringify(schema['const'])
  if (Array.isArray(schema['enum'])) return union(schema['enum'].map(each => JSON.stringify(each)))
  const { oneOf, anyOf, allOf, ...own } = schema
  const choices = listOf(oneOf ?? anyOf)
  const parts = listOf(allOf).map(each => inBrackets(typeOf(each, indent)))
  // Beside choices, members that only say what is required add nothing to the type.
  if (choices.length > 0) {
    const shaped = choices.filter(each => isShaped(membersOf(each)) || !('required' in membersOf(each)))
    if (shaped.length > 0) parts.push(inBrackets(union(shaped.map(each => typeOf(each, indent)))))
  }
  const types = [own['type'] ?? (own['properties'] === undefined ? [] : 'object')].flat() as string[]
  if (types.length > 0) parts.push(inBrackets(union(types.map(type => single(type, own, indent)))))
  if (parts.length === 1) return (parts[0] ?? '').replace(/^\(([^()]*)\)$/, '$1')
  return parts.length === 0 ? 'unknown' : parts.join(' & ')
}

export const schemaTypes = (schemas: Members): string =>
  Object.entries(schemas)
    .map(([name, schema]) => `${comment(membersOf(schema), '  ')}  ${keyOf(name)}: ${typeOf(schema, '  ')}\n`)
    .join('')
