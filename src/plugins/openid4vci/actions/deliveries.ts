import { createHmac, hash, type KeyObject } from 'node:crypto'
import type { Row, Store, Tx } from '../../../kernel/ports.ts'
import { openJson, sealJson } from '../../../kernel/sealed.ts'

/** What one request collected, or waits for. */
export type Delivery = {
  id: string
  issuance: string
  configuration: string
  state: 'waiting' | 'delivered'
  /** DIDs that waiting credentials are to be bound to, sealed. */
  sealedHolders: string | undefined
  /** Ids of the credentials. */
  credentials: string[]
  event: string | undefined
  at: number
}

type DeliveryRow = Row & {
  id: string
  issuance: string
  configuration: string
  state: 'waiting' | 'delivered'
  holders: string | null
  credentials: string | null
  event: string | null
  at: number
}

const columns = 'id, issuance, configuration, state, holders, credentials, event, at'

const read = ({ holders, credentials, event, ...row }: DeliveryRow): Delivery => ({
  ...row,
  sealedHolders: holders ?? undefined,
  credentials: JSON.parse(credentials ?? '[]') as string[],
  event: event ?? undefined,
})

/** Of an agency's own: names what no table holds, and seals for whom it is waited. */
export type DeliveryKeys = { naming: KeyObject; holders: KeyObject }

const contextOf = (id: string): string => `openid4vci holders ${id}`

/** For whom it is waited; nobody once the offer has ended. */
export const holdersOf = ({ holders }: DeliveryKeys, { id, sealedHolders = '' }: Delivery): string[] => {
  // As they were kept before they were sealed.
  if (sealedHolders.startsWith('[')) return JSON.parse(sealedHolders) as string[]
  return openJson<string[]>(holders, Buffer.from(sealedHolders, 'base64url'), contextOf(id)) ?? []
}

const sha256 = (text: string): string => hash('sha256', text, 'base64url')

/** Secrets that are made of a delivery's id, so that the same request is told the same ones. */
export const transactionIdOf = (naming: KeyObject, id: string): string =>
  createHmac('sha256', naming).update(`transaction ${id}`).digest('base64url')
export const notificationIdOf = (naming: KeyObject, id: string): string =>
  createHmac('sha256', naming).update(`notification ${id}`).digest('base64url')

const sqlOf = (column: 'id' | 'transaction_sha256' | 'notification_sha256'): string =>
  `SELECT ${columns} FROM oid4vci_deliveries WHERE ${column} = ?`

export const deliveryById = async (
  reader: { query<T extends Row>(sql: string, params: string[]): Promise<T[]> },
  id: string,
): Promise<Delivery | undefined> => {
  const [row] = await reader.query<DeliveryRow>(sqlOf('id'), [id])
  return row && read(row)
}

export const deliveryByTransaction = async (store: Store, transactionId: string): Promise<Delivery | undefined> => {
  const [row] = await store.read<DeliveryRow>(sqlOf('transaction_sha256'), [sha256(transactionId)])
  return row && read(row)
}

export const deliveryByNotification = async (tx: Tx, notificationId: string): Promise<Delivery | undefined> => {
  const [row] = await tx.query<DeliveryRow>(sqlOf('notification_sha256'), [sha256(notificationId)])
  return row && read(row)
}

/** For staff: what became of an offer. */
export const deliveriesOf = async (store: Store, issuance: string): Promise<Record<string, unknown>[]> => {
  const sql = `SELECT ${columns} FROM oid4vci_deliveries WHERE issuance = ? ORDER BY at LIMIT 1000`
  const rows = await store.read<DeliveryRow>(sql, [issuance])
  return rows.map(read).map(({ configuration, state, credentials, event, at }) => ({
    ...{ credentialConfigurationId: configuration, state, at: new Date(at).toISOString() },
    ...(credentials.length === 0 ? {} : { credentialIds: credentials }),
    ...(event === undefined ? {} : { event }),
  }))
}

export const addDelivery = (
  tx: Tx,
  keys: DeliveryKeys,
  delivery: Omit<Delivery, 'event' | 'sealedHolders'> & { holders: readonly string[] },
): void => {
  const { id, issuance, configuration, state, holders, credentials, at } = delivery
  tx.insert('oid4vci_deliveries', [
    {
      ...{ id, issuance, configuration, state, at },
      holders: state === 'waiting' ? sealJson(keys.holders, holders, contextOf(id)).toString('base64url') : null,
      credentials: state === 'waiting' ? null : JSON.stringify(credentials),
      transaction_sha256: state === 'waiting' ? sha256(transactionIdOf(keys.naming, id)) : null,
      notification_sha256: sha256(notificationIdOf(keys.naming, id)),
      event: null,
    },
  ])
}

/** @returns whether it still waited. */
export const deliver = async (tx: Tx, id: string, credentials: readonly string[], at: number): Promise<boolean> => {
  const sql = `UPDATE oid4vci_deliveries SET state = 'delivered', holders = NULL, credentials = ?, at = ?
    WHERE id = ? AND state = 'waiting' RETURNING 1 AS done`
  return (await tx.query(sql, [JSON.stringify(credentials), at, id])).length === 1
}

export const isAwaited = async (tx: Tx, issuance: string): Promise<boolean> => {
  const sql = `SELECT 1 AS one FROM oid4vci_deliveries WHERE issuance = ? AND state = 'waiting' LIMIT 1`
  return (await tx.query(sql, [issuance])).length > 0
}

export const noteEvent = async (tx: Tx, id: string, event: string): Promise<void> => {
  await tx.query('UPDATE oid4vci_deliveries SET event = ? WHERE id = ?', [event, id])
}
