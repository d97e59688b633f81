const keywords = new Set([
  '@base',
  '@container',
  '@context',
  '@default',
  '@direction',
  '@embed',
  '@explicit',
  '@graph',
  '@id',
  '@included',
  '@import',
  '@index',
  '@json',
  '@language',
  '@list',
  '@nest',
  '@none',
  '@omitDefault',
  '@prefix',
  '@preserve',
  '@propagate',
  '@protected',
  '@requireAll',
  '@reverse',
  '@set',
  '@type',
  '@value',
  '@version',
  '@vocab',
])

export const isKeyword = (value: string): boolean => keywords.has(value)

/** Reserved for keywords to come (JSON-LD 1.1, section 9.16): "@" and letters. */
export const looksLikeKeyword = (value: string): boolean => /^@[A-Za-z]+$/.test(value)

// What IRIREF of N-Quads lets in, and one fragment at most. \s would also exclude what IRIs may hold.
const characters = '[^\\u0000-\\u0020<>"{}|\\\\^`\\u007F-\\u009F#]*'
const absolute = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:${characters}(?:#${characters})?$`)

/** Whether a string is an absolute IRI that N-Quads can write (RFC 3987, section 2.2; N-Quads, IRIREF). */
export const isIri = (value: string): boolean => absolute.test(value)

/** `_:` and a label that N-Quads can write. */
export const isBlankNode = (value: string): boolean => value.charCodeAt(0) === 0x5f && value.charCodeAt(1) === 0x3a

/** Well-formed in the sense of BCP 47, section 2.2.9, as far as N-Quads (LANGTAG) asks. */
export const isLanguageTag = (value: string): boolean => /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/.test(value)

type Reference = {
  scheme: string | undefined
  authority: string | undefined
  path: string
  query: string | undefined
  fragment: string | undefined
}

/** RFC 3986, appendix B. */
const reference = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

const parsed = (text: string): Reference => {
  const match = reference.exec(text)
  return {
    scheme: match?.[1],
    authority: match?.[2],
    path: match?.[3] ?? '',
    query: match?.[4],
    fragment: match?.[5],
  }
}

/** RFC 3986, section 5.2.4. */
const withoutDots = (path: string): string => {
  const segments = path.split('/')
  const kept: string[] = []
  for (const [at, segment] of segments.entries()) {
    const last = at === segments.length - 1
    if (segment === '.' || segment === '..') {
      // The empty segment before the first slash stays, or a path would lose its root.
      if (segment === '..' && (kept.length > 1 || (kept.length === 1 && kept[0] !== ''))) kept.pop()
      if (last) kept.push('')
    } else kept.push(segment)
  }
  return kept.join('/')
}

const merged = (base: Reference, path: string): string => {
  if (base.authority !== undefined && base.path === '') return `/${path}`
  return base.path.slice(0, base.path.lastIndexOf('/') + 1) + path
}

const written = ({ scheme, authority, path, query, fragment }: Reference): string =>
  (scheme === undefined ? '' : `${scheme}:`) +
  (authority === undefined ? '' : `//${authority}`) +
  path +
  (query === undefined ? '' : `?${query}`) +
  (fragment === undefined ? '' : `#${fragment}`)

/** The target of a reference (RFC 3986, section 5.2, without normalisation; RFC 3987, section 6.5). */
export const resolveIri = (base: string, relative: string): string => {
  const to = parsed(relative)
  const from = parsed(base)
  if (to.scheme !== undefined) return written({ ...to, path: withoutDots(to.path) })
  if (to.authority !== undefined) return written({ ...to, scheme: from.scheme, path: withoutDots(to.path) })
  const { scheme, authority } = from
  const { fragment } = to
  if (to.path === '') return written({ scheme, authority, path: from.path, query: to.query ?? from.query, fragment })
  const path = withoutDots(to.path.startsWith('/') ? to.path : merged(from, to.path))
  return written({ scheme, authority, path, query: to.query, fragment })
}
