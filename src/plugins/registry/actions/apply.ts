import { holderOf } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import {
  applicationOpen,
  applicationsNotTaken,
  fieldsInvalid,
  holderKeyForeign,
  renewalUnavailable,
  renewalWindow,
  walletNotYours,
} from '../errors.ts'
import type { Fields } from '../extract.ts'
import { type Attachment, applicationFields, assertAttachments } from '../fields.ts'
import { applicantRequirement, applicationReader, dayMs } from '../policy.ts'
import type { Register } from '../soundness.ts'
import {
  type Application,
  applicationRow,
  assertApplicant,
  assertApplicationState,
  changeApplication,
  type Evidence,
  lockApplication,
  openStates,
  type Purpose,
  viewOf,
} from './applications.ts'
import type { Desk } from './desk.ts'
import { enact } from './enact.ts'
import { assertState, type Entry, lockEntry } from './entries.ts'
import { holderWanted, type KeyProof } from './holder-key.ts'
import { assertWallet } from './prepare.ts'

/** What an applicant does: apply, complete what an officer asked for, withdraw. */

type ApplyBody = {
  purpose?: Purpose
  entry?: string
  fields?: Fields
  holder?: string
  holderProof?: KeyProof
  wallet?: string
  attachments?: Attachment[]
}

type Applicant = ReturnType<typeof holderOf>

const evidenceOf = (applicant: Applicant): Evidence[] =>
  Object.entries(applicant.matched).map(([query, { type, issuer, digest, block }]) => ({
    ...{ query, type, issuer, digest },
    ...(block !== undefined && { block: block.number }),
  }))

/**
 * A token goes to a wallet only if it is the applicant's: bound to the pseudonym that they showed, in the domain of the
 * register. @throws Refusal wallet_not_for_register, wallet_not_yours
 */
const walletWanted = (desk: Desk, register: Register, applicant: Applicant, wanted: string | undefined) => {
  const wallet = assertWallet(register, wanted)
  if (wallet === null) return null
  const domain = `register:${register.name}`
  const standing = desk.land.wallets?.standing(wallet, domain)
  if (standing?.valid !== true) throw walletNotYours()
  const isShown = applicant.credentials.some(({ claims }) => {
    const shown = claims['pseudonym'] as { domain?: unknown; value?: unknown } | undefined
    return shown?.domain === domain && shown.value === standing.pseudonym
  })
  if (!isShown) throw walletNotYours()
  return wallet
}

/** The entry is theirs if they proved its holder's key, or if it came of an application for the same principal. */
const assertOwnEntry = async (tx: Tx, entry: Entry, applicant: Applicant): Promise<void> => {
  if (applicant.credentials.some(({ holder }) => holder === entry.holder)) return
  const sql = `SELECT 1 AS one FROM registry_applications
    WHERE entry = ? AND applicant = ? AND state = 'granted' LIMIT 1`
  if ((await tx.query(sql, [entry.id, applicant.principal])).length === 0) throw holderKeyForeign()
}

/** @throws Refusal renewal_unavailable, renewal_window */
const assertRenewable = (register: Register, entry: Entry, now: number): void => {
  if (register.renewal === undefined || entry.validUntil === null) throw renewalUnavailable()
  const opensAt = entry.validUntil - register.renewal.windowDays * dayMs
  if (now < opensAt) throw renewalWindow(opensAt)
  if (now >= entry.validUntil) throw renewalWindow(null)
}

/** The entry that a renewal or an amendment is about, locked, so that two such applications meet. */
const entryMeant = async (desk: Desk, tx: Tx, register: Register, body: ApplyBody, applicant: Applicant) => {
  if ((body.purpose ?? 'grant') === 'grant') return undefined
  const entry = await lockEntry(tx, body.entry ?? '', register.name)
  await assertOwnEntry(tx, entry, applicant)
  const now = desk.house.clock.now()
  if (body.purpose === 'renewal') assertRenewable(register, entry, now)
  assertState(entry, ['active'], now)
  const sql = `SELECT 1 AS one FROM registry_applications
    WHERE entry = ? AND state IN ('submitted', 'in_review', 'changes_asked') LIMIT 1`
  if ((await tx.query(sql, [entry.id])).length > 0) throw applicationOpen()
  return entry
}

const keepAttachments = (tx: Tx, application: string, attachments: readonly Attachment[]): void => {
  if (attachments.length === 0) return
  tx.insert(
    'registry_attachments',
    attachments.map(({ name, mediaType, sha256, bytes }) => ({
      ...{ application, name, media_type: mediaType, sha256, bytes },
    })),
  )
}

