import { isRefusal } from '../../kernel/refusal.ts'
import { isRecord } from '../formats/json.ts'
import { type Context, cloned, type Definition, initialContext } from './active-context.ts'
import { bundledContext } from './contexts.ts'
import { assertShort, type Defining, define, expandWhileDefining } from './define.ts'
import { contextUnknown, invalid, termRedefined, tooMuch } from './errors.ts'
import { isIri, resolveIri } from './iri.ts'

/** How many more terms may be defined for a document; spent by contexts that are not known from earlier documents. */
export type Budget = {
  terms: number
  /** Definitions under way, each for the sake of the one before. */
  depth: number
}

type Processing = {
  /** What relative URLs of contexts are relative to. */
  base: string | null
  /** URLs of contexts that led here. */
  remotes: readonly string[]
  overrideProtected: boolean
  propagate: boolean
  validateScoped: boolean
  budget: Budget
}

/** Contexts that contexts name, at most; a credential needs one or two. */
const remotesMost = 16

const notTerms = new Set([
  '@base',
  '@direction',
  '@import',
  '@language',
  '@propagate',
  '@protected',
  '@version',
  '@vocab',
])

const hasProtected = ({ terms }: Context): boolean => {
  for (const definition of terms.values()) if (definition.protected) return true
  return false
}

const nullified = (result: Context, { overrideProtected, propagate }: Processing): Context => {
  if (!overrideProtected && hasProtected(result))
    throw termRedefined('invalid context nullification', 'A context of null would undo protected terms.')
  const fresh = initialContext(result.originalBase)
  if (!propagate) fresh.previous = result
  return fresh
}

/** The `@context` of a bundled document. */
const remoteContext = (url: string): unknown => {
  const document = bundledContext(url)
  if (document === undefined) throw contextUnknown(url)
  if (!isRecord(document) || !Object.hasOwn(document, '@context'))
    throw invalid('invalid remote context', `The document ${url} is no context.`)
  return document['@context']
}

const withRemote = (result: Context, reference: string, how: Processing): Context => {
  const url = how.base === null ? reference : resolveIri(how.base, reference)
  if (!isIri(url)) throw contextUnknown(url)
  if (!how.validateScoped && how.remotes.includes(url)) return result
  if (how.remotes.length >= remotesMost) throw tooMuch('contexts')
  const { validateScoped, budget } = how
  const remotes = [...how.remotes, url]
  const inner = { base: url, remotes, overrideProtected: false, propagate: true, validateScoped, budget }
  return processContext(result, remoteContext(url), inner)
}

/** The definition with what it imports under it (JSON-LD 1.1 API, section 4.1.2, step 5.6). */
const withImport = (definition: Record<string, unknown>, base: string | null): Record<string, unknown> => {
  if (!Object.hasOwn(definition, '@import')) return definition
  const { '@import': reference } = definition
  if (typeof reference !== 'string') throw invalid('invalid @import value', 'An @import has to be a string.')
  const imported = remoteContext(base === null ? reference : resolveIri(base, reference))
  if (!isRecord(imported)) throw invalid('invalid remote context', `What ${reference} holds cannot be imported.`)
  if (Object.hasOwn(imported, '@import'))
    throw invalid('invalid context entry', 'An imported context imports a context itself.')
  return { ...imported, ...definition }
}

const setBase = (result: Context, value: unknown): void => {
  if (value === null) result.base = null
  else if (typeof value !== 'string') throw invalid('invalid base IRI', 'A @base is a string or null.')
  else if (isIri(value)) result.base = value
  else if (result.base !== null) result.base = resolveIri(result.base, value)
  else throw invalid('invalid base IRI', 'A relative @base has nothing to be relative to.')
  assertShort(result.base)
}

const setVocab = (into: Defining, value: unknown): void => {
  const { context } = into
  if (value === null) context.vocab = null
  else if (typeof value !== 'string') throw invalid('invalid vocab mapping', 'A @vocab is a string or null.')
  else {
    const expanded = expandWhileDefining({ ...into, local: {} }, value, true)
    if (expanded === null) throw invalid('invalid vocab mapping', 'A @vocab is an IRI.')
    assertShort(expanded)
    context.vocab = expanded
  }
}

const setDefaults = (context: Context, local: Record<string, unknown>): void => {
  const { '@language': language, '@direction': direction, '@propagate': propagate } = local
  if (language !== undefined) {
    if (language !== null && typeof language !== 'string')
      throw invalid('invalid default language', 'A @language is a string or null.')
    assertShort(language)
    context.language = language === null ? null : language.toLowerCase()
  }
  if (direction !== undefined) {
    if (direction !== null && direction !== 'ltr' && direction !== 'rtl')
      throw invalid('invalid base direction', 'A @direction is ltr, rtl or null.')
    context.direction = direction
  }
  if (propagate !== undefined && typeof propagate !== 'boolean')
    throw invalid('invalid @propagate value', 'A @propagate is true or false.')
}

