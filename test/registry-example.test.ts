import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newWalletHolder, send, withdraw } from './holder.ts'
import { citizen, codeOf, officerOf } from './registry-suite.ts'
import { brokenCopy, root, type Started, startService, temporaryFolder } from './service.ts'

const page = readFileSync(join(root, 'src/plugins/README.md'), 'utf8')
/** The files of the worked example, as the page has them. */
const files = [...page.matchAll(/, `([\w./-]+)`:\n\n```\w+\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => ({
  name,
  text,
}))

const folder = temporaryFolder()
let service: Started
const office = 'market-office'
const base = '/registry/registers/market-stalls'

beforeAll(async () => {
  const cwd = brokenCopy(join(folder.path, 'project'))
  for (const { name, text } of files) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
  const agencies = ['root-authority', office].map(name => `agents/${name}.yml`)
  service = await startService({ dataDir: join(folder.path, 'data'), cwd, agencies })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

const officer = (number: string) => officerOf(service, office, 'registry:market-stalls:decide', number)
const plan = { name: 'hygiene-plan', mediaType: 'application/pdf', sha256: 'A'.repeat(43), bytes: 1_200 }
const fields = { market: 'harbour', goods: 'food' }

/** An application under review. */
const underReview = async () => {
  const holder = await citizen(service)
  const session = await holder.openSession(office)
  const made = await session.call('POST', `${base}/applications`, { fields, attachments: [plan] })
  expect(made.status).toBe(201)
  const path = `${base}/applications/${made.body['application']}`
  const first = await officer('MO-1')
  expect((await first.session.call('POST', `${path}/review`)).status).toBe(200)
  return { holder, session, path, first }
}

const decision = { legalBasis: 'Market Ordinance, s. 3', fields: { pitch: 17 } }

describe('the register of the worked example', () => {
  it('is made of three files of the page', () => {
    expect(files.map(({ name }) => name)).toEqual([
      ...['schemas/market-stall-permit.v1.json', 'agents/registers/market-stalls.yml', 'agents/market-office.yml'],
    ])
  })

  it('gives out a permit after two officers have agreed', async () => {
    const { session, path, first } = await underReview()
    const asked = await first.session.call('POST', `${path}/grant`, decision)
    expect(asked.status).toBe(202)
    const act = String(asked.body['pendingAct'])
    expect((await session.call('GET', path)).body['state']).toBe('in_review')

    const own = await first.session.call('POST', `/pending-acts/${act}/approval`, {})
    expect(codeOf(own)).toEqual([403, 'pending_act_own'])
    const second = await officer('MO-2')
    const approved = await second.session.call('POST', `/pending-acts/${act}/approval`, {})
    expect([approved.status, approved.body['state']]).toEqual([200, 'approved'])
    const again = await second.session.call('POST', `/pending-acts/${act}/approval`, {})
    expect(again.status).toBe(409)

    const granted = await session.call('GET', path)
    expect(granted.body).toMatchObject({ state: 'granted', fields: { pitch: 17, market: 'harbour' } })
    const entry = granted.body['entry'] as unknown as string
    const shown = await send(`${service.url}/${office}/registry/entries/${entry}`, 'GET')
    expect(shown.body).toMatchObject({ state: 'active', fields: { market: 'harbour', goods: 'food', pitch: 17 } })
    expect((await session.call('POST', `${path}/credential`, {})).body['format']).toBe('dc+sd-jwt')

    const history = await second.session.call('GET', `${base}/entries/${entry}/history`)
    expect(history.body['steps'] as unknown).toMatchObject([
      { step: { by: { officer: 'MO-2', author: { kind: 'holder', id: first.officer.did } } } },
    ])
  })

  it('gives out nothing when the officer who asked is none any more', async () => {
    const { session, path, first } = await underReview()
    const asked = await first.session.call('POST', `${path}/grant`, decision)
    await withdraw(service, first.licence)
    const second = await officer('MO-2')
    const approved = await second.session.call('POST', `/pending-acts/${asked.body['pendingAct']}/approval`, {})
    expect(codeOf(approved)).toEqual([403, 'author_lapsed'])
    expect((await session.call('GET', path)).body['state']).toBe('in_review')
  })

  it('takes no applications from minors, nor bulk grants by one officer', async () => {
    const minor = await citizen(service, { ageOver18: false })
    const session = await minor.openSession(office)
    const made = await session.call('POST', `${base}/applications`, { fields, attachments: [plan] })
    expect(codeOf(made)).toEqual([403, 'claims_insufficient'])
    const { session: alone } = await officer('MO-1')
    const line = { holder: newWalletHolder(service).did, legalBasis: 'x', fields: { ...fields, pitch: 1 } }
    const answer = await alone.call('POST', `${base}/grants`, `${JSON.stringify(line)}\n`)
    expect(codeOf(answer)).toEqual([422, 'grant_one_by_one'])
  })
})

describe('a register with a rule that can never be satisfied', () => {
  it.each<[string, string, string]>([
    [
      'pitch: { type: integer, minimum: 1, maximum: 400 }',
      'pitch: { type: integer, minimum: 500, maximum: 400 }',
      'minimum is above maximum',
    ],
    ['type: NationalIdentity', 'type: RoyalIdentity', 'schemas/ does not have'],
    ['validity: { days: 365 }', 'validity: { days: 3650 }', 'is in force for at most 731'],
    ['path: familyName }', 'path: maidenName }', 'which a NationalIdentity does not have'],
  ])(
    'stops the start: %s → %s',
    async (good, bad, why) => {
      const scratch = temporaryFolder()
      try {
        const cwd = brokenCopy(join(scratch.path, 'project'))
        for (const { name, text } of files) {
          mkdirSync(dirname(join(cwd, name)), { recursive: true })
          writeFileSync(join(cwd, name), text.replace(good, bad))
        }
        const agencies = ['root-authority', office].map(name => `agents/${name}.yml`)
        const starting = startService({ dataDir: join(scratch.path, 'data'), cwd, agencies })
        await expect(starting).rejects.toThrow(why)
      } finally {
        scratch.remove()
      }
    },
    60_000,
  )
})
