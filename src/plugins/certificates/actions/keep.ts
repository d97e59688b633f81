import type { Row, Store } from '../../../kernel/ports.ts'

type Kept = { version: number; der: Uint8Array }
type NewCertificate = Kept & { role: string; contents: string; validUntil: number }

/** Where an agency's own certificates are kept. Of two processes that make one at once, both take the first. */
export const keptCertificates = (store: Store) => {
  const newest = async (role: string, contents: string): Promise<Kept | undefined> => {
    const sql = `SELECT version, der FROM certificates WHERE role = ? AND contents = ? ORDER BY version DESC LIMIT 1`
    const [row] = await store.read<Row & { version: number; der: Uint8Array }>(sql, [role, contents])
    return row && { version: Number(row.version), der: new Uint8Array(row.der) }
  }
  const add = async ({ role, contents, version, der, validUntil }: NewCertificate): Promise<Kept> => {
    const sql = `INSERT INTO certificates (role, contents, version, der, valid_until) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (role, contents, version) DO NOTHING`
    await store.transaction(tx => tx.query(sql, [role, contents, version, der, validUntil]))
    return (await newest(role, contents)) ?? { version, der }
  }
  /** Those that have not ended. */
  const alive = async (role: string, now: number): Promise<Uint8Array[]> => {
    const sql = 'SELECT der FROM certificates WHERE role = ? AND valid_until > ? ORDER BY contents, version'
    const rows = await store.read<Row & { der: Uint8Array }>(sql, [role, now])
    return rows.map(({ der }) => new Uint8Array(der))
  }
  return { newest, add, alive }
}
