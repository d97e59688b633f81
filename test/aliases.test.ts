import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AbiCoder, JsonRpcProvider, id as keccakOf, zeroPadValue } from 'ethers'
import { agencyEntities, agencyMigrations } from '../src/agency.ts'
import { signAgencyRequest } from '../src/identity/agency-token.ts'
import { aliasTag } from '../src/identity/alias-function.ts'
import type { IssuerKey } from '../src/identity/issue.ts'
import { type Keys, openKeys } from '../src/identity/keys.ts'
import type { Evaluated } from '../src/identity/oprf.ts'
import { readMasterKey } from '../src/identity/seal.ts'
import { openStore } from '../src/store/store.ts'
import { type Held, newWalletHolder, send, type WalletHolder, withdraw } from './holder.ts'
import {
  type Answer,
  caller,
  exampleOf,
  killNode,
  root,
  type Started,
  startService,
  temporaryFolder,
} from './service.ts'

/*
 * The demo nation's payments directory over HTTP, asked by a bank, by citizens, by an institution that stands for a ledger (what the
 * directory knows of one is its DID), and by one that has no customers. The directory's key is read from the chain, as any client does.
 */

const folder = temporaryFolder()
const clock = { now: Date.now }
const names = ['commercial-bank', 'money-ledger', 'transport-authority', 'citizen-wallet'] as const
type Name = (typeof names)[number]
type Institution = { key: IssuerKey; keys: Keys }
let service: Started
let publicKey: Uint8Array
const opened: Keys[] = []
const institutions = new Map<string, Institution>()
const directory = 'alias-directory'
const directoryUrl = () => `${service.url}/${directory}`
const didOf = (name: Name) => (institutions.get(name) as Institution).key.did
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

type Method = { id: string; publicKeyJwk?: { x?: string } }

const ethrOf = async (name: string): Promise<string> => {
  const { body } = await send(`${service.url}/${name}/did.json`, 'GET')
  return (body['alsoKnownAs'] as unknown as [string])[0]
}

const institutionOf = async (name: string): Promise<Institution> => {
  const masterKey = readMasterKey({ demoDirectory: service.dataDir, production: false })
  const keys = await openKeys({ agency: name, directory: join(service.dataDir, name), masterKey, clock })
  opened.push(keys)
  const signing = await keys.obtain({ kind: 'P-256', alias: 'signing' })
  const did = await ethrOf(name)
  const answer = await fetch(`${service.url}/${name}/1.0/identifiers/${encodeURIComponent(did)}`)
  const { didDocument } = (await answer.json()) as { didDocument: { verificationMethod: Method[] } }
  const kid = didDocument.verificationMethod.find(method => method.publicKeyJwk?.x === signing.jwk.x)?.id
  if (kid === undefined) throw new Error(`the DID of ${name} has no signing key`)
  return { keys, key: { did, kid, keyId: signing.keyId, algorithm: signing.algorithm } }
}

/** The OPRF key that the directory's DID names on chain. */
const publishedKey = async (): Promise<Uint8Array> => {
  const port = readFileSync(join(service.dataDir, 'chain/port'), 'utf8').trim()
  const provider = new JsonRpcProvider(`http://127.0.0.1:${port}`)
  const address = (await ethrOf(directory)).split(':').at(-1) ?? ''
  const event = keccakOf('DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)')
  const logs = await provider.getLogs({ fromBlock: 0, topics: [event, zeroPadValue(address, 32)] })
  provider.destroy()
  for (const { data } of logs) {
    const [name, value] = AbiCoder.defaultAbiCoder().decode(['bytes32', 'bytes', 'uint256', 'uint256'], data)
    const readable = Buffer.from(String(name).slice(2), 'hex').toString('utf8').replaceAll('\0', '')
    if (readable === 'chancery/oprf/P-256') return Buffer.from(String(value).slice(2), 'hex')
  }
  throw new Error('the DID of the directory names no OPRF key')
}

beforeAll(async () => {
  const shipped = ['root-authority', directory, ...names].filter(name => name !== 'money-ledger')
  const ledgerFile = join(folder.path, 'money-ledger.yml')
  const ledger = ['name: money-ledger', 'title: Ledger', 'plugins: [credentials]', 'issues: [PublicOfficer]']
  writeFileSync(ledgerFile, ledger.join('\n'))
  const agencies = [...shipped.map(name => join(root, `agents/${name}.yml`)), ledgerFile]
  service = await startService({ dataDir: join(folder.path, 'data'), agencies })
  for (const name of names) institutions.set(name, await institutionOf(name))
  publicKey = await publishedKey()
}, 120_000)

afterAll(async () => {
  for (const keys of opened) await keys.close()
  await service?.stop()
  folder.remove()
})

/** A request that an institution signs. */
const ask = async (by: Name, path: string, body: unknown, signed = body): Promise<Answer> => {
  const { key, keys } = institutions.get(by) as Institution
  const url = `${directoryUrl()}${path}`
  const token = await signAgencyRequest(
    { audience: directoryUrl(), method: 'POST', url, body: signed },
    { key, signer: keys.signer, clock },
  )
  return send(url, 'POST', body, { authorization: `Agency ${token}` })
}

