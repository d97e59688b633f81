import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { openTypedSignatures } from '../../../src/chain/typed-signatures.ts'
import { checkBody } from '../../../src/http/contract.ts'
import { decodeEntry, type SignedEntry } from '../../../src/kernel/ledger-entry.ts'
import { openStructs, type SignedKind, signedKinds, typedDataOf } from '../../../src/kernel/ledger-typed-data.ts'
import { entryOf, type WantedEntry } from '../../../src/plugins/wallet/ledger.ts'
import { ledgerKeysMost } from '../../../src/plugins/wallet/policy.ts'
import { signedEntryOf } from '../../kernel/ledger-entries.ts'
import {
  type Citizen,
  citizenAt,
  contract,
  everythingStored,
  onBothDatabases,
  passphrase,
  refusalOf,
} from './fixture.ts'

const verifyingContract = `0x${'5F'.repeat(20)}`
const domain = { name: 'Chancery Ledger', version: '1', chainId: 31_337, verifyingContract }
const ledger = `eip155:31337:${verifyingContract}`
const word = 'ab'.repeat(32)
const exportPassphrase = 'a passphrase for the drawer at home'

type Key = { id: string; ledger: string; label: string; jwk: JsonWebKey; scheme: number; prefix: number; x: string }
type Signed = { record: string; digest: string; disclosureId: string }
type Shown = { heldId: string; type: string; audience: string; challenge: string; shown: string[]; signed: unknown }

const newKey = (citizen: Citizen, label = 'everyday', key?: string): Promise<Key> =>
  citizen.call<Key>('createLedgerKey', { ledger, label }, key === undefined ? {} : { key })
const sign = (citizen: Citizen, keyId: string, entry: unknown, more: { domain?: unknown; key?: string } = {}) =>
  citizen.call<Signed>(
    'signLedgerRecord',
    { keyId, domain: more.domain ?? domain, entry },
    more.key === undefined ? {} : { key: more.key },
  )
const history = async (citizen: Citizen): Promise<Shown[]> =>
  (await citizen.call<{ items: Shown[] }>('listDisclosures')).items

const terms = { nonce: 7, validUntil: 1_800_000_000 }
const payment = { from: 12, to: 34, currency: 1, amount: '736402918250', fee: 0, ...terms }
const entries: Record<SignedKind, Record<string, unknown>> = {
  transfer: payment,
  reserve: { ...payment, expiry: 1_800_000_000, lockHash: `0x${word}`, arbiter: 0 },
  post: { reservation: 5, amount: '10', remaining: '20', last: 0, by: 34 },
  void: { reservation: 5, by: 34 },
  withdraw: { ...payment, recipient: `0x${'Cd'.repeat(20)}` },
  link: { account: 12, linked: 99, ...terms },
  keyChange: { account: 12, scheme: 1, prefix: 3, x: word, ...terms },
  instruct: {
    ...{ account: 12, to: 34, currency: 1, amount: '90000', first: 1_800_000_000, unit: 3, every: 1, times: 0 },
    ...terms,
  },
  revoke: { account: 12, instruction: 3, ...terms },
}

const wrong: [SignedKind, string, unknown][] = [
  ...['-1', '1.5', '1e3', '', ' 1', '01', '9223372036854775808', '18446744073709551616', 12, null, undefined].map(
    amount => ['transfer', 'amount', amount] as [SignedKind, string, unknown],
  ),
  ...[-1, 2 ** 32, 1.5, '12', null, undefined].map(to => ['transfer', 'to', to] as [SignedKind, string, unknown]),
  ['transfer', 'currency', 65_536],
  ['transfer', 'signature', '00'.repeat(64)],
  ['transfer', 'order', '00'.repeat(16)],
  ['withdraw', 'recipient', `0x${'cd'.repeat(19)}`],
  ['withdraw', 'recipient', `0x${'zz'.repeat(20)}`],
  ['reserve', 'lockHash', `0x${word}00`],
  ['post', 'preimage', 'ab'],
  ['post', 'last', 256],
  ['keyChange', 'x', 5],
  ['instruct', 'every', 65_536],
  ['instruct', 'first', 2 ** 32],
  ['instruct', 'unit', 256],
  ['revoke', 'instruction', '3'],
]

test('over HTTP the contract refuses the same bodies, but for an amount between 2^63 and 10^19', () => {
  const operation = contract.get('signLedgerRecord')
  if (operation === undefined) throw new Error('openapi.yaml has no such operation')
  const sent = (entry: unknown) => () =>
    checkBody(operation, 'application/json', JSON.parse(JSON.stringify({ keyId: '0', domain, entry })))
  for (const kind of signedKinds) expect(sent({ kind, ...entries[kind] })).not.toThrow()
  const passed = wrong.filter(([kind, member, value]) => {
    try {
      sent({ kind, ...entries[kind], [member]: value })()
      return true
    } catch (error) {
      expect(error).toMatchObject({ kind: 'malformed' })
      return false
    }
  })
  expect(passed.map(([, , value]) => value)).toEqual(['9223372036854775808'])
  expect(sent({ kind: 'mint', ...entries.transfer })).toThrow()
  expect(sent({ ...entries.transfer })).toThrow()
})

