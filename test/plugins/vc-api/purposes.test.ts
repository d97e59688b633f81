import * as vc from '@digitalbazaar/vc'
import fc from 'fast-check'
import { InstancePurposes1763900001291 } from '../../../migrations/agency/1291-instance-purposes.ts'
import { openForeignStatus } from '../../../src/identity/foreign/status.ts'
import { verifyForeign } from '../../../src/identity/foreign/verify.ts'
import {
  bitstringOf,
  expandBitstring,
  readBitstringEntry,
  readBitstringList,
  statusOf,
} from '../../../src/identity/status-lists/bitstring.ts'
import type { Caller } from '../../../src/kernel/gate.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { vcApi } from '../../../src/plugins/vc-api/plugin.ts'
import { readStatusOptions } from '../../../src/plugins/vc-api/status-options.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openStore } from '../../../src/store/store.ts'
import { type Databases, onEachDatabase, type Place } from '../../databases.ts'
import { DataIntegrityProof, documentLoader, theirs } from '../../identity/integrity/others.ts'
import { examples, migrations, openAgency, publicUrl, v2 } from './fixture.ts'

const staff: Caller = { kind: 'apiKey', id: 'clerk', scopes: ['credentials:issue', 'credentials:status'] }
type Entry = Record<string, unknown> & { statusListCredential: string; statusListIndex: string; statusPurpose: string }
type Issued = Record<string, unknown> & { credentialStatus: Entry[] }

const reviews = [
  { status: '0x0', message: 'pending_review' },
  { status: '0x1', message: 'accepted' },
  { status: '0x2', message: 'rejected' },
  { status: '0x3', message: 'undefined' },
]
/** The example of section 2.1. */
const review = {
  ...{ type: 'BitstringStatusListEntry', statusPurpose: 'message', statusSize: 2, statusMessage: reviews },
  statusReference: 'https://example.org/status-dictionary/',
}
const refused = (code: string) => expect.objectContaining({ code })

const opening = (databases: Databases) => async (at?: Place) => {
  const agency = await databases.closing(await openAgency(at ?? (await databases.place())))
  const listAt = async (url: string): Promise<Record<string, unknown>> => {
    const [issuer = '', , list = ''] = url.slice(`${publicUrl}/issuers/`.length).split('/')
    return (await agency.call('getInstanceStatusList', { issuer, list })).body
  }
  const judgeStatus = openForeignStatus({
    ...{ clock: agency.clock, keyOf: agency.keyOf, didsOf: () => [] },
    fetch: async url => ({
      ...{ url, status: 200, contentType: 'application/vc', cacheControl: 'no-store', age: undefined },
      body: Buffer.from(JSON.stringify(await listAt(url))),
    }),
  })
  return {
    ...{ ...agency, listAt },
    issue: async (id: string, credentialStatus?: unknown, issuer = 'listed-rdfc'): Promise<Issued> => {
      const credential = {
        ...{ '@context': [v2, examples], type: ['VerifiableCredential', 'ExampleDegreeCredential'] },
        credentialSubject: { id: 'did:example:abcdefgh' },
      }
      const options = { credentialId: id, ...(credentialStatus === undefined ? {} : { credentialStatus }) }
      const { body } = await agency.call('issueByInstance', { issuer }, { credential, options }, { caller: staff })
      return body['verifiableCredential'] as Issued
    },
    change: async (credentialId: string, statusPurpose: string, status?: unknown, issuer = 'listed-rdfc') => {
      const body = { credentialId, credentialStatus: { statusPurpose }, ...(status === undefined ? {} : { status }) }
      return (await agency.call('updateInstanceStatus', { issuer }, body, { caller: staff })).body
    },
    /** As a reader of others' lists finds it. */
    found: async (entry: Entry) => {
      const { encodedList, ...list } = readBitstringList(await listAt(entry.statusListCredential))
      return statusOf(readBitstringEntry(entry), list, await expandBitstring(encodedList, 8_388_608))
    },
    judge: (credential: unknown) => {
      const { clock, keyOf } = agency
      return verifyForeign(credential, { clock, keyOf, didsOf: () => [], judgeIssuer: () => undefined, judgeStatus })
    },
  }
}

