import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  brokenCopy,
  caller,
  keyOf,
  killNode,
  licenceFor,
  newHolder,
  type Started,
  startService,
  temporaryFolder,
} from './service.ts'

const folder = temporaryFolder()
let service: Started
const agency = (name: string) => caller(service, name)

const issue = async (options?: Record<string, unknown>) => {
  const answer = await agency('transport-authority')('POST', '/credentials/issue', licenceFor(newHolder().did, options))
  expect(answer.status).toBe(201)
  return { id: String(answer.body['credentialId']), credential: answer.body['verifiableCredential'] as unknown }
}
const verify = (credential: unknown, by = 'commercial-bank') =>
  agency(by)('POST', '/credentials/verify', { verifiableCredential: credential })
const setStatus = (id: string, statusPurpose: string, status: boolean, wait = '?wait=mined') =>
  agency('transport-authority')('POST', `/credentials/status${wait}`, {
    credentialId: id,
    credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose },
    status,
  })
const codeOf = (answer: { body: Record<string, unknown> }) =>
  (answer.body['errors'] as { code: string }[] | undefined)?.[0]?.code ?? answer.body['code']

beforeAll(async () => {
  service = await startService({ dataDir: folder.path })
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

describe('the demo nation', () => {
  it.each(['dc+sd-jwt', 'vc+jwt', 'jwt_vc'])(
    'issues a driving licence as %s, another agency verifies it, and refuses it from the block of its revocation on',
    async format => {
      const { id, credential } = await issue({ format })
      const before = await verify(credential)
      expect([before.status, before.body['verified']]).toEqual([200, true])
      const revoked = await setStatus(id, 'revocation', true)
      expect([revoked.status, revoked.body['state']]).toEqual([202, expect.stringMatching(/^(mined|final)$/)])
      const after = await verify(credential)
      expect([after.status, after.body['verified'], codeOf(after)]).toEqual([422, false, 'credential_revoked'])
    },
  )

  it('suspends and reinstates', async () => {
    const { id, credential } = await issue()
    await setStatus(id, 'suspension', true)
    expect(codeOf(await verify(credential))).toBe('credential_suspended')
    await setStatus(id, 'suspension', false)
    expect((await verify(credential)).status).toBe(200)
  })

  it('never undoes a revocation', async () => {
    const { id, credential } = await issue()
    await setStatus(id, 'revocation', true)
    expect([
      (await setStatus(id, 'revocation', false)).status,
      codeOf(await setStatus(id, 'suspension', true)),
    ]).toEqual([422, 'already_revoked'])
    expect(codeOf(await verify(credential))).toBe('credential_revoked')
  })

  it('refuses at the issuer from its commit on, before the chain has mined it', async () => {
    const { id, credential } = await issue()
    const queued = await setStatus(id, 'revocation', true, '')
    expect(queued.status).toBe(202)
    expect(codeOf(await verify(credential, 'transport-authority'))).toBe('credential_revoked')
  })

  it('revokes 300 credentials in one call', async () => {
    const issued = await Promise.all(Array.from({ length: 300 }, () => issue()))
    const answer = await agency('transport-authority')('POST', '/credentials/status?wait=mined', {
      credentialIds: issued.map(({ id }) => id),
      credentialStatus: { statusPurpose: 'revocation' },
    })
    expect([answer.status, answer.body['changed']]).toEqual([202, 300])
    const verdicts = await Promise.all(issued.slice(0, 20).map(({ credential }) => verify(credential)))
    expect(new Set(verdicts.map(codeOf))).toEqual(new Set(['credential_revoked']))
  })

  it('reissues to a new key and revokes the old credential in one act', async () => {
    const { id, credential } = await issue()
    const body = { ...licenceFor(newHolder().did), reason: 'lost device' }
    const answer = await agency('transport-authority')('POST', `/credentials/${encodeURIComponent(id)}/reissue`, body)
    expect(answer.status).toBe(201)
    expect((await verify(answer.body['verifiableCredential'], 'transport-authority')).status).toBe(200)
    expect(codeOf(await verify(credential, 'transport-authority'))).toBe('credential_revoked')
  })

  it('gives the same answer to the same idempotency key, and refuses it for another body', async () => {
    const call = agency('transport-authority')
    const body = licenceFor(newHolder().did)
    const headers = { 'idempotency-key': 'order-1' }
    const [first, second] = [
      await call('POST', '/credentials/issue', body, headers),
      await call('POST', '/credentials/issue', body, headers),
    ]
    expect(second.body).toEqual(first.body)
    const other = await call('POST', '/credentials/issue', licenceFor(newHolder().did), headers)
    expect([other.status, other.body['code']]).toEqual([409, 'idempotency_mismatch'])
  })

  it('does not let an agency issue what it is not accredited for', async () => {
    const call = agency('commercial-bank')
    const forged = await call('POST', '/credentials/issue', licenceFor(newHolder().did))
    const credential = forged.body['verifiableCredential']
    if (credential === undefined) expect(forged.status).toBeGreaterThanOrEqual(400)
    else expect(codeOf(await verify(credential, 'tax-authority'))).toBe('issuer_unaccredited')
  })

  it.each([
    ['no key', {}, 401, 'unauthenticated'],
    ['a key that is none', { authorization: 'Bearer ck_0000_0000' }, 401, 'credentials_invalid'],
    ['the key of another agency', { authorization: 'other' }, 401, 'credentials_invalid'],
  ])('refuses a caller with %s', async (_what, headers: Record<string, string>, status, code) => {
    const authorization =
      headers['authorization'] === 'other' ? `Bearer ${keyOf(folder.path, 'tax-authority')}` : headers['authorization']
    const response = await fetch(`${service.url}/transport-authority/credentials/issue`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: JSON.stringify(licenceFor(newHolder().did)),
    })
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code])
  })

  it('publishes status lists, types, its DID and the checkpoint of its log to anyone', async () => {
    for (const path of [
      '/status/bitstring/0',
      '/status/token/0',
      '/status/token',
      '/types',
      '/did.json',
      '/log/checkpoint',
      '/health',
    ]) {
      const response = await fetch(`${service.url}/transport-authority${path}`)
      expect([path, response.status]).toEqual([path, 200])
    }
  })

  it('serves a Token Status List as CWT to those who accept nothing else, and names all its lists', async () => {
    const base = `${service.url}/transport-authority/status/token`
    const typeOf = async (accept: string) => {
      const response = await fetch(`${base}/0`, { headers: { accept } })
      return { type: response.headers.get('content-type'), first: new Uint8Array(await response.arrayBuffer())[0] }
    }
    // A COSE_Sign1 begins with its tag, a JWT with the brace of its header.
    expect(await typeOf('application/statuslist+cwt')).toEqual({ type: 'application/statuslist+cwt', first: 0xd2 })
    expect(await typeOf('application/statuslist+jwt')).toMatchObject({ type: 'application/statuslist+jwt' })
    expect(await typeOf('*/*')).toMatchObject({ type: 'application/statuslist+jwt' })
    const { status_lists } = (await (await fetch(base)).json()) as { status_lists: string[] }
    expect(status_lists[0]).toBe(`${base}/0`)
  })

  it('serves a Bitstring Status List with a Data Integrity proof to those who ask for one, and as JWT to all others', async () => {
    const url = `${service.url}/transport-authority/status/bitstring/0`
    const answers = ['application/vc', 'application/ld+json', '*/*'].map(accept => fetch(url, { headers: { accept } }))
    const [proven, linked, jwt] = (await Promise.all(answers)) as [Response, Response, Response]
    const types = [proven, linked, jwt].map(({ headers }) => [headers.get('content-type'), headers.get('vary')])
    expect(types.map(([type]) => type)).toEqual(['application/vc', 'application/ld+json', 'application/vc+jwt'])
    expect(types.every(([, vary]) => /(^|, ?)accept(,|$)/i.test(vary ?? ''))).toBe(true)
    const { proof, ...document } = (await proven.json()) as { proof: { cryptosuite: string } }
    expect(proof.cryptosuite).toBe('ecdsa-rdfc-2019')
    expect(await linked.json()).toEqual({ ...document, proof })
    const [, payload = ''] = (await jwt.text()).split('.')
    const { validFrom: _from, validUntil: _until, ...signed } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    expect(document).toMatchObject(signed)
  })

  it('lists what it issued by pages and hands one out', async () => {
    const call = agency('transport-authority')
    const { id } = await issue()
    const first = await call('GET', '/credentials?limit=2')
    const items = first.body['items'] as unknown as { credentialId: string }[]
    const next = await call('GET', `/credentials?limit=2&cursor=${String(first.body['next'])}`)
    const later = next.body['items'] as unknown as { credentialId: string }[]
    expect(items.length + later.length).toBe(4)
    expect(later.some(item => items.some(other => other.credentialId === item.credentialId))).toBe(false)
    expect((await call('GET', `/credentials/${encodeURIComponent(id)}`)).body['status']).toBe('valid')
    expect((await call('GET', '/credentials?cursor=bm9uc2Vuc2U')).body['code']).toBe('cursor_malformed')
  })

  it('issues and verifies many by lines, and a bad line does not spoil the others', async () => {
    const lines = [licenceFor(newHolder().did), { credential: { type: ['X'] } }, licenceFor(newHolder().did)]
    const send = async (name: string, path: string, items: unknown[]) => {
      const response = await fetch(`${service.url}/${name}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keyOf(folder.path, name)}`, 'content-type': 'application/x-ndjson' },
        body: items.map(item => `${JSON.stringify(item)}\n`).join(''),
      })
      return (await response.text())
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>)
    }
    const issued = await send('transport-authority', '/credentials/issue-batch', lines)
    expect(issued.map(line => line['verifiableCredential'] !== undefined)).toEqual([true, false, true])
    expect(issued.map(line => line['line'])).toEqual([1, 2, 3])
    const verdicts = await send(
      'commercial-bank',
      '/credentials/verify-batch',
      [issued[0], { verifiableCredential: 'x' }, issued[2]].map(line => ({
        verifiableCredential: (line as Record<string, unknown>)['verifiableCredential'],
      })),
    )
    expect(verdicts.map(line => line['verified'])).toEqual([true, false, true])
  })
})

