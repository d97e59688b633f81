import { digestOf } from '../../../kernel/canonical.ts'
import { evidenceOf } from '../../../kernel/evidence.ts'
import type { Caller } from '../../../kernel/gate.ts'
import type { IssuedCredential } from '../../../kernel/identity.ts'
import type { ActRecord } from '../../../kernel/perform.ts'
import type { ChainWrite, Row, Tx } from '../../../kernel/ports.ts'
import { isRefusal } from '../../../kernel/refusal.ts'
import { entryChanged, entryState, entryUnknown } from '../errors.ts'
import { commitmentOf, type Fields, type SearchRow, searchRows } from '../extract.ts'
import type { Register } from '../soundness.ts'
import type { Desk } from './desk.ts'
import { changeWrites, mintWrites } from './tokens.ts'

/** What is done to entries of any register: read, lock, create, change. Every step of it is history for ever. */

/** `closed`: ended without fault, for example split into others. */
export type EntryState = 'active' | 'suspended' | 'revoked' | 'lapsed' | 'closed'

export type Entry = {
  id: string
  register: string
  number: string
  /** As recorded; `stateAt` says what it is at a time. */
  state: EntryState
  /** Of the last step of its history; the first is 1. */
  version: number
  fields: Fields
  /** What its kind adds to the public extract: parcels, encumbrances, a cap. */
  extract: Fields
  /** DID of whoever holds the entry, where one does. */
  holder: string | null
  /** Where its token is, lower-case hex; null: kept at the registrar. */
  wallet: string | null
  legalBasis: string
  /** Times in milliseconds; `validUntil` null: without end. */
  validFrom: number
  validUntil: number | null
  token: string | null
  /** SHA-256 of the public extract, 0x hex; what the token says. */
  commitment: string
  createdAt: number
  changedAt: number
}

/** The act that a step belongs to: its transaction, its evidence, and who acts. */
export type Acting = { tx: Tx; record: ActRecord; caller: Caller }

/** A credential signed before the act, and for whom. */
export type IssuedTo = { holder: string; credential: IssuedCredential }

type EntryRow = Row & {
  id: string
  register: string
  number: string
  state: EntryState
  version: number
  fields: string
  extract: string
  holder: string | null
  wallet: string | null
  legal_basis: string
  valid_from: number
  valid_until: number | null
  token: string | null
  commitment: string
  created_at: number
  changed_at: number
}

export const entryColumns = `id, register, number, state, version, fields, extract, holder, wallet, legal_basis,
  valid_from, valid_until, token, commitment, created_at, changed_at`

export const entryOf = (row: Row): Entry => {
  const { legal_basis, valid_from, valid_until, created_at, changed_at, fields, extract, ...same } = row as EntryRow
  return {
    ...same,
    fields: JSON.parse(fields) as Fields,
    extract: JSON.parse(extract) as Fields,
    legalBasis: legal_basis,
    validFrom: valid_from,
    validUntil: valid_until,
    createdAt: created_at,
    changedAt: changed_at,
  }
}

const rowOf = (entry: Entry): EntryRow => {
  const { legalBasis, validFrom, validUntil, createdAt, changedAt, fields, extract, ...same } = entry
  return {
    ...same,
    fields: JSON.stringify(fields),
    extract: JSON.stringify(extract),
    legal_basis: legalBasis,
    valid_from: validFrom,
    valid_until: validUntil,
    created_at: createdAt,
    changed_at: changedAt,
  }
}

/** An entry whose time is over has lapsed from that moment, whether or not that was recorded yet. */
export const stateAt = (entry: Pick<Entry, 'state' | 'validUntil'>, at: number): EntryState =>
  (entry.state === 'active' || entry.state === 'suspended') && entry.validUntil !== null && entry.validUntil <= at
    ? 'lapsed'
    : entry.state

/** A committed entry of this register. @throws Refusal entry_unknown */
export const readEntry = async (desk: Desk, id: string, register?: string): Promise<Entry> => {
  const [row] = await desk.house.store.read(`SELECT ${entryColumns} FROM registry_entries WHERE id = ?`, [id])
  if (row === undefined || (register !== undefined && row['register'] !== register)) throw entryUnknown()
  return entryOf(row)
}

