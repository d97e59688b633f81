import { randomBytes } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { canonical } from '../../../kernel/canonical.ts'
import { disclose } from '../../../kernel/disclose.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { type Held, jwsOf } from '../credentials.ts'
import * as errors from '../errors.ts'
import { ledgerForm, type SignedRecord } from '../ledger.ts'
import { costFits, judgePassphrase } from '../passphrase.ts'
import * as policy from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import { openBytes, sealBytes, type Vault } from '../vault.ts'
import { allHeld, heldOf, judgeCredential, keep, type StoredHeld } from './hold.ts'
import { allKeys, didTag, isKeyPair, type KeyRecord, publicOf } from './keys.ts'
import { allLedgerKeys, keepLedgerKeys, type StoredLedgerKey } from './ledger-keys.ts'
import type { DisclosureRecord } from './present.ts'
import { citizenOf, type Desk, prove } from './prove.ts'

/** The head of an export, which its seal covers; bytes are base64url. */
type ExportHead = {
  format: 'chancery-wallet-export'
  version: 1
  kdf: { name: 'argon2id'; salt: string; memoryKib: number; passes: number; parallelism: number }
  cipher: 'A256GCM'
}
export type WalletExport = ExportHead & { sealed: string }

type Content = {
  keys: KeyRecord[]
  /** None in a file from before there were such keys. */
  ledgerKeys?: StoredLedgerKey[]
  credentials: { id: string; compact: string }[]
  disclosures: (DisclosureRecord & { credential: string })[]
}

const recentDisclosures = async (desk: Desk, vault: Vault): Promise<Content['disclosures']> => {
  const sql = 'SELECT id, credential, sealed FROM wallet_disclosures WHERE citizen = ? ORDER BY id DESC LIMIT ?'
  const params = [vault.citizen, policy.exportDisclosures]
  type DisclosureRow = Row & { id: string; credential: string; sealed: Uint8Array }
  const rows = await desk.house.store.read<DisclosureRow>(sql, params)
  return rows.map(({ id, credential, sealed }) => ({
    ...vault.open<DisclosureRecord>('wallet_disclosures', id, sealed),
    credential,
  }))
}

const contentOf = async (desk: Desk, vault: Vault, ids: string[] | undefined): Promise<Content> => {
  const held: StoredHeld[] =
    ids === undefined ? await allHeld(desk, vault) : await Promise.all(ids.map(id => heldOf(desk, vault, id)))
  const keys = (await allKeys(desk, vault)).filter(key => ids === undefined || held.some(of => of.holder === key.did))
  return {
    keys: keys.map(({ did, heldFor, jwk }) => ({ did, heldFor, jwk })),
    ...(ids === undefined ? { ledgerKeys: await allLedgerKeys(desk, vault) } : {}),
    credentials: held.map(({ id, compact }) => ({ id, compact })),
    disclosures: ids === undefined ? await recentDisclosures(desk, vault) : [],
  }
}

/**
 * The wallet as one file, sealed under a passphrase of its own. A stolen session is not enough: the passphrase that
 * opens the wallet must be given too.
 * @throws Refusal sign_in_refused, passphrase_weak, passphrase_reused, export_too_large
 */
