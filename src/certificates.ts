import { createHash, createPublicKey } from 'node:crypto'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AgencyOnChain } from './agency.ts'
import { ConfigError } from './config/agency.ts'
import type { CertificateChains } from './config/certificates.ts'
import type { CurrentKey } from './identity/current-key.ts'
import { thumbprintOf } from './identity/key-material.ts'
import type { KeyInfo } from './identity/keys.ts'
import { certificatesOfPem, readCertificate, speaksFor } from './identity/x509/certificate.ts'
import { type ChainOptions, validateChain } from './identity/x509/chain.ts'
import {
  type Authority,
  type CertificateSigner,
  makeAccessCertificate,
  makeCertificateRequest,
  makeDocumentSignerCertificate,
  makeRootCertificate,
  type Validity,
} from './identity/x509/make.ts'
import { documentSignerUsage, readerAuthenticationUsage } from './identity/x509/usages.ts'
import { canonical } from './kernel/canonical.ts'
import { type CertificateRole, type Certificates, type CertifiedKey, certificateRoles } from './kernel/identity.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import { keptCertificates } from './plugins/certificates/actions/keep.ts'

/** Certificates of an agency: made by an authority of its own, or the chains that its configuration names. */

const hour = 3_600_000
const day = 24 * hour

/** ISO/IEC 18013-5, annex B.1.4: a document signer's is valid for 457 days at most. */
const lifetimes = { authority: 3_653 * day, issuer: 1_096 * day, documentSigner: 457 * day, verifier: 457 * day }
type Role = keyof typeof lifetimes

/** What is signed has to end before its certificate does: so a new one is made once a quarter of the time is over. */
const renewedAfter = { authority: 1 / 2, issuer: 1 / 4, documentSigner: 1 / 4, verifier: 3 / 4 } as const

type SigningKey = { keyId: string; algorithm: CertifiedKey['algorithm']; signer: CertificateSigner; thumbprint: string }

/** What certificates are made of. */
export type Certified = Pick<AgencyOnChain, 'keys' | 'did' | 'store'> & {
  config: Pick<AgencyOnChain['config'], 'name' | 'title' | 'certificates'>
  settings: Pick<AgencyOnChain['settings'], 'clock' | 'publicUrl'>
}

/** What a leaf says beside its key and its dates. */
type Names = { hosts: string[]; uris: string[] }

const roleTitles = {
  authority: 'certificate authority',
  issuer: 'issuer',
  documentSigner: 'document signer',
  verifier: 'verifier',
} as const satisfies Record<Role, string>

/** Characters of an organization or a common name (RFC 5280, appendix A.1). */
const nameMost = 64
const cut = (text: string, most: number): string => [...text].slice(0, most).join('').trim()
const namingOf = ({ config }: Certified, role: Role) => {
  const behind = ` ${roleTitles[role]}`
  const organization = cut(config.title, nameMost)
  const { country } = config.certificates ?? {}
  return {
    ...(country === undefined ? {} : { country }),
    ...{ organization, commonName: cut(config.title, nameMost - behind.length) + behind },
  }
}

const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64')
const digestOf = (contents: Record<string, unknown>): string =>
  createHash('sha256').update(canonical(contents)).digest('base64url')

const missing = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'certificate_missing', detail, { cause })

const noCountry = (): Refusal =>
  new Refusal(
    'rejected',
    'format_unsupported',
    'This agency issues no mdocs: its configuration names no country for their certificates.',
  )

/** Of each role, the newest certificate with these contents; a new one when there is none or its time is nearly over. */
const openMaker = ({ store, settings }: Certified) => {
  const { clock } = settings
  const kept = keptCertificates(store)
  const held = new Map<Role, { contents: string; der: Uint8Array; renewAt: number }>()

  const periodOf = (role: Role, latest: number): Validity => {
    const notBefore = Math.floor(clock.now() / 1_000) * 1_000 - hour
    return { notBefore, notAfter: Math.min(notBefore + lifetimes[role], latest) }
  }
  const obtain = async (
    role: Role,
    said: Record<string, unknown>,
    make: (period: Validity) => Promise<Uint8Array>,
    latest = Number.POSITIVE_INFINITY,
  ): Promise<Uint8Array> => {
    const contents = digestOf(said)
    const known = held.get(role)
    const now = clock.now()
    if (known?.contents === contents && now < known.renewAt) return known.der
    const renewAt = (der: Uint8Array): number => {
      const { notBefore, notAfter } = readCertificate(der)
      return notBefore + (notAfter - notBefore) * renewedAfter[role]
    }
    let found = await kept.newest(role, contents)
    if (found === undefined || now >= renewAt(found.der)) {
      const der = await make(periodOf(role, latest))
      const { notAfter } = readCertificate(der)
      found = await kept.add({ role, contents, version: (found?.version ?? 0) + 1, der, validUntil: notAfter })
    }
    held.set(role, { contents, der: found.der, renewAt: renewAt(found.der) })
    return found.der
  }
  return { obtain, alive: () => kept.alive('authority', clock.now()) }
}