onEachDatabase(migrations, databases => {
  const open = opening(databases)

  describe('a credential of an instance', () => {
    it('has the statuses that were asked for and no others', async () => {
      const agency = await open()
      const purposesOf = ({ credentialStatus }: Issued) => credentialStatus.map(({ statusPurpose }) => statusPurpose)
      expect(purposesOf(await agency.issue('a'))).toEqual(['revocation', 'suspension'])
      expect(purposesOf(await agency.issue('b', { statusPurpose: 'refresh' }))).toEqual(['refresh'])
      const asked = [{ statusPurpose: 'suspension' }, review]
      expect(purposesOf(await agency.issue('c', asked))).toEqual(['suspension', 'message'])
      for (const [id, purpose, status] of [
        ['a', 'refresh'],
        ['a', 'message', '0x1'],
        ['b', 'revocation'],
        ['c', 'revocation'],
      ] as const) {
        await expect(agency.change(id, purpose, status)).rejects.toEqual(refused('status_entry_missing'))
      }
      await expect(agency.change('d', 'refresh')).rejects.toEqual(refused('credential_unknown'))
      await expect(agency.issue('b', review)).rejects.toEqual(refused('credential_id_taken'))
    })

    it('is told a message by a list that carries them all (sections 2.1 and 2.2), and stands with any', async () => {
      const agency = await open()
      const issued = await agency.issue('a', [{ statusPurpose: 'revocation' }, review])
      const [revocation, message] = issued.credentialStatus as [Entry, Entry]
      const { statusPurpose: _, type: __, ...terms } = review
      expect(message).toMatchObject({ ...terms, statusListIndex: '0' })
      expect(await agency.found(message)).toMatchObject({ status: 0, valid: true, message: 'pending_review' })
      expect(await agency.change('a', 'message', '0x2')).toEqual({
        ...{ credentialId: 'a', statusPurpose: 'message', status: '0x2' },
      })
      expect(await agency.found(message)).toMatchObject({ status: 2, valid: false, message: 'rejected' })
      expect((await agency.listAt(message.statusListCredential))['credentialSubject']).toMatchObject({
        ...{ statusPurpose: 'message', statusSize: 2, statusMessages: reviews, ttl: 60_000 },
      })
      expect(await agency.judge(issued)).toMatchObject({
        verified: true,
        statuses: [
          { purpose: 'revocation', value: 0 },
          { purpose: 'message', value: 2, message: 'rejected' },
        ],
      })
      await agency.change('a', 'message', '0x0')
      expect(await agency.found(message)).toMatchObject({ status: 0 })
      await agency.change('a', 'revocation')
      expect(await agency.found(revocation)).toMatchObject({ status: 1, valid: false })
      const revoked = await agency.judge(issued)
      expect([revoked.refusal?.code, revoked.statuses]).toEqual(['credential_revoked', undefined])
    })

    it('shares a list with those that may be told the same, and with no others', async () => {
      const agency = await open()
      const placeOf = async (id: string, asked: object, issuer?: string) => {
        const [entry] = (await agency.issue(id, asked, issuer)).credentialStatus
        return [entry?.statusListCredential.split('/').slice(-3).join('/'), entry?.statusListIndex]
      }
      const reversed = { ...review, statusMessage: reviews.toReversed(), statusReference: 'https://a.example/other' }
      const others = { ...review, statusMessage: reviews.map(each => ({ ...each, message: `${each.message}!` })) }
      expect(await placeOf('a', review)).toEqual(['listed-rdfc/status/1000000', '0'])
      expect(await placeOf('b', reversed)).toEqual(['listed-rdfc/status/1000000', '1'])
      expect(await placeOf('c', others)).toEqual(['listed-rdfc/status/1000001', '0'])
      expect(await placeOf('d', { statusPurpose: 'refresh' })).toEqual(['listed-rdfc/status/1000002', '0'])
      expect(await placeOf('a', review, 'listed')).toEqual(['listed/status/1000000', '0'])
      await agency.change('b', 'message', '0x3')
      const at = (list: number) => agency.listAt(`${publicUrl}/issuers/listed-rdfc/status/${list}`)
      const { encodedList } = (await at(1_000_000))['credentialSubject'] as Record<string, string>
      const expected = bitstringOf({ entries: 131_072, size: 2, statuses: [{ index: 1, status: 3 }] })
      expect(Buffer.from(await expandBitstring(encodedList ?? '', 65_536)).equals(Buffer.from(expected))).toBe(true)
      await expect(at(1_000_003)).rejects.toEqual(refused('status_list_unknown'))
      await expect(at(0)).rejects.toEqual(refused('status_list_unknown'))
    })

    it('gets a place of its own however many are issued at once', async () => {
      const agency = await open()
      const asked = [{ statusPurpose: 'refresh' }, review]
      const issued = await Promise.all(Array.from({ length: 12 }, (_, n) => agency.issue(String(n), asked)))
      const placesOf = (purpose: string) =>
        issued.map(({ credentialStatus }) => credentialStatus.find(each => each.statusPurpose === purpose)?.['id'])
      for (const purpose of ['refresh', 'message']) expect(new Set(placesOf(purpose)).size).toBe(12)
    })

    it('announces an update once and for all, and a message by its status alone', async () => {
      const agency = await open()
      const issued = await agency.issue('a', [{ statusPurpose: 'refresh' }, review])
      const [refresh] = issued.credentialStatus as [Entry]
      await agency.change('a', 'refresh')
      expect(await agency.found(refresh)).toMatchObject({ status: 1, valid: false })
      expect(await agency.judge(issued)).toMatchObject({
        verified: true,
        statuses: [
          { purpose: 'refresh', value: 1 },
          { purpose: 'message', value: 0 },
        ],
      })
      await expect(agency.change('a', 'refresh', false)).rejects.toEqual(refused('status_final'))
      for (const status of [undefined, true, false]) {
        await expect(agency.change('a', 'message', status)).rejects.toEqual(refused('status_value_malformed'))
      }
      await expect(agency.change('a', 'refresh', '0x1')).rejects.toEqual(refused('status_value_malformed'))
      await expect(agency.change('a', 'message', '0x4')).rejects.toEqual(refused('status_value_unknown'))
      expect(await agency.found(issued.credentialStatus[1] as Entry)).toMatchObject({ status: 0 })
    })

    it('is refused statuses by an instance that keeps none', async () => {
      const agency = await open()
      await expect(agency.issue('a', review, 'rdfc')).rejects.toEqual(refused('status_not_kept'))
    })
  })

  describe('a list of messages', () => {
    it('verifies in @digitalbazaar/vc, which knows its terms by the context in it', async () => {
      const agency = await open()
      const [entry] = (await agency.issue('a', review)).credentialStatus as [Entry]
      await agency.change('a', 'message', '0x1')
      const credential = await agency.listAt(entry.statusListCredential)
      const suite = () => new DataIntegrityProof({ cryptosuite: theirs['eddsa-rdfc-2022'].verify })
      const judged = async (change: object) => {
        const given = structuredClone({ ...credential, ...change })
        return (await vc.verifyCredential({ credential: given, suite: suite(), documentLoader })).verified
      }
      expect(await judged({})).toBe(true)
      const renamed = reviews.map(each => ({ ...each, message: 'accepted' }))
      const credentialSubject = { ...(credential['credentialSubject'] as object), statusMessages: renamed }
      expect(await judged({ credentialSubject })).toBe(false)
    })

    it.each(['listed', 'listed-jose'])('is issued by every instance that keeps statuses: %s', async issuer => {
      const agency = await open()
      await agency.issue('a', review, issuer)
      const list = await agency.listAt(`${publicUrl}/issuers/${issuer}/status/1000000`)
      expect(list['type']).toEqual(
        issuer === 'listed'
          ? ['VerifiableCredential', 'BitstringStatusListCredential']
          : 'EnvelopedVerifiableCredential',
      )
    })
  })
})

