import type { AgencyOnChain } from './agency.ts'
import { signAgencyRequest } from './identity/agency-token.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import type { IssuerKey } from './identity/issue.ts'
import { schemes } from './kernel/ledger-entry.ts'
import { Refusal } from './kernel/refusal.ts'
import { openLedgerRecords } from './ledger-record.ts'
import { ledgerDomain } from './money.ts'
import type { LedgerFunds, ReservedFunds } from './plugins/registry/land/needs.ts'

/** A ledger of another institution, as this one decides on reservations there. */

const requestMs = 10_000
const answerMost = 64_000

const unavailable = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'ledger_unavailable', detail, { cause })

type Post = (path: string, body: unknown) => Promise<Record<string, unknown>>

/** Signed requests to the ledger. What it refuses is a refusal here, by its code. */
const openRequests = (agency: AgencyOnChain, url: string, key: () => IssuerKey): Post => {
  const { config, keys, settings } = agency
  const { allowedHttpOrigins } = config
  const signing = () => ({ key: key(), signer: keys.signer, clock: settings.clock })
  return async (path, body) => {
    const token = await signAgencyRequest({ audience: url, method: 'POST', url: url + path, body }, signing())
    const post = { body: JSON.stringify(body), headers: { authorization: `Agency ${token}` } }
    const bounds = { allowedHttpOrigins, post, timeoutMs: requestMs, maxBytes: answerMost }
    const { status, body: bytes } = await fetchBounded(url + path, bounds).catch((cause: unknown) => {
      throw unavailable('The ledger cannot be reached; try again.', cause)
    })
    const answer = parsed(bytes)
    if (status >= 200 && status < 300) return answer
    const { code } = answer
    if (status >= 500 || typeof code !== 'string') throw unavailable('The ledger does not answer now; try again.')
    throw new Refusal('rejected', code, `The ledger refuses: ${String(answer['detail'] ?? code)}`)
  }
}

const parsed = (bytes: Buffer): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // What is no JSON is no answer of a ledger.
  }
  throw unavailable('The ledger’s answer cannot be read; try again.')
}

const fundsOf = (answer: Record<string, unknown>): ReservedFunds => ({
  state: answer['state'] as ReservedFunds['state'],
  payee: Number(answer['payee']),
  currency: String(answer['currency']),
  remainingMinor: BigInt(String(answer['remainingMinor'])),
  postedMinor: BigInt(String(answer['postedMinor'])),
  expires: Date.parse(String(answer['expires'])),
  locked: answer['locked'] !== false,
})

const noPreimage = '0'.repeat(64)

/** @param ledger its public URL, or its path where it is served beside this agency, and the currency that deeds are paid in. */
export const openLedgerFunds = async (
  agency: AgencyOnChain,
  ledger: { url: string; currency: number },
  key: () => IssuerKey,
): Promise<LedgerFunds> => {
  const { keys, settings } = agency
  const url = new URL(ledger.url, settings.publicUrl).href
  const post = openRequests(agency, url, key)
  const own = await keys.obtain({ kind: 'P-256', alias: 'ledger' })
  const sign = await openLedgerRecords(ledgerDomain(agency), settings.clock)
  let account: number | undefined

  const arbiter = async (): Promise<number> => {
    const { publicKeyHex: hex } = own
    const point = { prefix: Number.parseInt(hex.slice(0, 2), 16), x: hex.slice(2) }
    const asked = { currency: ledger.currency, scheme: schemes['P-256'], ...point }
    account ??= Number((await post('/cbdc/arbiters', asked))['account'])
    return account
  }

  return {
    terms: async () => ({ ledger: url, currency: ledger.currency, arbiter: await arbiter() }),
    async inspect(reservation) {
      await arbiter()
      return fundsOf(await post('/cbdc/reserved-funds/inspection', { reservation }))
    },
    async collect(reservation, { remainingMinor: remaining }) {
      const by = await arbiter()
      const record = await sign(
        { kind: 'post', reservation, amount: remaining, remaining, last: 1, by, preimage: noPreimage },
        { signer: keys.signer, keyId: own.keyId },
      )
      await post('/cbdc/reserved-funds', { records: [record] })
    },
  }
}
