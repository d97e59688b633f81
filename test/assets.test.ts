import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../src/commands/run.ts'
import {
  type Held,
  jointShot,
  newWalletHolder,
  present,
  type Session,
  send,
  type WalletHolder,
  withdraw,
} from './holder.ts'
import { stopPostgres, withPostgres } from './postgres.ts'
import { type Answer, caller, exampleOf, root, type Started, startService, temporaryFolder } from './service.ts'

const agency = 'fisheries-directorate'
const register = 'fishing-quotas'
const path = `/registry/registers/${register}/classes`
const legalBasis = 'Fisheries Act, s. 12'
const fields = { species: 'COD', area: '27.2.a', seasonStart: '2027-01-01', seasonEnd: '2027-12-31' }
const order = (reference: string) => ({
  ...{ reference, authority: 'District Court of Port Verity', madeOn: '2026-05-20', documentSha256: 'ab'.repeat(32) },
})
const dayAt = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]
const ok = (answer: Answer): Record<string, string> => {
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
  return answer.body as unknown as Record<string, string>
}

/** An agency made of two files: its own, and the register that is shipped. */
const agencyFile = (folder: string): string => {
  mkdirSync(join(folder, 'agents/registers'), { recursive: true })
  cpSync(join(root, 'agents/registers', `${register}.yml`), join(folder, 'agents/registers', `${register}.yml`))
  const file = join(folder, 'agents', `${agency}.yml`)
  const text = `name: ${agency}
title: Fisheries Directorate
plugins: [credentials, registry]
registers: [${register}]
issues: [ResourceQuota, PublicOfficer]
`
  writeFileSync(file, text)
  return file
}

type Fleet = { holder: WalletHolder; mandate: Held; named: unknown }

const openNation = (service: Started) => {
  const url = `${service.url}/${agency}`
  const officer = async (): Promise<{ session: Session; badge: Held }> => {
    const holder = newWalletHolder(service)
    const badge = await holder.receive(agency, 'PublicOfficer', {
      ...exampleOf('public-officer'),
      ...{ officerNumber: 'FD-1', competences: [`registry:${register}:decide`] },
    })
    return { session: await holder.openSession(agency), badge }
  }
  /** A company, by an employee with its mandate. */
  const fleet = async (registrationNumber: string): Promise<Fleet> => {
    const holder = newWalletHolder(service)
    const legalName = `Fleet ${registrationNumber}`
    const mandate = await holder.receive('business-registry', 'CompanyMandate', {
      ...exampleOf('company-mandate'),
      ...{ company: { legalName, registrationNumber }, limits: [], ancestors: [] },
      operations: ['transferUnits', 'listHoldings', 'listMovements', 'certifyHolding', 'placeHolding'],
      ...{ startsOn: dayAt(-1), endsOn: dayAt(30), mayDelegate: false, signing: { jointly: 1 } },
    })
    const { iss, issuer = iss } = JSON.parse(Buffer.from(mandate.compact.split('.')[1] ?? '', 'base64url').toString())
    return { holder, mandate, named: { company: { issuer, legalName, registrationNumber } } }
  }
  const openClass = async (session: Session, cap = '1000'): Promise<string> =>
    String(ok(await session.call('POST', path, { fields, cap, legalBasis }))['entry'])
  const deed = (entry: string, giver: Held, receiver: Held, amount: string) =>
    jointShot(
      url,
      'transferUnits',
      { register, entry },
      { amount, legalBasis },
      {
        giver: to => [present(giver, to)],
        receiver: to => [present(receiver, to)],
      },
    )
  const hand = (entry: string, body: unknown) => send(`${url}${path}/${entry}/transfers`, 'POST', body)
  return { url, officer, fleet, openClass, deed, hand }
}

const databases = { SQLite: async () => ({}), PostgreSQL: async () => ({ DATABASE_URL: await withPostgres() }) }

