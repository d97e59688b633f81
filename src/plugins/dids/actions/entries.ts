import type { Store } from '../../../kernel/ports.ts'

/** The log in the order of its entries, each on a line of its own. */
export const readEntries = async ({ read }: Pick<Store, 'read'>): Promise<string> => {
  const rows = await read('SELECT entry FROM did_log ORDER BY version')
  return rows.map(row => `${String(row['entry'])}\n`).join('')
}

/** Adds an entry, unless another process has added one of this number. */
export const addEntry = async (store: Pick<Store, 'transaction'>, version: number, entry: string): Promise<void> => {
  await store.transaction(tx =>
    tx.query('INSERT INTO did_log (version, entry) VALUES (?, ?) ON CONFLICT (version) DO NOTHING', [version, entry]),
  )
}
