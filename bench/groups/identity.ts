import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { DIDDocument } from 'did-resolver'
import { didKeyOf } from '../../src/identity/did-local.ts'
import { type Cpu, cpuOf, freePort, launch, measure, type Running, residentMegabytes } from '../child.ts'
import type { BenchOptions, Figure, Group } from '../harness.ts'
import type { Lines, LinesResult } from '../identity/lines.ts'
import type { Load, LoadResult } from '../identity/load.ts'
import type { StatusResult, StatusRun } from '../identity/status.ts'
import type { VeramoResult, VeramoWork } from '../identity/veramo-work.ts'
import type { VerifyResult, VerifyRun } from '../identity/verify.ts'

/**
 * Issuing, verifying and starting, beside plain Veramo. Clients and servers share the machine's cores. The credential is
 * a driving licence; a pool of distinct ones goes round, and nothing about a credential is kept from one verification to
 * the next.
 */

const poolSize = 2_048
const clients = 64
const agency = 'transport-authority'
const type = 'DrivingLicence'
const veramo = 'Veramo 7.0.1'
const atRestMs = 4_000

type Format = 'vc+jwt' | 'jwt_vc' | 'dc+sd-jwt'

const claims = (): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL('../../schemas/driving-licence.v1.json', import.meta.url), 'utf8')).example

/** A citizen a credential, each with a key of their own. */
const newSubjects = (count: number): Record<string, unknown>[] =>
  Array.from({ length: count }, () => {
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    return { id: didKeyOf({ kind: 'P-256', jwk }), ...claims() }
  })

type Better = { name: string; value: number }

const best = (variants: VeramoResult): Better => {
  const [first, ...others] = Object.entries(variants)
  if (first === undefined) throw new Error('Veramo did nothing')
  const [name, value] = others.reduce((a, b) => (b[1] > a[1] ? b : a), first)
  return { name: `${veramo}, ${name}`, value }
}

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let kept: Promise<T> | undefined
  return () => {
    kept ??= work()
    return kept
  }
}

const cpuNote = ({ allMicros, mainMicros }: Cpu, pieces: number): string =>
  `${(allMicros / pieces).toFixed(0)} µs of the service’s CPU each, ${(mainMicros / pieces).toFixed(0)} of them on its main thread`

/** The nation's data, and one agency running alone on it. */
class Ground {
  readonly dir = mkdtempSync(join(tmpdir(), 'chancery-bench-'))
  readonly nationDir = join(this.dir, 'nation')
  readonly subjects = newSubjects(poolSize)
  running: Running | undefined
  #port = 0

  async start(files: string[]): Promise<number> {
    await this.stop()
    this.#port ||= await freePort()
    const env = {
      DATA_DIR: this.nationDir,
      PORT: String(this.#port),
      LOG_LEVEL: 'warn',
      NODE_ENV: '',
      DATABASE_URL: '',
    }
    this.running = await launch(['src/main.ts', ...files], { ...env, CHAIN_RPC_URL: '', MASTER_KEY: '' })
    return this.running.readySeconds
  }

  async stop(): Promise<void> {
    await this.running?.stop()
    this.running = undefined
  }

  /** The agency alone on data that exist, whatever ran before. @returns how long its start took. */
  async alone(): Promise<number> {
    const seconds = await this.#alone()
    this.running?.assertAlive()
    return seconds
  }

  readonly #alone = once(async (): Promise<number> => {
    await this.first()
    return this.start([`agents/${agency}.yml`])
  })

  /** The whole nation, from nothing. */
  readonly first = once(() => this.start([]))

  url(path: string): string {
    return `http://127.0.0.1:${this.#port}/${agency}${path}`
  }

  /** What the service spends on a piece of work. */
  async watched<T>(work: () => Promise<T>): Promise<{ result: T; cpu: Cpu }> {
    const pid = this.running?.pid ?? 0
    const before = await cpuOf(pid)
    const result = await work()
    const after = await cpuOf(pid)
    const [allMicros, mainMicros] = [after.allMicros - before.allMicros, after.mainMicros - before.mainMicros]
    return { result, cpu: { allMicros, mainMicros } }
  }

  get apiKey(): string {
    return readFileSync(join(this.nationDir, agency, 'api-key'), 'utf8').trim()
  }

  async close(): Promise<void> {
    await this.stop()
    await rm(this.dir, { recursive: true, force: true })
  }
}

const issueBodies = (ground: Ground, format: Format): string[] =>
  ground.subjects.map(credentialSubject =>
    JSON.stringify({ credential: { type: ['VerifiableCredential', type], credentialSubject }, options: { format } }),
  )

type Bulk = { path: string; lines: string[]; count: number; expect: string; keep?: boolean }

