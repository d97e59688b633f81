import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  challengeFor,
  type Held,
  newWalletHolder,
  present,
  send,
  signJwt,
  type WalletHolder,
  withdraw,
} from './holder.ts'
import { type Answer, exampleOf, type Started, startService, temporaryFolder } from './service.ts'

const folder = temporaryFolder()
let service: Started
const registry = 'business-registry'
const registryUrl = () => `${service.url}/${registry}`
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]
const dayAt = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)

beforeAll(async () => {
  service = await startService({ dataDir: folder.path })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

/** An officer of the registry, in a session. */
const officerSession = async () => {
  const officer = newWalletHolder(service)
  await officer.receive(registry, 'PublicOfficer', {
    ...exampleOf('public-officer'),
    ...{ officerNumber: 'BR-7', competences: ['mandates:register'] },
  })
  return officer.openSession(registry)
}

const wishFor = (holder: WalletHolder, changes: Record<string, unknown> = {}) => ({
  holder: holder.did,
  ...{ familyName: 'Haddad', givenName: 'Salma', office: 'director' },
  operations: ['applyToRegister', 'issueSubMandate'],
  ...{ limits: [], jointly: 1, mayDelegate: true, startsOn: dayAt(-1), endsOn: dayAt(365) },
  ...changes,
})

const registration = (signatories: unknown[]) => ({
  ...{ legalName: 'Northwind Ltd', jurisdiction: 'XN', legalBasis: 'Companies Act, s. 41' },
  ...{ application: createHash('sha256').update('application').digest('base64url'), signatories },
})

type Given = { mandateId: string; credentialId: string; collect: { url: string; audience: string; nonce: string } }

/** The holder collects the mandate by a proof of the key that it is bound to. */
const collect = async (holder: WalletHolder, { collect: { url, audience, nonce } }: Given): Promise<Held> => {
  const payload = { aud: audience, nonce, iat: Math.floor(Date.now() / 1_000) }
  const jwt = signJwt({ typ: 'openid4vci-proof+jwt', kid: holder.key.kid }, payload, holder.key)
  const answer = await send(url, 'POST', { proof: { proof_type: 'jwt', jwt } })
  expect(answer.status).toBe(200)
  const { id } = answer.body['verifiableCredential'] as unknown as { id: string }
  const held = {
    compact: id.replace(/^data:[^,]*,/, ''),
    id: String(answer.body['credentialId']),
    issuer: registry,
    key: holder.key,
  }
  holder.held.push(held)
  return held
}

const directorsOf = async (company: string, changes: Record<string, unknown>[] = [{}]) => {
  const directors = changes.map(() => newWalletHolder(service))
  const wishes = directors.map((director, at) => wishFor(director, changes[at]))
  const session = await officerSession()
  const answer = await session.call('POST', `/mandates/companies/${company}/signatories`, registration(wishes))
  expect(answer.status).toBe(201)
  const given = answer.body['mandates'] as unknown as Given[]
  return Promise.all(
    directors.map(async (director, at) => {
      const mandate = given[at]
      if (mandate === undefined) throw new Error('a mandate for each director')
      return { director, mandate, held: await collect(director, mandate) }
    }),
  )
}

const employeeWish = (company: string, employee: WalletHolder, changes: Record<string, unknown> = {}) => ({
  company,
  ...wishFor(employee, { office: 'employee', operations: ['issueSubMandate'], endsOn: dayAt(30), ...changes }),
})

const passedOn = (answer: Answer): Given => {
  expect([answer.status, answer.body['code']]).toEqual([201, undefined])
  return answer.body as unknown as Given
}

/** A director alone passes a power on to an employee, who opens a session with it. */
const employed = async (company: string) => {
  const [first] = await directorsOf(company)
  if (first === undefined) throw new Error('a director')
  const employee = newWalletHolder(service)
  const session = await first.director.openSession(registry)
  const given = passedOn(await session.call('POST', '/mandates', employeeWish(company, employee)))
  const held = await collect(employee, given)
  return { ...first, employee, given, employeeHeld: held, session: await employee.openSession(registry) }
}

/** Everything readable of the journal of the registry. */
const evidenceOf = (operation: string): string[] => {
  const database = new DatabaseSync(join(folder.path, registry, 'agency.sqlite'), { readOnly: true })
  const rows = database.prepare('SELECT * FROM journal_details').all() as Record<string, unknown>[]
  database.close()
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value))
  return rows.map(row => Object.values(row).map(text).join(' ')).filter(each => each.includes(operation))
}

