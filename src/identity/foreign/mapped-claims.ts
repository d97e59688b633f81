import { isRecord } from '../formats/json.ts'

/** Where the value of one of our claims comes from. */
export type ClaimRule =
  /** A path into the foreign claims; with `each`, the members of every element of the list that stands there, by our names. */
  | { path: readonly string[]; each?: Readonly<Record<string, readonly string[]>> | undefined }
  /** What the agency takes every such credential to say. */
  | { value: string | number | boolean }

/** Our claims, nested ones with a dot, by the rules of the configuration. */
export type ClaimRules = Readonly<Record<string, ClaimRule>>

const at = (claims: unknown, path: readonly string[]): unknown => {
  let value = claims
  for (const step of path) {
    if (!isRecord(value) || !Object.hasOwn(value, step)) return undefined
    value = value[step]
  }
  return value
}

const eachOf = (value: unknown, members: Readonly<Record<string, readonly string[]>>): unknown => {
  if (!Array.isArray(value)) return value
  return value.map(item => {
    const found = Object.entries(members).map(([name, path]) => [name, at(item, path)] as const)
    return Object.fromEntries(found.filter(([, member]) => member !== undefined))
  })
}

const set = (into: Record<string, unknown>, path: readonly string[], value: unknown): void => {
  const [name = '', ...rest] = path
  if (rest.length === 0) {
    into[name] = value
    return
  }
  const inner = isRecord(into[name]) ? { ...into[name] } : {}
  set(inner, rest, value)
  into[name] = inner
}

/** Our claims out of foreign ones; those that were not shown are left out, and so is whatever no rule names. */
export const mappedClaims = (claims: Readonly<Record<string, unknown>>, rules: ClaimRules): Record<string, unknown> => {
  const mapped: Record<string, unknown> = {}
  for (const [name, rule] of Object.entries(rules)) {
    if ('value' in rule) {
      set(mapped, name.split('.'), rule.value)
      continue
    }
    const found = at(claims, rule.path)
    if (found === undefined) continue
    set(mapped, name.split('.'), rule.each === undefined ? found : eachOf(found, rule.each))
  }
  return mapped
}