type Post = (path: string, body: unknown) => Promise<Answer>

const tagBy = (post: Post, asker: 'institution' | 'citizen') => (kind: string, alias: string) =>
  aliasTag({
    ...{ kind, alias, publicKey },
    async evaluate(elements): Promise<Evaluated> {
      const answer = await post(`/aliases/evaluations/${asker}`, { kind, blinded: elements.map(text) })
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
      const { evaluated, proof } = answer.body as unknown as { evaluated: string[]; proof: string }
      const bytes = evaluated.map(each => Buffer.from(each, 'base64url'))
      return { elements: bytes, proof: Buffer.from(proof, 'base64url') }
    },
  })

const bankAsks: Post = (path, body) => ask('commercial-bank', path, body)
const bankTag = tagBy(bankAsks, 'institution')

const person = async (number: string): Promise<{ holder: WalletHolder; identity: Held }> => {
  const holder = newWalletHolder(service)
  const claims = { ...exampleOf('national-identity'), personalAdministrativeNumber: number }
  return { holder, identity: await holder.receive('root-authority', 'NationalIdentity', claims) }
}

const codeOf = ({ status, body }: Answer) => [status, body['code']]
const resolution = '/aliases/payment-addresses/resolution'
const lookUp = (kind: string, tag: string) => bankAsks('/aliases/lookups/institution', { kind, tag })
const accountOn = (account: number) => ({ ledger: didOf('money-ledger'), account })
let phones = 0
const newPhone = () => `+999555${String(++phones).padStart(6, '0')}`

const registerPhone = async (account: number) => {
  const tag = await bankTag('phone', newPhone())
  const body = { tag, maskedName: 'A*** O.', ...accountOn(account) }
  return { tag, body, answer: await bankAsks('/aliases/phone/registrations', body) }
}

