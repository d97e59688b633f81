import { Refusal } from '../../../kernel/refusal.ts'
import { isRecord } from '../../formats/json.ts'
import { type ContentEncryption, chooseContentEncryption, chooseEncryptionKey } from '../jwe.ts'
import { isEndpoint, isIdentifier, isText, shownText, textsOf } from './wallet-reading.ts'

/** In which language something is called how. */
export type Named = { name: string; locale?: string }

/** What an issuer asks of attested keys (OpenID4VCI 1.0, appendix D.2); empty where it has no further wish. */
export type AttestationWish = { keyStorage?: string[]; userAuthentication?: string[] }

/** A proof type that an issuer takes, and by which algorithms. */
export type ProofWish = { algorithms: string[]; attestation?: AttestationWish }

/** One credential that can be had, as its issuer describes it (section 12.2.4 and appendix A). */
export type Configuration = {
  id: string
  format: string
  scope?: string
  vct?: string
  doctype?: string
  types?: string[]
  display: Named[]
  /** Paths of the claims that it will have, for showing. */
  claims: string[]
  bindings: string[]
  proofs: Partial<Record<'jwt' | 'attestation', ProofWish>>
}

/** What a wallet needs to know of a credential issuer (section 12.2.4). Plain data, so that it can be kept. */
export type IssuerFacts = {
  issuer: string
  display: Named[]
  /** Authorization servers: its own identifier where it names none. */
  servers: string[]
  namesServers: boolean
  credentialEndpoint: string
  nonceEndpoint?: string
  deferredEndpoint?: string
  notificationEndpoint?: string
  requestEncryption?: { jwk: Record<string, unknown>; enc: ContentEncryption; required: boolean }
  responseEncryption?: { enc: ContentEncryption; required: boolean }
  /** Credentials that one request may ask for. */
  batchSize: number
  /** Of those that were asked about. */
  configurations: Configuration[]
  /** The DID, or the name in the certificate, whose key signed the metadata. */
  signedBy?: string
}

const serversMost = 10
const claimsShown = 100
const batchMost = 1_000

const refused = (detail: string): Refusal => new Refusal('rejected', 'issuer_metadata_refused', detail)

const namesOf = (display: unknown): Named[] => {
  if (!Array.isArray(display)) return []
  return display.slice(0, 20).flatMap((each: unknown) => {
    const name = isRecord(each) ? shownText(each['name']) : undefined
    if (name === undefined || !isRecord(each)) return []
    const locale = shownText(each['locale'], 35)
    return [{ name, ...(locale === undefined ? {} : { locale }) }]
  })
}

/** A step of a path as it is shown; anything else is none. */
const stepOf = (step: unknown): string | [] => {
  if (step === null) return '*'
  return typeof step === 'string' || typeof step === 'number' ? String(step) : []
}

const claimPaths = (claims: unknown): string[] => {
  if (!Array.isArray(claims)) return []
  return claims.slice(0, claimsShown).flatMap((each: unknown) => {
    const path = isRecord(each) && Array.isArray(each['path']) ? (each['path'] as unknown[]) : []
    return shownText(path.flatMap(stepOf).join('.')) ?? []
  })
}

const wishOf = (value: unknown): AttestationWish | undefined => {
  if (!isRecord(value)) return undefined
  const [keyStorage, userAuthentication] = [textsOf(value['key_storage']), textsOf(value['user_authentication'])]
  return {
    ...(keyStorage === undefined ? {} : { keyStorage }),
    ...(userAuthentication === undefined ? {} : { userAuthentication }),
  }
}

const proofsOf = (value: unknown): Configuration['proofs'] => {
  const proofs: Configuration['proofs'] = {}
  for (const type of ['jwt', 'attestation'] as const) {
    const given = isRecord(value) ? value[type] : undefined
    if (!isRecord(given)) continue
    const algorithms = textsOf(given['proof_signing_alg_values_supported'])
    if (algorithms === undefined) throw refused('A proof type lists no proof_signing_alg_values_supported.')
    const attestation = wishOf(given['key_attestations_required'])
    proofs[type] = { algorithms, ...(attestation === undefined ? {} : { attestation }) }
  }
  return proofs
}

const configurationOf = (id: string, value: unknown): Configuration => {
  if (!isRecord(value)) throw refused('A credential configuration is an object.')
  const { format, scope, vct, doctype, credential_definition: definition, credential_metadata: metadata } = value
  if (!isText(format, 100)) throw refused('A credential configuration names no format.')
  const types = isRecord(definition) ? textsOf(definition['type']) : undefined
  const shown = isRecord(metadata) ? metadata : {}
  return {
    ...{ id, format },
    ...(isText(scope) ? { scope } : {}),
    ...(isText(vct) ? { vct } : {}),
    ...(isText(doctype) ? { doctype } : {}),
    ...(types === undefined ? {} : { types }),
    display: namesOf(shown['display']),
    claims: claimPaths(shown['claims']),
    bindings: textsOf(value['cryptographic_binding_methods_supported']) ?? [],
    proofs: proofsOf(value['proof_types_supported']),
  }
}

