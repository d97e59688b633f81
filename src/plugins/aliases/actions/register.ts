import { digestOf } from '../../../kernel/canonical.ts'
import { admit, holderOf } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import * as errors from '../errors.ts'
import type { AliasesNeeds } from '../needs.ts'
import { type AliasKind, aliasLifeMs, canonicalAlias, isMasked, maskName, requires } from '../policy.ts'
import { type Asker, askerOf, caseOf, count } from './asker.ts'
import { aliasOf } from './look-up.ts'

type OwnBody = { tag?: string; maskedName?: string }
type RegisterBody = OwnBody & { ledger: string; account: number }

/** An alias as its owner showed it. */
type Shown = { kind: AliasKind; asker: Asker; tag: string; voucher: string }

const nationalId = (context: Context) => holderOf(context.caller).matched['identity']?.claims ?? {}

/** The tag: by the credential of a national id, by the institution that blinded the phone itself. */
const shownBy = async (needs: AliasesNeeds, context: Context): Promise<Shown> => {
  const { caller } = context
  const body = context.body as OwnBody
  const asker = askerOf(needs, caller, context.body)
  if (caller.kind === 'agency') {
    if (body.tag === undefined) throw errors.vouchingMalformed()
    return { kind: 'phone', asker, tag: body.tag, voucher: caller.id }
  }
  if (body.tag !== undefined || body.maskedName !== undefined) throw errors.vouchingMalformed()
  const number = canonicalAlias('national-id', String(nationalId(context)['personalAdministrativeNumber']))
  // Whoever proves the number is the person, so nobody else's registration can stand under its tag.
  return { kind: 'national-id', asker, tag: await needs.tagOf('national-id', number), voucher: '' }
}

const nameOf = (context: Context): string => {
  const { maskedName } = context.body as OwnBody
  if (context.caller.kind === 'agency') {
    if (maskedName === undefined) throw errors.vouchingMalformed()
    if (!isMasked(maskedName)) throw errors.nameUnmasked()
    return maskedName
  }
  const { givenName, familyName } = nationalId(context)
  return maskName({ given: String(givenName ?? ''), family: String(familyName ?? '') })
}

/**
 * Registers an alias for an account of a ledger, or changes and renews that. Addresses given out before lead nowhere from then on.
 * That the account is the person's own is not judged here: whoever registers says where their own money goes.
 * @throws Refusal agency_body_mismatch, alias_bank_only, alias_vouching_malformed, alias_name_unmasked, alias_malformed,
 * alias_ledger_unknown, alias_rate_exceeded, alias_taken
 */
export const registerAlias = async (needs: AliasesNeeds, context: Context): Promise<Answer> => {
  const { caller, headers } = context
  const requirement = caseOf(requires.own, context)
  admit(caller, requirement)
  const { kind, asker, tag, voucher } = await shownBy(needs, context)
  const maskedName = nameOf(context)
  const { ledger, account } = context.body as RegisterBody
  if (!needs.isLedger(ledger)) throw errors.ledgerUnknown()
  const registration = needs.newId()
  const answer = await perform(needs.house, {
    operation: 'registerAlias',
    requires: requirement,
    caller,
    input: { kind, ...(context.body as RegisterBody) },
    idempotencyKey: headers['idempotency-key'],
    act: async (tx, record) => {
      await count(needs, tx, { id: record.id, act: 'registration', asker, kind, acts: 1 })
      const at = needs.house.clock.now()
      const expires = at + aliasLifeMs
      const sql = `INSERT INTO aliases
          (alias, registration, voucher, masked_name, ledger, account, registered_at, expires)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (alias) DO UPDATE SET registration = excluded.registration, voucher = excluded.voucher,
          masked_name = excluded.masked_name, ledger = excluded.ledger, account = excluded.account,
          registered_at = excluded.registered_at, expires = excluded.expires
        WHERE aliases.voucher = excluded.voucher OR aliases.expires <= excluded.registered_at
        RETURNING registration`
      const row = [aliasOf(kind, tag), registration, voucher, maskedName, ledger, account, at, expires]
      const [written] = await tx.query<Row>(sql, row)
      // Refused when the transaction has ended, so that whoever tries numbers in this way is counted all the same.
      if (written === undefined) return { taken: true as const }
      record.effect(digestOf(row))
      return { taken: false as const, expires: new Date(expires).toISOString() }
    },
  })
  if (answer.taken) throw errors.aliasTaken()
  return { status: 201, body: { kind, maskedName, ledger, account, expires: answer.expires } }
}

/**
 * Takes an alias out, at once: addresses given out for it lead nowhere from then on.
 * @throws Refusal agency_body_mismatch, alias_bank_only, alias_vouching_malformed, alias_unknown
 */
export const removeAlias = async (needs: AliasesNeeds, context: Context): Promise<Answer> => {
  const { caller, headers } = context
  const requirement = caseOf(requires.own, context)
  admit(caller, requirement)
  const { kind, tag, voucher } = await shownBy(needs, context)
  await perform(needs.house, {
    operation: 'removeAlias',
    requires: requirement,
    caller,
    input: { kind, ...(context.body as OwnBody) },
    idempotencyKey: headers['idempotency-key'],
    act: async (tx, record) => {
      const sql = 'DELETE FROM aliases WHERE alias = ? AND voucher = ? RETURNING registration'
      const [row] = await tx.query<Row & { registration: string }>(sql, [aliasOf(kind, tag), voucher])
      if (row === undefined) throw errors.aliasUnknown()
      record.effect(digestOf({ removed: row.registration }))
      return {}
    },
  })
  return { status: 200, body: { kind, state: 'removed' } }
}
