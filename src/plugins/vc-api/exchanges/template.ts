import { templateMalformed, variableUnknown } from '../errors.ts'
import type { Document } from '../needs.ts'

/*
 * Templates of credentials are JSON in which a string may be `{variable}`, or `{variable.member}`: the whole string gives
 * way to the value, whatever that is. Nothing is ever carried out, values are not looked through for further variables, and
 * names are never replaced.
 */

const whole = /^\{([A-Za-z][\w-]{0,63}(?:\.[\w-]{1,64}){0,8})\}$/

/** The parts of the variable that a string stands for; undefined for a string that stands for itself. */
const pathOf = (text: string): string[] | undefined => {
  const [, path] = whole.exec(text) ?? []
  if (path !== undefined) return path.split('.')
  if (/[{}]/.test(text)) {
    throw templateMalformed('A variable of a template is a whole string, as in "{name}" or "{name.member}".')
  }
  return undefined
}

const isObject = (value: unknown): value is Document => typeof value === 'object' && value !== null

/** Every variable that a template names, in parts. @throws Refusal malformed/template_malformed */
export const variablesOf = (template: unknown): string[][] => {
  if (typeof template === 'string') {
    const path = pathOf(template)
    return path === undefined ? [] : [path]
  }
  if (!isObject(template)) return []
  for (const name of Object.keys(template)) {
    if (/[{}]/.test(name)) throw templateMalformed('Names of a template are not replaced: a variable is a whole value.')
  }
  return Object.values(template).flatMap(variablesOf)
}

/** Members that a value has itself, and no others. @throws Refusal rejected/variable_unknown */
export const valueAt = (scope: Document, path: readonly string[]): unknown => {
  let at: unknown = scope
  for (const part of path) {
    const isOwn = isObject(at) && Object.hasOwn(at, part) && !(Array.isArray(at) && !/^\d+$/.test(part))
    if (!isOwn) throw variableUnknown(path.join('.'))
    at = (at as Document)[part]
  }
  return at
}

/** The template with its variables replaced. @throws Refusal malformed/template_malformed, rejected/variable_unknown */
export const fill = (template: unknown, scope: Document): unknown => {
  if (typeof template === 'string') {
    const path = pathOf(template)
    return path === undefined ? template : valueAt(scope, path)
  }
  if (Array.isArray(template)) return template.map(each => fill(each, scope))
  if (!isObject(template)) return template
  return Object.fromEntries(Object.entries(template).map(([name, value]) => [name, fill(value, scope)]))
}
