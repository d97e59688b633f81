import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { digestOf } from '../../../kernel/canonical.ts'
import type { House } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { ChainOutbox, ChainWrite, Row, Store, Tx } from '../../../kernel/ports.ts'
import { listUnknown } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'
import { awaitingRound, decisionsARound } from '../policy.ts'

/** Anchored status lists: the chain has the digest of a list, the agency serves its bits. */

const gzipped = promisify(gzip)

export type AnchorNeeds = {
  house: House
  outbox: ChainOutbox
  /** The issuer's chain address, and the account that publishes. */
  issuer: string
  publicUrl: string
}

export type RoundNeeds = AnchorNeeds & {
  /** The right to publish: one process of the agency has it. */
  lease: {
    hold(): Promise<boolean>
    /** Inside the transaction. @throws Refusal lease_lost */
    check(tx: Tx): Promise<void>
  }
  /** The newest version on chain; 0 before the first. */
  anchoredVersion(list: number): number
}

export type Round = {
  /** Lists of which a version is on its way now. */
  published: number[]
  /** Lists of which the chain has a newer version than we: an old copy of the database, which must not publish. */
  behind: number[]
}

type Version = { list: number; version: number; bits: Buffer; outbox: string }
type Decision = Row & { id: string; status: string; status_list: number; status_index: number }

const sha256 = (bits: Uint8Array): Buffer => createHash('sha256').update(bits).digest()

const rawUrl = (publicUrl: string, list: number, version: number): string =>
  `${publicUrl}/status/raw/${list}/${version}`

/** Stores a version and asks the chain to anchor it, in one transaction. @returns the outbox id. */
const publish = async (
  needs: AnchorNeeds,
  tx: Tx,
  { list, version, bits }: { list: number; version: number; bits: Buffer },
): Promise<string> => {
  const { issuer, house, publicUrl } = needs
  const at = house.clock.now()
  const digest = sha256(bits)
  const write: ChainWrite = {
    contract: 'StatusRegistry',
    method: 'anchor',
    args: [
      issuer,
      list,
      version,
      `0x${digest.toString('hex')}`,
      Math.floor(at / 1_000),
      rawUrl(publicUrl, list, version),
    ],
    account: issuer,
  }
  const outbox = await needs.outbox.enqueue(tx, [write])
  await tx.query('INSERT INTO anchored_lists (list, version, digest, bits, outbox, at) VALUES (?, ?, ?, ?, ?, ?)', [
    ...[list, version, digest, bits, outbox, at],
  ])
  house.journal.record(tx, {
    operation: 'anchorStatusList',
    caller: { kind: 'agency', id: issuer, credentials: [] },
    input: digestOf({ list, version, digest: digest.toString('hex') }),
    authority: 'agency',
    rules: [],
    outcome: 'done',
    at,
  })
  return outbox
}

/** The first version of a pair of lists, in the transaction that opens them: nobody is revoked or suspended. */
export const publishFirst = async (needs: AnchorNeeds, tx: Tx, list: number, length: number): Promise<void> => {
  for (const each of [list, list + 1]) {
    await publish(needs, tx, { list: each, version: 1, bits: Buffer.alloc(length / 8) })
  }
}

/** The newest version that the chain has not refused; a refused one is taken back, and its decisions wait again. */
const newestOf = async (
  needs: RoundNeeds,
  tx: Tx,
  list: number,
): Promise<(Version & { state: string }) | undefined> => {
  const sql = 'SELECT list, version, bits, outbox FROM anchored_lists WHERE list = ? ORDER BY version DESC LIMIT 1'
  for (;;) {
    const [newest] = await tx.query<Version>(sql, [list])
    if (newest === undefined) return undefined
    const state = (await needs.outbox.state(newest.outbox))?.state ?? 'final'
    if (state !== 'failed') return { ...newest, state }
    await tx.query('UPDATE status_decisions SET outbox = ? WHERE outbox = ?', [awaitingRound, newest.outbox])
    await tx.query('DELETE FROM anchored_lists WHERE list = ? AND version = ?', [list, newest.version])
  }
}

