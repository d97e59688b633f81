import { createHmac } from 'node:crypto'
import { canonical } from '../../../../kernel/canonical.ts'
import type { HolderCaller, ProvenCredential } from '../../../../kernel/gate.ts'
import type { Row, Tx, Value } from '../../../../kernel/ports.ts'
import {
  lenderUnlicensed,
  mandateInsufficient,
  partiesNotDistinct,
  partyAmbiguous,
  partyUnidentified,
  partyUnknown,
} from '../../land/errors.ts'
import { grantsCredit, pseudonymDomain, roleQueries } from '../../land/policy.ts'
import type { LandDesk } from './desk.ts'

/**
 * LA_Party of ISO 19152. A person is known by the pseudonym for this register, or by a keyed digest of issuer and
 * number; never by a key, which differs from credential to credential. A company is known by its registration number
 * with whoever vouches for that: another issuer's number is another company.
 */
export type PartyKind = 'person' | 'company'

export type PartyName = { familyName?: string; givenName?: string } | { legalName?: string; registrationNumber: string }

export type Identified = {
  kind: PartyKind
  /** Every way in which the register may know them. */
  aliases: string[]
  /** As a title's credential and the full extract say it. */
  name: PartyName
  /** DID whose key was proved; null for those whom an officer enters. */
  holder: string | null
}

export type Reads = <T extends Row = Row>(sql: string, params?: Value[]) => Promise<T[]>

/** How an officer names a party: as the register knows it, or by what an identity would say. */
export type PartyInput =
  | { party: string }
  | {
      person: { familyName: string; givenName: string } & (
        | { issuer: string; personalAdministrativeNumber: string }
        | { pseudonym: string }
      )
    }
  | { company: CompanyNumber & { legalName: string } }

/** A registration number means a company only together with the issuer that asserts it. */
export type CompanyNumber = { issuer: string; registrationNumber: string }

const pseudonymAlias = (value: string): string => `pseudonym:${value}`
export const companyAlias = ({ issuer, registrationNumber }: CompanyNumber): string =>
  `company:${issuer}:${registrationNumber}`

const personAlias = (desk: LandDesk, register: string, issuer: string, number: string): string => {
  const digest = createHmac('sha256', desk.personSecret)
    .update(canonical([register, issuer, number]))
    .digest('base64url')
  return `person:${digest}`
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const namesOf = (names: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([name, value]) => (text(value) === undefined ? [] : [[name, String(value)]])),
  )

const personOf = (desk: LandDesk, register: string, credential: ProvenCredential): Identified => {
  const { claims, issuer, holder } = credential
  const pseudonym = claims['pseudonym'] as { domain?: unknown; value?: unknown } | undefined
  const own = pseudonym?.domain === pseudonymDomain(register) ? text(pseudonym.value) : undefined
  const number = text(claims['personalAdministrativeNumber'])
  const aliases = [
    ...(own === undefined ? [] : [pseudonymAlias(own)]),
    ...(number === undefined ? [] : [personAlias(desk, register, issuer, number)]),
  ]
  if (aliases.length === 0) throw partyUnidentified()
  const { familyName, givenName } = claims
  return { kind: 'person', aliases, name: namesOf({ familyName, givenName }), holder }
}

/** @param issuers who assert the number; all of them of the same company. */
const companyOf = (
  { registrationNumber, legalName }: Record<string, unknown>,
  issuers: readonly string[],
  holder: string,
): Identified => {
  const number = text(registrationNumber)
  if (number === undefined) throw partyUnidentified()
  const name = { ...namesOf({ legalName }), registrationNumber: number }
  const aliases = [...new Set(issuers)].map(issuer => companyAlias({ issuer, registrationNumber: number }))
  return { kind: 'company', aliases, name, holder }
}

/**
 * Who a caller is to this register in the part they play.
 * @throws Refusal party_unidentified
 */
export const identified = (desk: LandDesk, register: string, caller: HolderCaller, role: string): Identified => {
  const { matched } = caller
  const person = matched[roleQueries.pseudonym(role)] ?? matched[roleQueries.person(role)]
  if (person !== undefined) return personOf(desk, register, person)
  const company = matched[roleQueries.company(role)]
  if (company === undefined) throw partyUnidentified()
  return companyOf((company.claims['company'] ?? {}) as Record<string, unknown>, [company.issuer], company.holder)
}

/**
 * A lender acts by its own key, or by whoever has its mandate. A mandate that was shown and does not reach so far is
 * not passed over for the key.
 * @throws Refusal mandate_insufficient, lender_unlicensed, party_unidentified
 */
