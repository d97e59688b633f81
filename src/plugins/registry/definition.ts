import type { ClaimPath, CredentialTree } from '../../kernel/requirement.ts'
import {
  credentialTree,
  DefinitionInvalid,
  invalid,
  list,
  mapping,
  optional,
  path,
  record,
  text,
  texts,
  whole,
} from './definition-reader.ts'

export { DefinitionInvalid }

/** By language; `en` at least. */
export type Titles = Readonly<Record<string, string>>
export type FieldPath = readonly string[]
export type FieldSchema = Readonly<Record<string, unknown>>

/** Where a claim of the entry's credential comes from, when no field of the entry has its name. */
export type ClaimValue =
  | { entry: 'number' | 'issuedOn' | 'expiresOn' | 'legalBasis' | 'authority' }
  | { field: FieldPath }
  | { value: string | number | boolean }

/** A claim of a credential that the applicant presented, by the query of the requirement that it answered. */
export type ClaimSource = { credential: string; path: ClaimPath }

export type AttachmentRule = { name: string; title: Titles; mediaTypes: readonly string[]; required: boolean }

export type Application = {
  /** What an applicant presents. */
  requires: CredentialTree
  /** The presentation is made for this very application; a session does not do. */
  oneShot: boolean
  /** Fields that nobody can write: the first of the sources that was presented says what they are. */
  fromClaims: Readonly<Record<string, readonly ClaimSource[]>>
  attachments: readonly AttachmentRule[]
}

/** Units of an asset: what one entry of a register of kind `quantity` counts. */
export type Quantity = {
  unit: Titles
  /** Decimal places of the unit; amounts are whole numbers of the smallest part. */
  decimals: number
  /** Between wallets that are bound to people in this domain; without it units move by the register alone. */
  walletTransfers?: { domain: string; level: number }
}

/**
 * A register as data: what an entry says, who may apply, who decides, what the public may see. The file is
 * `agents/registers/<name>.yml`.
 */
export type Definition = {
  name: string
  title: Titles
  kind: 'licence' | 'land' | 'quantity'
  /** What an entry is issued as. */
  credential: { type: string; claims: Readonly<Record<string, ClaimValue>> }
  /** JSON Schema, draft 2020-12, of an entry's fields. */
  fields: FieldSchema
  /** `BL-{year}-{sequence:6}`: the sequence begins anew each year if the year is part of it. */
  number: string
  /** Absent: entries are made by officers alone. */
  apply?: Application
  decide: {
    competence: string
    fourEyes?: { lifeSeconds: number }
    /** Fields that an officer writes with the decision, and no applicant. */
    fields: readonly string[]
  }
  /** What an application costs, in minor units. It is published; nothing collects it here. */
  fee?: { currency: string; amountMinor: bigint }
  /** How long an entry is in force. Absent: until it is revoked. */
  validity?: { days: number }
  /** How long before its end an entry may be renewed. */
  renewal?: { windowDays: number }
  tokens: 'none' | 'licence' | 'title' | 'asset'
  /** Titles only: between wallets that are bound to people in this domain. */
  walletTransfers?: { domain: string; level: number }
  quantity?: Quantity
  /** Fields that everybody may read. */
  public: readonly FieldPath[]
  /** Fields by which entries are found. */
  search: readonly FieldPath[]
  /** The provisions a decision may rest on; absent: any that the officer names. */
  legalBases?: readonly string[]
}

const keys = [
  ...['name', 'title', 'kind', 'credential', 'fields', 'number', 'apply', 'decide', 'fee', 'validity', 'renewal'],
  ...['tokens', 'walletTransfers', 'quantity', 'public', 'search', 'legalBases'],
]
const kinds = ['licence', 'land', 'quantity'] as const
const tokenKinds = { licence: ['none', 'licence'], land: ['none', 'title'], quantity: ['none', 'asset'] } as const
const entryFacts = ['number', 'issuedOn', 'expiresOn', 'legalBasis', 'authority'] as const
const daysMost = 36_525
const searchMost = 16
const attachmentsMost = 16

const titles = (value: unknown, at: string): Titles => {
  const read = mapping(value, at, text)
  if (read['en'] === undefined) throw invalid(`${at} needs a title in English (en)`)
  return read
}