/** A renewal goes on with the fields of the entry; nothing is written anew but what the credentials say. */
const fieldsOf = (register: Register, body: ApplyBody, entry: Entry | undefined, applicant: Applicant): Fields => {
  const renewed = body.purpose === 'renewal' && entry !== undefined
  const claimed = applicationFields(register, renewed ? {} : (body.fields ?? {}), applicant.matched)
  const kept =
    entry === undefined
      ? {}
      : Object.fromEntries(
          Object.entries(entry.fields).filter(([name]) => renewed || register.decide.fields.includes(name)),
        )
  const fields = { ...kept, ...claimed }
  const problem = register.checkApplication(fields)
  if (problem !== undefined) throw fieldsInvalid(problem)
  return fields
}

/** Applies for an entry, its renewal or its amendment. */
export const applyToRegister = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  if (register.apply === undefined) throw applicationsNotTaken()
  const body = context.body as ApplyBody
  const { apply } = register
  const made = await enact(desk, context, {
    operation: 'applyToRegister',
    requires: applicantRequirement(register),
    input: { register: register.name, ...body },
    prepare: () => holderWanted(desk, holderOf(context.caller), body),
    act: async ({ tx, record }, holder) => {
      const applicant = holderOf(context.caller)
      const attachments = body.attachments ?? []
      const purpose = body.purpose ?? 'grant'
      const wallet = walletWanted(desk, register, applicant, body.wallet)
      if (purpose !== 'renewal') assertAttachments(apply.attachments, attachments)
      const entry = await entryMeant(desk, tx, register, body, applicant)
      const now = desk.house.clock.now()
      const application: Application = {
        ...{
          id: record.id,
          register: register.name,
          purpose,
          entry: entry?.id ?? null,
          state: 'submitted',
          version: 1,
        },
        ...{ applicant: applicant.principal, holder, wallet: wallet ?? entry?.wallet ?? null },
        ...{ fields: fieldsOf(register, body, entry, applicant), evidence: evidenceOf(applicant) },
        ...{ officer: null, asked: null, reasons: null, legalBasis: null, credential: null },
        ...{ submittedAt: now, changedAt: now },
      }
      tx.insert('registry_applications', [applicationRow(application)])
      keepAttachments(tx, application.id, attachments)
      return viewOf(application)
    },
  })
  const location = `${desk.publicUrl}/registry/registers/${register.name}/applications/${made.application}`
  return { status: 201, body: made, headers: { location } }
}

type ResubmitBody = { fields?: Fields; attachments?: Attachment[] }

/** Completes an application as the officer asked. What was proven before is proven again. */
export const resubmitApplication = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  if (register.apply === undefined) throw applicationsNotTaken()
  const { apply } = register
  const body = (context.body ?? {}) as ResubmitBody
  const id = context.params['application'] ?? ''
  const changed = await perform(desk.house, {
    operation: 'resubmitApplication',
    requires: applicantRequirement(register),
    caller: context.caller,
    input: { register: register.name, application: id, ...body },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const application = await lockApplication(tx, id, register.name)
      assertApplicant(application, context.caller)
      assertApplicationState(application, ['changes_asked'])
      const applicant = holderOf(context.caller)
      const entry = application.entry === null ? undefined : await lockEntry(tx, application.entry, register.name)
      const fields = fieldsOf(register, { ...body, purpose: application.purpose }, entry, applicant)
      if (body.attachments !== undefined) {
        assertAttachments(apply.attachments, body.attachments)
        await tx.query('DELETE FROM registry_attachments WHERE application = ?', [id])
        keepAttachments(tx, id, body.attachments)
      }
      const changes = { state: 'in_review', fields, evidence: evidenceOf(applicant) } as const
      return viewOf(await changeApplication(desk, tx, application, changes))
    },
  })
  return { status: 200, body: changed }
}

/** Takes an application back before it is decided. */
export const withdrawApplication = async (desk: Desk, context: Context): Promise<Answer> => {
  const register = desk.register(context.params['register'])
  const id = context.params['application'] ?? ''
  const changed = await perform(desk.house, {
    operation: 'withdrawApplication',
    requires: applicationReader(register),
    caller: context.caller,
    input: { register: register.name, application: id },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const application = await lockApplication(tx, id, register.name)
      assertApplicant(application, context.caller)
      assertApplicationState(application, openStates)
      return viewOf(await changeApplication(desk, tx, application, { state: 'withdrawn' }))
    },
  })
  return { status: 200, body: changed }
}
