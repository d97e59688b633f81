import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { OpenApiDocument } from '../../../src/http/contract.ts'
import { openDpop } from '../../../src/identity/dpop.ts'
import { perform } from '../../../src/kernel/perform.ts'
import type { Route } from '../../../src/kernel/plugin.ts'
import type { HolderRequirement } from '../../../src/kernel/requirement.ts'
import { doorOf, gate, openDesk } from '../../../src/plugins/gate/plugin.ts'
import { mandates } from '../../../src/plugins/mandates/plugin.ts'
import { bodyDigest, dpopProof, type Key, newKey, send } from '../../holder.ts'
import { type House, openHouse } from '../../http/fixture.ts'
import {
  dayAt,
  movableClock,
  newHolder,
  openNation,
  openRegistry,
  openScene,
  publicUrl,
  type Scene,
} from './fixture.ts'

const requires = {
  by: 'holder',
  of: { id: 'mandate', type: 'CompanyMandate', mandate: true },
  amount: { amount: ['amount', 'minor'], currency: ['amount', 'currency'] },
} as const satisfies HolderRequirement

type Payment = { amount: { minor: string; currency: string } }

/** An operation that moves money for whoever is acted for, as the contract has it. */
const paymentPath = {
  post: {
    operationId: 'payForCompany',
    'x-plugin': 'payments',
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            additionalProperties: false,
            required: ['amount'],
            properties: {
              presentation: { $ref: '#/components/schemas/Presentation' },
              amount: {
                type: 'object',
                additionalProperties: false,
                required: ['minor', 'currency'],
                properties: {
                  minor: { type: 'string', maxLength: 19, pattern: '^[0-9]+$' },
                  currency: { type: 'string', maxLength: 16 },
                },
              },
            },
          },
        },
      },
    },
    responses: {
      '201': { description: 'Paid.', content: { 'application/json': { schema: { type: 'object' } } } },
      default: { $ref: '#/components/responses/Problem' },
    },
  },
}

const openapi = (): OpenApiDocument => {
  const file = join(import.meta.dirname, '../../../openapi.yaml')
  const document = parse(readFileSync(file, 'utf8')) as OpenApiDocument
  return { ...document, paths: { ...document.paths, '/payments': paymentPath } }
}

let directory: string
let scene: Scene
let house: House

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-limits-'))
  const clock = movableClock(Date.now())
  const nation = openNation(clock)
  const registry = await openRegistry({ file: join(directory, 'registry.sqlite') }, nation, clock)
  scene = openScene(registry, nation, clock)
  const pay: Route = {
    requires,
    run: async ({ caller, body }) => {
      const acting = caller.kind === 'holder' ? { by: caller.actor, for: caller.principal } : {}
      const act = async () => ({ paid: (body as Payment).amount, ...acting })
      const paid = { operation: 'payForCompany', requires, caller, input: body }
      return { status: 201, body: await perform(registry.house, { ...paid, act }) }
    },
  }
  const derive = (purpose: string) => createHash('sha256').update(purpose).digest()
  const desk = openDesk({
    ...{ house: registry.house, identity: nation.identity, newId: registry.needs.newId, publicUrl, derive },
    routes: () => routes,
    dpop: openDpop({ clock, secret: derive('gate dpop nonces') }),
    staffStands: async () => false,
  })
  const routes: Record<string, Route> = {
    ...gate.routes(desk),
    ...mandates.routes(registry.needs),
    payForCompany: pay,
  }
  const door = doorOf(desk)
  house = await openHouse({ routes, openapi: openapi(), agency: { publicUrl, door }, auth: { holders: door } })
}, 60_000)

afterAll(async () => {
  await house?.close()
  await scene?.registry.store.close()
  rmSync(directory, { recursive: true, force: true })
})

