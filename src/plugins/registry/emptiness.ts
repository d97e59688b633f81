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

const requiredIn = (schema: Readonly<Members>): readonly string[] =>
  Array.isArray(schema['required']) ? (schema['required'] as string[]) : []

const isOpen = (schema: unknown): boolean => schema === true || (isMembers(schema) && Object.keys(schema).length === 0)

const wholeNumbers = (schema: Readonly<Members>): string | undefined => {
  const [low, high] = [numberAt(schema, 'minimum'), numberAt(schema, 'maximum')]
  if (schema['type'] !== 'integer' || low === undefined || high === undefined) return undefined
  const given = numberAt(schema, 'multipleOf') ?? 1
  const step = Number.isInteger(given) ? given : 1
  return Math.floor(high / step) * step < low ? 'no whole number lies between minimum and maximum' : undefined
}

const counts = (schema: Readonly<Members>): string | undefined => {
  const required = requiredIn(schema)
  if (required.length > (numberAt(schema, 'maxProperties') ?? Infinity)) return 'more is required than maxProperties'
  const named = isMembers(schema['properties']) ? Object.keys(schema['properties']).length : 0
  const closed = schema['additionalProperties'] === false && schema['patternProperties'] === undefined
  if (closed && (numberAt(schema, 'minProperties') ?? 0) > named) return 'it has fewer properties than minProperties'
  const values = isMembers(schema['items']) ? schema['items']['enum'] : undefined
  const distinct = schema['uniqueItems'] === true && Array.isArray(values) ? values.length : Infinity
  return (numberAt(schema, 'minItems') ?? 0) > distinct ? 'there are fewer values than minItems' : undefined
}

const typesOf = (schema: unknown): readonly unknown[] | undefined => {
  const type = isMembers(schema) ? schema['type'] : undefined
  if (type === undefined) return undefined
  const types = Array.isArray(type) ? (type as unknown[]) : [type]
  return types.includes('number') ? [...types, 'integer'] : types
}

/** What one schema and the parts that it is made of rule out together, as far as types tell. */
const typesApart = (schema: Readonly<Members>): string | undefined => {
  const parts = [schema, ...(Array.isArray(schema['allOf']) ? (schema['allOf'] as unknown[]) : [])]
  const all = parts.flatMap(part => [typesOf(part) ?? []]).filter(types => types.length > 0)
  const [first = [], ...others] = all
  const left = first.filter(type => others.every(types => types.includes(type)))
  return all.length > 1 && left.length === 0 ? 'no value has all of its types' : undefined
}

const conditions = (schema: Readonly<Members>, compile: Compile): string | undefined => {
  if (isOpen(schema['not'])) return 'not rules out everything'
  if (isOpen(schema['if']) && schema['then'] === false) return 'then allows nothing, and if is always met'
  const names = schema['propertyNames']
  if (names === false && requiredIn(schema).length > 0) return 'propertyNames allows no name'
  if (!isMembers(names)) return undefined
  const check = compile(names)
  const wrong = requiredIn(schema).find(name => check(name) !== undefined)
  return wrong === undefined ? undefined : `propertyNames rules out ${wrong}, which is required`
}

const dependentEmpty = (schema: Readonly<Members>, at: string): string | undefined => {
  const properties = isMembers(schema['properties']) ? schema['properties'] : {}
  const { dependentRequired, dependentSchemas } = schema
  for (const name of requiredIn(schema)) {
    const more = isMembers(dependentRequired) ? (dependentRequired[name] as string[] | undefined) : undefined
    const lacking = (more ?? []).find(each => !Object.hasOwn(properties, each))
    if (lacking !== undefined && schema['additionalProperties'] === false) {
      return `${at}.${lacking} is required with ${name}, and there is no such field`
    }
    if (isMembers(dependentSchemas) && dependentSchemas[name] === false)
      return `${at}.${name} is required and ruled out`
  }
  return undefined
}

const requiredEmpty = (schema: Readonly<Members>, at: string, compile: Compile): string | undefined => {
  const properties = isMembers(schema['properties']) ? schema['properties'] : {}
  for (const name of requiredIn(schema)) {
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
  const own =
    crossed(schema) ?? fixedValues(schema, compile) ?? wholeNumbers(schema) ?? counts(schema) ?? typesApart(schema)
  const ruled = own ?? conditions(schema, compile)
  if (ruled !== undefined) return `${at}: ${ruled}`
  if (numberAt(schema, 'minItems') !== undefined && (numberAt(schema, 'minItems') ?? 0) > 0) {
    const empty = emptinessOf(schema['items'], `${at}[]`, compile)
    if (empty !== undefined) return empty
  }
  return dependentEmpty(schema, at) ?? requiredEmpty(schema, at, compile) ?? choicesEmpty(schema, at, compile)
}
