import { generateKeyPairSync } from 'node:crypto'
import { pemOfCertificate } from './certificate.ts'
import { certificateSigner, makeServerCertificate } from './make.ts'

const hour = 3_600_000
const day = 24 * hour

/**
 * A new key and a self-signed certificate for a TLS server, for as long as this process runs: PEM texts, as
 * `node:https` wants them. Valid for 397 days, the most that clients accept.
 * @param hosts names and IP addresses by which it is called.
 */
export const serverCertificate = async (hosts: readonly string[]): Promise<{ cert: string; key: string }> => {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // The time of the machine and not of the house: it is read by TLS clients, whose clock nobody here sets.
  const notBefore = Math.floor(Date.now() / 1000) * 1000 - hour
  const certificate = await makeServerCertificate({
    signer: certificateSigner(keys),
    hosts,
    notBefore,
    notAfter: notBefore + 397 * day,
  })
  return {
    cert: pemOfCertificate(certificate),
    key: keys.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
}