const endpointOf = (value: unknown, name: string): string | undefined => {
  if (value === undefined) return undefined
  if (!isEndpoint(value)) throw refused(`${name} is no https URL.`)
  return value
}

/** @throws Refusal rejected/issuer_metadata_refused when it must be encrypted to nobody that this wallet can encrypt to. */
const requestEncryptionOf = (value: unknown): IssuerFacts['requestEncryption'] => {
  if (value === undefined) return undefined
  if (!isRecord(value)) throw refused('credential_request_encryption is an object.')
  const required = value['encryption_required'] === true
  try {
    const enc = chooseContentEncryption(textsOf(value['enc_values_supported']) ?? [])
    return { jwk: chooseEncryptionKey(value['jwks']), enc, required }
  } catch {
    if (required) throw refused('The issuer asks for encrypted requests, by no key or enc that is known here.')
    return undefined
  }
}

const responseEncryptionOf = (value: unknown): IssuerFacts['responseEncryption'] => {
  if (value === undefined) return undefined
  if (!isRecord(value)) throw refused('credential_response_encryption is an object.')
  const required = value['encryption_required'] === true
  const isKnown = textsOf(value['alg_values_supported'])?.includes('ECDH-ES') === true
  try {
    if (!isKnown) throw refused('No alg is known.')
    return { enc: chooseContentEncryption(textsOf(value['enc_values_supported']) ?? []), required }
  } catch {
    if (required) throw refused('The issuer encrypts its answers by no alg or enc that is known here.')
    return undefined
  }
}

const batchOf = (value: unknown): number => {
  const size = isRecord(value) ? value['batch_size'] : 1
  if (!Number.isInteger(size) || Number(size) < 1) throw refused('batch_size is a whole number of at least 2.')
  return Math.min(Number(size), batchMost)
}

/**
 * Reads a credential issuer's metadata.
 * @param issuer whose they have to be: compared without any normalisation (OpenID4VCI 1.0, section 12.2.4).
 * @param ids of the configurations that somebody wants.
 * @throws Refusal rejected/issuer_metadata_refused, rejected/configuration_unknown
 */
export const readIssuerMetadata = (
  value: Record<string, unknown>,
  issuer: string,
  ids: readonly string[],
): IssuerFacts => {
  if (value['credential_issuer'] !== issuer) throw refused('The metadata are those of another issuer.')
  const named = value['authorization_servers']
  const servers = named === undefined ? [issuer] : textsOf(named, serversMost)
  if (servers === undefined || !servers.every(isIdentifier)) {
    throw refused(`authorization_servers are one to ${serversMost} URLs.`)
  }
  const supported = value['credential_configurations_supported']
  if (!isRecord(supported)) throw refused('The metadata have no credential_configurations_supported.')
  const configurations = ids.map(id => {
    if (Object.hasOwn(supported, id)) return configurationOf(id, supported[id])
    const detail = 'The issuer’s metadata know no credential configuration of that id.'
    throw new Refusal('rejected', 'configuration_unknown', detail, { facts: { configurationId: id.slice(0, 200) } })
  })
  const credentialEndpoint = endpointOf(value['credential_endpoint'], 'credential_endpoint')
  if (credentialEndpoint === undefined) throw refused('The metadata have no credential_endpoint.')
  const optional = {
    nonceEndpoint: endpointOf(value['nonce_endpoint'], 'nonce_endpoint'),
    deferredEndpoint: endpointOf(value['deferred_credential_endpoint'], 'deferred_credential_endpoint'),
    notificationEndpoint: endpointOf(value['notification_endpoint'], 'notification_endpoint'),
    requestEncryption: requestEncryptionOf(value['credential_request_encryption']),
    responseEncryption: responseEncryptionOf(value['credential_response_encryption']),
  }
  const given = Object.fromEntries(Object.entries(optional).filter(([, each]) => each !== undefined))
  // An answer may be encrypted only to a key that nobody can have exchanged on the way (section 8.2).
  if (optional.responseEncryption !== undefined && optional.requestEncryption === undefined) {
    if (optional.responseEncryption.required) {
      throw refused('The issuer encrypts its answers, but takes no encrypted request that could carry the key.')
    }
    delete given['responseEncryption']
  }
  return {
    ...{ issuer, servers, namesServers: named !== undefined, credentialEndpoint, configurations },
    ...(given as Partial<IssuerFacts>),
    display: namesOf(value['display']),
    batchSize: value['batch_credential_issuance'] === undefined ? 1 : batchOf(value['batch_credential_issuance']),
  }
}
