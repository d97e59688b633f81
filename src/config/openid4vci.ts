import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Fail, isRecord, isTexts, type Members, membersOf } from './parts.ts'

/** What an agency file says about OpenID4VCI (its member `openid4vci`). */
export type Openid4vciConfig = {
  /** The HAIP 1.0 profile: attested wallets and keys, bound tokens, certificates in what is issued. */
  haip: boolean
  /** Access tokens that are bound to no key. */
  bearer: boolean
  /** Wallets that nobody registered and whose provider attests nothing. */
  unknownClients: boolean
  clients: { id: string; name?: string; redirectUris: string[] }[]
  /** Whose attestations of wallets and keys count: PEM texts of authorities, and public keys with a kid. */
  walletProviders: { anchors: string[]; keys: Record<string, unknown>[] }
  /** What key attestations have to vouch for; with it every key needs one. */
  keyAttestation?: { key_storage?: string[]; user_authentication?: string[] }
  /** An attested wallet answers a challenge of this server in every proof; else a fresh proof is enough. */
  attestationChallenge: boolean
  /** Credentials of one request. */
  batchSize: number
  /** Messages of the credential endpoints are encrypted, or refused. */
  encryptionRequired: boolean
  deferredIntervalSeconds: number
  /** By which credential, and which of its claims, people are told apart who come without an offer. */
  identification?: { type: string; claims: string[] }
  /**
   * On the authorization page people may also show who they are with a wallet on another device. A fraud can send them the code of a
   * page of his own, and collects what is theirs with his wallet: leave it off unless officers stand beside.
   */
  crossDevice: boolean
  authorizationServer?: AuthorizationServerConfig
}

/** A server of others that authorizes (RFC 9068): its issuer identifier, and its keys by URL or inline; else its metadata has them. */
export type AuthorizationServerConfig = {
  issuer: string
  jwksUrl?: string
  jwks?: { keys: Record<string, unknown>[] }
  /** Which claims of its tokens say whose they are, by claim of the type that issuances are prepared for. */
  person?: { type: string; claims: Record<string, string> }
}

export const openid4vciDefaults: Openid4vciConfig = {
  haip: false,
  bearer: true,
  unknownClients: true,
  clients: [],
  walletProviders: { anchors: [], keys: [] },
  attestationChallenge: false,
  batchSize: 20,
  encryptionRequired: false,
  deferredIntervalSeconds: 5,
  crossDevice: false,
}

const parseKeys = (value: unknown, name: string, fail: Fail): Members[] => {
  const keys = Array.isArray(value) ? value : fail(`${name} is a list of public keys (JWK)`)
  for (const key of keys) {
    if (!isRecord(key) || typeof key['kid'] !== 'string' || key['kid'] === '') fail(`${name}: each key has a kid`)
    if ('d' in key || 'k' in key) fail(`${name}: keys are public ones; nothing secret stands in this file`)
  }
  return keys as Members[]
}

const parseClients = (value: unknown, fail: Fail): Openid4vciConfig['clients'] => {
  const clients = Array.isArray(value) ? value : fail('openid4vci.clients must be a list')
  return clients.map(each => {
    const { id, name, redirectUris } = membersOf(each, 'openid4vci.clients', ['id', 'name', 'redirectUris'], fail)
    if (typeof id !== 'string' || id === '') return fail('openid4vci.clients need an id')
    if (name !== undefined && typeof name !== 'string') return fail('openid4vci.clients.name is a text')
    if (!isTexts(redirectUris) || redirectUris.length === 0 || !redirectUris.every(each => URL.canParse(each)))
      return fail('openid4vci.clients.redirectUris is a list of URLs')
    return { id, redirectUris, ...(name === undefined ? {} : { name }) }
  })
}

/** Files of certificates stand beside the agency's own file, or have an absolute path. */
const parseProviders = (value: unknown, agencyFile: string, fail: Fail): Openid4vciConfig['walletProviders'] => {
  const { anchors = [], keys = [] } = membersOf(value, 'openid4vci.walletProviders', ['anchors', 'keys'], fail)
  if (!isTexts(anchors)) return fail('openid4vci.walletProviders.anchors is a list of PEM files')
  const texts = anchors.map(name => {
    try {
      return readFileSync(resolve(dirname(agencyFile), name), 'utf8')
    } catch {
      return fail(`there is no certificate file "${name}"`)
    }
  })
  return { anchors: texts, keys: parseKeys(keys, 'openid4vci.walletProviders.keys', fail) }
}

