import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import {
  challengeFor,
  dpopFetch,
  dpopProof,
  newKey,
  newWalletHolder,
  present,
  send,
  tryOpenSession,
  withdraw,
} from './holder.ts'
import {
  brokenCopy,
  caller,
  exampleOf,
  killNode,
  root,
  type Started,
  startService,
  temporaryFolder,
} from './service.ts'

const folder = temporaryFolder()
let service: Started
const bank = 'commercial-bank'
const bankUrl = () => `${service.url}/${bank}`
const codeOf = (answer: { status: number; body: Record<string, unknown> }) => [answer.status, answer.body['code']]

/** A citizen with a driving licence, issued by the transport authority to a key of its own. */
const driver = async (options: { format?: string } = {}) => {
  const holder = newWalletHolder(service)
  const licence = await holder.receive('transport-authority', 'DrivingLicence', exampleOf('driving-licence'), options)
  return { holder, licence }
}

beforeAll(async () => {
  service = await startService({ dataDir: folder.path })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

describe('a session', () => {
  it.each(['dc+sd-jwt', 'vc+jwt'])(
    'opens for a %s that was issued elsewhere, and is known in every call',
    async format => {
      const { holder } = await driver({ format })
      const session = await holder.openSession(bank)
      const answer = await session.call('GET', '/pending-acts')
      expect([answer.status, answer.body]).toEqual([200, { acts: [] }])
      expect((await session.call('GET', '/pending-acts?limit=5')).status).toBe(200)
    },
  )

  it('ends when its holder ends it', async () => {
    const { holder } = await driver()
    const session = await holder.openSession(bank)
    expect((await session.call('DELETE', '/sessions/current')).status).toBe(204)
    expect(codeOf(await session.call('GET', '/pending-acts'))).toEqual([401, 'session_invalid'])
  })

  it('is refused from the block on in which its only credential is revoked', async () => {
    const { holder, licence } = await driver()
    const session = await holder.openSession(bank)
    expect((await session.call('GET', '/pending-acts')).status).toBe(200)
    await withdraw(service, licence)
    expect(codeOf(await session.call('GET', '/pending-acts'))).toEqual([403, 'credential_revoked'])
  })

  it('refuses a token with another key, without a proof, for another address, method or token, and twice', async () => {
    const { holder } = await driver()
    const session = await holder.openSession(bank)
    await session.call('GET', '/pending-acts')
    const url = `${bankUrl()}/pending-acts`
    const first = await send(url, 'GET', undefined, {
      authorization: `DPoP ${session.token}`,
      dpop: dpopProof(session.key, { method: 'GET', url, token: session.token }),
    })
    expect(codeOf(first)).toEqual([401, 'use_dpop_nonce'])
    expect(first.headers.get('www-authenticate')).toMatch(/DPoP .*error="use_dpop_nonce"/)
    const nonce = first.headers.get('dpop-nonce') ?? ''
    const with_ = (proof: string | undefined) =>
      send(url, 'GET', undefined, {
        authorization: `DPoP ${session.token}`,
        ...(proof === undefined ? {} : { dpop: proof }),
      })
    const fitting = { method: 'GET', url, token: session.token, nonce }
    const good = dpopProof(session.key, fitting)
    expect((await with_(good)).status).toBe(200)
    expect(codeOf(await with_(good))).toEqual([401, 'proof_replayed'])
    expect(codeOf(await with_(undefined))).toEqual([401, 'proof_missing'])
    expect(codeOf(await with_(dpopProof(newKey(), fitting)))).toEqual([401, 'proof_key_mismatch'])
    expect(codeOf(await with_(dpopProof(session.key, { ...fitting, method: 'POST' })))).toEqual([401, 'proof_mismatch'])
    expect(codeOf(await with_(dpopProof(session.key, { ...fitting, url: `${url}/x` })))).toEqual([
      401,
      'proof_mismatch',
    ])
    expect(codeOf(await with_(dpopProof(session.key, { ...fitting, token: 'gs_x' })))).toEqual([401, 'proof_mismatch'])
    expect(codeOf(await with_('nonsense'))).toEqual([401, 'proof_malformed'])
    const bearer = await send(url, 'GET', undefined, { authorization: `Bearer ${session.token}` })
    expect(codeOf(bearer)).toEqual([401, 'credentials_invalid'])
    const [id] = session.token.split('.')
    const guessed = dpopFetch(bankUrl(), `${id}.${'A'.repeat(43)}`, session.key, nonce)
    expect(codeOf(await guessed.call('GET', '/pending-acts'))).toEqual([401, 'session_invalid'])
  })

  it('does not open for a challenge of another key, a used challenge, or another verifier', async () => {
    const { licence } = await driver()
    const asked = await send(`${bankUrl()}/sessions/challenge`, 'POST', { dpop_jkt: newKey().thumbprint })
    const { challenge, audience } = asked.body as unknown as { challenge: string; audience: string }
    const foreign = await tryOpenSession(bankUrl(), () => present(licence, { challenge, audience }))
    expect(codeOf(foreign.answer)).toEqual([401, 'challenge_mismatch'])

    let shown = ''
    const once = await tryOpenSession(bankUrl(), to => {
      shown = present(licence, to)
      return shown
    })
    expect(once.answer.status).toBe(201)
    const dpop = dpopProof(once.key, { method: 'POST', url: `${bankUrl()}/sessions` })
    const again = await send(`${bankUrl()}/sessions`, 'POST', { presentation: shown }, { dpop })
    expect(codeOf(again)).toEqual([401, 'proof_replayed'])

    const away = await tryOpenSession(bankUrl(), to =>
      present(licence, { ...to, audience: 'https://elsewhere.example' }),
    )
    expect(codeOf(away.answer)).toEqual([401, 'audience_mismatch'])
    const unbound = await tryOpenSession(bankUrl(), () => licence.compact)
    expect(codeOf(unbound.answer)).toEqual([400, 'credential_malformed'])
  })

  it('does not open for a revoked credential, nor with somebody else’s key binding', async () => {
    const { licence } = await driver()
    const stolen = await tryOpenSession(bankUrl(), to => present({ ...licence, key: newKey() }, to))
    expect(codeOf(stolen.answer)).toEqual([401, 'holder_mismatch'])
    await withdraw(service, licence)
    const revoked = await tryOpenSession(bankUrl(), to => present(licence, to))
    expect(codeOf(revoked.answer)).toEqual([403, 'credential_revoked'])
  })
})

describe('a presentation for one act', () => {
  const act = '00000000-0000-7000-8000-000000000000'

  it('admits its holder to that act, once', async () => {
    const { holder } = await driver()
    const body = await holder.oneShot(bank, 'refusePendingAct', { act }, { reason: 'no longer needed' })
    const answer = await send(`${bankUrl()}/pending-acts/${act}/refusal`, 'POST', body)
    expect(codeOf(answer)).toEqual([404, 'pending_act_unknown'])
  })

  it('is refused for another body, other parameters, another operation, or a challenge of nobody', async () => {
    const { holder, licence } = await driver()
    const url = `${bankUrl()}/pending-acts/${act}/refusal`
    const body = await holder.oneShot(bank, 'refusePendingAct', { act }, { reason: 'one' })
    expect(codeOf(await send(url, 'POST', { ...body, reason: 'two' }))).toEqual([401, 'challenge_mismatch'])
    const other = act.replace('7000', '7001')
    const elsewhere = await send(`${bankUrl()}/pending-acts/${other}/refusal`, 'POST', body)
    expect(codeOf(elsewhere)).toEqual([401, 'challenge_mismatch'])
    const { presentation } = await holder.oneShot(bank, 'approvePendingAct', { act }, {})
    const mistaken = await send(url, 'POST', { reason: 'one', presentation })
    expect(codeOf(mistaken)).toEqual([401, 'challenge_mismatch'])
    const { audience } = await challengeFor(bankUrl(), 'refusePendingAct', { act }, { reason: 'one' })
    const invented = present(licence, { challenge: `${'A'.repeat(51)}.${'B'.repeat(43)}`, audience })
    const unknown = await send(url, 'POST', { reason: 'one', presentation: invented })
    expect(codeOf(unknown)).toEqual([401, 'challenge_unknown'])
    expect(codeOf(await send(url, 'POST', { reason: 'one' }))).toEqual([401, 'unauthenticated'])
  })
})

describe('an operation that names its credentials', () => {
  const registry = 'business-registry'
  const path = '/registry/registers/business-licences/applications'
  const officer = async (by = registry) => {
    const holder = newWalletHolder(service)
    const claims = { ...exampleOf('public-officer'), competences: ['registry:business-licences:decide'] }
    return { holder, credential: await holder.receive(by, 'PublicOfficer', claims) }
  }

  it('opens to an officer’s session until the block in which the officer’s credential is revoked', async () => {
    const { holder, credential } = await officer()
    const session = await holder.openSession(registry)
    expect((await session.call('GET', path)).status).toBe(200)
    await withdraw(service, credential)
    expect(codeOf(await session.call('GET', path))).toEqual([403, 'credential_revoked'])
  })

  it('is closed to officers of another authority, to citizens, to the staff’s keys and to nobody', async () => {
    const { holder } = await officer('transport-authority')
    const foreign = await holder.openSession(registry)
    expect(codeOf(await foreign.call('GET', path))).toEqual([403, 'issuer_not_accepted'])
    const citizen = await (await driver()).holder.openSession(registry)
    const missing = await citizen.call('GET', path)
    expect(codeOf(missing)).toEqual([403, 'credential_missing'])
    expect(missing.body['detail']).toContain('Officers get it from the authority itself.')
    expect(codeOf(await caller(service, registry)('GET', path))).toEqual([403, 'holder_only'])
    expect(codeOf(await send(`${service.url}/${registry}${path}`, 'GET'))).toEqual([401, 'unauthenticated'])
  })
})

describe('the requirement of an operation', () => {
  type Described = { operationId?: string; 'x-requires'?: unknown }
  const openapi = parse(readFileSync(join(root, 'openapi.yaml'), 'utf8')) as { paths: Record<string, object> }
  const described = Object.values(openapi.paths)
    .flatMap((item): Described[] => Object.values(item))
    .filter(({ operationId }) => operationId !== undefined)

  it('can be read by anyone', async () => {
    const answer = await send(`${bankUrl()}/requirements/approvePendingAct`, 'GET')
    expect([answer.status, answer.body['requires']]).toEqual([200, { by: 'known' }])
    expect(codeOf(await send(`${bankUrl()}/requirements/nothingOfTheKind`, 'GET'))).toEqual([404, 'operation_unknown'])
  })

  it('is the one that openapi.yaml tells (x-requires), at every agency that has the operation', async () => {
    const agencies = readdirSync(join(root, 'agents'))
      .filter(name => name.endsWith('.yml') && !name.startsWith('conformance'))
      .map(name => name.slice(0, -4))
    const told: Record<string, unknown> = {}
    const asked: Record<string, unknown> = {}
    for (const { operationId = '', 'x-requires': requires } of described) {
      for (const agency of agencies) {
        const answer = await send(`${service.url}/${agency}/requirements/${operationId}`, 'GET')
        if (answer.status === 404) continue
        const { by, param } = answer.body['requires'] as unknown as { by: string; param?: string }
        const name = `${operationId} at ${agency}`
        told[name] = requires
        asked[name] = by === 'cases' ? { by, param } : answer.body['requires']
      }
    }
    expect(asked).toEqual(told)
    expect(Object.keys(told).length).toBeGreaterThan(described.length)
  })

  it('stops the start when nobody could ever meet it', async () => {
    const copy = temporaryFolder()
    const cwd = brokenCopy(copy.path)
    const policy = join(cwd, 'src/plugins/gate/policy.ts')
    const changed = readFileSync(policy, 'utf8').replace(
      "known: { by: 'known' }",
      "known: { by: 'holder', of: { id: 'x', type: 'DrivingLicence', where: [{ path: ['ageOver18'], equals: 'yes' }] } }",
    )
    writeFileSync(policy, changed)
    const started = startService({ cwd, dataDir: join(copy.path, 'data'), agencies: ['agents/root-authority.yml'] })
    await expect(started).rejects.toThrow(
      /cannot start: root-authority: what endSession requires cannot stand: ageOver18 of DrivingLicence can never be "yes"/,
    )
    killNode(join(copy.path, 'data'))
    copy.remove()
  })

  it('is told of every operation', () => {
    const silent = described.filter(operation => operation['x-requires'] === undefined)
    expect(silent.map(({ operationId }) => operationId)).toEqual([])
  })
})