/** An employee with a mandate of a company, and a session of theirs. */
const employed = async (company: string) => {
  const [first] = await scene.directorsOf(company, [{ operations: ['payForCompany', 'issueSubMandate'] }])
  if (first === undefined) throw new Error('a director was registered')
  const employee = newHolder()
  const wish = scene.wishFor(employee, {
    ...{ office: 'employee', operations: ['payForCompany'], mayDelegate: false, endsOn: dayAt(scene.clock, 30) },
    limits: [{ currency: 'XNC', perActMinor: '50000' }],
  })
  const given = await scene.passOn([first.holder], { company, ...wish })
  const held = await scene.collect(employee, given.mandateId)
  const key = newKey()
  const asked = await send(`${house.url}/sessions/challenge`, 'POST', { dpop_jkt: key.thumbprint })
  const presentation = await employee.present(held, String(asked.body['challenge']), scene.clock.now())
  const dpop = dpopProof(key, { method: 'POST', url: `${publicUrl}/sessions` })
  const opened = await send(`${house.url}/sessions`, 'POST', { presentation }, { dpop })
  expect(opened.status).toBe(201)
  const session = { token: String(opened.body['access_token']), key, nonce: opened.headers.get('dpop-nonce') }
  return { ...first, employee, held, session }
}
type Session = { token: string; key: Key; nonce: string | null }

const pay = async (session: Session, minor: string, currency = 'XNC') => {
  const url = `${publicUrl}/payments`
  const once = () => {
    const nonce = session.nonce ?? undefined
    const dpop = dpopProof(session.key, { method: 'POST', url, token: session.token, nonce })
    const headers = { authorization: `DPoP ${session.token}`, dpop }
    return send(`${house.url}/payments`, 'POST', { amount: { minor, currency } }, headers)
  }
  let answer = await once()
  session.nonce = answer.headers.get('dpop-nonce') ?? session.nonce
  if (answer.body['code'] === 'use_dpop_nonce') answer = await once()
  return [answer.status, answer.body['code'] ?? answer.body] as const
}

describe('an employee over HTTP', () => {
  it('pays for the company up to the limit, and not one unit above or in another currency', async () => {
    const { employee, session } = await employed('C-1')
    const [status, paid] = await pay(session, '50000')
    expect(status).toBe(201)
    expect(paid).toMatchObject({ by: employee.did, for: expect.stringMatching(/^urn:chancery:company:.*:C-1$/) })
    expect(await pay(session, '50001')).toEqual([403, 'mandate_limit'])
    expect(await pay(session, '1', 'EUR')).toEqual([403, 'mandate_limit'])
    expect(await pay(session, '9'.repeat(19))).toEqual([403, 'mandate_limit'])
    expect((await pay(session, '0'))[0]).toBe(201)
  })

  it('is refused at the next call once the director’s mandate has ended', async () => {
    const { holder, mandateId, session } = await employed('C-2')
    expect((await pay(session, '100'))[0]).toBe(201)
    await scene.end(await scene.asHolders('endMandate', [holder]), mandateId)
    expect(await pay(session, '100')).toEqual([403, 'mandate_ended'])
  })

  it('cannot present for one amount and pay another', async () => {
    const { employee, held } = await employed('C-4')
    const body = { amount: { minor: '100', currency: 'XNC' } }
    const url = `${house.url}/requirements/payForCompany/challenge`
    const asked = await send(url, 'POST', { bodySha256: bodyDigest(body), params: {} })
    const presentation = await employee.present(held, String(asked.body['challenge']), scene.clock.now())
    const shown = (minor: string) => ({ amount: { minor, currency: 'XNC' }, presentation })
    const changed = await send(`${house.url}/payments`, 'POST', shown('101'))
    expect([changed.status, changed.body['code']]).toEqual([401, 'challenge_mismatch'])
    const paid = await send(`${house.url}/payments`, 'POST', shown('100'))
    expect([paid.status, paid.body['by']]).toEqual([201, employee.did])
    const again = await send(`${house.url}/payments`, 'POST', shown('100'))
    expect(again.status).toBe(401)
  })

  it('leaves evidence that names who acted, for whom, and under which mandate', async () => {
    const { employee, held, session } = await employed('C-5')
    await pay(session, '700')
    const rows = await scene.registry.store.read('SELECT * FROM journal_details')
    const texts = rows.map(row =>
      Object.values(row)
        .map(value => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)))
        .join(' '),
    )
    const [evidence, ...others] = texts.filter(text => text.includes('payForCompany') && text.includes(held.id))
    expect(others).toEqual([])
    expect(evidence).toContain(employee.did)
    expect(evidence).toMatch(/urn:chancery:company:[^" ]*:C-5/)
  })
})
