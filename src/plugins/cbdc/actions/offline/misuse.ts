import { hash } from 'node:crypto'
import { disclose } from '../../../../kernel/disclose.ts'
import { nextPage, pageOf } from '../../../../kernel/pages.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import type { Row } from '../../../../kernel/ports.ts'
import { evidenceType, type MisuseKind, type PurseEvidence } from '../../ledger/purse-evidence.ts'
import { decodeVoucher, fieldsOf } from '../../ledger/voucher.ts'
import { certificatesUnavailable } from '../../offline/errors.ts'
import { misuseMost, offlineRequires } from '../../offline/policy.ts'
import { listMost } from '../../policy.ts'
import { orderOf } from '../accounts.ts'
import type { Desk } from '../desk.ts'
import { enterChain, type Held } from '../enter.ts'
import { recordOrder } from '../orders/order.ts'
import type { Ask } from '../rows.ts'
import { type Certificate, readCertificate, statedOf } from './purses.ts'

/**
 * What a purse may not have signed. Both records bear the purse's own signature, so nobody is accused who did not sign twice, and
 * the ledger's word is not needed for it. Evidence, and the freeze of the purse, stand in the transaction that found it.
 */

export type Misuse = {
  kind: MisuseKind
  certificate: Certificate
  /** The record that is not entered, and of a double spending the one that came first. */
  record: Buffer
  against: Buffer | null
}

const digestOfFields = (record: Uint8Array): Buffer => hash('sha256', fieldsOf(record), 'buffer') as Buffer

/** What of a certificate was entered under other nonces: with one more it is overspent. */
const enteredOf = async (ask: Ask, certificate: string, nonce: number): Promise<Buffer[]> => {
  const sql = `SELECT raw FROM cbdc_vouchers WHERE certificate = ? AND nonce <> ? AND state = 'entered' ORDER BY nonce`
  return (await ask(sql, [certificate, nonce])).map(row => Buffer.from(row['raw'] as Uint8Array))
}

/** What proves it, without the time of the statement. */
export type Proof = Omit<PurseEvidence, 'iat'>

/** @param entered what of the certificate was entered under other nonces, in their order */
export const proofOf = (
  desk: Pick<Desk, 'did' | 'domain'>,
  { kind, certificate, record, against }: Misuse,
  entered: readonly Buffer[],
): Proof => ({
  ...{ iss: desk.did, kind, certificate: statedOf(desk, certificate) },
  records: [...(against === null ? entered : [against]), record].map(each => each.toString('base64url')),
})

/** @throws Refusal certificates_unavailable */
export const statementOf = async (
  { signStatement, house }: Pick<Desk, 'signStatement' | 'house'>,
  proof: Proof,
): Promise<string> => {
  if (signStatement === undefined) throw certificatesUnavailable()
  return signStatement({ ...proof, iat: Math.floor(house.clock.now() / 1_000) }, evidenceType)
}

/** The freeze that an earlier finding put on the purse, as long as no order has lifted it. */
export const standingFreeze = async (ask: Ask, account: number): Promise<string | undefined> => {
  const sql = `SELECT o.id FROM cbdc_purse_certificates c JOIN cbdc_orders o ON o.id = c.freeze_order
    WHERE c.account = ? AND o.ended_at IS NULL`
  return (await ask<{ id: string }>(sql, [account]))[0]?.id
}

/** Whether officers replaced the key of a certificate as lost: what is signed with it may be a finder's doing. */
const isKeyLost = async (ask: Ask, { account, key: { scheme, prefix, x } }: Certificate): Promise<boolean> => {
  const sql = `SELECT id FROM cbdc_key_orders
    WHERE account = ? AND state = 'executed' AND old_scheme = ? AND old_prefix = ? AND old_x = ?`
  return (await ask(sql, [account, scheme, prefix, Buffer.from(x, 'hex')])).length > 0
}

