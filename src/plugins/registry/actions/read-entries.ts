import { disclose } from '../../../kernel/disclose.ts'
import type { Caller } from '../../../kernel/gate.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import { entryHolderOnly, entryNotYet, entryUnknown, timeMalformed, timeNotCome } from '../errors.ts'
import { numberField, publicFields } from '../extract.ts'
import { clockSkewMs, entryReader, historyMost, queryIds } from '../policy.ts'
import type { Register } from '../soundness.ts'
import { officerNumberOf } from './applications.ts'
import type { Desk } from './desk.ts'
import { type Entry, readEntry, type Step, stateAt } from './entries.ts'

/** Extracts of entries: for everybody, for the entitled, as they stood, and how they came about. */

const timeOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString())

/** What everybody may read of an entry. */
export const extractView = (desk: Desk, entry: Entry, at = desk.house.clock.now()) => {
  const { id, register, number, version, extract, validUntil, token, commitment, changedAt, fields } = entry
  return {
    ...{ entry: id, register, number, version, state: stateAt(entry, at), issuer: desk.did },
    ...{ fields: publicFields(desk.register(register), fields), extract, validUntil: timeOf(validUntil) },
    ...{ token, commitment, changed: timeOf(changedAt) },
  }
}

/** What its holder and officers may read as well. */
export const fullView = (desk: Desk, entry: Entry, at = desk.house.clock.now()) => ({
  ...extractView(desk, entry, at),
  ...{ fields: entry.fields, holder: entry.holder, wallet: entry.wallet, legalBasis: entry.legalBasis },
  ...{ validFrom: timeOf(entry.validFrom), created: timeOf(entry.createdAt) },
})

/**
 * The time that is asked about; what is ahead by no more than two clocks may differ is now.
 * @throws Refusal date_malformed, time_not_come
 */
export const momentOf = (desk: Desk, at: string | undefined): number | undefined => {
  if (at === undefined) return undefined
  const time = Date.parse(at)
  if (Number.isNaN(time) || !/T.*(Z|[+-]\d\d:\d\d)$/.test(at)) throw timeMalformed()
  const now = desk.house.clock.now()
  if (time > now + clockSkewMs) throw timeNotCome()
  return Math.min(time, now)
}

export const entryFromStep = (step: Step, current: Entry): Entry => ({
  ...current,
  version: step.version,
  state: step.state,
  fields: step.fields,
  extract: step.extract,
  holder: step.holder,
  wallet: step.wallet,
  validUntil: step.validUntil === null ? null : Date.parse(step.validUntil),
  commitment: step.commitment,
  legalBasis: step.legalBasis,
  changedAt: Date.parse(step.at),
})

/** The step by which an entry came to stand as it did at a moment. @throws Refusal entry_not_yet */
export const stepAt = async (desk: Desk, id: string, at: number): Promise<Step> => {
  const sql = `SELECT step FROM registry_history WHERE entry = ? AND at <= ? ORDER BY version DESC LIMIT 1`
  const [row] = await desk.house.store.read<Row & { step: string }>(sql, [id, at])
  if (row === undefined) throw entryNotYet()
  return JSON.parse(row.step) as Step
}

/**
 * An entry as it stood at a moment: one look-up in its history.
 * @throws Refusal entry_unknown, entry_not_yet
 */
export const entryAt = async (desk: Desk, id: string, at: number | undefined, register?: string): Promise<Entry> => {
  const current = await readEntry(desk, id, register)
  if (at === undefined || at >= current.changedAt) return current
  return entryFromStep(await stepAt(desk, id, at), current)
}

/** The public extract of an entry, now or as it stood. */
export const getEntry = async (desk: Desk, context: Context): Promise<Answer> => {
  const at = momentOf(desk, context.query['at'])
  const entry = await entryAt(desk, context.params['entry'] ?? '', at)
  return { status: 200, body: extractView(desk, entry, at) }
}

