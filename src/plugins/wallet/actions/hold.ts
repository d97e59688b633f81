import type { JsonWebKey } from 'node:crypto'
import { disclose } from '../../../kernel/disclose.ts'
import type { Verdict } from '../../../kernel/identity.ts'
import { nextPage, type Page, pageOf } from '../../../kernel/pages.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { claimsOf, compactOf, confirmationOf, type Held, handedOver, jwsOf, validUntilOf } from '../credentials.ts'
import * as errors from '../errors.ts'
import { compactMost, heldMost, pageDefault, pageMost, requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import type { Vault } from '../vault.ts'
import { type KeyRecord, keyOfDid, type StoredKey } from './keys.ts'
import type { Desk } from './prove.ts'

type HeldRow = Row & { id: string; holder_key: string; sealed: Uint8Array }

export type StoredHeld = Held & { id: string; holderKey: string }

const opened = (vault: Vault, row: HeldRow): StoredHeld => ({
  id: row.id,
  holderKey: row.holder_key,
  ...vault.open<Held>('wallet_credentials', row.id, row.sealed),
})

const columns = 'id, holder_key, sealed'

/** @throws Refusal held_credential_unknown, also for a credential of somebody else. */
export const heldOf = async (desk: Desk, vault: Vault, id: string): Promise<StoredHeld> => {
  const sql = `SELECT ${columns} FROM wallet_credentials WHERE id = ? AND citizen = ?`
  const [row] = await desk.house.store.read<HeldRow>(sql, [id, vault.citizen])
  if (row === undefined) throw errors.heldUnknown()
  return opened(vault, row)
}

export const allHeld = async (desk: Desk, vault: Vault): Promise<StoredHeld[]> => {
  const sql = `SELECT ${columns} FROM wallet_credentials WHERE citizen = ? ORDER BY id`
  const rows = await desk.house.store.read<HeldRow>(sql, [vault.citizen])
  return rows.map(row => opened(vault, row))
}

const dated = (time: number): string => new Date(time).toISOString()

const summaryOf = ({ id, type, issuer, format, holder, heldFor, ...held }: StoredHeld) => ({
  id,
  type,
  issuer,
  format,
  holder,
  heldFor,
  ...(held.trust === undefined ? {} : { trust: held.trust }),
  ...(held.credentialId === undefined ? {} : { credentialId: held.credentialId }),
  ...(held.validUntil === undefined ? {} : { validUntil: dated(held.validUntil) }),
  receivedAt: dated(held.receivedAt),
})

/** Whether a credential is of no type that this nation knows: of those that it does, its registry of trust alone decides. */
const isForeign = ({ verified, type }: Verdict): boolean => !verified && type === undefined

/**
 * The verdict of the house; on a credential of somebody it does not know, that of others, where the wallet keeps such.
 * @throws Refusal of the verification as it stands
 */
const verdictOn = async (desk: Desk, compact: string): Promise<{ verdict: Verdict; trust?: Held['trust'] }> => {
  const verdict = await desk.identity.verify(compact, {})
  if (verdict.verified) return { verdict }
  const foreign = isForeign(verdict) ? await desk.judgeForeign?.(handedOver(compact)) : undefined
  if (foreign?.verified) return { verdict: foreign, trust: 'unaccredited' }
  // What neither can read is refused by the house's own reading.
  const refusal = foreign?.refusal ?? verdict.refusal
  throw refusal === undefined ? errors.credentialMalformed() : new Refusal(refusal.kind, refusal.code, refusal.detail)
}

/** The DIDs by which a key of this wallet could be the one that a credential is bound to. */
const holdersIn = (desk: Desk, verdict: Verdict): string[] => {
  const confirmation = confirmationOf(verdict.document)
  const named = verdict.holder ?? ''
  const jwk = confirmation ?? desk.jwkOf(named)
  const local = jwk?.['kty'] === 'EC' && jwk['crv'] === 'P-256' ? [desk.didOf(jwk), desk.didJwkOf(jwk)] : []
  return [...new Set([named, ...local])]
}

/** A claim names the key by its DID, or is no DID of a key at all. */
const namesAnother = (desk: Desk, named: string | undefined, { x, y }: JsonWebKey): boolean => {
  const jwk = named === undefined ? undefined : desk.jwkOf(named)
  return jwk !== undefined && (jwk.x !== x || jwk.y !== y)
}

/**
 * Verifies a credential and that it is bound to a key of this wallet. What is verified is the compact form that is kept.
 * @throws Refusal of the verification as it stands, holder_foreign, credential_malformed, held_credential_large
 */
export const judgeCredential = async <Key extends KeyRecord>(
  desk: Desk,
  input: unknown,
  findKey: (did: string) => Promise<Key | undefined>,
): Promise<{ held: Held; key: Key; verdict: Verdict }> => {
  const compact = compactOf(input)
  if (compact.length > compactMost) throw errors.credentialTooLarge(compactMost)
  const { verdict, trust } = await verdictOn(desk, compact)
  const { format = '', type = '', issuer = '', credentialId, doctype } = verdict
  // An mdoc is chosen from by its data elements, of which some are no claims of the type.
  const claims = (format === 'mso_mdoc' ? verdict.document : verdict.claims) ?? {}
  const confirmation = confirmationOf(verdict.document)
  let key: Key | undefined
  for (const did of holdersIn(desk, verdict)) key ??= await findKey(did)
  if (key === undefined) throw errors.holderForeign()
  const { x, y } = key.jwk
  // An SD-JWT is bound by `cnf`, and must be bound to the same key that its subject names.
  const bound = format === 'dc+sd-jwt' ? confirmation?.['x'] === x && confirmation?.['y'] === y : true
  if (!bound || namesAnother(desk, verdict.holder, key.jwk)) throw errors.holderForeign()
  const validUntil = verdict.validUntil ?? validUntilOf(verdict.document)
  const held: Held = {
    compact,
    format,
    type,
    issuer,
    holder: key.did,
    heldFor: key.heldFor,
    claims,
    ...(trust === undefined ? {} : { trust }),
    ...(doctype === undefined ? {} : { doctype }),
    ...(credentialId === undefined ? {} : { credentialId }),
    ...(validUntil === undefined ? {} : { validUntil }),
    receivedAt: desk.house.clock.now(),
  }
  return { held, key, verdict }
}

/**
 * Keeps a judged credential. Unique indexes and one UPDATE decide between acts that run at once.
 * @throws Refusal wallet_full, held_already, holder_key_used
 */
export const keep = async (
  tx: Tx,
  vault: Vault,
  made: { id: string; held: Held; key: Pick<StoredKey, 'id' | 'heldFor'> },
): Promise<void> => {
  const { id, held, key } = made
  const count = 'SELECT count(*) AS held FROM wallet_credentials WHERE citizen = ?'
  const [full] = await tx.query<Row & { held: number }>(count, [vault.citizen])
  if ((full?.held ?? 0) >= heldMost) throw errors.walletFull(heldMost)
  const tag = vault.tag('content', jwsOf(held.compact))
  const [row] = await tx.query(
    `INSERT INTO wallet_credentials (id, citizen, holder_key, content_tag, sealed) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (citizen, content_tag) DO NOTHING RETURNING id`,
    [id, vault.citizen, key.id, tag, vault.seal('wallet_credentials', id, held)],
  )
  if (row === undefined) throw errors.heldAlready()
  const unused = key.heldFor === 'minor' ? '' : 'AND used = 0'
  const claim = `UPDATE wallet_keys SET used = 1 WHERE id = ? AND citizen = ? ${unused} RETURNING id`
  const [claimed] = await tx.query(claim, [key.id, vault.citizen])
  if (claimed === undefined) throw errors.holderKeyUsed()
}

/** Takes a credential into the wallet: verified first, and bound to one of its keys. */
export const receiveCredential = async (desk: Desk, context: Context): Promise<Answer> => {
  const { verifiableCredential } = context.body as { verifiableCredential: unknown }
  const vault = vaultOf(context.caller)
  const { held, key } = await judgeCredential(desk, verifiableCredential, did => keyOfDid(desk, vault, did))
  const id = desk.newId()
  const kept = await perform(desk.house, {
    operation: 'receiveCredential',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ compact: held.compact }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await keep(tx, vault, { id, held, key })
      return { id }
    },
  })
  return { status: 201, body: summaryOf(await heldOf(desk, vault, kept.id)) }
}