const sendLines = async (ground: Ground, { path, keep = false, ...lines }: Bulk): Promise<LinesResult> => {
  await ground.alone()
  const input: Lines = { url: ground.url(path), apiKey: ground.apiKey, keep, ...lines }
  return measure<LinesResult>('identity/lines.ts', input)
}

type Timing = { seconds: number; warmSeconds: number }

const shoot = async (ground: Ground, path: string, bodies: string[], expect: number, timing: Timing) => {
  await ground.alone()
  const load: Load = { url: ground.url(path), apiKey: ground.apiKey, bodies, clients, expect, ...timing }
  const { result, cpu } = await ground.watched(() => measure<LoadResult>('identity/load.ts', load))
  const note = `${clients} clients, 99 % of the answers within ${result.p99Ms} ms; ${cpuNote(cpu, result.served)}`
  return { value: result.perSecond, note }
}

/** As `/credentials/issue` answers: an envelope, or the token itself. */
const compactOf = (secured: unknown): string =>
  typeof secured === 'string' ? secured : (secured as { id: string }).id.replace(/^data:[^,]*,/, '')

const open = (options: BenchOptions) => {
  const ground = new Ground()
  const timing: Timing = options.quick ? { seconds: 1, warmSeconds: 0.5 } : { seconds: 5, warmSeconds: 2 }
  const http = { seconds: Math.max(2, timing.seconds), warmSeconds: Math.ceil(timing.warmSeconds) }
  const bulkCount = options.quick ? 6_000 : 40_000

  const pools = new Map<Format, Promise<unknown[]>>()
  const pool = (format: Format): Promise<unknown[]> => {
    const issued = async (): Promise<unknown[]> => {
      const lines = issueBodies(ground, format)
      const expect = '"verifiableCredential"'
      const path = '/credentials/issue-batch'
      const { answers } = await sendLines(ground, { path, lines, count: poolSize, expect, keep: true })
      return answers.map(answer => (JSON.parse(answer) as { verifiableCredential: unknown }).verifiableCredential)
    }
    const known = pools.get(format) ?? issued()
    pools.set(format, known)
    return known
  }
  const verifyBodies = async (format: Format): Promise<string[]> =>
    (await pool(format)).map(verifiableCredential => JSON.stringify({ verifiableCredential }))

  const veramoWork = async (task: VeramoWork['task']): Promise<VeramoResult> => {
    const tokens = (await pool('jwt_vc')).map(compactOf)
    const [, body = ''] = (tokens[0] ?? '').split('.')
    const { iss } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iss: string }
    const resolved = await fetch(ground.url(`/1.0/identifiers/${encodeURIComponent(iss)}`))
    const { didDocument: document } = (await resolved.json()) as { didDocument: DIDDocument }
    const work = { task, type, subjects: ground.subjects, tokens, document, scratchDir: ground.dir, ...timing }
    return measure<VeramoResult>('identity/veramo-work.ts', work satisfies VeramoWork)
  }
  const veramoVerify = once(async () => best(await veramoWork('verify')))
  const veramoIssue = once(async () => best(await veramoWork('issue')))

  const inProcess = async (format: Format): Promise<{ value: number; note: string }> => {
    const credentials = (await pool(format)).map(compactOf)
    const scratchDir = join(ground.dir, 'verifier')
    mkdirSync(scratchDir, { recursive: true })
    const run: VerifyRun = { credentials, nationDir: ground.nationDir, scratchDir, inFlight: 256, ...timing }
    const { perSecond, cpuMicros, mainMicros } = await measure<VerifyResult>('identity/verify.ts', run)
    const cpu = `${cpuMicros.toFixed(0)} µs of CPU each, ${mainMicros.toFixed(0)} of them on the main thread`
    return {
      value: perSecond,
      note: `${poolSize} distinct ${format} in turn, ${run.inFlight} in flight, every check; ${cpu}`,
    }
  }
  const bulk = async (work: Bulk) => {
    await sendLines(ground, { ...work, count: Math.ceil(work.count / 8) })
    const { result, cpu } = await ground.watched(() => sendLines(ground, work))
    return { value: result.perSecond, note: `one request of ${work.count} lines; ${cpuNote(cpu, work.count)}` }
  }
  const bulkIssue = (format: Format) =>
    bulk({
      path: '/credentials/issue-batch',
      lines: issueBodies(ground, format),
      count: bulkCount,
      expect: '"verifiableCredential"',
    })

  const veramoFile = join(ground.dir, 'veramo.sqlite')
  const veramoStart = async <T>(dids: number, use: (running: Running) => Promise<T> | T): Promise<T> => {
    const running = await launch(['bench/identity/veramo-agent.ts', veramoFile, String(dids)], {})
    try {
      return await use(running)
    } finally {
      await running.stop()
    }
  }
  const statusOf = (statuses: number): Promise<StatusResult> => {
    const run: StatusRun = { statuses, lookUps: options.quick ? 500_000 : 5_000_000 }
    return measure<StatusResult>('identity/status.ts', run, ['--expose-gc'])
  }
  const few = once(() => statusOf(1_000))
  const many = once(() => statusOf(10_000_000))

  const figures: Figure[] = [
    {
      ...{ name: 'start.first', unit: 's', better: 'less', goal: { atMost: 20 } },
      async run() {
        const value = await ground.first()
        const peer = await veramoStart(10, ({ readySeconds }) => readySeconds)
        const note = 'every agency of the demo with chain and contracts; Veramo: ten DIDs in SQLite, no chain'
        return { value, peer: { name: veramo, value: peer }, note }
      },
    },
    {
      ...{ name: 'start.seconds', unit: 's', better: 'less', goal: { atMost: 2 } },
      async run() {
        const value = await ground.alone()
        const peer = await veramoStart(10, ({ readySeconds }) => readySeconds)
        return {
          value,
          peer: { name: veramo, value: peer },
          note: 'one agency on the nation’s data, its node included',
        }
      },
    },
    {
      ...{ name: 'memory.rest', unit: 'MB', better: 'less', goal: { atMost: 250 } },
      async run() {
        await ground.alone()
        await pause(atRestMs)
        const value = await residentMegabytes(ground.running?.pid ?? 0)
        const peer = await veramoStart(10, async ({ pid }) => {
          await pause(atRestMs)
          return residentMegabytes(pid)
        })
        return { value, peer: { name: veramo, value: peer }, note: 'resident set, before any load' }
      },
    },
    {
      ...{ name: 'issue.http', unit: '/s', better: 'more', goal: { atLeast: 2_500, timesPeer: 10 } },
      async run() {
        const ours = await shoot(ground, '/credentials/issue', issueBodies(ground, 'vc+jwt'), 201, http)
        return { ...ours, peer: await veramoIssue() }
      },
    },
    {
      ...{ name: 'issue.http.sd-jwt', unit: '/s', better: 'more' },
      async run() {
        const ours = await shoot(ground, '/credentials/issue', issueBodies(ground, 'dc+sd-jwt'), 201, http)
        return { ...ours, peer: await veramoIssue() }
      },
    },
    {
      ...{ name: 'issue.bulk', unit: '/s', better: 'more', goal: { atLeast: 8_000, timesPeer: 10 } },
      run: async () => ({ ...(await bulkIssue('vc+jwt')), peer: await veramoIssue() }),
    },
    {
      ...{ name: 'issue.bulk.sd-jwt', unit: '/s', better: 'more' },
      run: async () => ({ ...(await bulkIssue('dc+sd-jwt')), peer: await veramoIssue() }),
    },
    {
      ...{ name: 'verify.process', unit: '/s', better: 'more', goal: { atLeast: 12_000, timesPeer: 15 } },
      run: async () => ({ ...(await inProcess('vc+jwt')), peer: await veramoVerify() }),
    },
    {
      ...{ name: 'verify.process.sd-jwt', unit: '/s', better: 'more' },
      run: async () => ({ ...(await inProcess('dc+sd-jwt')), peer: await veramoVerify() }),
    },
    {
      ...{ name: 'verify.http', unit: '/s', better: 'more', goal: { atLeast: 3_500 } },
      async run() {
        const ours = await shoot(ground, '/credentials/verify', await verifyBodies('vc+jwt'), 200, http)
        return { ...ours, peer: await veramoVerify() }
      },
    },
    {
      ...{ name: 'verify.batch', unit: '/s', better: 'more', goal: { atLeast: 8_000 } },
      async run() {
        const lines = await verifyBodies('vc+jwt')
        const path = '/credentials/verify-batch'
        const ours = await bulk({ path, lines, count: bulkCount, expect: '"verified":true' })
        return { ...ours, peer: await veramoVerify() }
      },
    },
    {
      ...{ name: 'status.lookup.1k', unit: 'ns', better: 'less' },
      run: async () => ({ value: (await few()).nanoseconds, note: 'Veramo 7 has no status of its own' }),
    },
    {
      ...{ name: 'status.lookup', unit: 'ns', better: 'less' },
      async run() {
        const { nanoseconds, statuses } = await many()
        const small = await few()
        const peer = { name: `itself at ${small.statuses}`, value: small.nanoseconds }
        return { value: nanoseconds, peer, note: `random look-ups among ${statuses} statuses` }
      },
    },
    {
      ...{ name: 'status.memory', unit: 'bytes', better: 'less', goal: { atMost: 0.3 } },
      run: async () => ({ value: (await many()).bytesPerStatus, note: 'a status, measured, every page with set bits' }),
    },
  ]
  return { figures, close: () => ground.close() }
}

export const group: Group = { name: 'identity', open }