const checkScoped =
  (how: Processing) =>
  (context: Context, local: unknown): void => {
    try {
      processContext(context, local, { ...how, overrideProtected: true, propagate: true, validateScoped: false })
    } catch (cause) {
      // What names its own reason keeps it.
      if (!isRefusal(cause) || cause.code !== 'credential_malformed') throw cause
      throw invalid('invalid scoped context', `A scoped context is not one: ${cause.message}`, cause)
    }
  }

/** How many terms of the context before are copied for the price of one that is defined. */
const copiedForOne = 16

const withDefinition = (active: Context, item: Record<string, unknown>, how: Processing): Context => {
  how.budget.terms -= 1 + Math.floor(active.terms.size / copiedForOne)
  if (how.budget.terms < 0) throw tooMuch('contexts')
  const result = cloned(active)
  if (Object.hasOwn(item, '@version') && item['@version'] !== 1.1)
    throw invalid('invalid @version value', 'The @version of a context is 1.1.')
  const local = withImport(item, how.base)
  const into: Defining = {
    context: result,
    local,
    defined: new Map(),
    protected: false,
    overrideProtected: how.overrideProtected,
    base: how.base,
    budget: how.budget,
    checkScoped: checkScoped(how),
  }
  if (Object.hasOwn(local, '@base') && how.remotes.length === 0) setBase(result, local['@base'])
  if (Object.hasOwn(local, '@vocab')) setVocab(into, local['@vocab'])
  setDefaults(result, local)
  if (Object.hasOwn(local, '@protected')) {
    if (typeof local['@protected'] !== 'boolean')
      throw invalid('invalid @protected value', 'A @protected is true or false.')
    into.protected = local['@protected']
  }
  for (const term of Object.keys(local)) if (!notTerms.has(term)) define(into, term)
  return result
}

/** Context Processing (JSON-LD 1.1 API, section 4.1.2). */
const processContext = (active: Context, local: unknown, how: Processing): Context => {
  let processing = how
  if (isRecord(local) && typeof local['@propagate'] === 'boolean')
    processing = { ...how, propagate: local['@propagate'] }
  let result = active
  if (!processing.propagate && active.previous === null) {
    result = cloned(active)
    result.previous = active
  }
  for (const item of Array.isArray(local) ? local : [local]) {
    if (item === null) result = nullified(result, processing)
    else if (typeof item === 'string') result = withRemote(result, item, processing)
    else if (isRecord(item)) result = withDefinition(result, item, processing)
    else throw invalid('invalid local context', 'A context is a URL, an object or null.')
  }
  return result
}

/** Processed contexts that are kept for the next document; then all are forgotten. */
const keptMost = 512
/** What is embedded in a document is kept up to this many characters; a larger one is rarely seen again. */
const keptCharacters = 16_384

let root = initialContext(null)
let kept = 0

const keep = <K>(map: Map<K, Context>, key: K, context: Context): Context => {
  // Contexts hang together from the root, so that forgetting it forgets them; documents under way keep theirs.
  if (++kept > keptMost) {
    root = initialContext(null)
    kept = 0
  }
  map.set(key, context)
  return context
}

/** @param base what relative references are relative to; without one they are refused. */
export const rootContext = (base: string | undefined): Context => (base === undefined ? root : initialContext(base))

/**
 * The context that holds from the `@context` member of an object on.
 * @throws Refusal rejected/context_unknown, rejected/term_redefined, malformed/credential_malformed
 */
export const withDocumentContext = (context: Context, local: unknown, base: string | null, budget: Budget): Context => {
  // A URL in its quotes: without them it could be the text of another context.
  const key = JSON.stringify(local)
  const known = context.derived.document.get(key)
  if (known !== undefined) return known
  const how = { base, remotes: [], overrideProtected: false, propagate: true, validateScoped: true, budget }
  const made = processContext(context, local, how)
  return key.length > keptCharacters ? made : keep(context.derived.document, key, made)
}

/** The context scoped to a property, to a type, or to a type that is the key of a map (JSON-LD 1.1, section 4.1.8). */
export const withScopedContext = (
  context: Context,
  definition: Definition,
  scope: 'property' | 'type' | 'map',
  budget: Budget,
): Context => {
  const { scoped } = definition
  if (scoped === undefined) return context
  const known = context.derived[scope].get(definition)
  if (known !== undefined) return known
  const made = processContext(context, scoped.local, {
    base: scoped.base,
    remotes: [],
    overrideProtected: scope === 'property',
    propagate: scope !== 'type',
    validateScoped: true,
    budget,
  })
  return keep(context.derived[scope], definition, made)
}
