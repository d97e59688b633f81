import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { didKeyOf } from '../../src/identity/did-local.ts'
import { freePort, launch, measure, type Running } from '../child.ts'
import type { BenchOptions, Figure } from '../harness.ts'
import type { GateResult, GateRun } from './gate-run.ts'
import type { VeramoPresented, VeramoRun } from './veramo-presentation.ts'

/** What a call costs at the gate: in a session that is open, and with two credentials presented for it. */

const wanted = [
  { agency: 'transport-authority', type: 'DrivingLicence', slug: 'driving-licence' },
  { agency: 'root-authority', type: 'NationalIdentity', slug: 'national-identity' },
] as const

const exampleOf = (slug: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../schemas/${slug}.v1.json`, import.meta.url), 'utf8')).example

/** The two issuers on a chain of their own, and a citizen with a credential of each. */
class Ground {
  readonly dir = mkdtempSync(join(tmpdir(), 'chancery-gate-'))
  readonly nationDir = join(this.dir, 'nation')
  #running: Running | undefined
  #prepared: Promise<Pick<GateRun, 'credentials' | 'jwk'>> | undefined

  prepared(): Promise<Pick<GateRun, 'credentials' | 'jwk'>> {
    this.#prepared ??= this.#prepare()
    return this.#prepared
  }

  async #prepare() {
    const port = await freePort()
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

  async close(): Promise<void> {
    await this.#running?.stop()
    await rm(this.dir, { recursive: true, force: true })
  }
}

export const openGateFigures = ({ quick }: BenchOptions): { figures: Figure[]; close(): Promise<void> } => {
  const ground = new Ground()
  const types = wanted.map(({ type }) => type)

  const measured = async (task: GateRun['task'], count: number, inFlight: number): Promise<GateResult> => {
    const holder = await ground.prepared()
    const scratchDir = join(ground.dir, task)
    mkdirSync(scratchDir, { recursive: true })
    const run: GateRun = { task, ...holder, types, nationDir: ground.nationDir, scratchDir, count, inFlight }
    return measure<GateResult>('registry/gate-run.ts', run)
  }

  const figures: Figure[] = [
    {
      ...{ name: 'gate.session', unit: 'µs', better: 'less', goal: { atMost: 100 } },
      async run() {
        const inFlight = 16
        const { micros, mainMicros, joseMicros = 0 } = await measured('session', quick ? 4_000 : 40_000, inFlight)
        const note = `an admission in an open session with two credentials, ${inFlight} in flight; ${mainMicros.toFixed(0)} µs of it on the main thread`
        return { value: micros, peer: { name: 'jose, a JWT and DPoP', value: joseMicros }, note }
      },
    },
    {
      ...{ name: 'gate.presentation', unit: 'ms', better: 'less', goal: { atMost: 1 } },
      async run() {
        const { micros, mainMicros } = await measured('presentation', quick ? 500 : 3_000, 1)
        const input: VeramoRun = { types, subject: exampleOf(wanted[0].slug), count: quick ? 60 : 400 }
        const veramo = await measure<VeramoPresented>('registry/veramo-presentation.ts', input)
        const note = `two SD-JWTs, four signatures, one after the other; ${mainMicros.toFixed(0)} µs on the main thread`
        return { value: micros / 1_000, peer: { name: 'Veramo 7.0.1', value: veramo.micros / 1_000 }, note }
      },
    },
  ]
  return { figures, close: () => ground.close() }
}
