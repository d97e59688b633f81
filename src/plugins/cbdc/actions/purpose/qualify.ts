import { digestOf } from '../../../../kernel/canonical.ts'
import { admit, type HolderCaller, holderOf, type ProvenCredential, resolveCases } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { accountNotYours } from '../../errors.ts'
import type { KycPlace } from '../../ledger/facts.ts'
import { qualificationAccount, qualificationsFull, qualificationWithoutStatus } from '../../purpose/errors.ts'
import { type PayeeCredential, purposeRequires, qualificationsMost } from '../../purpose/policy.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { accountParam } from '../orders/order.ts'
import { assertOwner, kycPlaceOf } from '../owner.ts'
import { classesOf } from './classes.ts'
import { type Qualification, readQualifications, requalified } from './purposes.ts'

const licenceOf = ({ matched }: HolderCaller): ProvenCredential => {
  const licence = matched['licence']
  if (licence === undefined) throw new Error('the caller does not meet the requirement')
  return licence
}

/**
 * Of the licence its place among the statuses and its classes are kept, and nothing that names its holder.
 * @throws Refusal qualification_without_status
 */
const qualificationOf = (desk: Desk, licence: ProvenCredential): Qualification => {
  // The date that the licence states counts as well as that of the credential, as with an attestation.
  const place = kycPlaceOf(licence, desk.issuerAddress(licence.issuer))
  if (place === null || !Number.isFinite(place.until)) throw qualificationWithoutStatus()
  const classes = classesOf(licence.type as PayeeCredential, licence.claims)
  return { credentialType: licence.type, place, classes }
}

const isSamePlace = (a: KycPlace, b: KycPlace): boolean =>
  a.issuer === b.issuer && a.list === b.list && a.index === b.index

/** @throws Refusal account_not_yours, qualification_account */
const assertMerchant = async (held: Held, caller: HolderCaller, number: number): Promise<void> => {
  const { book, tx, currencies } = held
  await book.load([number])
  const account = book.state.account(number)
  if (account === undefined) throw accountNotYours()
  await assertOwner(tx.query, caller, currencies.of(account.currency), [account])
  if (account.class !== 'merchant' || account.closed) throw qualificationAccount()
}

/** Instead of one at the same place; those that have run out go. @throws Refusal qualifications_full */
const store = async (desk: Desk, held: Held, account: number, qualification: Qualification): Promise<void> => {
  const { tx, book } = held
  const { credentialType, place, classes } = qualification
  const before = (await readQualifications(tx.query, desk.house.store.dialect, [account])).get(account) ?? []
  const others = before.filter(each => each.place.until > book.at && !isSamePlace(each.place, place))
  if (others.length >= qualificationsMost) throw qualificationsFull()
  await tx.query('DELETE FROM cbdc_qualifications WHERE account = ? AND until <= ?', [account, book.at])
  await tx.query(
    `INSERT INTO cbdc_qualifications (account, issuer, list, place, credential_type, classes, until, since)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (account, issuer, list, place) DO UPDATE SET credential_type = excluded.credential_type,
       classes = excluded.classes, until = excluded.until, since = excluded.since`,
    [
      ...[account, place.issuer, place.list, place.index, credentialType, JSON.stringify(classes)],
      ...[place.until, book.at],
    ],
  )
  requalified(held, account, [...others, qualification])
}

/**
 * A merchant presents its licence once, and can be paid with purpose-bound money of every programme that names its
 * classes for as long as the licence stands: its status is asked again at every payment.
 * @throws Refusal account_not_yours, pseudonym_missing, qualification_account, qualification_without_status,
 * qualifications_full
 */
export const qualifyAccount = async (desk: Desk, context: Context): Promise<Answer> => {
  const requires = resolveCases(purposeRequires.qualify, context.params)
  admit(context.caller, requires)
  const caller = holderOf(context.caller)
  const account = accountParam(context)
  const licence = licenceOf(caller)
  const answer = await desk.ledger.execute({
    ...{ operation: 'qualifyAccount', requires, caller, input: { account, licence: licence.digest } },
    idempotencyKey: context.headers['idempotency-key'],
    chains: [],
    async answer(held) {
      await assertMerchant(held, caller, account)
      const qualification = qualificationOf(desk, licence)
      await store(desk, held, account, qualification)
      const { credentialType, classes, place } = qualification
      const qualified = { account, credentialType, classes, until: new Date(place.until).toISOString() }
      held.record.effect(digestOf(qualified))
      return qualified
    },
  })
  return { status: 201, body: answer }
}