export const identifiedLender = (caller: HolderCaller, role: string): Identified => {
  const { matched } = caller
  const licence = matched[roleQueries.licence(role)] ?? matched[roleQueries.ownLicence(role)]
  if (licence === undefined) throw partyUnidentified()
  const mandated = matched[roleQueries.mandate(role)]
  if (mandated === undefined && caller.credentials.some(({ type }) => type === 'CompanyMandate')) {
    throw mandateInsufficient()
  }
  if (!grantsCredit(licence.claims['activities'])) throw lenderUnlicensed()
  const issuers = [licence.issuer, ...(mandated === undefined ? [] : [mandated.issuer])]
  return companyOf(licence.claims, issuers, (mandated ?? licence).holder)
}

/** Who an officer named, unless it was by the register's own id. */
const identifiedInput = (
  desk: LandDesk,
  register: string,
  input: Exclude<PartyInput, { party: string }>,
): Identified => {
  if ('company' in input) {
    const { registrationNumber, legalName } = input.company
    return {
      kind: 'company',
      aliases: [companyAlias(input.company)],
      name: { legalName, registrationNumber },
      holder: null,
    }
  }
  const { person } = input
  const alias =
    'pseudonym' in person
      ? pseudonymAlias(person.pseudonym)
      : personAlias(desk, register, person.issuer, person.personalAdministrativeNumber)
  const { familyName, givenName } = person
  return { kind: 'person', aliases: [alias], name: { familyName, givenName }, holder: null }
}

const known = async (reads: Reads, register: string, aliases: readonly string[]): Promise<string | undefined> => {
  const marks = aliases.map(() => '?').join(', ')
  const sql = `SELECT DISTINCT party FROM land_aliases WHERE register = ? AND alias IN (${marks}) ORDER BY party`
  const rows = await reads<Row & { party: string }>(sql, [register, ...aliases])
  if (rows.length > 1) throw partyAmbiguous()
  return rows[0]?.party
}

/** The register's id of a party; undefined for one it does not know yet. @throws Refusal party_ambiguous */
export const knownParty = (reads: Reads, register: string, party: Identified): Promise<string | undefined> =>
  known(reads, register, party.aliases)

/**
 * The register's id of a party, which is entered if it was not known. Whatever new an identity shows is kept, so that
 * the party is known again by either.
 * @throws Refusal party_ambiguous
 */
export const enterParty = async (desk: LandDesk, tx: Tx, register: string, party: Identified): Promise<string> => {
  const before = await known(tx.query, register, party.aliases)
  const id = before ?? desk.newId()
  const sql = `INSERT INTO land_aliases (register, alias, party) VALUES (?, ?, ?)
    ON CONFLICT (register, alias) DO UPDATE SET party = land_aliases.party RETURNING party`
  const owners = new Set<string>()
  for (const alias of [...party.aliases].sort()) {
    const [row] = await tx.query<Row & { party: string }>(sql, [register, alias, owners.values().next().value ?? id])
    owners.add(row?.party ?? id)
  }
  const [owner = id] = owners
  if (owners.size > 1) throw partyAmbiguous()
  if (before === undefined && owner === id) {
    const { kind, name } = party
    tx.insert('land_parties', [
      { id, register, kind, name: JSON.stringify(name), registered_at: desk.house.clock.now() },
    ])
  }
  return owner
}

/** @throws Refusal party_unknown, party_ambiguous */
export const enterNamed = async (desk: LandDesk, tx: Tx, register: string, input: PartyInput): Promise<string> => {
  if (!('party' in input)) return enterParty(desk, tx, register, identifiedInput(desk, register, input))
  const sql = 'SELECT id FROM land_parties WHERE id = ? AND register = ?'
  const [row] = await tx.query<Row & { id: string }>(sql, [input.party, register])
  if (row === undefined) throw partyUnknown()
  return row.id
}

/**
 * A deed needs different people: by what the register knows, and by the keys they proved. @throws Refusal
 * parties_not_distinct
 */
export const assertDistinct = (parties: readonly { party?: string; caller: HolderCaller }[]): void => {
  const ids = parties.flatMap(({ party }) => (party === undefined ? [] : [party]))
  if (new Set(ids).size < ids.length) throw partiesNotDistinct()
  const keys = parties.flatMap(({ caller }) => [
    ...new Set(Object.values(caller.matched).map(({ holderKey }) => holderKey)),
  ])
  if (new Set(keys).size < keys.length) throw partiesNotDistinct()
}

export type PartyView = { id: string; kind: string; name: PartyName }

/** Parties by the register's ids. */
export const partyViews = async (reads: Reads, ids: readonly string[]): Promise<Map<string, PartyView>> => {
  if (ids.length === 0) return new Map()
  const marks = ids.map(() => '?').join(', ')
  const sql = `SELECT id, kind, name FROM land_parties WHERE id IN (${marks})`
  const rows = await reads<Row & { id: string; kind: string; name: string }>(sql, [...ids])
  return new Map(rows.map(({ id, kind, name }) => [id, { id, kind, name: JSON.parse(name) as PartyName }]))
}
