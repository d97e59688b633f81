import { toQuads } from './rdf.ts'

const rdfType = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'
const verifiableCredential = 'https://www.w3.org/2018/credentials#VerifiableCredential'

/**
 * The types of a credential as IRIs, by its contexts (OpenID4VP 1.0, B.1.1: `type_values`).
 * @throws Refusal malformed/credential_malformed, rejected/context_unknown, term_unknown, term_redefined
 */
export const expandedTypes = (credential: Record<string, unknown>): string[] => {
  const { proof: _proof, ...document } = credential
  const types = toQuads(document).filter(
    ({ predicate, graph }) => predicate.value === rdfType && graph.termType === 'DefaultGraph',
  )
  const subjects = new Set(
    types.filter(({ object }) => object.value === verifiableCredential).map(each => each.subject.value),
  )
  return types.filter(({ subject }) => subjects.has(subject.value)).map(({ object }) => object.value)
}
