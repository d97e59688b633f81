import { canonical } from '../../kernel/canonical.ts'
import type { ValueObject } from './expanded.ts'
import { rdfLangString, type Term, xsdString } from './quads.ts'

const xsd = 'http://www.w3.org/2001/XMLSchema#'
const xsdDouble = `${xsd}double`
const rdfJson = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON'
const i18n = 'https://www.w3.org/ns/i18n#'

const literal = (value: string, datatype: string): Term => ({ termType: 'Literal', value, datatype })

/** Canonical lexical form of an xsd:double (JSON-LD 1.1 API, section 8.6). */
export const canonicalDouble = (value: number): string => value.toExponential(15).replace(/(\d)0*e\+?/, '$1E')

const ofNumber = (value: number, type: string | null): Term => {
  if (value % 1 !== 0 || Math.abs(value) >= 1e21 || type === xsdDouble)
    return literal(canonicalDouble(value), type ?? xsdDouble)
  return literal(value.toFixed(0), type ?? `${xsd}integer`)
}

/**
 * The literal of a value (Object to RDF Conversion, JSON-LD 1.1 API, section 8.2.2). A base direction becomes part of the
 * datatype (`rdfDirection` i18n-datatype), so that a proof covers it.
 */
export const toLiteral = ({ value, type, language, direction }: ValueObject): Term => {
  if (type === '@json') return literal(canonical(value), rdfJson)
  if (typeof value === 'boolean') return literal(value ? 'true' : 'false', type ?? `${xsd}boolean`)
  if (typeof value === 'number') return ofNumber(value, type)
  const text = String(value)
  if (type !== null) return literal(text, type)
  if (direction !== null) return literal(text, `${i18n}${language ?? ''}_${direction}`)
  if (language !== null) return { termType: 'Literal', value: text, datatype: rdfLangString, language }
  return literal(text, xsdString)
}