/** The purse as a whole, until two officers lift it. A closed one needs none. */
const freezePurse = async (desk: Desk, held: Held, certificate: Certificate, found: string): Promise<void> => {
  const { tx, record } = held
  const { id, account } = certificate
  if (await isKeyLost(tx.query, certificate)) return
  if ((await standingFreeze(tx.query, account)) !== undefined) return
  const order = orderOf(record.id)
  const [outcome] = enterChain(desk, held, [
    { entry: { kind: 'freeze', account, amount: 0n, order }, signer: undefined },
  ])
  if (outcome === undefined || 'refusal' in outcome) return
  const freeze = desk.newId()
  await recordOrder(held, {
    ...{ id: freeze, kind: 'freeze', account, amount: 0n, entry: outcome.written.number },
    order: { authority: desk.did, reference: `purse-misuse:${found}` },
    legalBasis: 'Terms of payment offline: a purse that signed more than it may is frozen until it is decided on.',
  })
  await tx.query('UPDATE cbdc_purse_certificates SET freeze_order = ? WHERE id = ?', [freeze, id])
}

/** Digests of what is recorded of a certificate, read once an act. */
const recorded = new WeakMap<Certificate, Set<string>>()

const recordedOf = async (ask: Ask, certificate: Certificate): Promise<Set<string>> => {
  const known = recorded.get(certificate)
  if (known !== undefined) return known
  const rows = await ask('SELECT digest FROM cbdc_double_spends WHERE certificate = ?', [certificate.id])
  const digests = new Set(rows.map(row => Buffer.from(row['digest'] as Uint8Array).toString('hex')))
  recorded.set(certificate, digests)
  return digests
}

/** Records it once, however often it is handed in, and freezes the purse when it is new and its key was not lost. */
export const recordMisuse = async (desk: Desk, held: Held, misuse: Misuse): Promise<void> => {
  const { tx, book, record: act } = held
  const { certificate, record, against, kind } = misuse
  const digest = digestOfFields(record)
  const known = await recordedOf(tx.query, certificate)
  if (known.has(digest.toString('hex')) || known.size >= misuseMost) return
  known.add(digest.toString('hex'))
  const { account } = certificate
  await book.load([account])
  const id = desk.newId()
  await tx.query(
    `INSERT INTO cbdc_double_spends (id, certificate, account, lead, kind, nonce, digest, record, against, found_at, act)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[id, certificate.id, account, book.state.account(account)?.lead ?? account, kind],
      ...[decodeVoucher(record)?.nonce ?? 0, digest, record, against, book.at, act.id],
    ],
  )
  await freezePurse(desk, held, certificate, id)
}

type MisuseRow = Row & { id: string }

const misuseView = async (desk: Desk, row: MisuseRow) => {
  const ask = desk.house.store.read
  const certificate = await readCertificate(ask, row['certificate'] as string)
  const record = Buffer.from(row['record'] as Uint8Array)
  const against = row['against'] === null ? null : Buffer.from(row['against'] as Uint8Array)
  const kind = row['kind'] as MisuseKind
  const voucher = decodeVoucher(record)
  const entered = against === null ? await enteredOf(ask, certificate.id, voucher?.nonce ?? 0) : []
  const proof = proofOf(desk, { kind, certificate, record, against }, entered)
  return {
    ...{ id: row.id, kind, account: certificate.account, lead: row['lead'], nonce: row['nonce'] },
    ...{ payee: voucher?.to, amountMinor: String(voucher?.amount), records: proof.records, act: row['act'] },
    ...{ foundAt: new Date(row['found_at'] as number).toISOString(), evidence: await statementOf(desk, proof) },
  }
}

/**
 * Purses that were misused, with the person's lead account and what proves it to anybody (`verifyEvidence`), oldest first.
 * @throws Refusal cursor_malformed, certificates_unavailable
 */
export const listDoubleSpends = async (desk: Desk, context: Context): Promise<Answer> => {
  const { caller, query } = context
  const requires = offlineRequires.misuse
  const body = await disclose(desk.house, {
    ...{ operation: 'listDoubleSpends', requires, caller, input: query },
    async read() {
      const page = pageOf(query, { most: listMost, usual: 20 })
      const sql = `SELECT id, certificate, lead, kind, nonce, record, against, found_at, act FROM cbdc_double_spends
        WHERE id > ? ORDER BY id LIMIT ?`
      const rows = await desk.house.store.read<MisuseRow>(sql, [page.after, page.limit])
      return { items: await Promise.all(rows.map(row => misuseView(desk, row))), ...nextPage(rows, page) }
    },
  })
  return { status: 200, body }
}
