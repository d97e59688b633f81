import { createPrivateKey, sign as signBytes } from 'node:crypto'
import autocannon from 'autocannon'
import { openKeccak } from '../../src/chain/keccak.ts'
import { canonical } from '../../src/kernel/canonical.ts'
import { type EntryOf, encodeEntry } from '../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../src/kernel/ledger-typed-data.ts'
import { withLowS } from '../../src/kernel/low-s.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { domainSeparatorOf, typedDigest } from '../../src/kernel/typed-domain.ts'
import { bind, dpopProof, type Key, sha256, tryOpenSession } from '../../test/holder.ts'
import { answer, cpuOf, readInput } from '../child.ts'
import type { LoadResult } from './batch-run.ts'
import type { Nation, Wallet } from './nation.ts'

/**
 * Citizens who pay by themselves: each has a session, one connection and one payment at a time, to anybody. Proofs and payments
 * are signed before the clock starts; a proof is good for two minutes, which the whole run fits in.
 */

export type HttpRun = {
  nation: Pick<Nation, 'url' | 'domain' | 'wallets' | 'first'>
  customers: number
  /** Payments of each: first those that warm up. */
  warm: number
  payments: number
  pid: number
}

const run = await readInput<HttpRun>()
const { url, domain, wallets, first } = run.nation
const target = `${url}/cbdc/records`
const keccak = await openKeccak()
const structOf = openStructs(keccak)
const separator = domainSeparatorOf(domain, keccak)
const validUntil = Math.floor(Date.now() / 1_000) + 3_600

const keyOf = ({ jwk, did, kid }: Wallet): Key => {
  const { crv, kty, x, y } = jwk
  const open = { crv, kty, x, y }
  return {
    did,
    kid,
    jwk: open,
    thumbprint: sha256(canonical(open)),
    privateKey: createPrivateKey({ key: jwk, format: 'jwk' }),
  }
}

const openSession = async (wallet: Wallet) => {
  const holder = keyOf(wallet)
  const { answer: opened, key } = await tryOpenSession(url, to => bind(wallet.credential, to, holder))
  if (opened.status !== 201) throw new Error(`no session: ${JSON.stringify(opened.body)}`)
  const token = String(opened.body['access_token'])
  return { holder, key, token, nonce: opened.headers.get('dpop-nonce') ?? undefined }
}
type Opened = Awaited<ReturnType<typeof openSession>>

const payment = ({ account: from }: Wallet, { holder }: Opened, nonce: number): string => {
  const to = first + ((from * 7_919 + nonce * 104_729) % run.customers)
  const entry: EntryOf<'transfer'> = {
    ...{ kind: 'transfer', from, to, currency: 1, amount: BigInt(1 + (nonce % 100)), fee: 0, nonce, validUntil },
    signature: '',
  }
  const digest = typedDigest(separator, structOf(entry), keccak)
  entry.signature = withLowS(signBytes('sha256', digest, { key: holder.privateKey, dsaEncoding: 'ieee-p1363' }))
  return JSON.stringify({ records: [{ id: timeId(Date.now()), record: encodeEntry(entry).toString('base64url') }] })
}

const request = (wallet: Wallet, opened: Opened, nonce: number): autocannon.Request => {
  const dpop = dpopProof(opened.key, { method: 'POST', url: target, token: opened.token, nonce: opened.nonce })
  const headers = { 'content-type': 'application/json', authorization: `DPoP ${opened.token}`, dpop }
  return { method: 'POST', headers, body: payment(wallet, opened, nonce) }
}

const shoot = (requests: readonly autocannon.Request[][], each: number): Promise<autocannon.Result> => {
  let client = 0
  return autocannon({
    ...{ url: target, connections: requests.length, amount: each * requests.length, timeout: 30 },
    setupClient: one => one.setRequests(requests[client++] as autocannon.Request[]),
  })
}

const sessions: Opened[] = []
for (const wallet of wallets) sessions.push(await openSession(wallet))
const requestsOf = (from: number, count: number) =>
  wallets.map((wallet, at) =>
    Array.from({ length: count }, (_, next) => request(wallet, sessions[at] as Opened, from + next)),
  )
const [warming, timed] = [requestsOf(0, run.warm), requestsOf(run.warm, run.payments)]

const entered = (result: autocannon.Result): number => {
  const count = result.statusCodeStats?.['201']?.count ?? 0
  const strays = result.requests.total - count + result.errors + result.timeouts
  if (strays > 0) throw new Error(`${strays} payments were not entered: ${JSON.stringify(result.statusCodeStats)}`)
  return count
}
entered(await shoot(warming, run.warm))
const before = await cpuOf(run.pid)
const from = performance.now()
const result = await shoot(timed, run.payments)
const seconds = (performance.now() - from) / 1_000
const after = await cpuOf(run.pid)
const count = entered(result)
answer({
  ...{ perSecond: count / seconds, medianMs: result.latency.p50, p99Ms: result.latency.p99, seconds },
  cpuMicros: (after.allMicros - before.allMicros) / count,
  mainMicros: (after.mainMicros - before.mainMicros) / count,
} satisfies LoadResult)