describe.each(Object.entries(databases))('quotas over HTTP on %s', (name, environment) => {
  const folder = temporaryFolder()
  let service: Started
  let nation: ReturnType<typeof openNation>

  beforeAll(async () => {
    const shipped = ['root-authority', 'business-registry'].map(each => join(root, 'agents', `${each}.yml`))
    const agencies = [...shipped, agencyFile(folder.path)]
    service = await startService({ dataDir: folder.path, agencies, env: await environment() })
    nation = openNation(service)
  }, 120_000)

  afterAll(async () => {
    await service?.stop()
    if (name === 'PostgreSQL') await stopPostgres()
    folder.remove()
  }, 60_000)

  it('go from the officer’s decision to holders, from holder to holder, and into their wallets as credentials', async () => {
    const { session } = await nation.officer()
    const [north, south] = [await nation.fleet('C-1048822'), await nation.fleet('C-1048823')]
    const entry = await nation.openClass(session)
    const at = `${path}/${entry}`
    expect(codeOf(await session.call('POST', `${at}/issues`, { to: north.named, amount: '1001', legalBasis }))).toEqual(
      [...[422, 'cap_exceeded']],
    )
    ok(await session.call('POST', `${at}/issues`, { to: north.named, amount: '600', legalBasis }))

    const body = await nation.deed(entry, north.mandate, south.mandate, '200')
    expect(codeOf(await nation.hand(entry, { ...body, amount: '600' }))).toEqual([401, 'challenge_mismatch'])
    expect((await nation.hand(entry, body)).status).toBe(201)
    expect(codeOf(await nation.hand(entry, body))).toEqual([401, 'proof_replayed'])

    const mine = await south.holder.openSession(agency)
    const held = await mine.call('GET', `${at}/holdings`)
    expect(ok(held)['holdings']).toMatchObject([
      { amount: '200', holder: { name: { registrationNumber: 'C-1048823' } } },
    ])
    const certificate = ok(await mine.call('POST', `${at}/certificate`, {}))
    const judge = async () => {
      const verify = caller(service, 'business-registry')
      return (await verify('POST', '/credentials/verify', { verifiableCredential: certificate['compact'] })).body
    }
    expect(await judge()).toMatchObject({ verified: true })
    ok(await session.call('POST', `${at}/issues`, { to: south.named, amount: '1', legalBasis }))
    for (let tries = 0; tries < 100 && (await judge())['verified'] === true; tries++) {
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    expect(await judge()).toMatchObject({ verified: false })
    const shown = ok(await send(`${nation.url}${at}`, 'GET'))
    expect(shown).toMatchObject({ cap: '1000', issued: '601', fields })
    const { token, commitment } = shown
    expect(ok(await send(`${nation.url}/registry/tokens/${token}`, 'GET'))).toMatchObject({ entry, commitment })
  }, 60_000)

  it('stay under an order, and pass under another, by officers alone', async () => {
    const { session, badge } = await nation.officer()
    const [north, state] = [await nation.fleet('C-2'), await nation.fleet('C-3')]
    const entry = await nation.openClass(session)
    const at = `${path}/${entry}`
    ok(await session.call('POST', `${at}/issues`, { to: north.named, amount: '100', legalBasis }))
    const freezing = { of: north.named, amount: '80', order: order('1'), legalBasis: 'Enforcement Code, s. 88' }
    const theirs = await north.holder.openSession(agency)
    expect((await theirs.call('POST', `${at}/freezes`, freezing)).status).toBe(403)
    const { freeze } = ok(await session.call('POST', `${at}/freezes`, freezing))
    const sale = async (amount: string) =>
      nation.hand(entry, await nation.deed(entry, north.mandate, state.mandate, amount))
    expect(codeOf(await sale('21'))).toEqual([422, 'units_frozen'])
    const forced = { from: north.named, to: state.named, amount: '80', order: order('2'), freeze, legalBasis }
    ok(await session.call('POST', `${at}/forced-transfers`, forced))
    const again = { ...forced, amount: '1', freeze: undefined }
    expect(codeOf(await session.call('POST', `${at}/forced-transfers`, again))).toEqual([409, 'order_executed'])
    expect((await sale('20')).status).toBe(201)
    await withdraw(service, badge)
    const late = { from: state.named, amount: '1', legalBasis, reason: 'Stock' }
    expect(codeOf(await session.call('POST', `${at}/retirements`, late))).toEqual([403, 'credential_revoked'])
    await withdraw(service, north.mandate)
    expect(codeOf(await sale('1'))).toEqual([403, 'credential_revoked'])
  }, 60_000)

  it('stand on chain as the register says', async () => {
    await service.stop()
    const lines: string[] = []
    const notes: string[] = []
    const code = await runCommand(['reconcile', agency], {
      env: { DATA_DIR: folder.path, ...(await environment()) },
      agentsFolder: join(folder.path, 'agents'),
      clock: { now: () => Date.now() },
      out: text => lines.push(text),
      note: text => notes.push(text),
    })
    expect({ code, lines, notes: code === 0 ? [] : notes }).toEqual({ code: 0, lines: [], notes: [] })
    expect(notes.join('\n')).toMatch(/fishing-quotas is compared at block \d+/)
  }, 90_000)
})
