import { createHmac, createSecretKey, hash } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import type { House } from '../../kernel/perform.ts'
import type { Row, Tx } from '../../kernel/ports.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import { together } from '../../kernel/together.ts'
import type { GrantOrder } from './authorization/grants.ts'
import type { IdentifiedBy, Issuances, PreparedIssuance } from './authorization/needs.ts'
import type { Openid4vciNeeds } from './needs.ts'

/** What stays sealed as long as the offer lasts. */
export type Prepared = {
  /** By type. */
  claims: Readonly<Record<string, Record<string, unknown>>>
  validUntil?: number | undefined
  identifiedBy?: IdentifiedBy | undefined
  /** By which the offer can be taken up. */
  grant: Pick<GrantOrder, 'preAuthorized' | 'authorizationCode'>
  /** How people get their transaction code, for their wallet to say. */
  txCodeDescription?: string | undefined
}

export type IssuanceState = 'offered' | 'collected' | 'withdrawn' | 'denied' | 'expired'

/** An issuance as it stands. Times are milliseconds. */
export type Issuance = {
  id: string
  configurationIds: string[]
  /** How often each was collected. */
  collected: Record<string, number>
  times: number
  state: IssuanceState
  release: 'asked' | 'given' | undefined
  /** Gone when the offer has ended. */
  prepared: Prepared | undefined
  created: number
  expires: number
  collectBy: number
}

export type IssuanceRow = Row & {
  id: string
  configurations: string
  collected: string
  times: number
  state: IssuanceState
  release: 'asked' | 'given' | null
  sealed: Uint8Array | null
  created: number
  expires: number
  collect_by: number
}

const columns = 'id, configurations, collected, times, state, release, sealed, created, expires, collect_by'

/** One of the times that a configuration of an issuance may be collected, as long as nothing of it has changed since it was read. */
export type Taking = {
  issuance: Issuance
  configurationId: string
  /** Digest of the access token, which has to stand still; undefined for one of another server. */
  token: string | undefined
}

export const countedWith = ({ collected }: Issuance, configurationId: string): Record<string, number> => ({
  ...collected,
  [configurationId]: (collected[configurationId] ?? 0) + 1,
})

export const isUsedUp = ({ configurationIds, times }: Issuance, collected: Record<string, number>): boolean =>
  configurationIds.every(each => (collected[each] ?? 0) >= times)

/** Statements are as few as powers of two; what fills them up is nobody's. */
const filledUp = (values: readonly string[][], nobody: string[]): readonly string[][] => [
  ...values,
  ...Array.from({ length: 2 ** Math.ceil(Math.log2(values.length)) - values.length }, () => nobody),
]

/** An issuance, and the digest of what is asked of it. */
type AskedOf = { issuance: string; delivery: string }
type AskedBefore = { issuance: Issuance; isKnown: boolean }

const askedSql = (rows: number): string => `SELECT v.delivery, d.id AS known, ${columns.replace(/\w+/g, 'i.$&')}
  FROM (SELECT column1 AS issuance, column2 AS delivery
    FROM (VALUES ${Array.from({ length: rows }, () => '(?, ?)').join(', ')}) AS w) AS v
  JOIN oid4vci_issuances i ON i.id = v.issuance LEFT JOIN oid4vci_deliveries d ON d.id = v.delivery`

const takingSql = (rows: number): string => `UPDATE oid4vci_issuances SET collected = v.counted,
  state = CASE v.ends WHEN '1' THEN 'collected' ELSE state END,
  sealed = CASE v.ends WHEN '1' THEN NULL ELSE sealed END, person = CASE v.ends WHEN '1' THEN NULL ELSE person END
  FROM (SELECT column1 AS issuance, column2 AS was, column3 AS counted, column4 AS ends, column5 AS token
    FROM (VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join(', ')}) AS w) AS v
  WHERE id = v.issuance AND state = 'offered' AND release IS NULL AND collected = v.was AND collect_by > ?
    AND (v.token = '' OR EXISTS
      (SELECT 1 FROM oid4vci_tokens t WHERE t.sha256 = v.token AND t.state = 'live'))
  RETURNING id`

