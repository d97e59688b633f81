import { createHash, randomUUID } from 'node:crypto'
import { digestOf } from '../../../../src/kernel/canonical.ts'
import { anonymous, type HolderCaller, type ProvenCredential } from '../../../../src/kernel/gate.ts'
import type { EntryOf, SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import type { MoneyRail } from '../../../../src/kernel/ports.ts'
import { openAccount } from '../../../../src/plugins/cbdc/actions/accounts.ts'
import type { BookItem } from '../../../../src/plugins/cbdc/actions/book.ts'
import { allOf } from '../../../../src/plugins/cbdc/actions/execute.ts'
import { purposeRoutes } from '../../../../src/plugins/cbdc/actions/purpose/routes.ts'
import { loadRefunds, writeRefunds } from '../../../../src/plugins/cbdc/actions/requests/refunds.ts'
import type { KycPlace } from '../../../../src/plugins/cbdc/ledger/facts.ts'
import { requires } from '../../../../src/plugins/cbdc/policy.ts'
import { type Body, type Call, openEdge } from '../../edge.ts'
import { bankDid, type Ground, type Owner, own, secp256k1Owner, start } from '../ground.ts'
import { both } from '../orders/office.ts'

export const dayMs = 86_400_000
/** A month after the tests begin. */
export const endsAt = start + 30 * dayMs
const year = start + 365 * dayMs

const keyOf = ({ issuer, list, index }: KycPlace): string => `${issuer}/${list}/${index}`

/** Licences that tests revoke; what cannot be known stops every judgement. */
export const openLicences = (clock: { now(): number }) => {
  const state = { revoked: new Set<string>(), places: 0, unknown: false }
  return {
    state,
    inForce(type: string, place: KycPlace): boolean {
      if (state.unknown) throw new Error('status unknown')
      return clock.now() < place.until && !state.revoked.has(`${type} ${keyOf(place)}`)
    },
  }
}

/** The rail's port, as far as judging asks it: it would take what leaves. */
export const openRail = { serves: () => true } as unknown as MoneyRail

const proof = (type: string, index: number, claims: Record<string, unknown>, holderKey: string): ProvenCredential => ({
  ...{ type, issuer: bankDid, holder: `did:key:${holderKey}`, holderKey, claims, validUntil: year },
  status: { chain: 'eip155:31337', registry: '0x01', issuer: '0xb1', list: 1, index },
  digest: createHash('sha256').update(`${type} ${index}`).digest('base64url'),
})

const holder = (matched: Record<string, ProvenCredential>): HolderCaller => {
  const [first] = Object.values(matched)
  const id = first?.holder ?? ''
  return {
    ...{ kind: 'holder', id, actor: id, principal: id, mandates: [] },
    ...{ credentials: Object.values(matched), matched, proof: 'session', session: randomUUID() },
  }
}

export const kycProof = (pseudonym: string, index: number, holderKey = pseudonym): ProvenCredential =>
  proof(
    'KycAttestation',
    index,
    {
      ...{ level: 2, jurisdiction: 'XN', expiryDate: '2027-01-01' },
      pseudonym: { domain: 'cbdc:crd', value: pseudonym },
      screened: [{ list: 'UN', screenedAt: '2026-05-01T00:00:00Z', result: 'no-match' }],
    },
    holderKey,
  )

export const grocery = {
  ...{ licenceClass: 'retail', expiryDate: '2026-12-31' },
  activities: [{ scheme: 'NACE-2.1', code: 'G47.11', label: 'Food' }],
}

export const licenceProof = (
  index: number,
  holderKey: string,
  claims: Record<string, unknown> = grocery,
  type = 'BusinessLicence',
): ProvenCredential => proof(type, index, claims, holderKey)

export type { Body }

export const food = [{ credentialType: 'BusinessLicence', classes: ['NACE-2.1:47'] }]

let numbers = 100
const next = (): number => {
  numbers += 1
  return numbers
}

/** A ledger on which money is granted for food. */
export const openProgrammes = (ground: Ground) => {
  const routes = {
    ...purposeRoutes(ground.desk),
    openAccount: {
      requires: requires.openAccount,
      run: (context: Parameters<typeof openAccount>[1]) => openAccount(ground.desk, context),
    },
  }
  const edge = openEdge(routes)
  const call = async (operation: string, body?: unknown, how?: Call): Promise<Body> =>
    (await edge(operation, body, how)).body
  const open = (over: Body = {}): Promise<Body> =>
    call(
      'openProgramme',
      {
        ...{ programme: 'school-meals', currency: 1, title: 'School meals', legalBasis: 'Budget Act 2026, s. 12' },
        ...{ sponsor: own.bank, payees: food, endsAt: new Date(endsAt).toISOString(), ...over },
      },
      { caller: both() },
    )
  const close = (programme = 'school-meals'): Promise<Body> =>
    call('closeProgramme', { legalBasis: 'Budget Act 2026, s. 14' }, { caller: both(), params: { programme } })
  /** A person who opens an account, bound to a programme unless it is said otherwise. */
  const beneficiary = async (over: Body = {}, person = `p${next()}`, index = next()) => {
    const owner = secp256k1Owner()
    const asked = { id: randomUUID(), currency: 1, class: 'purpose', programme: 'school-meals', ...owner.key, ...over }
    const caller = holder({ kyc: kycProof(person, index) })
    const { account } = await call('openAccount', asked, { caller })
    return { owner, number: account as number, person, index, spoken: { nonce: 0 } }
  }
  /** A merchant of the bank, which qualifies with a licence unless there are no claims. */
  const merchant = async (claims: Body | null = grocery, type = 'BusinessLicence') => {
    const [person, opened] = [`m${next()}`, await ground.customer(undefined, { class: 'merchant' })]
    const { number, owner } = opened
    await ground.store.transaction(async tx =>
      tx.insert('cbdc_persons', [{ currency: 1, pseudonym: person, lead: number }]),
    )
    const qualify = (licence: ProvenCredential, account = number): Promise<Body> =>
      call(
        'qualifyAccount',
        {},
        {
          caller: holder({ kyc: kycProof(person, next()), licence }),
          params: { account: String(account), credentialType: licence.type },
        },
      )
    const index = next()
    const licence = `${type} ${ground.needs.issuerAddress(bankDid)}/1/${index}`
    const qualified = claims === null ? undefined : await qualify(licenceProof(index, person, claims, type))
    return { ...{ owner, number, person, index, licence, qualified, qualify }, kyc: opened.kyc, spoken: { nonce: 0 } }
  }
  type Payer = { owner: Owner; number: number; spoken: { nonce: number } }
  const item = async (payer: Payer, entry: SignedEntry): Promise<BookItem> => {
    const [attested] = await ground.desk.attest([ground.signed(payer.owner, entry)])
    if (attested === undefined) throw new Error('nothing was attested')
    return attested
  }
  /**
   * Hands in one entry of a payer's, whose nonce goes on when it is entered.
   * @param of the entry that it gives back
   * @throws its refusal
   */
  const enter = async (payer: Payer, entry: SignedEntry, of?: number) => {
    const given = await item(payer, entry)
    const items = [of === undefined ? given : { ...given, basis: 'refund' as const }]
    const written = await ground.desk.ledger.execute({
      ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, input: {} },
      foreseen: items,
      async chains(held) {
        const claims = of === undefined ? [] : items.map(each => ({ item: each, of }))
        await loadRefunds(held, ground.store.dialect, claims)
        return [items]
      },
      answer(held, outcomes) {
        const entered = allOf(outcomes)
        writeRefunds(held, [items], outcomes)
        return entered[0]?.number ?? 0
      },
    })
    payer.spoken.nonce += 1
    return written
  }
  const transfer = (payer: Payer, to: number, amount: bigint, over: Partial<EntryOf<'transfer'>> = {}): SignedEntry =>
    ground.transfer(payer.number, to, amount, { nonce: payer.spoken.nonce, ...over })
  const sponsor: Payer = { owner: ground.operator, number: own.bank, spoken: { nonce: 0 } }
  return {
    ...{ call, open, close, beneficiary, merchant, enter, item, transfer, sponsor },
    pay: (payer: Payer, to: number, amount: bigint, over: Partial<EntryOf<'transfer'>> = {}) =>
      enter(payer, transfer(payer, to, amount, over)),
    refund: (payer: Payer, to: number, amount: bigint, of: number) => enter(payer, transfer(payer, to, amount), of),
    grant: (to: number, amount: bigint) => enter(sponsor, transfer(sponsor, to, amount)),
    sums: (programme = 'school-meals') =>
      call('getProgrammeSums', undefined, {
        caller: { kind: 'agency', id: bankDid, bodySha256: digestOf({}).toString('base64url') },
        params: { reader: 'institution', programme },
      }),
  }
}
export type Programmes = ReturnType<typeof openProgrammes>
