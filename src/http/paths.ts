import { Refusal } from '../kernel/refusal.ts'

export type Entry<Target> = { method: string; path: string; target: Target }

export type Match<Target> = { target: Target; params: Record<string, string> }

export type Paths<Target> = {
  /**
   * Parameters are decoded, but for those whose name ends in `RawPath`: what they hold has percent encoding of its own.
   * @throws Refusal path_malformed when a part of the path is not well-formed percent encoding, or holds NUL.
   */
  match(method: string, path: string): Match<Target> | undefined
  /** Methods that this path answers, for refusing the others. */
  methods(path: string): string[]
}

type Pattern<Target> = { form: RegExp; names: string[]; byMethod: Map<string, Target> }

const patternOf = <Target>(path: string): Pattern<Target> => {
  const names: string[] = []
  const form = path
    .split(/\{([^}]+)\}/)
    .map((part, index) => {
      if (index % 2 === 0) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
      names.push(part)
      // tlog-tiles has paths of a variable number of steps; OpenAPI has no word for that, so the parameter's name says it.
      return part.endsWith('Path') ? '(.+)' : '([^/]+)'
    })
    .join('')
  return { form: new RegExp(`^${form}$`), names, byMethod: new Map() }
}

const decoded = (part: string): string => {
  let text = '\0'
  try {
    text = decodeURIComponent(part)
  } catch {
    // Refused below.
  }
  if (!text.includes('\0')) return text
  throw new Refusal('malformed', 'path_malformed', 'The path is not well-formed percent encoding of text.')
}

const parameterOf = (name: string, part: string): string => {
  const text = decoded(part)
  return name.endsWith('RawPath') ? part : text
}

/**
 * Paths of openapi.yaml to targets. Fixed paths are found in a map and win over paths with parameters, as OpenAPI says,
 * so that an agency with a hundred operations costs no more a request than one with ten.
 */
export const createPaths = <Target>(entries: Entry<Target>[]): Paths<Target> => {
  const fixed = new Map<string, Pattern<Target>>()
  const open = new Map<string, Pattern<Target>>()
  for (const { method, path, target } of entries) {
    const group = path.includes('{') ? open : fixed
    const pattern = group.get(path) ?? patternOf<Target>(path)
    group.set(path, pattern)
    pattern.byMethod.set(method, target)
  }
  const patterns = [...open.values()].sort((a, b) => a.names.length - b.names.length)
  const candidates = (path: string): Pattern<Target>[] => {
    const exact = fixed.get(path)
    const others = patterns.filter(pattern => pattern.form.test(path))
    return exact === undefined ? others : [exact, ...others]
  }
  return {
    match(method, path) {
      const exact = fixed.get(path)?.byMethod.get(method)
      if (exact !== undefined) return { target: exact, params: {} }
      for (const { form, names, byMethod } of patterns) {
        const target = byMethod.get(method)
        const parts = target === undefined ? null : form.exec(path)
        if (target === undefined || parts === null) continue
        return {
          target,
          params: Object.fromEntries(names.map((name, at) => [name, parameterOf(name, parts[at + 1] ?? '')])),
        }
      }
      return undefined
    },
    methods: path => [...new Set(candidates(path).flatMap(pattern => [...pattern.byMethod.keys()]))],
  }
}
