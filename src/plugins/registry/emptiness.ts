import { isMembers, type Members } from './definition-reader.ts'

/** Schemas that accept nothing. Found as far as one schema contradicts itself; what several only do together is not. */

type Compile = (schema: Readonly<Members>) => (value: unknown) => string | undefined

const bounds = [
  ['minimum', 'maximum'],
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
  ['minContains', 'maxContains'],
] as const

const numberAt = (schema: Readonly<Members>, key: string): number | undefined => {
  const value = schema[key]
  return typeof value === 'number' ? value : undefined
}

const crossed = (schema: Readonly<Members>): string | undefined => {
  for (const [least, most] of bounds) {
    const [low, high] = [numberAt(schema, least), numberAt(schema, most)]
    if (low !== undefined && high !== undefined && low > high) return `${least} is above ${most}`
  }
  const low = numberAt(schema, 'exclusiveMinimum')
  const high = numberAt(schema, 'exclusiveMaximum')
  const [least, most] = [numberAt(schema, 'minimum'), numberAt(schema, 'maximum')]
  if (low !== undefined && high !== undefined && low >= high) return 'exclusiveMinimum is not below exclusiveMaximum'
  if (low !== undefined && most !== undefined && low >= most) return 'exclusiveMinimum is not below maximum'
  if (least !== undefined && high !== undefined && least >= high) return 'minimum is not below exclusiveMaximum'
  return undefined
}

const fixedValues = (schema: Readonly<Members>, compile: Compile): string | undefined => {
  const values = Array.isArray(schema['enum']) ? schema['enum'] : 'const' in schema ? [schema['const']] : undefined
  if (values === undefined) return undefined
  if (values.length === 0) return 'its enum is empty'
  const check = compile(schema)
  return values.every(value => check(value) !== undefined) ? 'none of its fixed values fits the rest of it' : undefined
}

const requiredEmpty = (schema: Readonly<Members>, at: string, compile: Compile): string | undefined => {
  const properties = isMembers(schema['properties']) ? schema['properties'] : {}
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : []
  for (const name of required) {
    if (Object.hasOwn(properties, name)) {
      const empty = emptinessOf(properties[name], `${at}.${name}`, compile)
      if (empty !== undefined) return empty
    } else if (schema['additionalProperties'] === false && schema['patternProperties'] === undefined) {
      return `${at}.${name} is required, and there is no such field`
    }
  }
  return undefined
}

const choicesEmpty = (schema: Readonly<Members>, at: string, compile: Compile): string | undefined => {
  for (const key of ['anyOf', 'oneOf'] as const) {
    const options = schema[key]
    if (!Array.isArray(options)) continue
    if (options.every(option => emptinessOf(option, at, compile) !== undefined)) return `${at}: no ${key} can be met`
  }
  const all = Array.isArray(schema['allOf']) ? schema['allOf'] : []
  for (const part of all) {
    const empty = emptinessOf(part, at, compile)
    if (empty !== undefined) return empty
  }
  return undefined
}

/** Why no value fits the schema, if that can be seen. */
export const emptinessOf = (schema: unknown, at: string, compile: Compile): string | undefined => {
  if (schema === false) return `${at} allows nothing`
  if (!isMembers(schema)) return undefined
  if (Array.isArray(schema['type']) && schema['type'].length === 0) return `${at} has no type`
  const own = crossed(schema) ?? fixedValues(schema, compile)
  if (own !== undefined) return `${at}: ${own}`
  if (numberAt(schema, 'minItems') !== undefined && (numberAt(schema, 'minItems') ?? 0) > 0) {
    const empty = emptinessOf(schema['items'], `${at}[]`, compile)
    if (empty !== undefined) return empty
  }
  return requiredEmpty(schema, at, compile) ?? choicesEmpty(schema, at, compile)
}
