import type { HolderCaller } from '../../../../kernel/gate.ts'
import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertConsented, assertUnblocked } from '../../land/encumbrances.ts'
import { settlementUnavailable, shareNotHeld, walletForOne, walletUnbound } from '../../land/errors.ts'
import { pseudonymDomain } from '../../land/policy.ts'
import { convey, parseShare, type Share, type ShareText } from '../../land/shares.ts'
import type { Register } from '../../soundness.ts'
import type { Acting, IssuedTo } from '../entries.ts'
import { assertLegalBasis, assertWallet } from '../prepare.ts'
import { changedOwners, outdated, signFor, stillHeld, withHolders } from './credentials.ts'
import { enact, type LandDesk, landRegister, partyIn } from './desk.ts'
import { assertDistinct, enterParty, type Identified, identified, knownParty } from './parties.ts'
import {
  assertOpen,
  assertUnchanged,
  changeTitle,
  lockTitle,
  type Owned,
  standingTitle,
  type Title,
  titleView,
} from './titles.ts'

/**
 * A deed: the seller conveys a share of the title to the buyer before a notary, and all three prove over the whole of
 * it.
 */

type TransferBody = {
  /** Of the title as all three have seen it. */
  version: number
  /** Of the whole title, not of what the seller has. */
  share: ShareText
  price: { amountMinor: string; currency: string }
  /** Ids of everything that lies on the title, which the buyer has been shown and takes on. */
  consents: string[]
  legalBasis: string
  /** The buyer's, for the token; only of a title that is then theirs alone. */
  wallet?: string
  payment?: { reference: string; payeeAccount: number }
  documentSha256?: string
}

type Parties = { seller: Identified; buyer: Identified }

const partiesOf = (desk: LandDesk, register: Register, context: Context): Parties => {
  const [seller, buyer, notary] = (['seller', 'buyer', 'notary'] as const).map(name =>
    partyIn(context.caller, name),
  ) as [HolderCaller, HolderCaller, HolderCaller]
  assertDistinct([{ caller: seller }, { caller: buyer }, { caller: notary }])
  return {
    seller: identified(desk, register.name, seller, 'seller'),
    buyer: identified(desk, register.name, buyer, 'buyer'),
  }
}

type Conveyance = { from: string; to: string; share: Share; buyer: Identified }

/** @throws Refusal share_not_held, share_invalid */
const ownersAfter = ({ owners }: Title, { from, to, share, buyer }: Conveyance): Owned[] =>
  withHolders(convey(owners, { from, to, share }), [...owners, { party: to, holder: buyer.holder }])

/** The token goes with a title that has one owner; with several it stays at the register. */
const walletAfter = (
  desk: LandDesk,
  title: Title,
  owners: readonly Owned[],
  wallet: string | null,
  buyer: Identified,
) => {
  if (wallet === null)
    return owners.length === 1 && owners[0]?.party === title.owners[0]?.party ? title.entry.wallet : null
  if (owners.length > 1) throw walletForOne()
  const standing = desk.wallets?.standing(wallet, pseudonymDomain(title.entry.register))
  if (!standing?.valid || !buyer.aliases.includes(`pseudonym:${standing.pseudonym}`)) throw walletUnbound()
  return wallet
}

/** @throws Refusal settlement_unavailable, and of the payment */
const assertPayable = async (
  { settlement }: LandDesk,
  { price }: TransferBody,
  payment: { reference: string; payeeAccount: number },
) => {
  if (settlement === undefined) throw settlementUnavailable()
  const { amountMinor, currency } = price
  await settlement.prepare?.({ amountMinor: BigInt(amountMinor), currency, ...payment })
}