/**
 * Locks an entry for the rest of the act: of two acts at the same moment the second sees what the first made of it.
 * Lock several in the order of their ids. @throws Refusal entry_unknown
 */
export const lockEntry = async (tx: Tx, id: string, register?: string): Promise<Entry> => {
  const sql = `UPDATE registry_entries SET version = version WHERE id = ? RETURNING ${entryColumns}`
  const [row] = await tx.query(sql, [id])
  if (row === undefined || (register !== undefined && row['register'] !== register)) throw entryUnknown()
  return entryOf(row)
}

/** @throws Refusal entry_changed if the entry is not as it was when the act was prepared. */
export const assertVersion = (entry: Entry, version: number | undefined): void => {
  if (version !== undefined && entry.version !== version) throw entryChanged()
}

/** @throws Refusal entry_state */
export const assertState = (entry: Entry, allowed: readonly EntryState[], now: number): void => {
  const state = stateAt(entry, now)
  if (!allowed.includes(state)) throw entryState(state)
}

/** Who did it: persons, mandates and credentials as the evidence names them, and the officer's number. */
const doer = (caller: Caller) => {
  const number = caller.kind === 'holder' ? caller.matched['officer']?.claims['officerNumber'] : undefined
  return { ...evidenceOf(caller), ...(typeof number === 'string' && { officer: number }) }
}

/** A step of an entry's history, as its digest covers it. */
export type Step = {
  entry: string
  version: number
  /** `granted renewed amended suspended reinstated revoked lapsed`, or what a kind of register adds. */
  kind: string
  at: string
  register: string
  number: string
  state: EntryState
  fields: Fields
  extract: Fields
  holder: string | null
  wallet: string | null
  validUntil: string | null
  token: string | null
  commitment: string
  legalBasis: string
  reason?: string
  /** Id of the court's or authority's order. */
  order?: string
  /** What is particular to the kind: parties of a deed, ranks. */
  detail?: Record<string, unknown>
  /** Of the journal record in which the act stands. */
  record: string
  by: ReturnType<typeof doer>
}

type StepCause = Pick<Change, 'kind' | 'reason' | 'order' | 'detail'> & { legalBasis: string }

const stepOf = (acting: Acting, entry: Entry, cause: StepCause): Step => {
  const { id, version, register, number, state, fields, extract, holder, wallet, token, commitment } = entry
  return {
    ...{ entry: id, version, kind: cause.kind, at: new Date(entry.changedAt).toISOString(), register, number, state },
    ...{ fields, extract, holder, wallet, token, commitment, legalBasis: cause.legalBasis },
    validUntil: entry.validUntil === null ? null : new Date(entry.validUntil).toISOString(),
    ...(cause.reason !== undefined && { reason: cause.reason }),
    ...(cause.order !== undefined && { order: cause.order }),
    ...(cause.detail !== undefined && { detail: cause.detail }),
    record: acting.record.id,
    by: doer(acting.caller),
  }
}

const writeStep = (acting: Acting, entry: Entry, cause: StepCause): void => {
  const step = stepOf(acting, entry, cause)
  const digest = digestOf(step)
  acting.record.effect(digest)
  acting.tx.insert('registry_history', [
    {
      ...{ entry: entry.id, version: entry.version, record: acting.record.id, at: entry.changedAt, digest },
      step: JSON.stringify(step),
    },
  ])
}

const storeIssued = (desk: Desk, tx: Tx, entry: string, issued: readonly IssuedTo[]): void => {
  for (const { credential } of issued) desk.issuance.store(tx, credential)
  if (issued.length === 0) return
  tx.insert(
    'registry_credentials',
    issued.map(({ holder, credential }) => ({
      ...{ id: credential.id, entry, holder, issued_at: credential.issuedAt, ended_at: null },
    })),
  )
}

export type NewEntry = {
  /** From `desk.newId()`, where something signed names it before the act. */
  id?: string
  register: Register
  number: string
  fields: Fields
  extract?: Fields
  holder: string | null
  wallet?: string | null
  legalBasis: string
  validUntil: number | null
  issued?: readonly IssuedTo[]
  /** @default 'granted' */
  kind?: string
  reason?: string
  order?: string
  detail?: Record<string, unknown>
  /** Instead of minting the token: for example the replacement of predecessors by successors. */
  writes?: (entry: Entry) => ChainWrite[]
}

