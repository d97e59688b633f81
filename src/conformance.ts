import { join } from 'node:path'
import { type AgencyConfig, ConfigError } from './config/agency.ts'
import type { Environment } from './environment.ts'
import { serverCertificate } from './identity/x509/server-certificate.ts'

/** How a conformance profile is served: alone, over https, from a folder of its own. */

type Served = Pick<Environment, 'dataDir' | 'port' | 'publicOrigin' | 'tls' | 'production'>

/** Without files named, everything in agents/ but the profiles for conformance suites. */
export const demoAgencies = (agencies: AgencyConfig[]): AgencyConfig[] =>
  agencies.filter(({ conformance }) => conformance === undefined)

/**
 * What the environment says, as it holds for these agencies.
 * @throws ConfigError for a conformance profile in production, or beside other agencies
 */
export const servedAs = async <T extends Served>(environment: T, agencies: AgencyConfig[]): Promise<T> => {
  const profile = agencies.find(({ conformance }) => conformance !== undefined)
  if (profile?.conformance === undefined) return environment
  const { name, conformance } = profile
  if (environment.production)
    throw new ConfigError(`${name}: a conformance profile lets everybody in; production has none`)
  if (agencies.length > 1) throw new ConfigError(`${name}: a conformance profile is started alone`)
  const origin = environment.publicOrigin ?? `https://localhost:${conformance.port}`
  const { hostname } = new URL(origin)
  return {
    ...environment,
    dataDir: join(environment.dataDir, name),
    port: conformance.port,
    publicOrigin: origin,
    tls: environment.tls ?? (await serverCertificate([...new Set([hostname, 'localhost', '127.0.0.1'])])),
  }
}
