import { disclose } from '../../../kernel/disclose.ts'
import { nextPage } from '../../../kernel/pages.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import type { AskingClient } from '../../../kernel/presentation-answers.ts'
import { choose, handedOver } from '../credentials.ts'
import * as errors from '../errors.ts'
import type { SignedRecord } from '../ledger.ts'
import { claimsMost, requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import { heldOf, walletPage } from './hold.ts'
import { holderKey, keyOfDid, signerOf } from './keys.ts'
import { type OnBehalfOf, presentForMinor } from './mandate.ts'
import type { Desk } from './prove.ts'

type PresentBody = { audience?: string; challenge?: string; claims?: string[]; onBehalfOf?: OnBehalfOf }

/**
 * What the citizen may look up later: what was shown to whom, when, and for whom. A record signed for a ledger is one too:
 * `audience` is the ledger, `challenge` the digest, `signed` what it says. Sealed like everything else.
 */
export type DisclosureRecord = {
  type: string
  issuer: string
  audience: string
  challenge: string
  shown: string[]
  at: number
  onBehalfOf?: OnBehalfOf & { mandate: string }
  signed?: SignedRecord
  /** Who asked by OpenID4VP, and what was signed for beside. */
  verifier?: AskingClient
  transactions?: Record<string, unknown>[]
}

type DisclosureRow = Row & { id: string; credential: string; sealed: Uint8Array; presentation: Uint8Array | null }

const audienceForm = /^(https?:\/\/[^\s/]|did:[a-z0-9]+:\S)\S*$/

/** @throws Refusal audience_missing, challenge_missing, claims_missing: nothing leaves without naming all three. */
const wishOf = (body: PresentBody) => {
  const { audience, challenge, claims } = body
  if (audience === undefined || audience.length > 500 || !audienceForm.test(audience)) throw errors.audienceMissing()
  if (challenge === undefined || challenge === '' || challenge.length > 500) throw errors.challengeMissing()
  if (claims === undefined || claims.length === 0 || claims.length > claimsMost) throw errors.claimsMissing()
  return { audience, challenge, claims }
}

/**
 * Presents chosen claims of one credential to a named verifier, in answer to its challenge. What was shown is recorded
 * before anything leaves. The same idempotency key gives the same presentation and one record.
 */
export const presentHeld = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = context.body as PresentBody
  const credential = context.params['id'] ?? ''
  const vault = vaultOf(context.caller)
  const { claims, ...to } = wishOf(body)
  const held = await heldOf(desk, vault, credential)
  const key = await keyOfDid(desk, vault, held.holder)
  if (key === undefined) throw errors.recordDamaged()
  const choice = choose(held, claims)
  const now = desk.house.clock.now()
  const record: DisclosureRecord = { type: held.type, issuer: held.issuer, ...to, shown: choice.shown, at: now }
  const { onBehalfOf } = body
  let presentation: string
  if (onBehalfOf === undefined) {
    if (held.heldFor === 'minor') throw errors.mandateNeeded()
    const shown = { compact: choice.compact, format: held.format }
    presentation = await desk.present(shown, { ...to, claims: choice.shown }, holderKey(key), signerOf([key]), now)
  } else {
    const made = await presentForMinor(desk, vault, { held, key, choice, onBehalfOf }, { ...to, now })
    presentation = made.presentation
    record.onBehalfOf = { ...onBehalfOf, mandate: made.mandate }
  }
  const id = desk.newId()
  const kept = await perform(desk.house, {
    operation: 'presentHeld',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ credential, claims, ...to, onBehalfOf }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const sealed = vault.seal('wallet_disclosures', id, record)
      const copy = vault.seal('wallet_disclosures presentation', id, presentation)
      const row = { id, citizen: vault.citizen, credential, sealed, presentation: copy }
      tx.insert('wallet_disclosures', [row])
      // Answers are remembered in the clear, so nothing but the id is one; the rest is read back through the vault.
      return { id }
    },
  })
  if (kept.id === id) {
    return {
      status: 201,
      body: { verifiablePresentation: handedOver(presentation), disclosureId: id, shown: record.shown },
    }
  }
  return { status: 201, body: await presentedBefore(desk, context, kept.id) }
}

const presentedBefore = async (desk: Desk, context: Context, id: string) => {
  const vault = vaultOf(context.caller)
  const sql = 'SELECT id, credential, sealed, presentation FROM wallet_disclosures WHERE id = ? AND citizen = ?'
  const [row] = await desk.house.store.read<DisclosureRow>(sql, [id, vault.citizen])
  if (row === undefined || row.presentation === null) throw errors.heldUnknown()
  const { shown } = vault.open<DisclosureRecord>('wallet_disclosures', id, row.sealed)
  const presentation = vault.open<string>('wallet_disclosures presentation', id, row.presentation)
  const verifiablePresentation = handedOver(presentation)
  return { verifiablePresentation, disclosureId: id, shown }
}

/** What was shown to whom: the citizen's own record, which nobody else can read. */
export const listDisclosures = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  return disclose(desk.house, {
    operation: 'listDisclosures',
    requires: requires.citizen,
    caller: context.caller,
    input: context.query,
    read: async () => {
      const page = walletPage(context)
      const sql = `SELECT id, credential, sealed FROM wallet_disclosures WHERE citizen = ? AND id > ? ORDER BY id LIMIT ?`
      const params = [vault.citizen, page.after, page.limit]
      const rows = await desk.house.store.read<DisclosureRow>(sql, params)
      const items = rows.map(({ id, credential, sealed }) => {
        const { at, ...record } = vault.open<DisclosureRecord>('wallet_disclosures', id, sealed)
        return { id, heldId: credential, ...record, at: new Date(at).toISOString() }
      })
      return { status: 200, body: { items, ...nextPage(rows, page) } }
    },
  })
}