type Maker = ReturnType<typeof openMaker>

/** The agency's own authority. Its certificate is renewed under the same key and name, so that older leaves fit the new one. */
const openAuthority = async (agency: Certified, { obtain }: Maker) => {
  const { keys, settings } = agency
  const { signer, thumbprint } = await signingKey(keys, await obtainKey(keys, 'authority'))
  const naming = namingOf(agency, 'authority')
  const said = { ...naming, thumbprint, contact: settings.publicUrl }
  return async (): Promise<Authority> => ({
    signer,
    certificate: await obtain('authority', said, period =>
      makeRootCertificate({
        ...period,
        ...naming,
        ...{ signer, contact: { type: 'url', value: settings.publicUrl } },
      }),
    ),
  })
}

const attempts = 20
const pauseMs = 100

/** Of two processes that make the key at once, the slower one finds the name taken, and then the key. */
const obtainKey = async (keys: Certified['keys'], alias: string): Promise<KeyInfo> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await keys.obtain({ kind: 'P-256', alias })
    } catch (error) {
      if (!isRefusal(error) || error.code !== 'key_taken' || attempt === attempts) throw error
      await sleep(pauseMs)
    }
  }
}

const signingKey = async (
  keys: AgencyOnChain['keys'],
  { keyId, algorithm }: Pick<SigningKey, 'keyId' | 'algorithm'>,
): Promise<SigningKey> => {
  const { jwk, thumbprint } = await keys.info(keyId)
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  const signer: CertificateSigner = { publicKey, sign: data => keys.signer.sign(keyId, algorithm, data) }
  return { keyId, algorithm, thumbprint, signer }
}

const ownLeaf = async (
  agency: Certified,
  { obtain }: Maker,
  authority: Authority,
  wanted: { role: CertificateRole; key: SigningKey; names: Names },
): Promise<Uint8Array> => {
  const { settings } = agency
  const { role, key, names } = wanted
  const { notAfter: latest } = readCertificate(authority.certificate)
  const naming = namingOf(agency, role)
  const authorityKey = thumbprintOf(authority.signer.publicKey.export({ format: 'jwk' }))
  const said = { ...naming, key: key.thumbprint, authority: authorityKey, ...names }
  const { publicKey } = key.signer
  const make = (period: Validity): Promise<Uint8Array> => {
    const content = { ...period, ...naming, authority, publicKey }
    if (role === 'documentSigner') {
      const contact = { type: 'url' as const, value: settings.publicUrl }
      return makeDocumentSignerCertificate({ ...content, contact, uris: names.uris })
    }
    return makeAccessCertificate({
      ...content,
      ...names,
      ...(role === 'verifier' ? { usages: [readerAuthenticationUsage] } : {}),
    })
  }
  return obtain(role, said, make, latest)
}

type Configured = { chains: CertificateChains; anchors: Uint8Array[] }

const purposes: Record<CertificateRole, ChainOptions> = {
  issuer: { haip: true },
  documentSigner: { haip: true, purposes: [documentSignerUsage], purposeRequired: true },
  verifier: { haip: true, purposes: [readerAuthenticationUsage] },
}