const settle = async (
  desk: LandDesk,
  { tx, record }: Acting,
  { entry }: Title,
  body: TransferBody,
  deed: { parties: Parties; from: string; to: string },
): Promise<void> => {
  if (body.payment === undefined) return
  if (desk.settlement === undefined) throw settlementUnavailable()
  await desk.settlement.settle(tx, {
    ...{ deed: record.id, register: entry.register, title: entry.id },
    payer: { party: deed.to, holder: deed.parties.buyer.holder ?? '' },
    payee: { party: deed.from, holder: deed.parties.seller.holder ?? '' },
    amountMinor: BigInt(body.price.amountMinor),
    currency: body.price.currency,
    ...body.payment,
  })
}

const deedRecord = (context: Context, body: TransferBody, from: string, to: string) => ({
  deed: {
    ...{ from, to, share: body.share, price: body.price, consents: body.consents },
    notary: partyIn(context.caller, 'notary').matched['notary']?.claims['registerNumber'],
    ...(body.documentSha256 !== undefined && { documentSha256: body.documentSha256 }),
  },
})

const prepareDeed = async (
  desk: LandDesk,
  register: Register,
  id: string,
  body: TransferBody,
  parties: Parties,
): Promise<{ issued: IssuedTo[] }> => {
  assertLegalBasis(register, body.legalBasis)
  const title = await standingTitle(desk, id, register.name)
  // What would be refused in the act is not signed for.
  assertOpen(title.entry, desk.house.clock.now())
  assertUnblocked(title.interests)
  assertUnchanged(title, body.version)
  const { read } = desk.house.store
  const from = await knownParty(read, register.name, parties.seller)
  if (from === undefined) throw shareNotHeld()
  const to = (await knownParty(read, register.name, parties.buyer)) ?? 'not entered yet'
  const owners = ownersAfter(title, { from, to, share: parseShare(body.share), buyer: parties.buyer })
  const { number, fields } = title.entry
  const plan = { number, fields, parcels: title.parcels, legalBasis: body.legalBasis }
  return { issued: await signFor(desk, register, plan, changedOwners(title.owners, owners), [parties.buyer]) }
}

const executeDeed = async (
  desk: LandDesk,
  context: Context,
  acting: Acting,
  work: { register: Register; id: string; body: TransferBody; parties: Parties; issued: IssuedTo[] },
) => {
  const { register, id, body, parties, issued } = work
  const { tx } = acting
  const title = await lockTitle(desk, tx, id, register.name)
  assertUnblocked(title.interests)
  assertUnchanged(title, body.version)
  const from = await enterParty(desk, tx, register.name, parties.seller)
  const to = await enterParty(desk, tx, register.name, parties.buyer)
  const callers = { seller: partyIn(context.caller, 'seller'), buyer: partyIn(context.caller, 'buyer') }
  assertDistinct([
    { party: from, caller: callers.seller },
    { party: to, caller: callers.buyer },
  ])
  const owners = ownersAfter(title, { from, to, share: parseShare(body.share), buyer: parties.buyer })
  assertConsented(title.interests, body.consents)
  const wallet = walletAfter(desk, title, owners, assertWallet(register, body.wallet), parties.buyer)
  await settle(desk, acting, title, body, { parties, from, to })
  const changed = await changeTitle(desk, acting, title, {
    ...{ kind: 'transferred', owners, wallet, legalBasis: body.legalBasis, issued: stillHeld(issued, owners) },
    ended: await outdated(tx, title, owners),
    detail: deedRecord(context, body, from, to),
  })
  return { ...titleView(changed), deed: acting.record.id }
}

/**
 * Transfers a share of a title. Mortgages and all else that lies on it stay there with the buyer's consent: they bind
 * whoever owns the land, so their holders need not be asked.
 */
export const transferTitle = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as TransferBody
  const answer = await enact(desk, context, {
    operation: 'transferTitle',
    requires: 'transfer',
    register,
    input: { title: id, ...body },
    prepare: async () => {
      const parties = partiesOf(desk, register, context)
      if (body.payment !== undefined) await assertPayable(desk, body, body.payment)
      return { parties, ...(await prepareDeed(desk, register, id, body, parties)) }
    },
    act: (acting, { parties, issued }) => executeDeed(desk, context, acting, { register, id, body, parties, issued }),
  })
  return { status: 200, body: answer }
}