describe('mandates', () => {
  it('let an employee act for the company, within what the director passed on', async () => {
    const { director, held, employee, employeeHeld, session } = await employed('C-1')
    const colleague = newWalletHolder(service)
    const narrower = employeeWish('C-1', colleague, { mayDelegate: false, endsOn: dayAt(20) })
    passedOn(await session.call('POST', '/mandates', narrower))
    const wider = employeeWish('C-1', colleague, { operations: ['applyToRegister'] })
    expect(codeOf(await session.call('POST', '/mandates', wider))).toEqual([403, 'mandate_wider'])
    const longer = employeeWish('C-1', colleague, { endsOn: dayAt(31) })
    expect(codeOf(await session.call('POST', '/mandates', longer))).toEqual([403, 'mandate_wider'])
    expect(codeOf(await session.call('GET', '/mandates'))).toEqual([403, 'director_only'])

    const [given] = evidenceOf('issueSubMandate').filter(
      each => each.includes(employeeHeld.id) && each.includes(employee.did),
    )
    expect(given).toMatch(/urn:chancery:company:[^" ]*:C-1/)
    const [first] = evidenceOf('issueSubMandate').filter(each => each.includes(director.did))
    expect(first).toContain(held.id)
    const listing = await (await director.openSession(registry)).call('GET', '/mandates')
    const items = listing.body['items'] as unknown as { state: string; level: number }[]
    expect(items.map(({ state, level }) => [state, level])).toEqual([
      ['in_force', 1],
      ['in_force', 2],
      ['in_force', 3],
    ])
  })

  it('let an employee apply for a licence of the company, whose name comes from the mandate', async () => {
    const [first] = await directorsOf('C-7')
    const employee = newWalletHolder(service)
    const session = await first?.director.openSession(registry)
    const wish = employeeWish('C-7', employee, { operations: ['applyToRegister'], mayDelegate: false })
    const given = await session?.call('POST', '/mandates', wish)
    if (first === undefined || given === undefined) throw new Error('a director')
    await collect(employee, passedOn(given))
    const path = '/registry/registers/business-licences/applications'
    const plan = { sha256: createHash('sha256').update('plan').digest('base64url'), bytes: 4 }
    const application = {
      fields: { licenceClass: 'fishing', activities: [{ scheme: 'ISIC-4', code: 'A03' }] },
      attachments: [{ name: 'business-plan', mediaType: 'application/pdf', ...plan }],
      holder: employee.did,
    }
    const acting = await employee.openSession(registry)
    const applied = await acting.call('POST', path, application)
    expect([applied.status, applied.body['code']]).toEqual([201, undefined])
    expect(JSON.stringify(applied.body)).toContain('Northwind Ltd')
    expect(
      evidenceOf('applyToRegister').filter(each => each.includes('C-7') && each.includes(employee.did)),
    ).toHaveLength(1)
    // Another employee's mandate names other operations.
    const { session: other } = await employed('C-8')
    expect(codeOf(await other.call('POST', path, application))).toEqual([403, 'mandate_operation'])
    await withdraw(service, first.held)
    expect(codeOf(await acting.call('POST', path, application))).toEqual([403, 'mandate_ended'])
  })

  it('end with the director’s: from the block of its revocation on the employee’s next call is refused', async () => {
    const { held, session } = await employed('C-2')
    const wish = () => employeeWish('C-2', newWalletHolder(service), { mayDelegate: false })
    passedOn(await session.call('POST', '/mandates', wish()))
    await withdraw(service, held)
    expect(codeOf(await session.call('POST', '/mandates', wish()))).toEqual([403, 'mandate_ended'])
  })

  it('end when the director who gave them says so, and nobody who did not', async () => {
    const { director, given, session } = await employed('C-3')
    const { director: other } = (await directorsOf('C-4'))[0] ?? {}
    const reason = { reason: 'left the company' }
    const foreign = await other?.openSession(registry)
    const refused = await foreign?.call('POST', `/mandates/${given.mandateId}/end`, reason)
    expect(refused && codeOf(refused)).toEqual([403, 'mandate_foreign'])
    const own = await director.openSession(registry)
    expect((await own.call('POST', `/mandates/${given.mandateId}/end`, reason)).status).toBe(200)
    const wish = employeeWish('C-3', newWalletHolder(service))
    expect(codeOf(await session.call('POST', '/mandates', wish))).toEqual([403, 'credential_revoked'])
    expect(codeOf(await own.call('POST', `/mandates/${given.mandateId}/end`, reason))).toEqual([409, 'mandate_ended'])
  })

  it('of directors who sign jointly count together, for one act, and not in a session', async () => {
    const directors = await directorsOf('C-5', [{ jointly: 2 }, { jointly: 2 }])
    const [first, second] = directors
    if (first === undefined || second === undefined) throw new Error('two directors')
    const wish = employeeWish('C-5', newWalletHolder(service))
    const alone = await first.director.openSession(registry)
    expect(codeOf(await alone.call('POST', '/mandates', wish))).toEqual([403, 'mandate_joint'])
    const url = `${registryUrl()}/mandates`
    const one = await first.director.oneShot(registry, 'issueSubMandate', {}, wish)
    expect(codeOf(await send(url, 'POST', one))).toEqual([403, 'mandate_joint'])
    const to = await challengeFor(registryUrl(), 'issueSubMandate', {}, wish)
    const presentation = [present(first.held, to), present(second.held, to)]
    const changed = { ...wish, endsOn: dayAt(31), presentation }
    expect(codeOf(await send(url, 'POST', changed))).toEqual([401, 'challenge_mismatch'])
    passedOn(await send(url, 'POST', { ...wish, presentation }))
    const [evidence] = evidenceOf('issueSubMandate').filter(each => each.includes(first.held.id))
    expect(evidence).toContain(second.held.id)
  })

  it('are registered by officers only, and shown to anyone by name', async () => {
    await directorsOf('C-6', [{}, { jointly: 2, givenName: 'Teodor' }])
    const clerk = newWalletHolder(service)
    await clerk.receive(registry, 'PublicOfficer', { ...exampleOf('public-officer'), competences: ['other:desk'] })
    const session = await clerk.openSession(registry)
    const body = registration([wishFor(newWalletHolder(service))])
    const path = '/mandates/companies/C-6/signatories'
    expect(codeOf(await session.call('POST', path, body))).toEqual([403, 'claims_insufficient'])
    // An officer of another authority is none here, whatever competences it has given.
    const stranger = newWalletHolder(service)
    const badge = { ...exampleOf('public-officer'), competences: ['mandates:register'] }
    await stranger.receive('land-registry', 'PublicOfficer', badge)
    const strange = await stranger.openSession(registry)
    expect(codeOf(await strange.call('POST', path, body))).toEqual([403, 'issuer_not_accepted'])
    const open = await send(registryUrl() + path, 'POST', body)
    expect(codeOf(open)).toEqual([401, 'unauthenticated'])
    expect(JSON.stringify(open.body)).toMatch(/PublicOfficer/)
    const shown = await send(registryUrl() + path, 'GET')
    const signatories = shown.body['signatories'] as unknown as Record<string, unknown>[]
    expect(signatories.map(({ givenName, signs }) => [givenName, signs])).toEqual([
      ['Salma', 'alone'],
      ['Teodor', 'jointly'],
    ])
  })
})
