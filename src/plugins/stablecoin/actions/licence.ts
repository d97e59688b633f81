import { digestOf } from '../../../kernel/canonical.ts'
import type { Verdict } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { licenceMissing, licenceNotInForce, licenceOfAnother } from '../errors.ts'
import type { StablecoinNeeds } from '../needs.ts'
import { issuingClasses, requires } from '../policy.ts'
import { type Ask, issuedCoin, takeTurn } from './acts.ts'

type LicenceRow = Row & { compact: string; issuer: string; number: string; presented_at: number }

const newest = async (ask: Ask, currency: number): Promise<LicenceRow | undefined> => {
  const sql = `SELECT compact, issuer, number, presented_at FROM stablecoin_licences WHERE currency = ?
    ORDER BY id DESC LIMIT 1`
  return (await ask<LicenceRow>(sql, [currency]))[0]
}

const same = (one: string | undefined, other: string): boolean => one?.toLowerCase() === other.toLowerCase()

/** @throws Refusal coin_licence_not_in_force, coin_licence_of_another, unavailable */
const judge = async ({ verify, did }: StablecoinNeeds, compact: string): Promise<Verdict> => {
  const verdict = await verify(compact, {})
  if (!verdict.verified) throw licenceNotInForce(verdict.refusal?.code ?? 'unverified')
  const { type, issuer, holder, claims } = verdict
  const isOurs = same(holder ?? String(claims?.['id']), did) && !same(issuer, did)
  if (type !== 'BusinessLicence' || !isOurs || !issuingClasses.has(claims?.['licenceClass'])) throw licenceOfAnother()
  return verdict
}

/**
 * That the agency is licensed to issue money now: the licence is judged anew at every mint, so that one which was revoked ends minting.
 * @throws Refusal coin_licence_missing, coin_licence_not_in_force, coin_licence_of_another
 */
export const assertLicensed = async (needs: StablecoinNeeds, ask: Ask, currency: number): Promise<void> => {
  const licence = await newest(ask, currency)
  if (licence === undefined) throw licenceMissing()
  await judge(needs, licence.compact)
}

/** Whether it is licensed now, for the public. */
export const licenceView = async (
  needs: StablecoinNeeds,
  currency: number,
): Promise<Record<string, unknown> | null> => {
  const licence = await newest(needs.house.store.read, currency)
  if (licence === undefined) return null
  const { issuer, number, compact } = licence
  const { verified } = await needs.verify(compact, {})
  return { issuer, number, inForce: verified }
}

/** The licence on which the agency mints from now on. @throws Refusal coin_unknown, coin_issuer_only, and those of a licence */
export const presentCoinLicence = async (needs: StablecoinNeeds, context: Context): Promise<Answer> => {
  const { number: currency } = issuedCoin(needs, context)
  const { licence: compact } = context.body as { licence: string }
  const answer = await perform(needs.house, {
    ...{ operation: 'presentCoinLicence', requires: requires.licence, caller: context.caller },
    input: { currency, compact },
    idempotencyKey: context.headers['idempotency-key'],
    async act(tx, record) {
      await takeTurn(tx, currency)
      const { issuer = '', claims } = await judge(needs, compact)
      const number = String(claims?.['licenceNumber'])
      const at = needs.house.clock.now()
      const row = { id: record.id, currency, compact, issuer, number, presented_at: at }
      tx.insert('stablecoin_licences', [row])
      record.effect(digestOf(row))
      return { currency, issuer, number, presentedAt: new Date(at).toISOString() }
    },
  })
  return { status: 201, body: answer }
}