describe('the payments directory over HTTP', () => {
  it('takes a phone that a bank vouches for, and leads a citizen’s one payment to its account', async () => {
    const { body, answer } = await registerPhone(7)
    expect([answer.status, answer.body['maskedName']]).toEqual([201, 'A*** O.'])
    const payer = await person('900417-0001')
    const session = await payer.holder.openSession(directory)
    const post: Post = (path, sent) => session.call('POST', path, sent)
    const tag = await tagBy(post, 'citizen')('phone', `+999555${String(phones).padStart(6, '0')}`)
    expect(tag).toBe(body.tag)
    const found = await post('/aliases/lookups/citizen', { kind: 'phone', tag })
    expect([found.status, found.body['maskedName']]).toEqual([200, 'A*** O.'])
    const { paymentAddress } = found.body
    const wrong = await ask('transport-authority', resolution, { paymentAddress })
    expect(codeOf(wrong)).toEqual([404, 'payment_address_unusable'])
    const resolved = await ask('money-ledger', resolution, { paymentAddress })
    expect([resolved.status, resolved.body]).toEqual([200, accountOn(7)])
    expect(codeOf(await bankAsks(resolution, { paymentAddress }))).toEqual([404, 'payment_address_unusable'])
  }, 60_000)

  it('takes a national id from whoever proves it, in a session or for this act alone, and forgets it', async () => {
    const number = '900417-0002'
    const payee = await person(number)
    const path = '/aliases/national-id/registrations'
    const shot = await payee.holder.oneShot(directory, 'registerAlias', { kind: 'national-id' }, accountOn(11))
    expect((await send(directoryUrl() + path, 'POST', shot)).status).toBe(201)
    const tag = await bankTag('national-id', number)
    const before = await lookUp('national-id', tag)
    expect(before.body['maskedName']).toBe('A*** O.')
    const session = await payee.holder.openSession(directory)
    expect((await session.call('POST', path, accountOn(12))).status).toBe(201)
    const stale = await bankAsks(resolution, { paymentAddress: before.body['paymentAddress'] })
    expect(codeOf(stale)).toEqual([404, 'payment_address_unusable'])
    const { paymentAddress } = (await lookUp('national-id', tag)).body
    expect((await bankAsks(resolution, { paymentAddress })).body).toEqual(accountOn(12))
    const removed = await session.call('POST', '/aliases/national-id/removals', {})
    expect([removed.status, removed.body]).toEqual([200, { kind: 'national-id', state: 'removed' }])
    expect(codeOf(await session.call('POST', '/aliases/national-id/removals', {}))).toEqual([404, 'alias_unknown'])

    const file = join(service.dataDir, directory, 'agency.sqlite')
    const store = await openStore({ file, migrations: agencyMigrations, entities: agencyEntities })
    const texts: string[] = []
    const tables = ['aliases', 'alias_addresses', 'alias_rates', 'alias_requests', 'journal', 'journal_details']
    for (const table of [...tables, 'idempotency']) {
      for (const row of await store.read(`SELECT * FROM ${table}`)) {
        for (const value of Object.values(row)) {
          texts.push(value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value))
        }
      }
    }
    await store.close()
    const everything = texts.join('\n')
    expect(everything).toContain('registerAlias')
    for (const secret of [number, 'Okafor', text(Buffer.from(number))]) expect(everything).not.toContain(secret)
  }, 60_000)

  it('answers for a number that nobody registered as for any other, until the payment', async () => {
    const { tag } = await registerPhone(21)
    const nobody = await bankTag('phone', newPhone())
    const [known, unknown, again] = [
      await lookUp('phone', tag),
      await lookUp('phone', nobody),
      await lookUp('phone', nobody),
    ]
    expect([unknown.status, Object.keys(unknown.body)]).toEqual([known.status, Object.keys(known.body)])
    expect(unknown.headers.get('content-length')).toBe(known.headers.get('content-length'))
    expect(String(unknown.body['maskedName'])).toMatch(/^[A-Z]\*{3} [A-Z]\.$/)
    expect(again.body['maskedName']).toBe(unknown.body['maskedName'])
    const { paymentAddress } = unknown.body
    expect(codeOf(await bankAsks(resolution, { paymentAddress }))).toEqual([404, 'payment_address_unusable'])
  }, 60_000)

  it('answers nobody in particular, no staff, no institution without customers, and no body that was not signed for', async () => {
    const body = { kind: 'phone', tag: await bankTag('phone', newPhone()) }
    const path = '/aliases/lookups/institution'
    expect(codeOf(await send(directoryUrl() + path, 'POST', body))).toEqual([401, 'unauthenticated'])
    expect(codeOf(await caller(service, directory)('POST', path, body))).toEqual([403, 'agency_only'])
    expect(codeOf(await ask('transport-authority', path, body))).toEqual([403, 'alias_bank_only'])
    expect(codeOf(await ask('citizen-wallet', path, body))).toEqual([403, 'agency_unaccredited'])
    expect(codeOf(await ask('commercial-bank', path, body, {}))).toEqual([401, 'agency_body_mismatch'])
    expect(codeOf(await bankAsks('/aliases/lookups/anybody', body))).toEqual([404, 'case_unknown'])
    expect(codeOf(await bankAsks('/aliases/email/registrations', accountOn(1)))).toEqual([404, 'case_unknown'])
    const blinded = ['A'.repeat(44)]
    const evaluation = { kind: 'phone', blinded }
    expect(codeOf(await ask('transport-authority', '/aliases/evaluations/institution', evaluation))).toEqual([
      403,
      'alias_bank_only',
    ])
  }, 60_000)

  it('registers nothing without the credential, for no ledger, or with a whole name', async () => {
    const path = '/aliases/national-id/registrations'
    expect(codeOf(await bankAsks(path, accountOn(1)))).toEqual([403, 'holder_only'])
    const someone = await person('900417-0003')
    const session = await someone.holder.openSession(directory)
    const phone = { ...accountOn(1), tag: await bankTag('phone', newPhone()), maskedName: 'A*** O.' }
    const phonePath = '/aliases/phone/registrations'
    expect(codeOf(await session.call('POST', phonePath, phone))).toEqual([403, 'agency_only'])
    const none = { ...phone, ledger: `did:ethr:0x7a69:0x${'99'.repeat(20)}` }
    expect(codeOf(await bankAsks(phonePath, none))).toEqual([422, 'alias_ledger_unknown'])
    const itself = { ...phone, ledger: await ethrOf(directory) }
    expect(codeOf(await bankAsks(phonePath, itself))).toEqual([422, 'alias_ledger_unknown'])
    const named = { ...phone, maskedName: 'Amara Okaf' }
    expect(codeOf(await bankAsks(phonePath, named))).toEqual([400, 'alias_name_unmasked'])
    await withdraw(service, someone.identity)
    expect(codeOf(await session.call('POST', path, accountOn(1)))).toEqual([403, 'credential_revoked'])
  }, 60_000)

  it('lets a citizen look up a few a day, whichever session or credential they come with', async () => {
    const number = '900417-0004'
    const body = { kind: 'phone', tag: await bankTag('phone', newPhone()) }
    const codes: unknown[] = []
    for (let session = 0; session < 2; session++) {
      const someone = await person(number)
      const { call } = await someone.holder.openSession(directory)
      for (let n = 0; n < 11; n++) codes.push((await call('POST', '/aliases/lookups/citizen', body)).status)
    }
    expect(codes).toEqual([...Array(20).fill(200), 429, 429])
  }, 60_000)
})

describe('a directory of aliases', () => {
  it.each(['pseudonyms', 'cbdc'])(
    'does not start in one institution with %s',
    async other => {
      const scratch = temporaryFolder()
      const file = join(scratch.path, 'both.yml')
      writeFileSync(file, `name: both\ntitle: Both\nroot: true\nplugins: [credentials, aliases, ${other}]\n`)
      const dataDir = join(scratch.path, 'data')
      const starting = startService({ dataDir, agencies: [file] })
      await expect(starting).rejects.toThrow(`cannot start: both: aliases and ${other} belong to two institutions`)
      killNode(dataDir)
      scratch.remove()
    },
    60_000,
  )
})
