import { Refusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'

const pointersMost = 256
const pointerLengthMost = 1024
const wrongEscape = /~(?![01])/
const arrayIndex = /^(?:0|[1-9][0-9]{0,8})$/

const unreadable = (pointer: string, why: string): Refusal =>
  new Refusal('malformed', 'pointer_malformed', `The JSON pointer ${JSON.stringify(pointer.slice(0, 100))} ${why}.`)

/** Keywords and their usual aliases: whoever selects below an object gets what names and types it as well. */
const identifying = ['@id', 'id', '@type', 'type'] as const
const identifiers: readonly string[] = ['@id', 'id']

/**
 * The reference tokens of a JSON pointer (RFC 6901, section 4), unescaped. The empty pointer has none.
 * @throws Refusal malformed/pointer_malformed, also for a pointer into `@context`, which no statement comes from
 */
export const pointerTokens = (pointer: string): string[] => {
  if (pointer.length > pointerLengthMost) throw unreadable(pointer, `is longer than ${pointerLengthMost} characters`)
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw unreadable(pointer, 'has to begin with a slash')
  if (wrongEscape.test(pointer)) throw unreadable(pointer, 'has a ~ that neither 0 nor 1 follows')
  const tokens = pointer
    .slice(1)
    .split('/')
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (tokens.includes('@context')) throw unreadable(pointer, 'leads into @context; choose members of the document')
  if (tokens.includes('__proto__')) throw unreadable(pointer, 'leads to a member named __proto__')
  return tokens
}

const childOf = (value: unknown, token: string, pointer: string): unknown => {
  const readable = isRecord(value) || (Array.isArray(value) && arrayIndex.test(token))
  if (readable && Object.hasOwn(value, token)) return (value as Record<string, unknown>)[token]
  const shown = JSON.stringify(pointer.slice(0, 100))
  throw new Refusal('rejected', 'pointer_unmatched', `The JSON pointer ${shown} leads to nothing in the document.`)
}

/** `createInitialSelection`: what identifies an object, unless that is a blank node identifier. */
const initialSelection = (source: unknown): Record<string, unknown> => {
  const selection: Record<string, unknown> = {}
  if (!isRecord(source)) return selection
  for (const name of identifying) {
    if (!Object.hasOwn(source, name)) continue
    const value = source[name]
    if (identifiers.includes(name) && typeof value === 'string' && value.startsWith('_:')) continue
    selection[name] = structuredClone(value)
  }
  return selection
}

type Container = Record<string, unknown> | unknown[]
type Selecting = { document: Record<string, unknown>; selection: Record<string, unknown>; sparse: unknown[][] }

/** The selection's counterpart of a value on the way, made when it is not there yet. */
const counterpart = (parent: Container, token: string, value: unknown, sparse: unknown[][]): unknown => {
  const there = Object.hasOwn(parent, token) ? (parent as Record<string, unknown>)[token] : undefined
  if (there !== undefined) return there
  const made: unknown = Array.isArray(value) ? [] : initialSelection(value)
  if (Array.isArray(made)) sparse.push(made)
  ;(parent as Record<string, unknown>)[token] = made
  return made
}

/** `selectPaths`: walks one pointer from the root to its target and copies what is there. */
const selectPath = ({ document, selection, sparse }: Selecting, pointer: string): void => {
  const tokens = pointerTokens(pointer)
  let value: unknown = document
  let selected: unknown = selection
  let parent: Container = selection
  for (const token of tokens) {
    parent = selected as Container
    value = childOf(value, token, pointer)
    selected = counterpart(parent, token, value, sparse)
  }
  const last = tokens.at(-1)
  if (last === undefined) Object.assign(selection, structuredClone(document))
  else {
    const whole = isRecord(value) ? { ...(selected as object), ...structuredClone(value) } : structuredClone(value)
    ;(parent as Record<string, unknown>)[last] = whole
  }
}

/** Refuses more pointers than anybody needs, before one of them is followed. */
export const assertPointers = (pointers: readonly string[]): void => {
  if (pointers.length > pointersMost) {
    throw new Refusal('malformed', 'pointer_malformed', `Give ${pointersMost} JSON pointers at most.`)
  }
  for (const pointer of pointers) pointerTokens(pointer)
}

/** Refuses to derive a document with nothing in it. @throws Refusal malformed/pointer_malformed */
export const assertSelection = (pointers: readonly string[]): void => {
  assertPointers(pointers)
  if (pointers.length > 0) return
  const detail = 'Choose something to show by JSON pointers; the issuer made nothing mandatory.'
  throw new Refusal('malformed', 'pointer_malformed', detail)
}

/**
 * The parts of a compact JSON-LD document that pointers choose, together with the `id` and `type` of every object on
 * the way and the document's `@context` (vc-di-ecdsa, section 3.4.13 selectJsonLd). The document has its one `@context`
 * at the top level.
 * @returns nothing when there are no pointers
 * @throws Refusal malformed/pointer_malformed, rejected/pointer_unmatched
 */
export const selectByPointers = (
  document: Record<string, unknown>,
  pointers: readonly string[],
): Record<string, unknown> | undefined => {
  assertPointers(pointers)
  if (pointers.length === 0) return undefined
  const selection = { '@context': structuredClone(document['@context']), ...initialSelection(document) }
  const sparse: unknown[][] = []
  for (const pointer of pointers) selectPath({ document, selection, sparse }, pointer)
  for (const list of sparse) {
    const dense = list.filter(() => true)
    list.splice(0, list.length, ...dense)
  }
  return selection
}