describe('a nation that is killed', () => {
  it('loses nothing that was answered when service and node are killed together', async () => {
    const { id, credential } = await issue()
    const kept = await issue()
    const did = (await agency('transport-authority')('GET', '/did.json')).body
    const answer = await setStatus(id, 'revocation', true, '')
    expect(answer.status).toBe(202)
    await service.kill()
    killNode(folder.path)
    service = await startService({ dataDir: folder.path, port: Number(new URL(service.url).port) })
    expect((await agency('transport-authority')('GET', '/did.json')).body).toEqual(did)
    expect(codeOf(await verify(credential, 'transport-authority'))).toBe('credential_revoked')
    expect(codeOf(await verify(credential))).toBe('credential_revoked')
    expect((await verify(kept.credential)).status).toBe(200)
  }, 90_000)

  it('comes back after its node alone was killed', async () => {
    const { id, credential } = await issue()
    killNode(folder.path)
    expect((await setStatus(id, 'revocation', true)).status).toBe(202)
    expect(codeOf(await verify(credential, 'transport-authority'))).toBe('credential_revoked')
  }, 90_000)

  it('stops within seconds on SIGTERM, and a second start changes nothing', async () => {
    const { credential } = await issue()
    const from = Date.now()
    expect(await service.stop()).toBe(0)
    expect(Date.now() - from).toBeLessThan(10_000)
    service = await startService({ dataDir: folder.path, port: Number(new URL(service.url).port) })
    expect((await verify(credential)).status).toBe(200)
  }, 90_000)
})

