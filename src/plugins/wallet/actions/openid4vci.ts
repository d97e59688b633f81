import { disclose } from '../../../kernel/disclose.ts'
import { nextPage } from '../../../kernel/pages.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { type Collection, shownCollection } from '../collection.ts'
import * as errors from '../errors.ts'
import { collectionsMost, offerLifeMs, requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import { walletPage } from './hold.ts'
import { type CollectionRow, openCollection, rowOf, sealCollection } from './openid4vci-run.ts'
import type { Desk } from './prove.ts'

type OfferBody = { offer: string } | { issuer: string; credentialConfigurationIds: string[] }

/** How the collection stands now, as the citizen may see it. */
export const answerOf = (context: Context, row: CollectionRow, status = 200): Answer => {
  const collection = openCollection(vaultOf(context.caller), row)
  const headers = { 'cache-control': 'no-store' }
  return { status, body: shownCollection(row.id, row.expires, collection), headers }
}

/**
 * Takes in a credential offer, or a wish of the citizen's own (OpenID4VCI 1.0, section 4): fetches what the issuer says
 * of itself, and shows what could be collected. Nothing is asked for yet.
 */
export const readOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = context.body as OfferBody
  const vault = vaultOf(context.caller)
  const handed =
    'offer' in body ? { offer: body.offer } : { issuer: body.issuer, configurationIds: body.credentialConfigurationIds }
  const { talk, unfit } = await desk.collecting.read(handed)
  const { house } = desk
  const created = house.clock.now()
  const blank = { txCodeTries: 0, review: false, copies: 1, pieces: [] }
  const collection: Collection = { talk, unfit, created, ...blank }
  const id = desk.newId()
  const made = await perform(house, {
    operation: 'readOffer',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence(handed),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await tx.query('DELETE FROM wallet_collections WHERE citizen = ? AND expires <= ?', [vault.citizen, created])
      const count = 'SELECT count(*) AS kept FROM wallet_collections WHERE citizen = ?'
      const [kept] = await tx.query<Row & { kept: number }>(count, [vault.citizen])
      if ((kept?.kept ?? 0) >= collectionsMost) throw errors.walletFull(collectionsMost)
      const sealed = sealCollection(vault, id, collection)
      const expires = created + offerLifeMs
      tx.insert('wallet_collections', [{ id, citizen: vault.citizen, lease: 0, expires, sealed }])
      return { id }
    },
  })
  return answerOf(context, await rowOf(desk, vault, made.id), 201)
}

export const getOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  const id = context.params['id'] ?? ''
  return disclose(desk.house, {
    operation: 'getOffer',
    requires: requires.citizen,
    caller: context.caller,
    input: { id },
    read: async () => answerOf(context, await rowOf(desk, vault, id)),
  })
}

export const listOffers = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  return disclose(desk.house, {
    operation: 'listOffers',
    requires: requires.citizen,
    caller: context.caller,
    input: context.query,
    read: async () => {
      const page = walletPage(context)
      const sql = `SELECT id, lease, expires, sealed FROM wallet_collections
        WHERE citizen = ? AND id > ? AND expires > ? ORDER BY id LIMIT ?`
      const params = [vault.citizen, page.after, desk.house.clock.now(), page.limit]
      const rows = await desk.house.store.read<CollectionRow>(sql, params)
      const items = rows.map(row => shownCollection(row.id, row.expires, openCollection(vault, row)))
      return { status: 200, body: { items, ...nextPage(rows, page) } }
    },
  })
}

/**
 * Drops an offer. Credentials that have come and were not kept are given back: the issuer is told that the citizen
 * deleted them (OpenID4VCI 1.0, section 11.1), if it can be reached.
 */
export const declineOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  const id = context.params['id'] ?? ''
  const row = await rowOf(desk, vault, id)
  const collection = openCollection(vault, row)
  await perform(desk.house, {
    operation: 'declineOffer',
    requires: requires.citizen,
    caller: context.caller,
    input: { id },
    act: async tx => {
      const sql = 'DELETE FROM wallet_collections WHERE id = ? AND citizen = ? AND lease <= ? RETURNING id'
      const [gone] = await tx.query(sql, [id, vault.citizen, desk.house.clock.now()])
      if (gone === undefined) throw errors.offerBusy()
    },
  })
  for (const { state, notificationId } of collection.pieces) {
    if (!['given', 'received'].includes(state) || notificationId === undefined) continue
    try {
      await desk.collecting.notify(collection.talk, { notificationId, event: 'credential_deleted' })
    } catch (error) {
      // The issuer cannot rely on being told, and the citizen's decision stands.
      if (!isRefusal(error)) throw error
    }
  }
  return { status: 204 }
}