const resistances = ['key_storage', 'user_authentication'] as const

const parseAttestation = (value: unknown, fail: Fail): NonNullable<Openid4vciConfig['keyAttestation']> => {
  const members = membersOf(value, 'openid4vci.keyAttestation', resistances, fail)
  for (const [name, values] of Object.entries(members)) {
    if (!isTexts(values) || values.length === 0) fail(`openid4vci.keyAttestation.${name} is a list of texts`)
  }
  return members
}

const parseIdentification = (value: unknown, fail: Fail): NonNullable<Openid4vciConfig['identification']> => {
  const { type, claims } = membersOf(value, 'openid4vci.identification', ['type', 'claims'], fail)
  if (typeof type !== 'string') return fail('openid4vci.identification.type is a credential type')
  if (!isTexts(claims) || claims.length === 0) return fail('openid4vci.identification.claims is a list of claims')
  return { type, claims }
}

const parsePerson = (value: unknown, name: string, fail: Fail): NonNullable<AuthorizationServerConfig['person']> => {
  const { type, claims } = membersOf(value, name, ['type', 'claims'], fail)
  if (typeof type !== 'string') return fail(`${name}.type is a credential type`)
  if (!isRecord(claims) || !isTexts(Object.values(claims)) || Object.keys(claims).length === 0)
    return fail(`${name}.claims names a claim of the token for each claim of the type`)
  return { type, claims: claims as Record<string, string> }
}

const parseServer = (value: unknown, fail: Fail): AuthorizationServerConfig => {
  const name = 'openid4vci.authorizationServer'
  const { issuer, jwksUrl, jwks, person } = membersOf(value, name, ['issuer', 'jwksUrl', 'jwks', 'person'], fail)
  if (typeof issuer !== 'string' || !URL.canParse(issuer) || /[?#]/.test(issuer))
    return fail(`${name}.issuer is a URL without query and fragment`)
  if (jwksUrl !== undefined && jwks !== undefined) return fail(`${name} has jwksUrl or jwks`)
  const named = person === undefined ? {} : { person: parsePerson(person, `${name}.person`, fail) }
  if (jwks !== undefined)
    return { issuer, ...named, jwks: { keys: parseKeys(isRecord(jwks) ? jwks['keys'] : jwks, name, fail) } }
  if (jwksUrl === undefined) return { issuer, ...named }
  if (typeof jwksUrl !== 'string' || !URL.canParse(jwksUrl)) return fail(`${name}.jwksUrl is a URL`)
  return { issuer, ...named, jwksUrl }
}

const numbers = { batchSize: [1, 100], deferredIntervalSeconds: [1, 86_400] } as const
const flags = ['haip', 'bearer', 'unknownClients', 'attestationChallenge', 'encryptionRequired', 'crossDevice'] as const
const known = [...Object.keys(openid4vciDefaults), ...['keyAttestation', 'identification', 'authorizationServer']]

/** @param fail throws what is wrong. */
export const parseOpenid4vci = (value: unknown, agencyFile: string, fail: Fail): Openid4vciConfig => {
  const raw = membersOf(value, 'openid4vci', known, fail)
  const config = { ...openid4vciDefaults, ...raw } as Openid4vciConfig
  for (const name of flags) if (typeof config[name] !== 'boolean') fail(`openid4vci.${name} is true or false`)
  for (const name of ['batchSize', 'deferredIntervalSeconds'] as const) {
    const [least, most] = numbers[name]
    if (!Number.isInteger(config[name]) || config[name] < least || config[name] > most)
      fail(`openid4vci.${name} is a whole number from ${least} to ${most}`)
  }
  config.clients = parseClients(config.clients, fail)
  config.walletProviders = parseProviders(config.walletProviders, agencyFile, fail)
  if (config.keyAttestation !== undefined) config.keyAttestation = parseAttestation(config.keyAttestation, fail)
  if (config.identification !== undefined) config.identification = parseIdentification(config.identification, fail)
  if (config.authorizationServer !== undefined)
    config.authorizationServer = parseServer(config.authorizationServer, fail)
  const { anchors, keys } = config.walletProviders
  if (config.haip && anchors.length === 0)
    fail('openid4vci.haip needs walletProviders.anchors: every wallet and key is attested under a certificate')
  if (config.keyAttestation !== undefined && anchors.length + keys.length === 0)
    fail('openid4vci.keyAttestation needs walletProviders, whose attestations count')
  return config
}
