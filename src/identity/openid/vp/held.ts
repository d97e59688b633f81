import type { HeldForm } from '../../../kernel/presentation-answers.ts'
import { openJws } from '../../formats/jose.ts'
import { isRecord, malformed, readJson } from '../../formats/json.ts'
import { openSdJwt } from '../../formats/sd-jwt.ts'
import { openMdoc } from '../../mdoc/issuer-signed.ts'
import { certificatesOfX5c, readCertificate } from '../../x509/certificate.ts'
import { type Extended, formatNameOf, heldFacts } from '../dcql/facts.ts'
import type { CredentialFacts } from '../dcql/match.ts'
import type { HeldFacts } from '../dcql/select.ts'

/** A held credential as a query looks at it, and how it is signed, for verifiers who say what they can check. */
export type HeldDescription = { facts: HeldFacts; algorithms: SignedWith }

/** `vp_formats_supported` compares with these (OpenID4VP 1.0, appendix B). */
export type SignedWith = { alg?: string; coseAlg?: number; proofs?: { type: string; cryptosuite?: string }[] }

/** Key identifiers of the authorities in a chain, as `trusted_authorities` of the type `aki` have them (section 6.1.1.1). */
const authoritiesOf = (chain: readonly Uint8Array[]): CredentialFacts['authorities'] =>
  chain.flatMap(der => {
    const { authorityKeyIdentifier: id } = readCertificate(der)
    return id === undefined ? [] : [{ type: 'aki', value: Buffer.from(id, 'hex').toString('base64url') }]
  })

const chainOf = (x5c: readonly string[] | undefined): Uint8Array[] => (x5c === undefined ? [] : certificatesOfX5c(x5c))

type Described = { facts: CredentialFacts; algorithms: SignedWith }

const ofSdJwt = (compact: string, extended: Extended): Described => {
  const { processed, signed } = openSdJwt(compact)
  const { alg, x5c } = signed.header
  const authorities = authoritiesOf(chainOf(x5c))
  const described = { format: 'dc+sd-jwt', document: processed, holderBound: isRecord(processed['cnf']), authorities }
  return { facts: heldFacts(described, extended), algorithms: { alg } }
}

const ofMdoc = (compact: string): Described => {
  const mdoc = openMdoc(new Uint8Array(Buffer.from(compact, 'base64url')))
  const { docType: doctype, namespaces, issuerChain } = mdoc
  const authorities = authoritiesOf(issuerChain)
  const facts = heldFacts({ format: 'mso_mdoc', doctype, document: { ...namespaces }, holderBound: true, authorities })
  const coseAlg = { ES256: -7, ES384: -35, EdDSA: -8 }[mdoc.signature.algorithm as string]
  return { facts, algorithms: coseAlg === undefined ? {} : { coseAlg } }
}

const ofDocument = (text: string): Described => {
  const document = readJson(text, 'credential')
  if (!isRecord(document)) throw malformed('The credential is not a JSON object.')
  const proofs = [document['proof']]
    .flat()
    .filter(isRecord)
    .map(({ type, cryptosuite }) => ({
      type: String(type),
      ...(typeof cryptosuite === 'string' ? { cryptosuite } : {}),
    }))
  return { facts: heldFacts({ format: 'ldp_vc', document, holderBound: true }), algorithms: { proofs } }
}

const ofJws = (compact: string, format: string): Described => {
  const { signed, payload } = openJws(compact)
  const { alg, x5c } = signed.header
  const authorities = authoritiesOf(chainOf(x5c))
  return { facts: heldFacts({ format, document: payload, holderBound: true, authorities }), algorithms: { alg } }
}

/**
 * A credential of the wallet's own, which was verified when it came.
 * @throws Refusal malformed/credential_malformed
 */
export const describeHeld = ({ id, compact, format }: HeldForm, extended: Extended): HeldDescription => {
  const { facts, algorithms } =
    format === 'dc+sd-jwt'
      ? ofSdJwt(compact, extended)
      : format === 'mso_mdoc'
        ? ofMdoc(compact)
        : format === 'ldp_vc'
          ? ofDocument(compact)
          : ofJws(compact, format)
  return { facts: { ...facts, id }, algorithms }
}

const lists = (supported: Record<string, unknown>, name: string): readonly unknown[] | undefined => {
  const value = supported[name]
  return Array.isArray(value) && value.length > 0 ? value : undefined
}

/** Names of the algorithm with its curve beside the name without (RFC 9864). */
const coseNames: Readonly<Record<number, readonly number[]>> = { [-7]: [-7, -9], [-35]: [-35, -51], [-8]: [-8, -19] }
const joseNames: Readonly<Record<string, readonly string[]>> = { EdDSA: ['EdDSA', 'Ed25519'] }

const allows = (allowed: readonly unknown[] | undefined, names: readonly unknown[]): boolean =>
  allowed === undefined || names.some(name => allowed.includes(name))

/** What holders sign with here. */
const holderAlg = 'ES256'
const holderSuite = 'ecdsa-rdfc-2019'

const suits = (
  format: string,
  supported: Record<string, unknown>,
  { alg, coseAlg, proofs = [] }: SignedWith,
): boolean => {
  const jose = alg === undefined ? [] : (joseNames[alg] ?? [alg])
  if (format === 'dc+sd-jwt') {
    return (
      allows(lists(supported, 'sd-jwt_alg_values'), jose) && allows(lists(supported, 'kb-jwt_alg_values'), [holderAlg])
    )
  }
  if (format === 'mso_mdoc') {
    const issuer = coseAlg === undefined ? [] : (coseNames[coseAlg] ?? [])
    const device = coseNames[-7] ?? []
    return (
      allows(lists(supported, 'issuerauth_alg_values'), issuer) &&
      allows(lists(supported, 'deviceauth_alg_values'), device)
    )
  }
  if (format === 'ldp_vc') {
    const types = lists(supported, 'proof_type_values')
    const suites = lists(supported, 'cryptosuite_values')
    const isListed = proofs.some(
      ({ type, cryptosuite }) => allows(types, [type]) && (cryptosuite === undefined || allows(suites, [cryptosuite])),
    )
    return isListed && allows(types, ['DataIntegrityProof']) && allows(suites, [holderSuite])
  }
  const listed = lists(supported, 'alg_values')
  return allows(listed, jose) && allows(listed, [holderAlg])
}

/**
 * Whether the verifier can check the credential and its presentation (`vp_formats_supported`, appendix B). A verifier that says
 * nothing is taken to check what it asks for.
 */
export const isSupported = (
  format: string,
  algorithms: SignedWith,
  supported: Record<string, Record<string, unknown>> | undefined,
): boolean => {
  if (supported === undefined) return true
  const name = formatNameOf(format)
  const own = Object.hasOwn(supported, name) ? supported[name] : undefined
  return own !== undefined && suits(name, own, algorithms)
}
