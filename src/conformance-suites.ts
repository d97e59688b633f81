import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgencyConfig } from './config/agency.ts'
import type { OpenidSuitesConfig } from './config/conformance.ts'
import { openid4vciDefaults } from './config/openid4vci.ts'
import type { TrustConfig } from './config/trusts.ts'
import type { Environment } from './environment.ts'
import { thumbprintOf } from './identity/key-material.ts'
import { pemOfCertificate } from './identity/x509/certificate.ts'
import { type Authority, certificateSigner, makeAccessCertificate, makeRootCertificate } from './identity/x509/make.ts'
import type { Clock } from './kernel/ports.ts'

/**
 * The suites of the OpenID Foundation beside a conformance profile: a suite plays the wallet of an issuer, its provider, and the
 * issuer of what it shows to a verifier. The keys for that are made here and handed to the suite as its configuration.
 */

type Served = Pick<Environment, 'dataDir' | 'publicOrigin'> & { clock: Clock }

/** What a suite signs with, as its configuration wants it: with its private part, and its certificate. */
type SuiteKey = JsonWebKey & { kid: string; alg: 'ES256'; use: 'sig'; x5c: string[] }

/** What the suites are given, and until when. */
type Material = { suites: string[]; until: number; authority: string; provider: SuiteKey; issuer: SuiteKey }

const day = 86_400_000
/** So long that nobody's run is cut short, and no longer than certificates of parties are. */
const lifetimeMs = 397 * day
const renewedMs = 30 * day

const suiteClients = ['chancery-suite-1', 'chancery-suite-2'] as const
const providerName = 'https://wallet-provider.example'

const newKeys = (): { publicKey: KeyObject; privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })

const makeMaterial = async (suites: string[], now: number): Promise<Material> => {
  const period = { notBefore: now - day, notAfter: now + lifetimeMs }
  const signer = certificateSigner(newKeys())
  const [contact = ''] = suites
  const naming = { organization: 'Conformance suites', commonName: 'Conformance suites certificate authority' }
  const certificate = await makeRootCertificate({
    ...{ ...period, ...naming, signer, contact: { type: 'url', value: contact } },
  })
  const authority: Authority = { certificate, signer }
  const keyOf = async (commonName: string, hosts: readonly string[], uris: readonly string[]): Promise<SuiteKey> => {
    const { publicKey, privateKey } = newKeys()
    const leaf = await makeAccessCertificate({ ...period, authority, publicKey, commonName, hosts, uris })
    const jwk = privateKey.export({ format: 'jwk' })
    return { ...jwk, kid: thumbprintOf(jwk), alg: 'ES256', use: 'sig', x5c: [Buffer.from(leaf).toString('base64')] }
  }
  const hosts = [...new Set(suites.map(url => new URL(url).hostname))]
  return {
    ...{ suites, until: period.notAfter, authority: pemOfCertificate(certificate) },
    provider: await keyOf('Provider of the suites’ wallets', [new URL(providerName).hostname], [providerName]),
    // What it shows names the suite's address as its issuer, with a slash or without.
    issuer: await keyOf('Issuer of the suites', hosts, [...suites, ...suites.map(url => `${url}/`)]),
  }
}

/** The material of the last start, while it fits and lasts: a suite keeps its configuration. */
const materialIn = async (file: string, suites: string[], now: number): Promise<Material> => {
  let known: Material | undefined
  try {
    known = JSON.parse(await readFile(file, 'utf8')) as Material
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const lasts = known !== undefined && known.suites.join() === suites.join() && now < known.until - renewedMs
  if (lasts) return known as Material
  const made = await makeMaterial(suites, now)
  await writeFile(file, JSON.stringify(made), { mode: 0o600 })
  return made
}

/** PID of the EUDI PID Rulebook, which the suites' wallet shows as `dc+sd-jwt`. */
const identityShown = (authority: string): TrustConfig => ({
  ...{ type: 'NationalIdentity', credential: { format: 'dc+sd-jwt', vct: 'urn:eudi:pid:1' }, status: 'optional' },
  sources: [{ by: 'certificates', certificates: authority }],
  claims: {
    familyName: { path: ['family_name'] },
    givenName: { path: ['given_name'] },
    birthDate: { path: ['birthdate'] },
    nationalities: { path: ['nationalities'] },
    'birthPlace.country': { path: ['place_of_birth', 'country'] },
    issuingAuthority: { path: ['issuing_authority'] },
    issuingCountry: { path: ['issuing_country'] },
  },
})

const kindOf = ({ credential }: TrustConfig): string => JSON.stringify(credential)

/** What is pasted into the JSON tab of a plan; the names of the members are the suite's. */
const configurationFor = (suite: string, issuer: string, { provider, issuer: signing }: Material) => ({
  alias: suite.slice(suite.lastIndexOf('/') + 1),
  description: 'Chancery, conformance profile',
  vci: {
    credential_issuer_url: issuer,
    credential_configuration_id: 'DrivingLicence.1.dc_sd_jwt',
    client_attestation_issuer: providerName,
    client_attester_keys_jwks: { keys: [provider] },
    key_attestation_jwks: { keys: [provider] },
  },
  client_attestation: { issuer: providerName, attester_jwks: { keys: [provider] } },
  client: { client_id: suiteClients[0] },
  client2: { client_id: suiteClients[1] },
  credential: { signing_jwk: signing },
})

const withMaterial = (agency: AgencyConfig, { suites, haip }: OpenidSuitesConfig, material: Material): AgencyConfig => {
  const { clients, walletProviders, ...openid4vci } = agency.openid4vci ?? openid4vciDefaults
  const redirectUris = suites.flatMap(url => [`${url}/callback`, `${url}/callback?dummy1=lorem&dummy2=ipsum`])
  const shown = identityShown(material.authority)
  const isNamed = agency.trusts.some(trust => kindOf(trust) === kindOf(shown))
  return {
    ...agency,
    openid4vci: {
      ...{ ...openid4vci, haip },
      clients: [...clients, ...suiteClients.map(id => ({ id, redirectUris }))],
      walletProviders: { ...walletProviders, anchors: [...walletProviders.anchors, material.authority] },
    },
    trusts: isNamed ? agency.trusts : [...agency.trusts, shown],
  }
}

/**
 * Agencies as they are served: a conformance profile that names suites knows their clients and believes their attestations and
 * credentials. What goes into the configuration of each suite stands in `suites/` of its folder, private keys included. Every
 * other agency is as its file says. Called once `servedAs` has refused a profile in production and beside others.
 */
export const withSuites = (agencies: AgencyConfig[], served: Served): Promise<AgencyConfig[]> =>
  Promise.all(
    agencies.map(async agency => {
      const openid = agency.conformance?.openid
      if (openid === undefined) return agency
      const folder = join(served.dataDir, 'suites')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const material = await materialIn(join(folder, 'keys.json'), openid.suites, served.clock.now())
      const issuer = `${served.publicOrigin}/${agency.name}`
      for (const suite of openid.suites) {
        const { hostname, pathname } = new URL(suite)
        const file = join(folder, `${hostname}${pathname.replaceAll('/', '-')}.json`)
        await writeFile(file, `${JSON.stringify(configurationFor(suite, issuer, material), null, 2)}\n`, {
          mode: 0o600,
        })
      }
      return withMaterial(agency, openid, material)
    }),
  )