const sha256 = (text: string): string => hash('sha256', text, 'base64url')

type Parts = { house: House } & Pick<Openid4vciNeeds, 'derive' | 'policy'>

/**
 * Prepared issuances. The claims are sealed under a key of the agency; the secret of an offer's URI is made of the id under
 * another, so that no table holds it.
 */
export const openIssuances = ({ house, derive, policy }: Parts) => {
  const keyFor = (purpose: string) => createSecretKey(derive(purpose))
  const sealing = keyFor('openid4vci offers')
  const locating = keyFor('openid4vci offer locators')
  const persons = keyFor('openid4vci persons')
  const { store, clock } = house

  const secretOf = (id: string): string => createHmac('sha256', locating).update(id).digest('base64url')
  const contextOf = (id: string): string => `openid4vci offer ${id}`

  /** Of whom nothing else was asked than what people without an offer are asked for. */
  const personOf = ({ type, claims }: IdentifiedBy): string | undefined => {
    const { identification } = policy
    const names = Object.keys(claims).sort()
    const isUsual = type === identification?.type && canonical(names) === canonical([...identification.claims].sort())
    return isUsual ? createHmac('sha256', persons).update(canonical({ type, claims })).digest('base64url') : undefined
  }

  const read = (row: IssuanceRow): Issuance => {
    const { id, sealed, times, state, release, created, expires, collect_by: collectBy } = row
    return {
      ...{ id, times, created, expires, collectBy, release: release ?? undefined },
      state: state === 'offered' && collectBy <= clock.now() ? 'expired' : state,
      configurationIds: JSON.parse(row.configurations) as string[],
      collected: JSON.parse(row.collected) as Record<string, number>,
      prepared: sealed === null ? undefined : openJson<Prepared>(sealing, sealed, contextOf(id)),
    }
  }

  const one = async (where: string, value: string): Promise<Issuance | undefined> => {
    const [row] = await store.read<IssuanceRow>(`SELECT ${columns} FROM oid4vci_issuances WHERE ${where} = ?`, [value])
    return row && read(row)
  }

  const askedAll = async (all: readonly AskedOf[]): Promise<(AskedBefore | undefined)[]> => {
    const values = filledUp(
      all.map(({ issuance, delivery }) => [issuance, delivery]),
      ['', ''],
    )
    const rows = await store.read<IssuanceRow & { delivery: string; known: string | null }>(
      askedSql(values.length),
      values.flat(),
    )
    const found = new Map(rows.map(row => [row.delivery, row]))
    return all.map(({ delivery }) => {
      const row = found.get(delivery)
      return row && { issuance: read(row), isKnown: row.known !== null }
    })
  }

  const isOpen = (issuance: Issuance): boolean => issuance.state === 'offered' && issuance.prepared !== undefined

  /** As the authorization server sees it. */
  const viewOf = ({ id, configurationIds, collectBy, prepared, release }: Issuance): PreparedIssuance => ({
    ...{ id, configurationIds, identifiedBy: prepared?.identifiedBy, expires: collectBy, waits: release === 'asked' },
  })

  const port: Issuances = {
    async find(id) {
      const issuance = await one('id', id)
      return issuance !== undefined && isOpen(issuance) ? viewOf(issuance) : undefined
    },
    identification: async () => policy.identification,
    async ofPerson(person, configurationIds, { taken }) {
      const key = personOf(person)
      if (key === undefined) return []
      const grant = `SELECT 1 FROM oid4vci_grants g WHERE g.id = i.id AND g.expires > ?`
      const sql = `SELECT ${columns} FROM oid4vci_issuances i
        WHERE person = ? AND state = 'offered' AND EXISTS (${grant} AND g.state IN (${taken ? `'open', 'spent'` : `'open'`}))
        ORDER BY created DESC LIMIT 32`
      const rows = await store.read<IssuanceRow>(sql, [key, clock.now()])
      const held = ({ configurationIds: ids, collected, times }: Issuance) =>
        ids.some(id => configurationIds.includes(id) && (collected[id] ?? 0) < times)
      return rows
        .map(read)
        .filter(issuance => isOpen(issuance) && held(issuance))
        .map(viewOf)
    },
    async awaitedBy(person) {
      const key = personOf(person)
      if (key === undefined) return []
      const sql = `SELECT id FROM oid4vci_issuances i WHERE person = ? AND state = 'offered' AND EXISTS
        (SELECT 1 FROM oid4vci_deliveries d WHERE d.issuance = i.id AND d.state = 'waiting') ORDER BY created DESC LIMIT 32`
      return (await store.read<Row & { id: string }>(sql, [key])).map(({ id }) => id)
    },
  }

  return {
    port,
    secretOf,
    isOpen,
    byId: (id: string) => one('id', id),
    /** As it stood at one moment, together with whether the same was asked before. */
    asked: together<AskedOf, AskedBefore | undefined>(({ delivery }) => delivery, askedAll),
    bySecret: (secret: string) => one('locator', sha256(secret)),
    add(tx: Tx, issuance: Omit<Issuance, 'collected' | 'state'> & { prepared: Prepared }): void {
      const { id, configurationIds, times, release = null, prepared, created, expires, collectBy } = issuance
      const person = prepared.identifiedBy && personOf(prepared.identifiedBy)
      tx.insert('oid4vci_issuances', [
        {
          ...{ id, locator: sha256(secretOf(id)), configurations: JSON.stringify(configurationIds), collected: '{}' },
          ...{ times, person: person ?? null, state: 'offered', release },
          sealed: sealJson(sealing, prepared, contextOf(id)),
          ...{ created, expires, collect_by: collectBy },
        },
      ])
    },
    /** Whoever else changes it waits until the act has ended. */
    async lock(tx: Tx, id: string): Promise<Issuance | undefined> {
      const sql = `UPDATE oid4vci_issuances SET state = state WHERE id = ? RETURNING ${columns}`
      const [row] = await tx.query<IssuanceRow>(sql, [id])
      return row && read(row)
    },
    async end(tx: Tx, id: string, state: Exclude<IssuanceState, 'offered'>): Promise<void> {
      await tx.query('UPDATE oid4vci_issuances SET state = ?, sealed = NULL, person = NULL WHERE id = ?', [state, id])
      await tx.query('UPDATE oid4vci_deliveries SET holders = NULL WHERE issuance = ? AND holders IS NOT NULL', [id])
    },
    async release(tx: Tx, id: string): Promise<void> {
      await tx.query(`UPDATE oid4vci_issuances SET release = 'given' WHERE id = ?`, [id])
    },
    async count(tx: Tx, issuance: Issuance, configurationId: string): Promise<Record<string, number>> {
      const counted = countedWith(issuance, configurationId)
      await tx.query('UPDATE oid4vci_issuances SET collected = ? WHERE id = ?', [JSON.stringify(counted), issuance.id])
      return counted
    },
    /**
     * Takes a time of each in one statement, and ends those that are used up: where nobody has to release it, nobody waits for it.
     * @param takings no two of one issuance.
     * @returns the ids of those that were taken; whoever changed another meanwhile, it has to be looked at by itself.
     */
    async takeAll(tx: Tx, takings: readonly Taking[]): Promise<ReadonlySet<string>> {
      const values = takings.map(({ issuance, configurationId, token = '' }) => {
        const counted = countedWith(issuance, configurationId)
        const texts = [JSON.stringify(issuance.collected), JSON.stringify(counted)]
        return [issuance.id, ...texts, isUsedUp(issuance, counted) ? '1' : '0', token]
      })
      const filled = filledUp(values, ['', '', '', '', ''])
      const sql = takingSql(filled.length)
      const taken = await tx.query<Row & { id: string }>(sql, [...filled.flat(), clock.now()])
      return new Set(taken.map(({ id }) => id))
    },
  }
}

export type IssuanceBook = ReturnType<typeof openIssuances>
