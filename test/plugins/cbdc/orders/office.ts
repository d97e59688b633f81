import { digestOf } from '../../../../src/kernel/canonical.ts'
import type { Caller, HolderCaller } from '../../../../src/kernel/gate.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import type { Fence } from '../../../../src/plugins/cbdc/actions/orders/rounds.ts'
import { orderRoutes } from '../../../../src/plugins/cbdc/actions/orders/routes.ts'
import { type Call, openEdge, presenting, proven } from '../../edge.ts'
import { bankDid, type Ground, own } from '../ground.ts'

const every = ['cbdc:policy', 'cbdc:participants', 'cbdc:issue', 'cbdc:orders']

/** An officer of the central bank; with an author, the second of two. */
export const officer = (officerNumber = 'CB-1', author?: Caller, competences = every): HolderCaller =>
  presenting('officer', proven('PublicOfficer', { officerNumber, competences }), author)

/** Two officers, as the gate brings the approval of the second. */
export const both = (): HolderCaller => officer('CB-2', officer('CB-1'))

/** A customer by their KYC attestation. */
export const customer = (pseudonym: string): HolderCaller =>
  presenting(
    'kyc',
    proven('KycAttestation', {
      ...{
        level: 2,
        jurisdiction: 'XN',
        expiryDate: '2027-01-01',
        pseudonym: { domain: 'cbdc:crd', value: pseudonym },
      },
      screened: [{ list: 'UN', screenedAt: '2026-05-01T00:00:00Z', result: 'no-match' }],
    }),
  )

export type Answered = Record<string, unknown>

/** The operations of this part over a ledger, as the HTTP edge calls them. */
export const openOffice = (ground: Ground) => {
  const edge = openEdge(orderRoutes(ground.desk))
  const call = async (operation: string, body?: unknown, how?: Call): Promise<Answered> =>
    (await edge(operation, body, how)).body
  return {
    call,
    /** The same, as an institution that signed for the body. */
    asBank: (operation: string, body: unknown, params: Record<string, string>, did = bankDid): Promise<Answered> => {
      const bodySha256 = digestOf(body).toString('base64url')
      return call(operation, body, { params, caller: { kind: 'agency', id: did, bodySha256 } })
    },
    /** The fixture's currency gets its treasury. */
    addTreasury: () =>
      ground.store.transaction(async tx => tx.insert('cbdc_treasuries', [{ currency: 1, account: own.treasury }])),
  }
}
export type Office = ReturnType<typeof openOffice>

let references = 0
/** An order with a reference of its own. */
export const anOrder = (reference?: string) => {
  references += 1
  return {
    order: { authority: 'District Court', reference: reference ?? `DC-${references}` },
    legalBasis: 'Criminal Procedure Act, s. 94',
  }
}

export const refusalOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return undefined
  if (!isRefusal(error)) throw error
  return error.code
}

export const noFence: Fence = async () => {}
export const dayMs = 86_400_000

/** The policy of a currency as a body has it. */
export const policyBody = (over: Record<string, unknown> = {}) => ({
  tiers: [
    { level: 1, perPaymentMinor: '10000', perDayMinor: '20000', holdingMinor: '50000' },
    { level: 2, perPaymentMinor: '1000000', perDayMinor: '2000000', holdingMinor: null },
  ],
  ...{ merchantsKeepMinor: '100000', keyOrderDelaySeconds: 86_400, reservationMostSeconds: 2_592_000 },
  ...{ interest: null, dormancy: null },
  ...over,
})
