import { digestOf } from '../../kernel/canonical.ts'
import type { Definition, FieldPath } from './definition.ts'

/** What the public may see of an entry, and by what it is found. Pure. */

export type Fields = Readonly<Record<string, unknown>>

type Mask = Map<string, Mask>

const maskOf = (paths: readonly FieldPath[]): Mask => {
  const mask: Mask = new Map()
  for (const path of paths) {
    let level = mask
    for (const [depth, step] of path.entries()) {
      const below = level.get(step)
      // A path that ends here takes everything below, whatever longer paths say.
      if (below !== undefined && below.size === 0) break
      const next: Mask = depth === path.length - 1 ? new Map() : (below ?? new Map())
      level.set(step, next)
      level = next
    }
  }
  return mask
}

const isMembers = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const masked = (value: unknown, mask: Mask): unknown => {
  if (mask.size === 0) return value
  if (Array.isArray(value)) return value.map(item => masked(item, mask))
  if (!isMembers(value)) return undefined
  const shown = [...mask].flatMap(([step, below]) => {
    const part = Object.hasOwn(value, step) ? masked(value[step], below) : undefined
    return part === undefined ? [] : [[step, part] as const]
  })
  return Object.fromEntries(shown)
}

/** The fields that everybody may read; nothing else of them. */
export const publicFields = (definition: Pick<Definition, 'public'>, fields: Fields): Fields =>
  definition.public.length === 0 ? {} : (masked(fields, maskOf(definition.public)) as Fields)

/** The value at a path; through a list, all that its items have there. */
export const valuesAt = (value: unknown, path: FieldPath): unknown[] => {
  if (Array.isArray(value)) return value.flatMap(item => valuesAt(item, path))
  const [step, ...rest] = path
  if (step === undefined) return value === undefined ? [] : [value]
  return isMembers(value) && Object.hasOwn(value, step) ? valuesAt(value[step], rest) : []
}

const valueMost = 200

/** Case folding of Unicode: ß is ss, and a sigma at the end of a word is a sigma. */
const folded = (text: string): string => text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ')

/** Two spellings of one value are found alike: compatibility forms, case and white space do not count. */
export const searchable = (value: string | number | boolean): string =>
  [...folded(String(value).normalize('NFKC')).normalize('NFKC').replace(/\s+/gu, ' ').trim()]
    .slice(0, valueMost)
    .join('')

export type SearchRow = { field: string; value: string }

/** An entry is found by its number as by a field of that name. */
export const numberField = 'number'

/** What an entry is found by; each value once. */
export const searchRows = (
  definition: Pick<Definition, 'search'>,
  { number, fields }: { number: string; fields: Fields },
): SearchRow[] => {
  const found = definition.search.flatMap(path => {
    const values = valuesAt(fields, path).filter(
      value => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean',
    )
    const field = path.join('.')
    return [...new Set(values.map(searchable))].filter(value => value !== '').map(value => ({ field, value }))
  })
  return [{ field: numberField, value: searchable(number) }, ...found]
}

export type Extracted = { id: string; register: string; number: string; fields: Fields; extract: Fields }

/**
 * What an entry's token commits to: SHA-256 of the canonical public extract without what changes by time alone, 0x hex.
 * So whoever has the extract can hold it against the token.
 */
export const commitmentOf = (issuer: string, definition: Pick<Definition, 'public'>, entry: Extracted): string => {
  const { id, register, number, fields, extract } = entry
  const shown = { issuer, register, entry: id, number, fields: publicFields(definition, fields), extract }
  return `0x${digestOf(shown).toString('hex')}`
}