const uuidOf = (token: string): string => {
  const hex = BigInt.asUintN(128, BigInt(token)).toString(16).padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/**
 * What the contract's `tokenURI` leads to (ERC-721 metadata): which entry the token stands for, and nothing of what the
 * entry says.
 */
export const getTokenMetadata = async (desk: Desk, context: Context): Promise<Answer> => {
  const token = context.params['token'] ?? ''
  const entry = await readEntry(desk, uuidOf(token))
  if (entry.token !== token) throw entryUnknown()
  const { title } = desk.register(entry.register)
  const url = `${desk.publicUrl}/registry/entries/${entry.id}`
  return {
    status: 200,
    body: {
      name: `${title['en']} ${entry.number}`,
      description: `An entry of the register ${entry.register}; its public extract is at external_url.`,
      external_url: url,
      ...{ entry: entry.id, register: entry.register, number: entry.number, commitment: entry.commitment },
      state: stateAt(entry, desk.house.clock.now()),
    },
  }
}

/**
 * An officer of the register, or whoever proved the credential that this very entry was issued as.
 * @throws Refusal entry_holder_only
 */
export const assertEntitled = async (desk: Desk, caller: Caller, entry: string): Promise<void> => {
  if (officerNumberOf(caller) !== undefined) return
  const credential = caller.kind === 'holder' ? caller.matched[queryIds.entry]?.credentialId : undefined
  const sql = 'SELECT 1 AS one FROM registry_credentials WHERE id = ? AND entry = ? AND ended_at IS NULL'
  if (credential === undefined) throw entryHolderOnly()
  if ((await desk.house.store.read(sql, [credential, entry])).length === 0) throw entryHolderOnly()
}

type Reading<Output> = {
  operation: string
  context: Context
  read: (entry: string, register: Register) => Promise<Output>
}

/** A read by the holder or an officer, which leaves evidence. */
const entitled = async <Output>(desk: Desk, { operation, context, read }: Reading<Output>): Promise<Output> => {
  const register = desk.register(context.params['register'])
  const requires: Requirement = entryReader(register)
  const entry = context.params['entry'] ?? ''
  const input = { register: register.name, entry, ...context.query }
  return disclose(desk.house, {
    ...{ operation, requires, caller: context.caller, input },
    read: async () => {
      await assertEntitled(desk, context.caller, entry)
      return read(entry, register)
    },
  })
}

/** The whole entry, for its holder or an officer, now or as it stood. */
export const getFullExtract = async (desk: Desk, context: Context): Promise<Answer> => {
  const at = momentOf(desk, context.query['at'])
  const body = await entitled(desk, {
    ...{ operation: 'getFullExtract', context },
    read: async (entry, register) => fullView(desk, await entryAt(desk, entry, at, register.name), at),
  })
  return { status: 200, body }
}

type StepRow = Row & { version: number; record: string; digest: Uint8Array; step: string }

const stepView = async (desk: Desk, row: StepRow) => {
  const proof = await desk.proofs.proofOf(row.record)
  return {
    step: JSON.parse(row.step) as Step,
    digest: Buffer.from(row.digest).toString('hex'),
    ...(proof !== undefined && { proof }),
  }
}

/**
 * How an entry came to say what it says. The digest of a step is SHA-256 of its canonical form (RFC 8785); it stands
 * among the effects of the journal record whose place in the log the proof shows. A step of the last second has none
 * yet.
 */
export const getEntryHistory = async (desk: Desk, context: Context): Promise<Answer> => {
  const after = Number(context.query['after'] ?? 0)
  const body = await entitled(desk, {
    ...{ operation: 'getEntryHistory', context },
    read: async (entry, register) => {
      await readEntry(desk, entry, register.name)
      const sql = `SELECT version, record, digest, step FROM registry_history WHERE entry = ? AND version > ?
        ORDER BY version LIMIT ?`
      const rows = await desk.house.store.read<StepRow>(sql, [entry, after, historyMost + 1])
      const page = rows.slice(0, historyMost)
      const steps = await Promise.all(page.map(row => stepView(desk, row)))
      return { entry, steps, ...(rows.length > historyMost && { next: page.at(-1)?.version }) }
    },
  })
  return { status: 200, body }
}

/** A register as everybody may read it: what an entry says, who may apply and how, what is shown. */
const registerView = (desk: Desk, register: Register) => {
  const { name, title, kind, credential, fields, apply, fee, validity, renewal, tokens, legalBases } = register
  return {
    ...{ register: name, title, kind, credentialType: credential.type, fields, tokens },
    ...{
      public: register.public.map(path => path.join('.')),
      search: [numberField, ...register.search.map(path => path.join('.'))],
    },
    ...(apply !== undefined && {
      apply: {
        requirement: `${desk.publicUrl}/requirements/applyToRegister?register=${name}`,
        ...{ oneShot: apply.oneShot, fromCredentials: Object.keys(apply.fromClaims), attachments: apply.attachments },
      },
    }),
    ...(fee !== undefined && { fee: { currency: fee.currency, amountMinor: String(fee.amountMinor) } }),
    ...(validity !== undefined && { validityDays: validity.days }),
    ...(renewal !== undefined && { renewalWindowDays: renewal.windowDays }),
    ...(legalBases !== undefined && { legalBases }),
  }
}

export const listRegisters = async (desk: Desk): Promise<Answer> => ({
  status: 200,
  body: { registers: desk.registers.map(({ name, title, kind, tokens }) => ({ register: name, title, kind, tokens })) },
})

export const getRegister = async (desk: Desk, context: Context): Promise<Answer> => ({
  status: 200,
  body: registerView(desk, desk.register(context.params['register'])),
})
