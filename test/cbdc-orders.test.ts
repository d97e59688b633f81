import { newKey, newWalletHolder, type Session, send } from './holder.ts'
import { type Answer, exampleOf, type Started, startService, temporaryFolder } from './service.ts'

/** What officers of the central bank do, from outside: one path of each kind over HTTP. */

const folder = temporaryFolder()
let service: Started
const bank = 'central-bank'
const url = () => `${service.url}/${bank}`
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]

beforeAll(async () => {
  service = await startService({ dataDir: folder.path })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

const officer = async (officerNumber: string, competences: string[]): Promise<Session> => {
  const holder = newWalletHolder(service)
  const claims = { ...exampleOf('public-officer'), officerNumber, competences }
  await holder.receive(bank, 'PublicOfficer', claims)
  return holder.openSession(bank)
}

const competences = ['cbdc:policy', 'cbdc:participants', 'cbdc:issue', 'cbdc:orders']

/** The first asks, nothing happens; the second approves. */
const together = async ([first, second]: Session[], path: string, body: unknown): Promise<unknown> => {
  const asked = await first?.call('POST', path, body)
  if (asked?.status !== 202) throw new Error(JSON.stringify(asked?.body))
  const approval = `/pending-acts/${asked.body['pendingAct']}/approval`
  expect(codeOf((await first?.call('POST', approval, {})) as Answer)[0]).toBe(403)
  const approved = await second?.call('POST', approval, {})
  return approved?.body['answer']
}

const policy = {
  tiers: [{ level: 1, perPaymentMinor: '10000', perDayMinor: '20000', holdingMinor: '50000' }],
  ...{ merchantsKeepMinor: '100000', keyOrderDelaySeconds: 86_400, reservationMostSeconds: 2_592_000 },
  ...{ interest: null, dormancy: null },
}
const currency = { number: 900, code: 'XNT', decimals: 2, home: 'ledger', policy }

const ownerKey = () => {
  const { x, y } = newKey().jwk as { x: string; y: string }
  const prefix = 2 + ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1)
  return { scheme: 2, prefix, x: Buffer.from(x, 'base64url').toString('hex') }
}

describe('the central bank', () => {
  it('opens a currency, admits a bank, issues to it and freezes what it has, two officers at a time', async () => {
    const two = [await officer('CB-11', competences), await officer('CB-12', competences)]
    const opened = await together(two, '/cbdc/currencies', currency)
    expect(opened).toMatchObject({ status: 201, body: { currency: 900, code: 'XNT' } })
    const shown = await send(`${url()}/cbdc/currencies/900/policy`, 'GET')
    expect(shown.body).toMatchObject({ code: 'XNT', policy: { version: 1, ...policy } })

    const did = 'did:ethr:0x7a69:0x00000000000000000000000000000000000000b7'
    const admission = { did, name: 'Trial Bank', issuanceLimitMinor: '1000', ...ownerKey() }
    const admitted = await two[0]?.call('POST', '/cbdc/currencies/900/participants', admission)
    expect(admitted?.status).toBe(201)
    const account = Number(admitted?.body['account'])
    const issue = { participant: did, amountMinor: '1000', reference: 'COLL-1', legalBasis: 'Central Bank Act, s. 12' }
    const issued = await together(two, '/cbdc/currencies/900/issuance', issue)
    expect(issued).toMatchObject({ status: 201, body: { kind: 'mint', account, amountMinor: '1000' } })

    const order = { order: { authority: 'District Court', reference: 'DC-1' }, legalBasis: 'Procedure Act, s. 94' }
    const freezes = `/cbdc/accounts/${account}/freezes`
    const frozen = await two[0]?.call('POST', freezes, { amountMinor: '600', ...order })
    expect(frozen?.status).toBe(201)
    expect(codeOf((await two[1]?.call('POST', freezes, { amountMinor: '600', ...order })) as Answer)).toEqual([
      409,
      'order_executed',
    ])
  })

  it('lets nobody do so without the competence, or without proof', async () => {
    const other = await officer('CB-13', ['cbdc:issue'])
    expect(codeOf(await other.call('POST', '/cbdc/currencies', currency))).toEqual([403, 'claims_insufficient'])
    expect(codeOf(await send(`${url()}/cbdc/currencies`, 'POST', currency))).toEqual([401, 'unauthenticated'])
    const request = { amountMinor: '5', reference: 'R-1' }
    const redemptions = `${url()}/cbdc/currencies/900/redemptions`
    expect(codeOf(await send(redemptions, 'POST', request))).toEqual([401, 'unauthenticated'])
  })

  it('answers what a body cannot say with its place in it', async () => {
    const amounts = ['0', '-1', '1e3', '1.5', '01', '', '99999999999999999999', 5]
    for (const amountMinor of amounts) {
      const body = { order: { authority: 'Court', reference: '1' }, legalBasis: 'Act', amountMinor }
      const answer = await send(`${url()}/cbdc/accounts/1/freezes`, 'POST', body)
      expect([amountMinor, ...codeOf(answer)]).toEqual([amountMinor, 400, 'body_invalid'])
    }
  })
})
