import type { FormatId } from '../../kernel/identity.ts'
import type { OfferedConfiguration } from './authorization/needs.ts'
import type { AttestationRequirement, IssuableType } from './needs.ts'

/** A way in which a type is issued: an entry of `credential_configurations_supported` (OpenID4VCI 1.0, section 12.2.4). */
export type Configuration = OfferedConfiguration & {
  id: string
  type: IssuableType
  format: FormatId
  /** Of keys that its credentials can be bound to. */
  algorithms: readonly string[]
  metadata: Readonly<Record<string, unknown>>
}

type Members = Record<string, unknown>
type Shown = { locale: string; name: string; rendering?: { simple?: { background_color: string; text_color: string } } }
type Described = { path: (string | null)[]; display: { locale: string; label: string }[] }

/** How a format is called in OpenID4VCI 1.0, appendix A; `vc+jwt` has no name there, so it goes by its media type (not standard). */
const formatNames: Readonly<Record<string, { format: string; suffix: string }>> = {
  'dc+sd-jwt': { format: 'dc+sd-jwt', suffix: 'dc_sd_jwt' },
  jwt_vc: { format: 'jwt_vc_json', suffix: 'jwt_vc_json' },
  ldp_vc: { format: 'ldp_vc', suffix: 'ldp_vc' },
  mso_mdoc: { format: 'mso_mdoc', suffix: 'mso_mdoc' },
  'vc+jwt': { format: 'vc+jwt', suffix: 'vc_jwt' },
}

const displayOf = ({ metadata }: IssuableType): Members[] =>
  (metadata['display'] as Shown[]).map(({ locale, name, rendering }) => ({
    ...{ name, locale },
    ...(rendering?.simple === undefined ? {} : rendering.simple),
  }))

const labelsOf = ({ display }: Described): Members[] => display.map(({ label, locale }) => ({ name: label, locale }))

const describedBy = ({ metadata }: IssuableType): Described[] => metadata['claims'] as Described[]

/** Claims description objects (appendix B.2). What the schema requires is always there. */
const claimsOf = (type: IssuableType, below: readonly string[]): Members[] => {
  const required = (type.schema['required'] ?? []) as string[]
  return describedBy(type).map(claim => ({
    path: [...below, ...claim.path],
    ...(claim.path.length === 1 && required.includes(String(claim.path[0])) ? { mandatory: true } : {}),
    display: labelsOf(claim),
  }))
}

/** The same for an mdoc: claims that have a data element, namespace first (appendix C.2). */
const elementsOf = (type: IssuableType): Members[] => {
  const { namespace = '', elements = {} } = type.mdoc ?? {}
  return describedBy(type).flatMap(claim => {
    const element = claim.path.length === 1 ? elements[String(claim.path[0])] : undefined
    return element === undefined ? [] : [{ path: [namespace, element], display: labelsOf(claim) }]
  })
}

/** What a format says of a type, beside what all say (appendix A). */
const formatMembers = (type: IssuableType, format: string, algorithm: string): Members | undefined => {
  const types = ['VerifiableCredential', type.id]
  if (format === 'dc+sd-jwt') return { vct: type.vct, credential_signing_alg_values_supported: [algorithm] }
  if (format === 'mso_mdoc') {
    // ECDSA on P-256 as ISO/IEC 18013-5 numbers it, and fully specified (appendix A.2.2).
    return type.mdoc && { doctype: type.mdoc.docType, credential_signing_alg_values_supported: [-7, -9] }
  }
  if (format === 'jwt_vc') {
    return { credential_definition: { type: types }, credential_signing_alg_values_supported: [algorithm] }
  }
  const definition = { credential_definition: { '@context': [...type.contexts], type: types } }
  const signed = format === 'ldp_vc' ? 'ecdsa-rdfc-2019' : algorithm
  return { ...definition, credential_signing_alg_values_supported: [signed] }
}

const bindingMethods = (format: string): string[] =>
  format === 'mso_mdoc' ? ['cose_key'] : ['jwk', 'did:jwk', 'did:key']

type Issuing = {
  algorithm: string
  proofAlgorithms: readonly string[]
  /** Whether key attestations are judged at all, and what they have to say where every key needs one. */
  attestations: boolean
  attestation: AttestationRequirement | undefined
}

const proofTypes = (algorithms: readonly string[], { attestations, attestation }: Issuing): Members => {
  const type = {
    proof_signing_alg_values_supported: [...algorithms],
    ...(attestation === undefined ? {} : { key_attestations_required: attestation }),
  }
  return { jwt: type, ...(attestations ? { attestation: type } : {}) }
}

const configurationOf = (type: IssuableType, format: FormatId, issuing: Issuing): Configuration | undefined => {
  const name = formatNames[format]
  const members = formatMembers(type, format, issuing.algorithm)
  if (name === undefined || members === undefined) return undefined
  const id = `${type.id}.${type.version}.${name.suffix}`
  // A device key signs as ISO/IEC 18013-5 has it.
  const algorithms =
    format === 'mso_mdoc' ? issuing.proofAlgorithms.filter(each => each === 'ES256') : issuing.proofAlgorithms
  const claims =
    format === 'mso_mdoc' ? elementsOf(type) : claimsOf(type, format === 'dc+sd-jwt' ? [] : ['credentialSubject'])
  return {
    ...{ id, type, format, algorithms, scope: id, name: type.title['en'] ?? type.id },
    claims: describedBy(type).flatMap(({ path, display }) => (path.length === 1 ? [display[0]?.label ?? ''] : [])),
    metadata: {
      ...{ format: name.format, scope: id, ...members },
      cryptographic_binding_methods_supported: bindingMethods(format),
      proof_types_supported: proofTypes(algorithms, issuing),
      credential_metadata: { display: displayOf(type), claims },
    },
  }
}

/** Every type in each of its formats, by configuration id. The scope of each is its id, so that it names one type alone (HAIP 1.0). */
export const configurationsOf = (
  types: readonly IssuableType[],
  issuing: Issuing,
): ReadonlyMap<string, Configuration> => {
  const all = types.flatMap(type => type.formats.flatMap(format => configurationOf(type, format, issuing) ?? []))
  return new Map(all.map(configuration => [configuration.id, configuration]))
}
