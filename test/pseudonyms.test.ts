import { join } from 'node:path'
import { signAgencyRequest } from '../src/identity/agency-token.ts'
import type { IssuerKey } from '../src/identity/issue.ts'
import { type Keys, openKeys } from '../src/identity/keys.ts'
import { openPseudonyms } from '../src/identity/pseudonyms.ts'
import { readMasterKey } from '../src/identity/seal.ts'
import { send } from './holder.ts'
import { type Answer, caller, root, type Started, startService, temporaryFolder } from './service.ts'

/*
 * The root authority over HTTP, asked by institutions whose keys this test opens beside them: by one for payments, one for
 * licences, and one that the root has accredited for nothing.
 */

const folder = temporaryFolder()
const clock = { now: Date.now }
const names = ['commercial-bank', 'transport-authority', 'citizen-wallet'] as const
type Name = (typeof names)[number]
let service: Started
const opened: Keys[] = []
const institutions = new Map<string, { key: IssuerKey; keys: Keys }>()

const rootUrl = () => `${service.url}/root-authority`
const evaluations = () => `${rootUrl()}/pseudonyms/evaluations`

const institutionOf = async (name: string): Promise<{ key: IssuerKey; keys: Keys }> => {
  const masterKey = readMasterKey({ demoDirectory: service.dataDir, production: false })
  const keys = await openKeys({ agency: name, directory: join(service.dataDir, name), masterKey, clock })
  opened.push(keys)
  const signing = await keys.obtain({ kind: 'P-256', alias: 'signing' })
  const web = (await send(`${service.url}/${name}/did.json`, 'GET')).body as unknown as { alsoKnownAs: [string] }
  const [did] = web.alsoKnownAs
  const path = `/1.0/identifiers/${encodeURIComponent(did)}`
  const { didDocument } = (await resolved(name, path)) as { didDocument: { verificationMethod: Method[] } }
  const kid = didDocument.verificationMethod.find(method => method.publicKeyJwk?.x === signing.jwk.x)?.id
  if (kid === undefined) throw new Error(`the DID of ${name} has no signing key`)
  return { keys, key: { did, kid, keyId: signing.keyId, algorithm: signing.algorithm } }
}
type Method = { id: string; publicKeyJwk?: { x?: string } }

const resolved = async (name: string, path: string): Promise<unknown> =>
  (await fetch(`${service.url}/${name}${path}`)).json()

beforeAll(async () => {
  const dataDir = join(folder.path, 'data')
  const agencies = ['root-authority', ...names].map(name => join(root, `agents/${name}.yml`))
  service = await startService({ dataDir, agencies })
  for (const name of names) institutions.set(name, await institutionOf(name))
}, 120_000)

afterAll(async () => {
  for (const keys of opened) await keys.close()
  await service?.stop()
  folder.remove()
})

type Asking = { by?: Name; body?: unknown; signed?: unknown; audience?: string; token?: string; key?: string }

const tokenOf = ({ by = 'commercial-bank', body, signed = body, audience = rootUrl() }: Asking): Promise<string> => {
  const { key, keys } = institutions.get(by) as { key: IssuerKey; keys: Keys }
  const request = { audience, method: 'POST', url: evaluations(), body: signed }
  return signAgencyRequest(request, { key, signer: keys.signer, clock })
}

const ask = async (asking: Asking): Promise<Answer> =>
  send(evaluations(), 'POST', asking.body, {
    authorization: `Agency ${asking.token ?? (await tokenOf(asking))}`,
    ...(asking.key === undefined ? {} : { 'idempotency-key': asking.key }),
  })

/** The key that the root's DID names on chain, as its own answers are proven under. */
const publicKey = async (): Promise<{ keyId: string }> => {
  const answer = await ask({ body: bodyOf() })
  return answer.body as unknown as { keyId: string }
}

const element = (): string => {
  // Any point will do for what is refused: this is the generator of P-256.
  const generator = '036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
  return Buffer.from(generator, 'hex').toString('base64url')
}
const bodyOf = (domain = 'register:land', count = 1) => ({ domain, blinded: Array(count).fill(element()) as string[] })
const codeOf = (answer: Answer) => [answer.status, answer.body['code']]