const claimValue = (value: unknown, at: string): ClaimValue => {
  const given = record(value, at, ['entry', 'field', 'value'])
  const names = Object.keys(given)
  if (names.length !== 1) throw invalid(`${at} has one of entry, field and value`)
  if (given['field'] !== undefined) return { field: path(given['field'], `${at}.field`) }
  const fact = entryFacts.find(name => name === given['entry'])
  if (fact !== undefined) return { entry: fact }
  const fixed = given['value']
  if (typeof fixed === 'string' || typeof fixed === 'number' || typeof fixed === 'boolean') return { value: fixed }
  throw invalid(`${at} names no fact of an entry (${entryFacts.join(', ')}) and no plain value`)
}

const claimSource = (value: unknown, at: string): ClaimSource => {
  const given = record(value, at, ['credential', 'path'])
  return { credential: text(given['credential'], `${at}.credential`), path: path(given['path'], `${at}.path`) }
}

const claimSources = (value: unknown, at: string): ClaimSource[] =>
  Array.isArray(value) ? list(value, at, claimSource) : [claimSource(value, at)]

const attachment = (value: unknown, at: string): AttachmentRule => {
  const given = record(value, at, ['name', 'title', 'mediaTypes', 'required'])
  const { required = true } = given
  if (typeof required !== 'boolean') throw invalid(`${at}.required is true or false`)
  const name = text(given['name'], `${at}.name`)
  if (!/^[a-z][A-Za-z0-9-]{0,63}$/.test(name)) throw invalid(`${at}.name is a word of letters, digits and dashes`)
  const mediaTypes = texts(given['mediaTypes'], `${at}.mediaTypes`)
  if (mediaTypes.length === 0) throw invalid(`${at} can never be handed in: it allows no media type`)
  return { name, title: titles(given['title'], `${at}.title`), mediaTypes, required }
}

const application = (value: unknown, at: string): Application => {
  const given = record(value, at, ['requires', 'oneShot', 'fromClaims', 'attachments'])
  const { oneShot = false } = given
  if (typeof oneShot !== 'boolean') throw invalid(`${at}.oneShot is true or false`)
  const attachments = list(given['attachments'] ?? [], `${at}.attachments`, attachment)
  if (attachments.length > attachmentsMost) throw invalid(`${at} has at most ${attachmentsMost} attachments`)
  if (new Set(attachments.map(({ name }) => name)).size < attachments.length) {
    throw invalid(`${at} has two attachments of one name`)
  }
  return {
    requires: credentialTree(given['requires'], `${at}.requires`),
    ...{ oneShot, attachments },
    fromClaims: mapping(given['fromClaims'] ?? {}, `${at}.fromClaims`, claimSources),
  }
}

const deciding = (value: unknown, register: string): Definition['decide'] => {
  const given = record(value ?? {}, 'decide', ['competence', 'fourEyes', 'fields'])
  const fourEyes = optional(given['fourEyes'], (each): { lifeSeconds: number } => {
    const { lifeSeconds } = record(each, 'decide.fourEyes', ['lifeSeconds'])
    return { lifeSeconds: whole(lifeSeconds, 'decide.fourEyes.lifeSeconds', 60, 90 * 86_400) }
  })
  const competence = text(given['competence'] ?? `registry:${register}:decide`, 'decide.competence')
  return { competence, ...(fourEyes && { fourEyes }), fields: texts(given['fields'] ?? [], 'decide.fields') }
}

const fee = (value: unknown): { currency: string; amountMinor: bigint } => {
  const given = record(value, 'fee', ['currency', 'amountMinor'])
  const amount = text(given['amountMinor'], 'fee.amountMinor')
  if (!/^[0-9]{1,18}$/.test(amount)) throw invalid('fee.amountMinor is a decimal text of minor units')
  const currency = text(given['currency'], 'fee.currency')
  if (!/^[A-Z]{3}$/.test(currency)) throw invalid('fee.currency is an ISO 4217 code')
  return { currency, amountMinor: BigInt(amount) }
}

const transfers = (at: string) => (value: unknown) => {
  const given = record(value, at, ['domain', 'level'])
  return { domain: text(given['domain'], `${at}.domain`), level: whole(given['level'] ?? 0, `${at}.level`, 0, 255) }
}