test('what is asked for becomes the entry that the typed data shows, for every kind', () => {
  for (const kind of signedKinds) {
    fc.assert(
      fc.property(signedEntryOf(kind), entry => {
        const members = Object.entries(entry).flatMap(([name, value]) =>
          name === 'kind' || name === 'signature'
            ? []
            : [[name, typeof value === 'bigint' ? (value & (2n ** 63n - 1n)).toString() : value] as const],
        )
        const made = entryOf({ kind, ...Object.fromEntries(members) } as WantedEntry)
        const { message } = typedDataOf(made, domain)
        for (const [name, value] of members) {
          if (name === 'preimage') continue
          expect(message[name]).toBe(typeof value === 'string' && /^[0-9a-f]{40,}$/.test(value) ? `0x${value}` : value)
        }
      }),
      { numRuns: 30 },
    )
  }
})

onBothDatabases(scene => {
  test('a key is P-256, is told to the ledger as its compressed point, and is listed', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const made = await newKey(amara)
    const { items } = await amara.call<{ items: Key[] }>('listLedgerKeys')
    expect(items).toEqual([made])
    expect(made).toMatchObject({ ledger: ledger.toLowerCase(), label: 'everyday', scheme: 2 })
    expect(Object.keys(made.jwk).sort()).toEqual(['crv', 'kty', 'x', 'y'])
    expect(createPublicKey({ key: made.jwk, format: 'jwk' }).asymmetricKeyType).toBe('ec')
    expect(Buffer.from(made.jwk.x ?? '', 'base64url').toString('hex')).toBe(made.x)
    expect(made.prefix).toBe(2 + ((Buffer.from(made.jwk.y ?? '', 'base64url').at(-1) ?? 0) & 1))
  })

  test('the same idempotency key gives the same key, and the limit holds', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    expect(await newKey(amara, 'a', 'once')).toEqual(await newKey(amara, 'a', 'once'))
    for (let made = 1; made < ledgerKeysMost; made += 1) await newKey(amara, `${made}`)
    expect(await refusalOf(newKey(amara, 'more'))).toBe('wallet_full')
    const { items } = await amara.call<{ items: Key[] }>('listLedgerKeys', undefined, { query: { limit: '100' } })
    expect(items).toHaveLength(ledgerKeysMost)
  })

  test('a record of every kind is one that the ledger can read, and whose signature it takes', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id, scheme, prefix, x } = await newKey(amara)
    const signatures = await openTypedSignatures(domain)
    const structOf = openStructs(signatures.keccak)
    const key = Buffer.from([prefix, ...Buffer.from(x, 'hex')])
    for (const kind of signedKinds) {
      const { record, digest } = await sign(amara, id, { kind, ...entries[kind] })
      const entry = decodeEntry(Buffer.from(record, 'base64url')) as SignedEntry
      const { types, primaryType, message } = typedDataOf(entry, domain)
      expect(digest).toBe(TypedDataEncoder.hash(domain, { [primaryType]: [...(types[primaryType] ?? [])] }, message))
      const claim = { struct: structOf(entry), scheme, key, signature: Buffer.from(entry.signature, 'hex') }
      expect({ kind, verified: await signatures.verify([claim]) }).toEqual({ kind, verified: [true] })
      for (const [name, value] of Object.entries(entries[kind])) {
        const shown =
          typeof value === 'string' && value.length >= 40 ? `0x${value.replace('0x', '').toLowerCase()}` : value
        expect({ kind, name, value: message[name] }).toEqual({ kind, name, value: shown })
      }
    }
    await signatures.close()
  })

  test('a post carries what opens the lock, which is not signed', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id } = await newKey(amara)
    const { record, digest } = await sign(amara, id, { kind: 'post', ...entries.post, preimage: word })
    expect(decodeEntry(Buffer.from(record, 'base64url'))).toMatchObject({ kind: 'post', preimage: word })
    expect((await sign(amara, id, { kind: 'post', ...entries.post })).digest).toBe(digest)
  })

  test('what was signed is in the history: which ledger, which kind, how much, to which account', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id } = await newKey(amara)
    const { digest } = await sign(amara, id, { kind: 'transfer', ...entries.transfer })
    const shown = await history(amara)
    expect(shown).toHaveLength(1)
    expect(shown[0]).toMatchObject({
      ...{ heldId: id, type: 'LedgerRecord', audience: ledger.toLowerCase(), challenge: digest },
      shown: ['from', 'to', 'currency', 'amount', 'fee', 'nonce', 'validUntil'],
      signed: { kind: 'transfer', members: entries.transfer },
    })
  })

  test('the same idempotency key gives the same record and one line of history; another entry is refused', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id } = await newKey(amara)
    const first = await sign(amara, id, { kind: 'transfer', ...entries.transfer }, { key: 'pay' })
    expect(await sign(amara, id, { kind: 'transfer', ...entries.transfer }, { key: 'pay' })).toEqual(first)
    const other = sign(amara, id, { kind: 'transfer', ...entries.transfer, to: 35 }, { key: 'pay' })
    expect(await refusalOf(other)).toBe('idempotency_mismatch')
    expect(await history(amara)).toHaveLength(1)
  })

  test('a key signs for its own ledger only, and for its own citizen only', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const boris = await citizenAt(office, 'boris')
    const { id } = await newKey(amara)
    const entry = { kind: 'transfer', ...entries.transfer }
    for (const change of [{ chainId: 1 }, { verifyingContract: `0x${'5e'.repeat(20)}` }]) {
      expect(await refusalOf(sign(amara, id, entry, { domain: { ...domain, ...change } }))).toBe('ledger_foreign')
    }
    expect(await refusalOf(sign(boris, id, entry))).toBe('ledger_key_unknown')
    expect(await refusalOf(sign(amara, '0', entry))).toBe('ledger_key_unknown')
    expect((await boris.call<{ items: Key[] }>('listLedgerKeys')).items).toEqual([])
    expect([...(await history(amara)), ...(await history(boris))]).toEqual([])
  })

  test('a citizen without a session signs nothing', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id } = await newKey(amara)
    const body = { keyId: id, domain, entry: { kind: 'transfer', ...entries.transfer } }
    for (const operation of ['signLedgerRecord', 'createLedgerKey', 'listLedgerKeys']) {
      expect(await refusalOf(office.call(operation, body))).toBe('unauthenticated')
    }
  })

  test('what a record cannot hold is refused with the name of the member, and nothing is signed', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id } = await newKey(amara)
    for (const [kind, member, value] of wrong) {
      const refused = sign(amara, id, { kind, ...entries[kind], [member]: value })
      await expect(refused).rejects.toMatchObject({ code: 'ledger_record_malformed', facts: { member } })
    }
    expect(await history(amara)).toEqual([])
  })

  test('the operator’s database shows neither key, nor ledger, nor payment', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id, x, jwk } = await newKey(amara, 'a label that nobody else reads')
    const { record, digest } = await sign(amara, id, { kind: 'transfer', ...entries.transfer })
    const stored = await everythingStored(office)
    expect(stored).toContain(id)
    const secrets = [x, jwk.x ?? '', record, digest.slice(2), '5f'.repeat(20), '5F'.repeat(20), 'nobody else reads']
    for (const secret of [...secrets, '"amount"', '736402918250', Buffer.from(record, 'base64url').toString('hex')]) {
      expect(stored.includes(secret) ? secret : undefined).toBeUndefined()
    }
  })

  test('keys outlive a restart and a change of the passphrase', async () => {
    const { office, again } = await scene()
    const amara = await citizenAt(office, 'amara')
    const made = await newKey(amara)
    await amara.call('changePassphrase', { passphrase, newPassphrase: 'another correct horse and staple' })
    const later = await again()
    const session = await later.call('openSession', { handle: 'amara', passphrase: 'another correct horse and staple' })
    const caller = await later.sessions.session((session.body as { token: string }).token)
    if (caller === undefined) throw new Error('no session')
    const body = { keyId: made.id, domain, entry: { kind: 'void', ...entries.void } }
    expect((await later.call('listLedgerKeys', undefined, { caller })).body).toEqual({ items: [made] })
    expect((await later.call('signLedgerRecord', body, { caller })).status).toBe(201)
  })

  test('keys and history go with an export, once', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const { id, x } = await newKey(amara)
    await sign(amara, id, { kind: 'transfer', ...entries.transfer })
    const file = await amara.call('exportWallet', { passphrase, exportPassphrase })
    const anew = await citizenAt(office, 'amara-anew')
    const taken = { keys: 1, credentials: 0, disclosures: 1, leftOut: [] }
    expect(await anew.call('importWallet', { export: file, exportPassphrase })).toEqual(taken)
    expect(await anew.call('importWallet', { export: file, exportPassphrase })).toEqual({ ...taken, disclosures: 0 })
    const { items } = await anew.call<{ items: Key[] }>('listLedgerKeys')
    expect(items.map(key => key.x)).toEqual([x])
    expect((await history(anew)).map(({ heldId, signed }) => ({ heldId, signed }))).toEqual([
      { heldId: items[0]?.id, signed: { kind: 'transfer', members: entries.transfer } },
    ])
    const { record } = await sign(anew, items[0]?.id ?? '', { kind: 'link', ...entries.link })
    expect(decodeEntry(Buffer.from(record, 'base64url'))).toMatchObject({ kind: 'link', linked: 99 })
  })
})