export const exportWallet = async (desk: Desk, context: Context): Promise<Answer> => {
  type Body = { passphrase: string; exportPassphrase: string; credentials?: string[] }
  const { passphrase, exportPassphrase, credentials } = context.body as Body
  const vault = vaultOf(context.caller)
  const handle = (await citizenOf(desk, { id: vault.citizen }))?.handle ?? ''
  const { storeKey } = await prove(desk, context, { operation: 'exportWallet', handle, passphrase })
  storeKey.fill(0)
  judgePassphrase(exportPassphrase, { handle, other: passphrase })
  const salt = randomBytes(16)
  const { cost } = desk.passphrases
  const head: ExportHead = {
    format: 'chancery-wallet-export',
    version: 1,
    kdf: { name: 'argon2id', salt: salt.toString('base64url'), ...cost },
    cipher: 'A256GCM',
  }
  const key = await desk.passphrases.derive(exportPassphrase, salt, cost)
  return disclose(desk.house, {
    operation: 'exportWallet',
    requires: policy.requires.citizen,
    caller: context.caller,
    input: vault.evidence({ credentials }),
    read: async () => {
      const plain = gzipSync(JSON.stringify(await contentOf(desk, vault, credentials)))
      const body: WalletExport = { ...head, sealed: sealBytes(key, plain, canonical(head)).toString('base64url') }
      key.fill(0)
      plain.fill(0)
      if (body.sealed.length > policy.exportMost) throw errors.exportTooLarge(policy.exportMost)
      return { status: 200, body, headers: { 'cache-control': 'no-store' } }
    },
  })
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(item => typeof item === 'string' && item.length <= 500)

const latestTime = 8.64e15

const isSignedRecord = (value: Partial<SignedRecord> | null): boolean => {
  const { kind, members } = value ?? {}
  if (!isTexts([kind]) || typeof members !== 'object' || members === null) return false
  return isTexts(Object.entries(members).flatMap(([name, of]) => [name, Number.isSafeInteger(of) ? String(of) : of]))
}

const isDisclosure = (value: Content['disclosures'][number]): boolean => {
  const { type, issuer, audience, challenge, credential, shown, at, onBehalfOf, signed } = value ?? {}
  if (!isTexts([type, issuer, audience, challenge, credential]) || !isTexts(shown)) return false
  if (!Number.isSafeInteger(at) || at < 0 || at > latestTime) return false
  if (signed !== undefined && !isSignedRecord(signed)) return false
  return onBehalfOf === undefined || isTexts([onBehalfOf?.principal, onBehalfOf?.operation, onBehalfOf?.mandate])
}

const isKey = (desk: Desk, value: KeyRecord): boolean => {
  const { did, heldFor, jwk } = value ?? {}
  if (jwk?.kty !== 'EC' || jwk.crv !== 'P-256' || !isKeyPair(jwk)) return false
  const isNamed = [desk.didOf, desk.didJwkOf].some(didOf => didOf(publicOf(jwk)) === did)
  return (heldFor === 'self' || heldFor === 'minor') && isNamed
}

const isLedgerKey = (value: StoredLedgerKey): boolean => {
  const { id, ledger, label, jwk } = value ?? {}
  if (!isTexts([id, ledger, label]) || !ledgerForm.test(ledger)) return false
  return jwk?.kty === 'EC' && jwk.crv === 'P-256' && isKeyPair(jwk)
}

/** Whoever wrote a file knows its passphrase, so what is in it is checked like anything else that comes in. */
const checkedContent = (desk: Desk, plain: Buffer): Content => {
  let content: Content
  try {
    content = JSON.parse(gunzipSync(plain, { maxOutputLength: policy.exportContentMost }).toString('utf8')) as Content
  } catch {
    throw errors.exportMalformed()
  }
  const { keys, ledgerKeys = [], credentials, disclosures } = content ?? {}
  const listed = [keys, ledgerKeys, credentials, disclosures].every(Array.isArray)
  if (!listed || keys.length > policy.keysMost) throw errors.exportMalformed()
  if (ledgerKeys.length > policy.ledgerKeysMost || !ledgerKeys.every(isLedgerKey)) throw errors.exportMalformed()
  if (credentials.length > policy.heldMost || disclosures.length > policy.exportDisclosures) {
    throw errors.exportMalformed()
  }
  if (!credentials.every(entry => isTexts([entry?.id]) && typeof entry.compact === 'string')) {
    throw errors.exportMalformed()
  }
  if (!keys.every(key => isKey(desk, key)) || !disclosures.every(isDisclosure)) throw errors.exportMalformed()
  return content
}

const openExport = async (desk: Desk, file: WalletExport, passphrase: string): Promise<Content> => {
  const { sealed, ...head } = file
  const { memoryKib, passes, parallelism, salt } = head.kdf
  const cost = { memoryKib, passes, parallelism }
  if (head.format !== 'chancery-wallet-export' || head.version !== 1 || !costFits(cost)) throw errors.exportMalformed()
  const saltBytes = Buffer.from(salt, 'base64url')
  if (saltBytes.length !== 16) throw errors.exportMalformed()
  const key = await desk.passphrases.derive(passphrase, saltBytes, cost)
  const plain = openBytes(key, Buffer.from(sealed, 'base64url'), canonical(head))
  key.fill(0)
  if (plain === undefined) throw errors.exportRefused()
  return checkedContent(desk, plain)
}

type Judged = { id: string; earlier: string; held: Held; did: string }
type Left = { code: string }

/** Every credential is verified again before it is kept; what has been revoked or has expired since is left out. */
const judgeAll = async (desk: Desk, content: Content): Promise<{ judged: Judged[]; left: Left[] }> => {
  const judged: Judged[] = []
  const left: Left[] = []
  for (const { id: earlier, compact } of content.credentials) {
    try {
      const findKey = async (did: string) => content.keys.find(key => key.did === did)
      const { held } = await judgeCredential(desk, compact, findKey)
      judged.push({ id: desk.newId(), earlier, held, did: held.holder })
    } catch (error) {
      if (!isRefusal(error) || error.kind === 'unavailable') throw error
      left.push({ code: error.code })
    }
  }
  return { judged, left }
}

const keepKeys = async (tx: Tx, desk: Desk, vault: Vault, keys: KeyRecord[]): Promise<Map<string, string>> => {
  const ids = new Map<string, string>()
  for (const record of keys) {
    const id = desk.newId()
    const tag = didTag(vault, record.did)
    await tx.query(
      `INSERT INTO wallet_keys (id, citizen, did_tag, used, sealed) VALUES (?, ?, ?, 0, ?)
       ON CONFLICT (citizen, did_tag) DO NOTHING`,
      [id, vault.citizen, tag, vault.seal('wallet_keys', id, record)],
    )
    const find = 'SELECT id FROM wallet_keys WHERE citizen = ? AND did_tag = ?'
    const [row] = await tx.query<Row & { id: string }>(find, [vault.citizen, tag])
    if (row !== undefined) ids.set(record.did, row.id)
  }
  return ids
}

/** Of two imports at once each would count without what the other brings. */
const lockCitizen = (tx: Tx, { citizen }: Vault): Promise<unknown> =>
  tx.query('UPDATE wallet_citizens SET created = created WHERE id = ? RETURNING id', [citizen])

/**
 * A wallet has no more keys than it can have credentials and idle keys, however many files are imported.
 * @throws Refusal wallet_full
 */
const assertRoom = async (tx: Tx, { citizen }: Vault): Promise<void> => {
  const count = 'SELECT count(*) AS keys FROM wallet_keys WHERE citizen = ?'
  const [found] = await tx.query<Row & { keys: number }>(count, [citizen])
  if (Number(found?.keys ?? 0) > policy.keysMost) throw errors.walletFull(policy.keysMost)
}

/** @returns the id of each key that was not there: in the file → here. */
const moveLedgerKeys = async (
  tx: Tx,
  desk: Desk,
  vault: Vault,
  keys: readonly StoredLedgerKey[],
): Promise<Map<string, string>> => {
  const earlier = new Map(keys.map(key => [desk.newId(), key]))
  const renewed = [...earlier].map(([id, { ledger, label, jwk }]) => ({ id, ledger, label, jwk }))
  const kept = await keepLedgerKeys(tx, vault, renewed)
  return new Map(kept.map(({ id }) => [earlier.get(id)?.id ?? '', id]))
}

/**
 * Adds what an export holds to this wallet; what is there already stays as it is.
 * @throws Refusal export_passphrase_wrong, export_malformed, wallet_full
 */
export const importWallet = async (desk: Desk, context: Context): Promise<Answer> => {
  const { export: file, exportPassphrase } = context.body as { export: WalletExport; exportPassphrase: string }
  const vault = vaultOf(context.caller)
  const content = await openExport(desk, file, exportPassphrase)
  const { judged, left } = await judgeAll(desk, content)
  const there = new Set((await allHeld(desk, vault)).map(held => jwsOf(held.compact)))
  const missing = judged.filter(({ held }) => !there.has(jwsOf(held.compact)))
  const body = await perform(desk.house, {
    operation: 'importWallet',
    requires: policy.requires.citizen,
    caller: context.caller,
    input: vault.evidence({ sealed: file.sealed }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await lockCitizen(tx, vault)
      const keyIds = await keepKeys(tx, desk, vault, content.keys)
      await assertRoom(tx, vault)
      const heldFor = new Map(content.keys.map(key => [key.did, key.heldFor]))
      for (const { id, held, did } of missing) {
        const key = { id: keyIds.get(did) ?? '', heldFor: heldFor.get(did) ?? 'self' }
        await keep(tx, vault, { id, held, key })
      }
      const ledgerKeys = await moveLedgerKeys(tx, desk, vault, content.ledgerKeys ?? [])
      // The history comes along with what it is of; it is not there twice if that is there already.
      const moved = new Map([...missing.map(({ earlier, id }) => [earlier, id] as const), ...ledgerKeys])
      const shown = content.disclosures.filter(({ credential }) => moved.has(credential)).reverse()
      for (const { credential, ...record } of shown) {
        const id = desk.newId()
        const sealed = vault.seal('wallet_disclosures', id, record)
        const row = { id, citizen: vault.citizen, credential: moved.get(credential) ?? '', sealed, presentation: null }
        tx.insert('wallet_disclosures', [row])
      }
      const keys = keyIds.size + (content.ledgerKeys ?? []).length
      return { keys, credentials: missing.length, disclosures: shown.length, leftOut: left }
    },
  })
  return { status: 200, body }
}
