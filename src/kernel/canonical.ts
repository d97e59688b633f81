import { createHash } from 'node:crypto'

/** A JSON value without lone surrogates, as the HTTP edge lets it in. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** JSON Canonicalization Scheme (RFC 8785): sorted members by UTF-16 code units, ECMAScript numbers, no white space. */
export const canonical = (value: unknown): string => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('canonical JSON has no NaN and no infinities')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`
  }
  throw new TypeError(`canonical JSON has no ${typeof value}`)
}

/** SHA-256 of the canonical form. */
export const digestOf = (value: unknown): Buffer => createHash('sha256').update(canonical(value)).digest()
