import type { Answer, Context } from '../../../kernel/plugin.ts'
import { attestationOutOfRange } from '../errors.ts'
import type { StablecoinNeeds } from '../needs.ts'
import { listMost, requires } from '../policy.ts'
import { attestedCoin, coinOf, readActs, sendAct } from './acts.ts'

type AttestBody = { reserveMinor: string; asOf: string; validUntil: string; reportDigest: string }

/** 2^63 − 1: what there can be of a currency. */
const most = 0x7fffffffffffffffn

const secondOf = (time: string): number => Math.floor(Date.parse(time) / 1_000) * 1_000

/**
 * Says on the chain what the reserve was at a time, by the report with this digest, and until when mints may rely on it.
 * @throws Refusal coin_unknown, coin_attestor_only, attestation_out_of_range, coin_reference_taken, token_refuses
 */
export const attestReserve = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const coin = attestedCoin(needs, context)
  const { reserveMinor, reportDigest, ...body } = context.body as AttestBody
  const [amount, asOf, validUntil] = [BigInt(reserveMinor), secondOf(body.asOf), secondOf(body.validUntil)]
  if (Number.isNaN(asOf) || amount > most || !(validUntil > needs.house.clock.now())) throw attestationOutOfRange()
  return sendAct(needs, context, {
    ...{ coin, operation: 'attestReserve', requires: requires.attest },
    async plan(tx) {
      // One that is on its way is not on the chain, which would take them in the order of their times only.
      const where = `currency = ? AND kind = 'attest' AND state <> 'failed' AND as_of >= ?`
      if ((await readActs(tx.query, where, [coin.number, asOf])).length > 0) throw attestationOutOfRange()
      const act = {
        ...{ kind: 'attest' as const, authority: '', reference: reportDigest.toLowerCase(), amount },
        ...{ digest: reportDigest.toLowerCase(), as_of: asOf, valid_until: validUntil },
      }
      return { act, write: coin.chain.attest({ amount, asOf, validUntil }) }
    },
  })
}

/** What the attestor said, the newest first, with the digests of its reports. @throws Refusal coin_unknown */
export const listAttestations = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const { number } = coinOf(needs, context)
  const where = `currency = ? AND kind = 'attest' ORDER BY id DESC LIMIT ${listMost}`
  const acts = await readActs(needs.house.store.read, where, [number])
  const items = acts.map(({ id, amount, digest, as_of, valid_until, state, reason }) => ({
    ...{ act: id, reserveMinor: String(amount), reportDigest: digest, state, reason },
    asOf: new Date(as_of ?? 0).toISOString(),
    validUntil: new Date(valid_until ?? 0).toISOString(),
  }))
  return { status: 200, body: { items } }
}
