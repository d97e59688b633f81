import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { checkAnswer, checkBody, compileContract, type OpenApiDocument } from '../../../../src/http/contract.ts'
import { digestOf } from '../../../../src/kernel/canonical.ts'
import { anonymous, type Caller, type HolderCaller, type ProvenCredential } from '../../../../src/kernel/gate.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import type { Fence } from '../../../../src/plugins/cbdc/actions/orders/rounds.ts'
import { orderRoutes } from '../../../../src/plugins/cbdc/actions/orders/routes.ts'
import { bankDid, type Ground, own } from '../ground.ts'

/** What went through is held against openapi.yaml, both ways. */
const contract = compileContract(
  parse(readFileSync(join(import.meta.dirname, '../../../../openapi.yaml'), 'utf8')) as OpenApiDocument,
)

const credential = (type: string, claims: Record<string, unknown>): ProvenCredential => ({
  ...{ type, issuer: 'did:ethr:0x7a69:0xcb', holder: `did:key:${randomUUID()}`, holderKey: 'thumbprint', claims },
  digest: createHash('sha256').update(JSON.stringify(claims)).digest('base64url'),
})

const holder = (id: string, proof: ProvenCredential, author?: Caller): HolderCaller => ({
  ...{ kind: 'holder', id: proof.holder, actor: proof.holder, principal: proof.holder, mandates: [] },
  ...{ credentials: [proof], matched: { [id]: proof }, proof: 'session', session: randomUUID() },
  ...(author && { author }),
})

const every = ['cbdc:policy', 'cbdc:participants', 'cbdc:issue', 'cbdc:orders']

/** An officer of the central bank; with an author, the second of two. */
export const officer = (officerNumber = 'CB-1', author?: Caller, competences = every): HolderCaller =>
  holder('officer', credential('PublicOfficer', { officerNumber, competences }), author)

/** Two officers, as the gate brings the approval of the second. */
export const both = (): HolderCaller => officer('CB-2', officer('CB-1'))

/** A customer by their KYC attestation. */
export const customer = (pseudonym: string): HolderCaller =>
  holder(
    'kyc',
    credential('KycAttestation', {
      ...{
        level: 2,
        jurisdiction: 'XN',
        expiryDate: '2027-01-01',
        pseudonym: { domain: 'cbdc:crd', value: pseudonym },
      },
      screened: [{ list: 'UN', screenedAt: '2026-05-01T00:00:00Z', result: 'no-match' }],
    }),
  )

type Call = { caller?: Caller; params?: Record<string, string>; query?: Record<string, string>; key?: string }

export type Answered = Record<string, unknown>

/** The operations of this part over a ledger, as the HTTP edge calls them. */
export const openOffice = (ground: Ground) => {
  const routes = orderRoutes(ground.desk)
  const call = async (operation: string, body?: unknown, how: Call = {}): Promise<Answered> => {
    const route = routes[operation]
    const agreed = contract.get(operation)
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    if (agreed === undefined) throw new Error(`openapi.yaml has no operation ${operation}`)
    if (agreed.body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run({
      ...{ caller: how.caller ?? anonymous, params: how.params ?? {}, query: how.query ?? {}, body },
      ...{ headers: { 'idempotency-key': how.key }, publicUrl: 'https://central-bank.example' },
    })
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return answer.body as Answered
  }
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
