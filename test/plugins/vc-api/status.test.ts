import type { Caller } from '../../../src/kernel/gate.ts'
import { onEachDatabase } from '../../databases.ts'
import { examples, migrations, openAgency, v2 } from './fixture.ts'

const staff: Caller = { kind: 'apiKey', id: 'clerk', scopes: ['credentials:issue', 'credentials:status'] }
const credential = (more: object = {}) => ({
  '@context': [v2, examples],
  type: ['VerifiableCredential', 'ExampleDegreeCredential'],
  credentialSubject: { id: 'did:example:abcdefgh' },
  ...more,
})
const refused = (code: string) => expect.objectContaining({ code })

onEachDatabase(migrations, databases => {
  const open = async () => {
    const agency = await databases.closing(await openAgency(await databases.place()))
    const issue = (body: object, issuer = 'listed') =>
      agency.call('issueByInstance', { issuer }, { ...body }, { caller: staff })
    const change = (credentialId: string, credentialStatus: object = {}, status = true) => {
      const body = { credentialId, credentialStatus: { type: 'BitstringStatusListEntry', ...credentialStatus }, status }
      return agency.call('updateInstanceStatus', { issuer: 'listed' }, body, { caller: staff })
    }
    const list = async (number = '0') =>
      (await agency.call('getInstanceStatusList', { issuer: 'listed', list: number })).body as {
        validFrom: string
        credentialSubject: { encodedList: string }
        proof: { proofValue: string }
      }
    return { ...agency, issue, change, list }
  }

  describe('an id of a credential with a status', () => {
    it('names one credential of its instance, so that no other is revoked with it', async () => {
      const agency = await open()
      const id = 'urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301'
      expect((await agency.issue({ credential: credential({ id }) })).status).toBe(201)
      const taken = refused('credential_id_taken')
      await expect(agency.issue({ credential: credential({ id }) })).rejects.toEqual(taken)
      await expect(agency.issue({ credential: credential(), options: { credentialId: id } })).rejects.toEqual(taken)
      const both = await Promise.allSettled(
        [1, 2].map(() => agency.issue({ credential: credential({ id: `${id}0` }) })),
      )
      expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      // An instance without lists keeps nothing, and revokes nothing.
      for (let n = 0; n < 2; n++)
        expect((await agency.issue({ credential: credential({ id }) }, 'jcs')).status).toBe(201)
    })

    it('is changed with its own entry only, where one is named (VCALM 1.0, Update Status)', async () => {
      const agency = await open()
      const options = { credentialId: 'one' }
      const { body } = await agency.issue({ credential: credential(), options })
      const issued = body['verifiableCredential'] as {
        credentialStatus: { id: string; statusListIndex: string; statusListCredential: string }[]
      }
      const [revocation, suspension] = issued.credentialStatus
      for (const entry of [suspension, { statusListIndex: '7' }, { statusListCredential: 'https://a.example/b' }]) {
        const { statusPurpose: _, ...named } = { statusPurpose: '', ...entry }
        await expect(agency.change('one', { ...named, statusPurpose: 'revocation' })).rejects.toEqual(
          refused('status_entry_differs'),
        )
      }
      expect((await agency.change('one', { ...revocation })).body).toMatchObject({ status: true })
      expect((await agency.change('one', { type: 'BitstringStatusList' }, false)).body).toMatchObject({ status: false })
      await expect(agency.change('two')).rejects.toEqual(refused('credential_unknown'))
    })
  })

  describe('the list of an instance', () => {
    it('is signed once until a status changes or its time to live is over', async () => {
      const agency = await open()
      await agency.issue({ credential: credential(), options: { credentialId: 'one' } })
      const first = await agency.list()
      expect(await agency.list()).toBe(first)
      const other = await agency.list('1')
      await agency.change('one')
      const second = await agency.list()
      expect(second.credentialSubject.encodedList).not.toBe(first.credentialSubject.encodedList)
      expect(await agency.list('1')).toBe(other)
      agency.clock.advance(60_000)
      const third = await agency.list()
      expect([third.credentialSubject, third.validFrom === second.validFrom]).toEqual([second.credentialSubject, false])
      await agency.change('one', {}, false)
      expect((await agency.list()).credentialSubject.encodedList).toBe(first.credentialSubject.encodedList)
    })

    it('is none before something stands in it', async () => {
      const agency = await open()
      await expect(agency.list()).rejects.toEqual(refused('status_list_unknown'))
      await agency.issue({ credential: credential() })
      await expect(agency.list('2')).rejects.toEqual(refused('status_list_unknown'))
    })
  })
})
