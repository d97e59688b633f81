import { createHmac, hash } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import type { House } from '../../kernel/perform.ts'
import type { Row, Tx } from '../../kernel/ports.ts'
import { openJson, sealJson } from '../../kernel/sealed.ts'
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

const sha256 = (text: string): string => hash('sha256', text, 'base64url')

type Parts = { house: House } & Pick<Openid4vciNeeds, 'derive' | 'policy'>

/**
 * Prepared issuances. The claims are sealed under a key of the agency; the secret of an offer's URI is made of the id under
 * another, so that no table holds it.
 */
export const openIssuances = ({ house, derive, policy }: Parts) => {
  const sealing = derive('openid4vci offers')
  const locating = derive('openid4vci offer locators')
  const persons = derive('openid4vci persons')
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

  const isOpen = (issuance: Issuance): boolean => issuance.state === 'offered' && issuance.prepared !== undefined

  /** As the authorization server sees it. */
  const viewOf = ({ id, configurationIds, collectBy, prepared }: Issuance): PreparedIssuance => ({
    ...{ id, configurationIds, identifiedBy: prepared?.identifiedBy, expires: collectBy },
  })

  const port: Issuances = {
    async find(id) {
      const issuance = await one('id', id)
      return issuance !== undefined && isOpen(issuance) ? viewOf(issuance) : undefined
    },
    identification: async () => policy.identification,
    async ofPerson(person, configurationIds) {
      const key = personOf(person)
      if (key === undefined) return []
      const sql = `SELECT ${columns} FROM oid4vci_issuances
        WHERE person = ? AND state = 'offered' AND expires > ? ORDER BY created DESC LIMIT 32`
      const rows = await store.read<IssuanceRow>(sql, [key, clock.now()])
      const held = (issuance: Issuance) => issuance.configurationIds.some(id => configurationIds.includes(id))
      return rows
        .map(read)
        .filter(issuance => isOpen(issuance) && held(issuance))
        .map(viewOf)
    },
  }

  return {
    port,
    secretOf,
    isOpen,
    byId: (id: string) => one('id', id),
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
    },
    async release(tx: Tx, id: string): Promise<void> {
      await tx.query(`UPDATE oid4vci_issuances SET release = 'given' WHERE id = ?`, [id])
    },
    async count(tx: Tx, { id, collected }: Issuance, configurationId: string): Promise<Record<string, number>> {
      const counted = { ...collected, [configurationId]: (collected[configurationId] ?? 0) + 1 }
      await tx.query('UPDATE oid4vci_issuances SET collected = ? WHERE id = ?', [JSON.stringify(counted), id])
      return counted
    },
  }
}

export type IssuanceBook = ReturnType<typeof openIssuances>