const released = migrations.filter(each => each !== InstancePurposes1763900001291)

onEachDatabase(released, databases => {
  describe('what an instance issued before it knew other purposes', () => {
    it('has its statuses still, and goes on in their lists', async () => {
      const place = await databases.place()
      const entities = [...storeEntities, ...vcApi.entities]
      const before = await openStore({ ...place, migrations: released, entities })
      const issuer = 'listed-rdfc'
      await before.transaction(async tx => {
        await tx.query('INSERT INTO instance_heads (issuer, next) VALUES (?, 1)', [issuer])
        tx.insert('instance_credential_ids', [{ issuer, id: 'old' }])
        tx.insert('instance_credentials', [
          { issuer, position: 0, id: 'old', revocation: 0, suspension: 1, issued_at: 1_700_000_000_000 },
        ])
      })
      await before.close()
      const agency = await opening(databases)(place)
      await agency.change('old', 'revocation')
      await agency.change('old', 'suspension', false)
      const [revocation, suspension] = (await agency.issue('new')).credentialStatus as [Entry, Entry]
      const at = (entry: Entry, statusListIndex: string) => agency.found({ ...entry, statusListIndex })
      expect(revocation.statusListIndex).toBe('1')
      expect([await at(revocation, '0'), await at(suspension, '0')]).toMatchObject([{ status: 1 }, { status: 0 }])
      await expect(agency.change('old', 'refresh')).rejects.toEqual(refused('status_entry_missing'))
    })
  })
})