export const walletPage = ({ query }: Context): Page => pageOf(query, { most: pageMost, usual: pageDefault })

export const listHeld = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  return disclose(desk.house, {
    operation: 'listHeld',
    requires: requires.citizen,
    caller: context.caller,
    input: context.query,
    read: async () => {
      const page = walletPage(context)
      const sql = `SELECT ${columns} FROM wallet_credentials WHERE citizen = ? AND id > ? ORDER BY id LIMIT ?`
      const params = [vault.citizen, page.after, page.limit]
      const rows = await desk.house.store.read<HeldRow>(sql, params)
      const items = rows.map(row => summaryOf(opened(vault, row)))
      return { status: 200, body: { items, ...nextPage(rows, page) } }
    },
  })
}

/** One credential with its claims: which of them show in any presentation, and which can be chosen. */
export const getHeld = async (desk: Desk, context: Context): Promise<Answer> => {
  const vault = vaultOf(context.caller)
  const id = context.params['id'] ?? ''
  return disclose(desk.house, {
    operation: 'getHeld',
    requires: requires.citizen,
    caller: context.caller,
    input: { id },
    read: async () => {
      const held = await heldOf(desk, vault, id)
      const { claims, compact } = held
      const body = { ...summaryOf(held), claims, ...claimsOf(held), verifiableCredential: handedOver(compact) }
      return { status: 200, body }
    },
  })
}

/** Deletes a credential, its key, and the copies of presentations made with it; the list of disclosures stays. */
export const deleteHeld = async (desk: Desk, context: Context): Promise<Answer> => {
  const { citizen } = vaultOf(context.caller)
  const id = context.params['id'] ?? ''
  await perform(desk.house, {
    operation: 'deleteHeld',
    requires: requires.citizen,
    caller: context.caller,
    input: { id },
    act: async tx => {
      const gone = 'DELETE FROM wallet_credentials WHERE id = ? AND citizen = ? RETURNING holder_key'
      const [row] = await tx.query<Row & { holder_key: string }>(gone, [id, citizen])
      if (row === undefined) throw errors.heldUnknown()
      const copies = 'UPDATE wallet_disclosures SET presentation = NULL WHERE citizen = ? AND credential = ?'
      await tx.query(copies, [citizen, id])
      await tx.query(
        `DELETE FROM wallet_keys WHERE id = ? AND citizen = ? AND NOT EXISTS
         (SELECT 1 FROM wallet_credentials WHERE citizen = ? AND holder_key = ?)`,
        [row.holder_key, citizen, citizen, row.holder_key],
      )
    },
  })
  return { status: 204 }
}
