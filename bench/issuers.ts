import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { didKeyOf } from '../src/identity/did-local.ts'
import { freePort, launch, type Running } from './child.ts'
import type { GateRun } from './registry/gate-run.ts'

/** Two issuers that run, and what a citizen holds of them. */

export const wanted = [
  { agency: 'transport-authority', type: 'DrivingLicence', slug: 'driving-licence' },
  { agency: 'root-authority', type: 'NationalIdentity', slug: 'national-identity' },
] as const

export const exampleOf = (slug: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../schemas/${slug}.v1.json`, import.meta.url), 'utf8')).example

/** The two issuers on a chain of their own, and a citizen with a credential of each. */
export class Ground {
  readonly dir = mkdtempSync(join(tmpdir(), 'chancery-gate-'))
  readonly nationDir = join(this.dir, 'nation')
  #running: Running | undefined
  #port = 0
  #prepared: Promise<Pick<GateRun, 'credentials' | 'jwk'>> | undefined

  prepared(): Promise<Pick<GateRun, 'credentials' | 'jwk'>> {
    this.#prepared ??= this.#prepare()
    return this.#prepared
  }

  async #prepare() {
    const port = await freePort()
    this.#port = port
    const env = { DATA_DIR: this.nationDir, PORT: String(port), LOG_LEVEL: 'warn', NODE_ENV: '', DATABASE_URL: '' }
    this.#running = await launch(['src/main.ts', ...wanted.map(({ agency }) => `agents/${agency}.yml`)], {
      ...env,
      CHAIN_RPC_URL: '',
      MASTER_KEY: '',
    })
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const did = didKeyOf({ kind: 'P-256', jwk: publicKey.export({ format: 'jwk' }) })
    const credentials: string[] = []
    for (const { agency, type, slug } of wanted) {
      const key = readFileSync(join(this.nationDir, agency, 'api-key'), 'utf8').trim()
      const credentialSubject = { id: did, ...exampleOf(slug) }
      const response = await fetch(`http://127.0.0.1:${port}/${agency}/credentials/issue`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ credential: { type: ['VerifiableCredential', type], credentialSubject } }),
      })
      const { verifiableCredential } = (await response.json()) as { verifiableCredential: string | { id: string } }
      if (verifiableCredential === undefined) throw new Error(`${agency} did not issue: ${response.status}`)
      const secured = typeof verifiableCredential === 'string' ? verifiableCredential : verifiableCredential.id
      credentials.push(secured.replace(/^data:[^,]*,/, ''))
    }
    return { credentials, jwk: privateKey.export({ format: 'jwk' }) as Record<string, string> }
  }

  /** One of the issuers, for those who call it over HTTP. Its own name for itself has `localhost`. */
  async service(agency: (typeof wanted)[number]['agency']): Promise<{ url: string; apiKey: string; pid: number }> {
    await this.prepared()
    const apiKey = readFileSync(join(this.nationDir, agency, 'api-key'), 'utf8').trim()
    return { url: `http://localhost:${this.#port}/${agency}`, apiKey, pid: this.#running?.pid ?? 0 }
  }

  async close(): Promise<void> {
    await this.#running?.stop()
    await rm(this.dir, { recursive: true, force: true })
  }
}
