import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bodyDigest, dpopFetch, dpopProof, type Held, newKey, newWalletHolder, send, withdraw } from './holder.ts'
import { openTheirWallet } from './plugins/openid4vp/their-wallet.ts'
import { fetchRequest, parametersOf, presentSdJwt } from './plugins/openid4vp/wallet.ts'
import { brokenCopy, caller, exampleOf, root, type Started, startService, temporaryFolder } from './service.ts'

/**
 * A driver of the nation keeps a licence in a wallet that knows OpenID4VP 1.0 and nothing of us, made with @openid4vc/openid4vp,
 * and applies with it at an office of another agency.
 */

type Json = Record<string, unknown>

const office = 'market-office'
const applications = '/registry/registers/market-stalls/applications'
const folder = temporaryFolder()
let service: Started
let licence: Held

/** The office of the plugins' page, but that it wants to see a driving licence. */
const openOffice = (cwd: string): void => {
  const page = readFileSync(join(root, 'src/plugins/README.md'), 'utf8')
  for (const [, name = '', text = ''] of page.matchAll(/, `([\w./-]+)`:\n\n```\w+\n([\s\S]*?)```/g)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text.replace('type: NationalIdentity', 'type: DrivingLicence'))
  }
}

beforeAll(async () => {
  const cwd = brokenCopy(join(folder.path, 'project'))
  openOffice(cwd)
  const agencies = ['root-authority', 'transport-authority', office].map(name => `agents/${name}.yml`)
  service = await startService({ dataDir: join(folder.path, 'data'), cwd, agencies })
  const holder = newWalletHolder(service)
  licence = await holder.receive('transport-authority', 'DrivingLicence', exampleOf('driving-licence'))
}, 90_000)

afterAll(async () => {
  await service?.stop()
  folder.remove()
})

const url = () => `${service.url}/${office}`
const application = {
  fields: { market: 'harbour', goods: 'food' },
  attachments: [{ name: 'hygiene-plan', mediaType: 'application/pdf', sha256: 'A'.repeat(43), bytes: 1_200 }],
}

/** The wallet reads what is asked, and shows it; then it answers. */
const answer = async (walletUrl: unknown, held = licence): Promise<Response> => {
  const wallet = openTheirWallet()
  const resolved = await wallet.resolve(String(walletUrl))
  const { client_id: audience, nonce: challenge } = resolved.authorizationRequestPayload as Record<string, string>
  const { credentials = [] } = (resolved.dcql?.query ?? {}) as { credentials?: { id: string }[] }
  const shown = presentSdJwt(held, { audience: audience ?? '', challenge: challenge ?? '' })
  return wallet.submit(resolved, { [credentials[0]?.id ?? '']: [shown] })
}

const sessionRequest = (key: { thumbprint: string }, more: Json = {}) => {
  const requirement = { operationId: 'applyToRegister', params: { register: 'market-stalls' } }
  return send(`${url()}/sessions/presentation-request`, 'POST', { dpop_jkt: key.thumbprint, requirement, ...more })
}

const backOf = async (reply: Response): Promise<URL> => {
  const { redirect_uri: back = '' } = (await reply.json()) as { redirect_uri?: string }
  return new URL(back)
}

describe('a driver with a stranger’s wallet', () => {
  it.each(['x509_hash', 'x509_san_dns'])('opens a session and applies in it, asked under %s', async prefix => {
    const key = newKey()
    const asked = await sessionRequest(key, { client_id_prefix: prefix })
    expect([asked.status, asked.body['code']]).toEqual([201, undefined])
    const back = await backOf(await answer(asked.body['wallet_url']))
    const code = back.searchParams.get('response_code')
    const presentation = { request: asked.body['id'], secret: asked.body['secret'], response_code: code }
    const dpop = dpopProof(key, { method: 'POST', url: `${url()}/sessions` })
    const opened = await send(`${url()}/sessions`, 'POST', { presentation }, { dpop })
    expect(opened.status).toBe(201)
    const nonce = opened.headers.get('dpop-nonce') ?? undefined
    const session = dpopFetch(url(), String(opened.body['access_token']), key, nonce)
    const made = await session.call('POST', applications, application)
    expect([made.status, made.body['code']]).toEqual([201, undefined])
    const read = await session.call('GET', `${applications}/${made.body['application']}`)
    expect(read.body).toMatchObject({ state: 'submitted', fields: { familyName: 'Okafor', givenName: 'Amara' } })
  })

  it('applies by one presentation for this very act, sent back on the same device', async () => {
    const returnTo = `${url()}/openid4vp/return`
    const body = { bodySha256: bodyDigest(application), params: { register: 'market-stalls' }, return_to: returnTo }
    const asked = await send(`${url()}/requirements/applyToRegister/presentation-request`, 'POST', body)
    expect(asked.status).toBe(201)
    const back = await backOf(await answer(asked.body['wallet_url']))
    const code = back.searchParams.get('response_code') ?? ''
    const cookie = (asked.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
    const here = await fetch(back, { headers: { cookie } })
    expect([here.status, here.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("'none'")])
    expect(await here.text()).toContain(`readonly>${code}</textarea>`)
    expect(await (await fetch(back)).text()).not.toContain(code)
    const presentation = { request: asked.body['id'], secret: asked.body['secret'], response_code: code }
    const made = await send(`${url()}${applications}`, 'POST', { ...application, presentation })
    expect([made.status, made.body['code']]).toEqual([201, undefined])
  })

  it('is refused once the licence is revoked, by the wallet’s answer already', async () => {
    const holder = newWalletHolder(service)
    const revoked = await holder.receive('transport-authority', 'DrivingLicence', exampleOf('driving-licence'))
    await withdraw(service, revoked)
    const asked = await sessionRequest(newKey())
    const refused = await answer(asked.body['wallet_url'], revoked)
    expect([refused.status, await refused.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'credential_revoked' }),
    ])
  })

  it('is asked by staff, who read what was shown', async () => {
    const staff = caller(service, office)
    const requirement = { operationId: 'applyToRegister', params: { register: 'market-stalls' } }
    const asked = await staff('POST', '/presentation-requests', { purpose: 'a visit', requirement, profile: 'haip' })
    expect(asked.status).toBe(201)
    expect((await answer(asked.body['wallet_url'])).status).toBe(200)
    const result = await staff('POST', `/presentation-requests/${asked.body['id']}/result`, {})
    const presentations = result.body['presentations'] as unknown as Record<string, Json[]>
    expect(Object.values(presentations).flat()).toMatchObject([{ type: 'DrivingLicence', holder: licence.key.did }])
  })

  it('is asked with a certificate that ends at the office’s published authority, which is not in it (HAIP 1.0, section 5)', async () => {
    const asked = await sessionRequest(newKey())
    expect(parametersOf(String(asked.body['wallet_url']))['client_id']).toMatch(/^x509_hash:/)
    const { body } = await fetchRequest(String(asked.body['wallet_url']))
    const { x5c } = JSON.parse(Buffer.from(String(body['text']).split('.')[0] ?? '', 'base64url').toString()) as {
      x5c: string[]
    }
    const published = await send(`${url()}/certificates`, 'GET')
    const anchor = new X509Certificate(
      Buffer.from((published.body['anchors'] as unknown as string[])[0] ?? '', 'base64'),
    )
    const leaf = new X509Certificate(Buffer.from(x5c[0] ?? '', 'base64'))
    expect([x5c.length, leaf.verify(anchor.publicKey), leaf.verify(leaf.publicKey)]).toEqual([1, true, false])
    expect(leaf.checkHost('localhost')).toBe('localhost')
  })
})