const codeOf = (value: unknown): string => {
  try {
    readStatusOptions(value)
    return 'none'
  } catch (error) {
    return isRefusal(error) ? error.code : String(error)
  }
}

describe('the statuses that are asked for, also by a template that no schema has judged', () => {
  const sized = (statusSize: unknown, statusMessage: unknown) => ({ ...review, statusSize, statusMessage })
  it.each<[string, unknown]>([
    ['nothing in a list', []],
    ['no entry', 'revocation'],
    ['null', null],
    ['another type', { type: 'StatusList2021Entry', statusPurpose: 'refresh' }],
    ['another purpose', { statusPurpose: 'toString' }],
    ['one purpose twice', [{ statusPurpose: 'refresh' }, { statusPurpose: 'refresh' }]],
    ['a list of one’s own', { statusPurpose: 'refresh', statusListCredential: 'https://a.example' }],
    ['messages for a revocation', { ...review, statusPurpose: 'revocation' }],
    ['a size for an update', { statusPurpose: 'refresh', statusSize: 1 }],
    ['no messages', sized(1, undefined)],
    ['too few messages', sized(2, reviews.slice(1))],
    ['too many messages', sized(1, reviews)],
    ['a status twice', sized(1, [reviews[0], reviews[0]])],
    ['a status beyond the size', sized(1, [reviews[0], reviews[2]])],
    ['a status that is no number', sized(1, [reviews[0], { status: '1', message: 'a' }])],
    ['an empty message', sized(1, [reviews[0], { status: '0x1', message: '' }])],
    ['a message of half a character', sized(1, [reviews[0], { status: '0x1', message: '\ud800' }])],
    ['more in a message', sized(1, [reviews[0], { status: '0x1', message: 'a', more: 1 }])],
    ['no bits', sized(0, [])],
    ['half a bit', sized(0.5, reviews)],
    ['too many bits', sized(9, Array(512).fill(reviews[0]))],
    ['a reference that is no URL', { ...review, statusReference: 'javascript:alert(1)' }],
    ['a reference twice', { ...review, statusReference: ['https://a.example', 'https://a.example'] }],
    ['no reference in a list', { ...review, statusReference: [] }],
  ])('are refused for %s', (_what, value) => {
    expect(codeOf(value)).toBe('status_option_malformed')
  })

  it('are read, or refused by that name, whatever is given', () => {
    const entry = fc.record(
      {
        ...{ type: fc.anything(), statusPurpose: fc.constantFrom('message', 'refresh', 'revocation', 1) },
        ...{ statusSize: fc.anything(), statusMessage: fc.anything(), statusReference: fc.anything() },
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(entry, fc.array(entry), fc.anything()), value => {
        expect(['none', 'status_option_malformed']).toContain(codeOf(value))
      }),
    )
  })
})