describe('a start that must not be', () => {
  const broken = temporaryFolder()
  afterAll(() => broken.remove())

  const refusedStart = async (spoil: (folder: string) => void): Promise<string> => {
    const copy = temporaryFolder()
    try {
      brokenCopy(copy.path)
      spoil(copy.path)
      const started = startService({
        dataDir: join(copy.path, 'data'),
        cwd: copy.path,
        agencies: ['agents/transport-authority.yml'],
      })
      return await started.then(
        async running => {
          await running.kill()
          return 'it started'
        },
        (error: Error) => error.message,
      )
    } finally {
      killNode(join(copy.path, 'data'))
      copy.remove()
    }
  }
  const agencyFile = (folder: string) => join(folder, 'agents/transport-authority.yml')

  it.each<[string, (folder: string) => void, RegExp]>([
    [
      'an unknown key in an agency file',
      folder => writeFileSync(agencyFile(folder), 'name: x-y\ncolour: red\n'),
      /exit 1[\s\S]*unknown key "colour"/,
    ],
    [
      'a plugin that does not exist',
      folder => writeFileSync(agencyFile(folder), 'name: x-y\ntitle: X\nplugins: [ghost]\n'),
      /exit 1[\s\S]*no plugin "ghost"/,
    ],
    [
      'a part missing in a schema',
      folder => {
        const file = join(folder, 'schemas/driving-licence.v1.json')
        const { display: _gone, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
        writeFileSync(file, JSON.stringify(rest))
      },
      /exit 1[\s\S]*the part "display" is missing/,
    ],
    [
      'a schema that an agency issues but nobody wrote',
      folder => rmSync(join(folder, 'schemas/driving-licence.v1.json')),
      /exit 1[\s\S]*DrivingLicence/,
    ],
    [
      'an operation of openapi.yaml that no route runs',
      folder => {
        const file = join(folder, 'openapi.yaml')
        writeFileSync(file, readFileSync(file, 'utf8').replace('operationId: listTypes', 'operationId: listKinds'))
      },
      /exit 1[\s\S]*list(Kinds|Types)/,
    ],
  ])(
    'is refused with a clear message and exit code 1: %s',
    async (_what, spoil, message) => {
      expect(await refusedStart(spoil)).toMatch(message)
    },
    60_000,
  )
})