describe('evaluations of pseudonyms over HTTP', () => {
  it('are answered to an accredited institution, with the id of the key', async () => {
    const answer = await ask({ body: bodyOf('cbdc:xnd', 3) })
    expect([answer.status, (answer.body['evaluated'] as unknown as string[]).length]).toEqual([200, 3])
    expect(String(answer.body['keyId'])).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect((await ask({ body: bodyOf(), by: 'transport-authority' })).status).toBe(200)
  })

  it('are refused to nobody in particular, to staff, and to a bearer of an agency token', async () => {
    const body = bodyOf()
    expect(codeOf(await send(evaluations(), 'POST', body))).toEqual([401, 'unauthenticated'])
    const staff = await caller(service, 'root-authority')('POST', '/pseudonyms/evaluations', body)
    expect(codeOf(staff)).toEqual([403, 'agency_only'])
    const bearer = await send(evaluations(), 'POST', body, { authorization: `Bearer ${await tokenOf({ body })}` })
    expect(codeOf(bearer)).toEqual([401, 'credentials_invalid'])
  })

  it('are refused to an institution that is accredited for nothing, or not for this domain', async () => {
    expect(codeOf(await ask({ body: bodyOf(), by: 'citizen-wallet' }))).toEqual([403, 'agency_unaccredited'])
    const reserved = await ask({ body: bodyOf('cbdc:xnd'), by: 'transport-authority' })
    expect(codeOf(reserved)).toEqual([403, 'pseudonym_domain_reserved'])
  })

  it('are refused for another body, another audience, and a second time', async () => {
    const changed = await ask({ body: bodyOf('register:land', 2), signed: bodyOf() })
    expect(codeOf(changed)).toEqual([401, 'agency_body_mismatch'])
    const elsewhere = await ask({ body: bodyOf(), audience: 'https://root.example' })
    expect(codeOf(elsewhere)).toEqual([401, 'agency_token_invalid'])
    const token = await tokenOf({ body: bodyOf() })
    expect((await ask({ body: bodyOf(), token })).status).toBe(200)
    expect(codeOf(await ask({ body: bodyOf(), token }))).toEqual([401, 'agency_token_replayed'])
    expect(codeOf(await ask({ body: bodyOf(), token: `${token}x` }))).toEqual([401, 'agency_token_invalid'])
  })

  it('are refused of no points, of too many, and of none', async () => {
    for (const body of [{ domain: 'a', blinded: [] }, bodyOf('a', 101), { domain: 'a' }, bodyOf('A')]) {
      expect(codeOf(await ask({ body }))).toEqual([400, 'body_invalid'])
    }
    const blinded = [Buffer.alloc(33, 0xff).toString('base64url')]
    expect(codeOf(await ask({ body: { domain: 'a', blinded } }))).toEqual([400, 'blinded_element_invalid'])
  })

  it('are one token’s use, also after a restart of the authority, under the same key', async () => {
    const token = await tokenOf({ body: bodyOf() })
    expect((await ask({ body: bodyOf(), token })).status).toBe(200)
    const before = await publicKey()
    const { dataDir } = service
    const port = Number(new URL(service.url).port)
    await service.stop()
    const agencies = ['root-authority', ...names].map(name => join(root, `agents/${name}.yml`))
    service = await startService({ dataDir, agencies, port })
    // The new process has not seen the token; the database has.
    expect(codeOf(await ask({ body: bodyOf(), token }))).toEqual([401, 'proof_replayed'])
    expect(await publicKey()).toMatchObject({ keyId: before.keyId })
  }, 90_000)

  it('are refused by a client under any key but the one that it takes from the chain', async () => {
    const post = async (_path: string, body: unknown) => {
      const answer = await ask({ body })
      return { status: answer.status, body: Buffer.from(JSON.stringify(answer.body)) }
    }
    const authority = async () => ({ publicKey: Buffer.from(element(), 'base64url'), post })
    await expect(openPseudonyms({ authority }).of('900417-2381', 'register:land')).rejects.toMatchObject({
      code: 'pseudonym_key_differs',
    })
  })
})