const entryFrom = (desk: Desk, wanted: NewEntry, now: number): Entry => {
  const { register, number, fields, extract = {}, holder, wallet = null, legalBasis, validUntil } = wanted
  const id = wanted.id ?? desk.newId()
  const named = { id, register: register.name, number, fields, extract }
  return {
    ...{ ...named, state: 'active', version: 1, holder, wallet, legalBasis, validFrom: now, validUntil },
    token: register.tokens === 'none' ? null : desk.tokens.tokenIdOf(register.name, id),
    commitment: commitmentOf(desk.did, register, named),
    ...{ createdAt: now, changedAt: now },
  }
}

/** Enters many at once: with their history, index, credentials and tokens. Their numbers are given out beforehand. */
export const createEntries = async (desk: Desk, acting: Acting, wanted: readonly NewEntry[]): Promise<Entry[]> => {
  const { tx } = acting
  const now = desk.house.clock.now()
  const made = wanted.map(each => ({ wish: each, entry: entryFrom(desk, each, now) }))
  const writes: ChainWrite[] = []
  for (const { wish, entry } of made) {
    tx.insert('registry_entries', [rowOf(entry)])
    tx.insert(
      'registry_search',
      searchRows(wish.register, entry).map(row => ({ register: entry.register, ...row, entry: entry.id })),
    )
    writeStep(acting, entry, { ...wish, kind: wish.kind ?? 'granted' })
    storeIssued(desk, tx, entry.id, wish.issued ?? [])
    if (wish.writes !== undefined) writes.push(...wish.writes(entry))
  }
  const plain = made.filter(({ wish }) => wish.writes === undefined)
  for (const [register, group] of Map.groupBy(plain, ({ wish }) => wish.register)) {
    writes.push(
      ...mintWrites(
        desk,
        register,
        group.map(({ entry }) => entry),
      ),
    )
  }
  if (writes.length > 0) await desk.outbox.enqueue(tx, writes)
  return made.map(({ entry }) => entry)
}

export const createEntry = async (desk: Desk, acting: Acting, wanted: NewEntry): Promise<Entry> => {
  const [entry] = await createEntries(desk, acting, [wanted])
  if (entry === undefined) throw new Error('nothing was entered')
  return entry
}

export type Change = {
  /** As the history names it. */
  kind: string
  fields?: Fields
  extract?: Fields
  state?: EntryState
  holder?: string | null
  wallet?: string | null
  validUntil?: number | null
  /** On which the step rests. */
  legalBasis: string
  reason?: string
  order?: string
  detail?: Record<string, unknown>
  /** Credentials that the change calls for, signed before the act for the version that it changes. */
  issued?: readonly IssuedTo[]
  /** Ids of credentials that end with the change: revoked. */
  ended?: readonly string[]
  /** Instead of what the kind of the change means for the token of a licence, or an amendment of a title's. */
  writes?: (after: Entry) => ChainWrite[]
}

export type EntryCredential = { id: string; holder: string; issuedAt: number }

/** Credentials of the entry that are in force, oldest first. */
export const currentCredentials = async (tx: Tx, entry: string): Promise<EntryCredential[]> => {
  const sql = `SELECT id, holder, issued_at FROM registry_credentials WHERE entry = ? AND ended_at IS NULL ORDER BY id`
  const rows = await tx.query<Row & { id: string; holder: string; issued_at: number }>(sql, [entry])
  return rows.map(({ id, holder, issued_at }) => ({ id, holder, issuedAt: issued_at }))
}

type StatusChange = Parameters<Desk['issuance']['changeStatus']>[2]

/** Somebody may have revoked a credential by itself before: then there is nothing left to do. */
const changeStatus = async (desk: Desk, tx: Tx, ids: readonly string[], change: StatusChange): Promise<void> => {
  for (const id of ids) {
    try {
      await desk.issuance.changeStatus(tx, [id], change)
    } catch (error) {
      if (!isRefusal(error) || error.code !== 'already_revoked') throw error
    }
  }
}

