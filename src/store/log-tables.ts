import { emptyRoot } from '../kernel/merkle.ts'
import type { Row, Tx, Value } from '../kernel/ports.ts'
import { hashBytes, type Tile, type TilePlace, type TileReader } from './tlog.ts'

export type Head = { size: number; root: Buffer; epoch: number }
export type StoredCheckpoint = { size: number; root: Buffer; note: string }
type Ask = <T extends Row>(sql: string, params?: Value[]) => Promise<T[]>

/** The head as committed, or as this transaction sees it. An empty log has one too. */
export const readHead = async (ask: Ask): Promise<Head> => {
  const [head] = await ask<Head>('SELECT size, root, epoch FROM log_head WHERE id = 1')
  return head ?? { size: 0, root: emptyRoot(), epoch: 0 }
}

export const readTiles = async (ask: Ask, places: TilePlace[]): Promise<Tile[]> => {
  if (places.length === 0) return []
  const where = places.map(() => '(level = ? AND tile = ?)').join(' OR ')
  return ask<Tile>(
    `SELECT level, tile, hashes FROM log_tiles WHERE ${where}`,
    places.flatMap(place => [place.level, place.tile]),
  )
}

/** @throws for a tile that was not read, or is shorter than the tree needs: the log in the database is damaged. */
export const readerOf = (tiles: Tile[]): TileReader => {
  const known = new Map(tiles.map(tile => [`${tile.level}/${tile.tile}`, tile.hashes]))
  return ({ level, tile }) => {
    const hashes = known.get(`${level}/${tile}`)
    if (hashes === undefined || hashes.length % hashBytes !== 0) throw new Error(`log tile ${level}/${tile} is missing`)
    return hashes
  }
}

export const readBundle = async (ask: Ask, bundle: number): Promise<Buffer> => {
  const [row] = await ask<{ entries: Buffer }>('SELECT entries FROM log_entries WHERE bundle = ?', [bundle])
  return row?.entries ?? Buffer.alloc(0)
}

export const latestCheckpoint = async (ask: Ask): Promise<StoredCheckpoint | undefined> => {
  const [latest] = await ask<StoredCheckpoint>(
    'SELECT size, root, note FROM log_checkpoints ORDER BY size DESC LIMIT 1',
  )
  return latest
}

export const writeTiles = async (tx: Tx, tiles: Tile[], bundles: Map<number, Buffer>): Promise<void> => {
  for (const { level, tile, hashes } of tiles) {
    await tx.query(
      `INSERT INTO log_tiles (level, tile, hashes) VALUES (?, ?, ?)
       ON CONFLICT (level, tile) DO UPDATE SET hashes = excluded.hashes`,
      [level, tile, hashes],
    )
  }
  for (const [bundle, entries] of bundles) {
    await tx.query(
      `INSERT INTO log_entries (bundle, entries) VALUES (?, ?)
       ON CONFLICT (bundle) DO UPDATE SET entries = excluded.entries`,
      [bundle, entries],
    )
  }
}

/** Compare and set. @returns false if the head is no longer `before`, or a later epoch has written it. */
export const moveHead = async (tx: Tx, before: Head, after: Head): Promise<boolean> => {
  const moved =
    before.size === 0
      ? await tx.query(
          'INSERT INTO log_head (id, size, root, epoch) VALUES (1, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING size',
          [after.size, after.root, after.epoch],
        )
      : await tx.query(
          `UPDATE log_head SET size = ?, root = ?, epoch = ?
           WHERE id = 1 AND size = ? AND root = ? AND epoch <= ? RETURNING size`,
          [after.size, after.root, after.epoch, before.size, before.root, after.epoch],
        )
  return moved.length === 1
}

/** Ids as one parameter, for lists of any length. */
export const deletePending = async (tx: Tx, dialect: 'sqlite' | 'postgres', ids: string[]): Promise<void> => {
  const list = dialect === 'sqlite' ? 'SELECT value FROM json_each(?)' : 'SELECT json_array_elements_text(?::json)'
  await tx.query(`DELETE FROM journal_pending WHERE id IN (${list})`, [JSON.stringify(ids)])
}
