import { hash } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import type { Store, Tx } from '../../kernel/ports.ts'
import type { Document } from './needs.ts'
import { listLength, ownListsFrom } from './policy.ts'
import type { AskedMessages, AskedStatus } from './status-options.ts'

/**
 * Lists of an instance for purposes beyond revocation and suspension (Bitstring Status List 1.0, section 2.1). Each is for one
 * purpose; of messages each is for one set of them, to which the issuer commits in every credential that stands in it.
 */

export type OwnStatus = Extract<AskedStatus, { purpose: 'refresh' | 'message' }>
export type OwnPlace = { list: number; index: number; asked: OwnStatus }

/** What a list of one's own says of itself. */
export type OwnList = {
  purpose: OwnStatus['purpose']
  size: number
  messages: AskedMessages | undefined
  version: number
}

const sizeOf = (asked: OwnStatus): number => (asked.purpose === 'message' ? asked.size : 1)
const messagesOf = (asked: OwnStatus): AskedMessages | undefined =>
  asked.purpose === 'message' ? asked.messages : undefined

/** Lists that say the same of themselves are of one kind; what credentials refer to beside it is their own. */
const kindOf = (asked: OwnStatus): string =>
  hash('sha256', canonical([asked.purpose, sizeOf(asked), messagesOf(asked) ?? []]), 'hex')

const take = (tx: Tx, issuer: string, kind: string) =>
  tx.query(
    `UPDATE instance_status_lists SET next = next + 1 WHERE issuer = ? AND next < ? AND list = (
       SELECT min(list) FROM instance_status_lists WHERE issuer = ? AND kind = ? AND next < ?
     ) RETURNING list, next`,
    [issuer, listLength, issuer, kind, listLength],
  )

/** Another process may open a list of this number first, and then of this kind or of another. */
const open = (tx: Tx, issuer: string, kind: string, asked: OwnStatus) => {
  const messages = messagesOf(asked)
  return tx.query(
    `INSERT INTO instance_status_lists (issuer, list, kind, purpose, size, messages, next)
     VALUES (?, (SELECT coalesce(max(list) + 1, ?) FROM instance_status_lists WHERE issuer = ?), ?, ?, ?, ?, 0)
     ON CONFLICT (issuer, list) DO NOTHING`,
    [
      ...[issuer, ownListsFrom, issuer, kind, asked.purpose, sizeOf(asked)],
      messages === undefined ? null : JSON.stringify(messages),
    ],
  )
}

/** The next place of a list of the kind. One that is then not used is never set. */
export const allotOwn = (store: Store, issuer: string, asked: OwnStatus): Promise<OwnPlace> =>
  store.transaction(async tx => {
    const kind = kindOf(asked)
    for (;;) {
      const [row] = await take(tx, issuer, kind)
      if (row !== undefined) return { list: Number(row['list']), index: Number(row['next']) - 1, asked }
      await open(tx, issuer, kind, asked)
    }
  })

/** What the entry says beside its place. */
export const termsOf = (asked: OwnStatus): Document => {
  if (asked.purpose !== 'message') return {}
  const { size, messages, references } = asked
  const terms = { statusSize: size, statusMessage: messages }
  return references === undefined ? terms : { ...terms, statusReference: references }
}

export const storeOwn = (tx: Tx, issuer: string, id: string, places: readonly OwnPlace[]): void => {
  if (places.length === 0) return
  const rows = places.map(({ list, index, asked }) => {
    return { issuer, list, place: index, id, purpose: asked.purpose, status: 0 }
  })
  tx.insert('instance_entries', rows)
}

/** @returns where the credential stands for the purpose, and how many bits a status has there. */
export const changeOwn = async (
  tx: Tx,
  change: { issuer: string; id: string; purpose: OwnStatus['purpose']; status: number },
): Promise<{ list: number; index: number; size: number } | undefined> => {
  const { issuer, id, purpose, status } = change
  const [entry] = await tx.query(
    'UPDATE instance_entries SET status = ? WHERE issuer = ? AND id = ? AND purpose = ? RETURNING list, place',
    [status, issuer, id, purpose],
  )
  if (entry === undefined) return undefined
  const list = Number(entry['list'])
  const [row] = await tx.query('SELECT size FROM instance_status_lists WHERE issuer = ? AND list = ?', [issuer, list])
  return { list, index: Number(entry['place']), size: Number(row?.['size']) }
}

export const readOwn = async (store: Store, issuer: string, list: number): Promise<OwnList | undefined> => {
  const [row] = await store.read(
    `SELECT s.purpose AS purpose, s.size AS size, s.messages AS messages, coalesce(l.version, 0) AS version
     FROM instance_status_lists s LEFT JOIN instance_lists l ON l.issuer = s.issuer AND l.list = s.list
     WHERE s.issuer = ? AND s.list = ?`,
    [issuer, list],
  )
  if (row === undefined) return undefined
  const { messages } = row
  return {
    purpose: row['purpose'] as OwnStatus['purpose'],
    ...{ size: Number(row['size']), version: Number(row['version']) },
    messages: typeof messages === 'string' ? (JSON.parse(messages) as AskedMessages) : undefined,
  }
}

/** Section 3.3: the position of a status is its index times its size, its first bit the most significant. */
export const bitsOfOwn = async (store: Store, issuer: string, list: number, size: number): Promise<Uint8Array> => {
  const rows = await store.read(
    'SELECT place, status FROM instance_entries WHERE issuer = ? AND list = ? AND status <> 0',
    [issuer, list],
  )
  const bits = new Uint8Array((listLength * size) / 8)
  for (const row of rows) {
    const [first, status] = [Number(row['place']) * size, Number(row['status'])]
    for (let bit = 0; bit < size; bit++) {
      const at = first + bit
      if (((status >> (size - 1 - bit)) & 1) === 1) bits[at >> 3] = (bits[at >> 3] ?? 0) | (0x80 >> (at & 7))
    }
  }
  return bits
}

const vocabulary = 'https://www.w3.org/ns/credentials/status#'

/** The context of VC Data Model 2.0 has no terms for these two members of a list, which section 2.2 asks of one with messages. */
const messagesContext = {
  statusSize: { '@id': `${vocabulary}statusSize`, '@type': 'http://www.w3.org/2001/XMLSchema#positiveInteger' },
  statusMessages: {
    '@id': `${vocabulary}statusMessage`,
    '@context': { status: `${vocabulary}status`, message: `${vocabulary}message` },
  },
}

/** What a list credential has beside what all of them have. */
export const partsOfOwn = ({
  size,
  messages,
}: Pick<OwnList, 'size' | 'messages'>): { contexts: unknown[]; subject: Document } =>
  messages === undefined
    ? { contexts: [], subject: {} }
    : { contexts: [messagesContext], subject: { statusSize: size, statusMessages: messages } }