export const endCredentials = async (desk: Desk, tx: Tx, ids: readonly string[], reason: string): Promise<void> => {
  if (ids.length === 0) return
  const marks = ids.map(() => '?').join(', ')
  const sql = `UPDATE registry_credentials SET ended_at = ? WHERE ended_at IS NULL AND id IN (${marks})`
  await tx.query(sql, [desk.house.clock.now(), ...ids])
  await changeStatus(desk, tx, ids, { purpose: 'revocation', set: true, reason })
}

/** What a new state means for the credentials that stay: suspended, reinstated, or revoked for good. */
const followState = async (desk: Desk, tx: Tx, before: Entry, after: Entry, reason: string): Promise<void> => {
  if (before.state === after.state) return
  const ids = (await currentCredentials(tx, after.id)).map(({ id }) => id)
  if (after.state === 'revoked' || after.state === 'closed') return endCredentials(desk, tx, ids, reason)
  if (after.state === 'suspended') return changeStatus(desk, tx, ids, { purpose: 'suspension', set: true, reason })
  if (before.state === 'suspended' && after.state === 'active') {
    return changeStatus(desk, tx, ids, { purpose: 'suspension', set: false, reason })
  }
}

const sameRow = (a: SearchRow, b: SearchRow): boolean => a.field === b.field && a.value === b.value

const reindex = async (tx: Tx, register: Register, before: Entry, after: Entry): Promise<void> => {
  const old = searchRows(register, before)
  const now = searchRows(register, after)
  const sql = 'DELETE FROM registry_search WHERE register = ? AND field = ? AND value = ? AND entry = ?'
  for (const gone of old.filter(row => !now.some(each => sameRow(row, each)))) {
    await tx.query(sql, [register.name, gone.field, gone.value, after.id])
  }
  const added = now.filter(row => !old.some(each => sameRow(row, each)))
  if (added.length > 0) {
    tx.insert(
      'registry_search',
      added.map(row => ({ register: register.name, ...row, entry: after.id })),
    )
  }
}

const afterChange = (desk: Desk, register: Register, before: Entry, change: Change): Entry => {
  const changed: Entry = {
    ...before,
    version: before.version + 1,
    fields: change.fields ?? before.fields,
    extract: change.extract ?? before.extract,
    state: change.state ?? before.state,
    holder: change.holder === undefined ? before.holder : change.holder,
    wallet: change.wallet === undefined ? before.wallet : change.wallet,
    validUntil: change.validUntil === undefined ? before.validUntil : change.validUntil,
    legalBasis: change.legalBasis,
    // Two steps in one millisecond keep their order by version; a clock set back never makes a later step look earlier.
    changedAt: Math.max(desk.house.clock.now(), before.changedAt),
  }
  return { ...changed, commitment: commitmentOf(desk.did, register, changed) }
}

/**
 * Changes a locked entry: writes the step of its history, follows with index, credentials and token, all within the
 * act.
 * @returns the entry as it is then.
 */
export const changeEntry = async (desk: Desk, acting: Acting, before: Entry, change: Change): Promise<Entry> => {
  const { tx } = acting
  const register = desk.register(before.register)
  const after = afterChange(desk, register, before, change)
  const sql = `UPDATE registry_entries SET state = ?, version = ?, fields = ?, extract = ?, holder = ?, wallet = ?,
    legal_basis = ?, valid_until = ?, commitment = ?, changed_at = ? WHERE id = ? AND version = ? RETURNING 1 AS one`
  const row = rowOf(after)
  const written = await tx.query(sql, [
    ...[row.state, row.version, row.fields, row.extract, row.holder, row.wallet, row.legal_basis, row.valid_until],
    ...[row.commitment, row.changed_at, after.id, before.version],
  ])
  if (written.length !== 1) throw entryChanged()
  await reindex(tx, register, before, after)
  const reason = change.reason ?? change.kind
  await endCredentials(desk, tx, change.ended ?? [], reason)
  await followState(desk, tx, before, after, reason)
  storeIssued(desk, tx, after.id, change.issued ?? [])
  const writes = change.writes?.(after) ?? changeWrites(desk, register, { before, after, kind: change.kind })
  if (writes.length > 0) await desk.outbox.enqueue(tx, writes)
  writeStep(acting, after, change)
  return after
}