/** A chain of the configuration, as it holds now. @throws Refusal unavailable/certificate_missing */
const configuredChain = (
  { chains, anchors }: Configured,
  { role, key, names }: { role: CertificateRole; key: SigningKey; names: Names },
  now: number,
): { chain: Uint8Array[]; expires: number } | undefined => {
  const pem = chains[role]
  if (pem === undefined) return undefined
  const chain = certificatesOfPem(pem)
  try {
    const { leaf, certificates, anchor } = validateChain(chain, anchors, now, purposes[role])
    if (thumbprintOf(leaf.publicKey.export({ format: 'jwk' })) !== key.thumbprint) {
      throw missing(`The configured certificate for ${role} is of another key than ${key.keyId}.`)
    }
    // The first is the DID. By the others it is found more easily, and an authority of others may leave them out.
    const [named] = names.uris
    if (named !== undefined && !leaf.alternativeNames.some(({ type, value }) => type === 'uri' && value === named))
      throw missing(`The configured certificate for ${role} does not name ${named}.`)
    const [host] = role === 'verifier' ? names.hosts : []
    if (host !== undefined && !speaksFor(leaf, host))
      throw missing(`The configured certificate for ${role} is not for the host ${host}.`)
    return { chain, expires: Math.min(...[...certificates, anchor].map(({ notAfter }) => notAfter)) }
  } catch (error) {
    if (!isRefusal(error) || error.code === 'certificate_missing') throw error
    throw missing(`The configured certificates for ${role} do not hold: ${error.message}`, error)
  }
}

const readConfigured = ({ config }: Certified): Configured | undefined => {
  const { chains } = config.certificates ?? {}
  return chains === undefined ? undefined : { chains, anchors: certificatesOfPem(chains.authority) }
}

/**
 * The certificates of an agency. Its own are made when they are first asked for, kept in the database, and follow the key that
 * signs; configured ones are checked here and whenever they are asked for.
 * @throws ConfigError for configured certificates that do not hold
 */
export const openCertificates = async (agency: Certified, current: CurrentKey): Promise<Certificates> => {
  const { keys, did, settings, config } = agency
  const { publicUrl, clock } = settings
  const configured = readConfigured(agency)
  const maker = openMaker(agency)
  const authority = await openAuthority(agency, maker)
  const verifierKey = await signingKey(keys, await obtainKey(keys, 'verifier'))
  const { hostname } = new URL(publicUrl)
  const hosts = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? [hostname] : []
  const mdocs = config.certificates?.country !== undefined

  const certified = async (role: CertificateRole, key: SigningKey, names: Names): Promise<CertifiedKey> => {
    const { keyId, algorithm } = key
    const named = configured && configuredChain(configured, { role, key, names }, clock.now())
    if (named !== undefined) return { x5c: named.chain.map(base64), keyId, algorithm, expires: named.expires }
    const der = await ownLeaf(agency, maker, await authority(), { role, key, names })
    return { x5c: [base64(der)], keyId, algorithm, expires: readCertificate(der).notAfter }
  }
  const namedKey = async (role: CertificateRole): Promise<{ key: SigningKey; names: Names }> => {
    if (role === 'verifier') return { key: verifierKey, names: { hosts, uris: [] } }
    await current.look()
    const { kid, ...named } = current.key()
    const key = await signingKey(keys, named)
    // The DID for whoever compares it with `iss`, the DID URL for whoever looks up the very key.
    if (role === 'documentSigner') return { key, names: { hosts: [], uris: [did, kid] } }
    return { key, names: { hosts, uris: [did, kid, publicUrl] } }
  }
  const ofRole = async (role: CertificateRole): Promise<CertifiedKey> => {
    if (role === 'documentSigner' && !mdocs) throw noCountry()
    const { key, names } = await namedKey(role)
    return certified(role, key, names)
  }
  const made: Certificates = {
    issuer: () => ofRole('issuer'),
    documentSigner: () => ofRole('documentSigner'),
    verifier: () => ofRole('verifier'),
    async request(role) {
      const { key, names } = await namedKey(role)
      return makeCertificateRequest({ ...namingOf(agency, role), ...names, signer: key.signer })
    },
    mdocs,
    authority: configured?.anchors[0] ?? (await authority()).certificate,
    async anchors() {
      if (!certificateRoles.every(role => configured?.chains[role] !== undefined)) await authority()
      const own = await maker.alive()
      return [...(configured?.anchors ?? []), ...own]
    },
  }
  if (configured !== undefined) await assertConfigured(made, configured, config.name)
  return made
}

const assertConfigured = async (made: Certificates, { chains }: Configured, name: string): Promise<void> => {
  for (const role of certificateRoles) {
    if (chains[role] === undefined) continue
    try {
      await made[role]()
    } catch (cause) {
      if (!isRefusal(cause)) throw cause
      throw new ConfigError(`${name}: ${cause.message}`, { cause })
    }
  }
}