/** The list whose bit a decision changes. */
const targetOf = ({ status, status_list: list }: Decision): number => (status === 'revoked' ? list : list + 1)

const applyTo = (bits: Buffer, decisions: Decision[]): Buffer => {
  const changed = Buffer.from(bits)
  for (const { status, status_index: index } of decisions) {
    const at = index >> 3
    const mask = 0x80 >> (index & 7)
    const before = changed[at] ?? 0
    changed[at] = status === 'valid' ? before & ~mask : before | mask
  }
  return changed
}

const assign = async (tx: Tx, decisions: Decision[], outbox: string): Promise<void> => {
  const chunk = 500
  for (let from = 0; from < decisions.length; from += chunk) {
    const ids = decisions.slice(from, from + chunk).map(({ id }) => id)
    const marks = ids.map(() => '?').join(', ')
    await tx.query(`UPDATE status_decisions SET outbox = ? WHERE id IN (${marks})`, [outbox, ...ids])
  }
}

/**
 * One round: every list with decisions that no version has yet gets its next version, whatever their number. A list
 * whose last version is still on its way to the chain waits for the round after.
 */
export const anchorRound = async (needs: RoundNeeds): Promise<Round> => {
  if (!(await needs.lease.hold())) return { published: [], behind: [] }
  return needs.house.store.transaction(async tx => {
    await needs.lease.check(tx)
    const pairs = await tx.query<{ list: number; length: number }>(
      'SELECT list, length FROM status_lists WHERE mode = 1 ORDER BY list',
    )
    const newest = new Map<number, Awaited<ReturnType<typeof newestOf>>>()
    for (const { list } of pairs) for (const each of [list, list + 1]) newest.set(each, await newestOf(needs, tx, each))
    const waiting = Map.groupBy(
      await tx.query<Decision>(
        'SELECT id, status, status_list, status_index FROM status_decisions WHERE outbox = ? ORDER BY id LIMIT ?',
        [awaitingRound, decisionsARound],
      ),
      targetOf,
    )
    const round: Round = { published: [], behind: [] }
    for (const { list: first, length } of pairs) {
      for (const list of [first, first + 1]) {
        const base = newest.get(list)
        const decisions = waiting.get(list) ?? []
        if (base?.state === 'queued' || (base !== undefined && decisions.length === 0)) continue
        if (needs.anchoredVersion(list) > (base?.version ?? 0)) {
          round.behind.push(list)
          continue
        }
        const version = (base?.version ?? 0) + 1
        const bits = applyTo(base?.bits ?? Buffer.alloc(length / 8), decisions)
        await assign(tx, decisions, await publish(needs, tx, { list, version, bits }))
        await tx.query('DELETE FROM anchored_lists WHERE list = ? AND version < ?', [list, version - 1])
        round.published.push(list)
      }
    }
    return round
  })
}

type Published = { digest: Buffer; bits: Buffer; outbox: string }

/** A version of a list, if it is the newest or the one before. */
export const readPublished = async (store: Store, list: number, version: number): Promise<Published | undefined> => {
  const sql = 'SELECT digest, bits, outbox FROM anchored_lists WHERE list = ? AND version = ?'
  const [row] = await store.read<Published>(sql, [list, version])
  return row
}

/** The raw bits of an anchored list in gzip; SHA-256 of what unpacks is what the chain has. */
export const getAnchoredStatusList = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const { list, version } = context.params
  const found = await readPublished(needs.house.store, Number(list), Number(version))
  if (found === undefined) throw listUnknown()
  const known = await needs.outbox.state(found.outbox)
  // Until the chain has taken it, another list may yet come to stand under this name.
  const settled = known?.state === 'mined' || known?.state === 'final'
  return {
    status: 200,
    body: await gzipped(found.bits),
    contentType: 'application/octet-stream',
    headers: {
      'cache-control': settled ? 'public, max-age=86400, immutable' : 'no-store',
      etag: `"${found.digest.toString('hex')}"`,
    },
  }
}