const quantity = (value: unknown): Quantity => {
  const given = record(value, 'quantity', ['unit', 'decimals', 'walletTransfers'])
  const walletTransfers = optional(given['walletTransfers'], transfers('quantity.walletTransfers'))
  return {
    unit: titles(given['unit'], 'quantity.unit'),
    decimals: whole(given['decimals'] ?? 0, 'quantity.decimals', 0, 18),
    ...(walletTransfers && { walletTransfers }),
  }
}

const numberFormat = (value: unknown): string => {
  const format = text(value, 'number')
  if (!/^[A-Za-z0-9 ./-]*(\{year\}[A-Za-z0-9 ./-]*)?\{sequence(:[1-9]|:1[0-2])?\}$/.test(format)) {
    throw invalid('number is made of letters, digits, {year} at most once, and {sequence:digits} at its end')
  }
  if (format.length > 40) throw invalid('number has at most 40 characters')
  return format
}

const paths = (value: unknown, at: string): FieldPath[] => {
  const read = list(value ?? [], at, path)
  if (new Set(read.map(each => each.join('.'))).size < read.length) throw invalid(`${at} names one field twice`)
  return read
}

const kindOf = (given: Record<string, unknown>): Pick<Definition, 'kind' | 'tokens'> => {
  const kind = kinds.find(each => each === given['kind'])
  if (kind === undefined) throw invalid(`kind is one of ${kinds.join(', ')}`)
  const allowed: readonly Definition['tokens'][] = tokenKinds[kind]
  const tokens = allowed.find(each => each === (given['tokens'] ?? 'none'))
  if (tokens === undefined) throw invalid(`tokens of a register of kind ${kind} are one of ${allowed.join(', ')}`)
  if ((kind === 'quantity') !== (given['quantity'] !== undefined)) {
    throw invalid('quantity is what registers of kind quantity have, and no others')
  }
  if (given['walletTransfers'] !== undefined && tokens !== 'title') {
    throw invalid('walletTransfers is for registers whose tokens are titles')
  }
  return { kind, tokens }
}

/** What need not be there. Written out, since an absent member and one that is undefined are not the same. */
const choices = (given: Record<string, unknown>): Partial<Definition> => ({
  ...(given['apply'] !== undefined && { apply: application(given['apply'], 'apply') }),
  ...(given['fee'] !== undefined && { fee: fee(given['fee']) }),
  ...(given['validity'] !== undefined && {
    validity: { days: whole(record(given['validity'], 'validity', ['days'])['days'], 'validity.days', 1, daysMost) },
  }),
  ...(given['renewal'] !== undefined && {
    renewal: {
      windowDays: whole(
        record(given['renewal'], 'renewal', ['windowDays'])['windowDays'],
        'renewal.windowDays',
        1,
        daysMost,
      ),
    },
  }),
  ...(given['walletTransfers'] !== undefined && {
    walletTransfers: transfers('walletTransfers')(given['walletTransfers']),
  }),
  ...(given['quantity'] !== undefined && { quantity: quantity(given['quantity']) }),
  ...(given['legalBases'] !== undefined && { legalBases: texts(given['legalBases'], 'legalBases') }),
})

/**
 * Reads one register's definition; unknown keys are refused. Whether its rules can be met at all is for `soundness.ts`.
 * @throws DefinitionInvalid with one sentence.
 */
export const parseDefinition = (source: unknown): Definition => {
  const given = record(source, 'a register', keys)
  const name = text(given['name'], 'name')
  if (!/^[a-z][a-z0-9-]{1,40}$/.test(name)) throw invalid('name must be kebab-case, 2 to 41 characters')
  const credential = record(given['credential'], 'credential', ['type', 'claims'])
  const search = paths(given['search'], 'search')
  if (search.length > searchMost) throw invalid(`search names at most ${searchMost} fields`)
  return {
    name,
    title: titles(given['title'], 'title'),
    ...kindOf(given),
    credential: {
      type: text(credential['type'], 'credential.type'),
      claims: mapping(credential['claims'] ?? {}, 'credential.claims', claimValue),
    },
    fields: mapping(given['fields'], 'fields', each => each),
    number: numberFormat(given['number']),
    decide: deciding(given['decide'], name),
    ...{ public: paths(given['public'], 'public'), search },
    ...choices(given),
  }
}
