import { columns } from '../../../src/plugins/mandates/actions/rows.ts'
import { dayAt, newHolder, onBothDatabases, publicUrl, refusalOf, registryDid } from './fixture.ts'

/** Rows written in one transaction. */
const batch = 100

onBothDatabases(open => {
  describe('the register of signatories', () => {
    it('gives each signatory a mandate that only the named key collects', async () => {
      const scene = await open()
      const [salma, other] = [newHolder(), newHolder()]
      const { mandates } = await scene.register('C-1', scene.companyWith([scene.wishFor(salma)]))
      const [given] = mandates
      expect(given).toMatchObject({ holder: salma.did, collect: { audience: publicUrl, nonce: given?.mandateId } })
      const id = given?.mandateId ?? ''
      expect(await refusalOf(scene.collect(other, id))).toBe('forbidden collector_foreign')
      const held = await scene.collect(salma, id)
      const verdict = await scene.nation.identity.verify(held.compact, {})
      expect(verdict).toMatchObject({ verified: true, type: 'CompanyMandate', issuer: registryDid, holder: salma.did })
      expect(verdict.claims).toMatchObject({
        company: { legalName: 'Northwind Ltd', registrationNumber: 'C-1' },
        signing: { jointly: 1 },
        ancestors: [],
        legalBasis: 'Companies Act, s. 41',
      })
      // Handed over again to the same key, as often as it asks.
      expect((await scene.collect(salma, id)).compact).toBe(held.compact)
    })

    it('hands nothing over on a proof that is not for this mandate, this agency and this moment', async () => {
      const scene = await open()
      const salma = newHolder()
      const { mandates } = await scene.register('C-1', scene.companyWith([scene.wishFor(salma)]))
      const id = mandates[0]?.mandateId ?? ''
      const now = Math.floor(scene.clock.now() / 1_000)
      const codes: (string | undefined)[] = []
      for (const claims of [
        { nonce: 'other' },
        { aud: 'https://other.example' },
        { iat: now - 400 },
        { iat: now + 90 },
      ]) {
        codes.push(await refusalOf(scene.collect(salma, id, claims)))
      }
      expect(new Set(codes)).toEqual(new Set(['unauthenticated key_proof_refused']))
      const nobody = '00000000-0000-7000-8000-000000000000'
      expect(await refusalOf(scene.collect(salma, nobody))).toBe('not_found mandate_unknown')
      await scene.end(await scene.asOfficer('endMandate'), id)
      expect(await refusalOf(scene.collect(salma, id))).toBe('conflict mandate_ended')
    })

    it('shows anyone who signs today, by name and office only', async () => {
      const scene = await open()
      const wishes = [
        scene.wishFor(newHolder(), { givenName: 'Salma', jointly: 2 }),
        scene.wishFor(newHolder(), { givenName: 'Teodor', jointly: 2 }),
        scene.wishFor(newHolder(), { givenName: 'Ilse', office: 'procurist' }),
        scene.wishFor(newHolder(), { givenName: 'Later', startsOn: dayAt(scene.clock, 10) }),
      ]
      const { mandates } = await scene.register('C-1', scene.companyWith(wishes, { id: 'did:web:northwind.example' }))
      const params = { company: 'C-1' }
      const shown = async () => {
        const { body } = await scene.registry.call('getCompanySignatories', undefined, { params })
        return body as { signatories: Record<string, unknown>[] }
      }
      const public_ = await shown()
      expect(public_).toMatchObject({ company: 'C-1', legalName: 'Northwind Ltd', id: 'did:web:northwind.example' })
      expect(public_.signatories.map(({ givenName, signs, jointly }) => [givenName, signs, jointly])).toEqual([
        ['Salma', 'jointly', 2],
        ['Teodor', 'jointly', 2],
        ['Ilse', 'alone', 1],
      ])
      expect(JSON.stringify(public_)).not.toMatch(/did:key/)
      await scene.end(await scene.asOfficer('endMandate'), mandates[0]?.mandateId ?? '')
      expect((await shown()).signatories.map(({ givenName }) => givenName)).toEqual(['Teodor', 'Ilse'])
      scene.clock.advance(366 * 86_400_000)
      expect((await shown()).signatories).toEqual([])
      const unknown = scene.registry.call('getCompanySignatories', undefined, { params: { company: 'C-2' } })
      expect(await refusalOf(unknown)).toBe('not_found company_unknown')
    })

    it('does not show a signatory whose credential was revoked past the register', async () => {
      const scene = await open()
      const [director] = await scene.directorsOf('C-1')
      const sql = 'SELECT status_list, status_index FROM mandates WHERE id = ?'
      const [row] = await scene.registry.store.read(sql, [director?.mandateId ?? ''])
      scene.nation.bits.set(`${row?.['status_list']}:${row?.['status_index']}`, 'revoked')
      const { body } = await scene.registry.call('getCompanySignatories', undefined, { params: { company: 'C-1' } })
      expect((body as { signatories: unknown[] }).signatories).toEqual([])
    })

    it('refuses a period that is empty or over, and more joint signatories than there are', async () => {
      const scene = await open()
      const [one, two] = [newHolder(), newHolder()]
      const codeOf = (...wishes: unknown[]) => refusalOf(scene.register('C-1', scene.companyWith(wishes)))
      const backwards = { startsOn: dayAt(scene.clock, 5), endsOn: dayAt(scene.clock, 4) }
      expect(await codeOf(scene.wishFor(one, backwards))).toBe('rejected mandate_period_empty')
      expect(await codeOf(scene.wishFor(one, { endsOn: dayAt(scene.clock, -1) }))).toBe('rejected mandate_period_empty')
      expect(await codeOf(scene.wishFor(one, { jointly: 2 }))).toBe('rejected jointly_unsatisfiable')
      // The same person twice is still one person.
      const twice = [scene.wishFor(one, { jointly: 2 }), scene.wishFor(one, { jointly: 2, office: 'chair' })]
      expect(await codeOf(...twice)).toBe('rejected jointly_unsatisfiable')
      expect(await codeOf(scene.wishFor(one))).toBeUndefined()
      expect(await codeOf(scene.wishFor(two, { jointly: 2 }))).toBeUndefined()
      const stored = await scene.registry.store.read('SELECT count(*) AS n FROM mandates')
      expect(stored).toEqual([{ n: 2 }])
    })

    it('keeps the DID that mandates name, and lets the name change', async () => {
      const scene = await open()
      const wish = () => scene.wishFor(newHolder())
      const did = { id: 'did:web:northwind.example' }
      const { mandates } = await scene.register('C-1', scene.companyWith([wish()], did))
      const moved = scene.companyWith([wish()], { id: 'did:web:other.example' })
      expect(await refusalOf(scene.register('C-1', moved))).toBe('conflict company_differs')
      expect(await refusalOf(scene.register('C-1', scene.companyWith([wish()])))).toBe('conflict company_differs')
      await scene.register('C-1', scene.companyWith([wish()], { ...did, legalName: 'Northwind plc' }))
      const { body } = await scene.registry.call('getCompanySignatories', undefined, { params: { company: 'C-1' } })
      expect(body).toMatchObject({ legalName: 'Northwind plc', ...did })
      expect(mandates).toHaveLength(1)
      // What is acted for under this DID is this company and no other.
      expect(await refusalOf(scene.register('C-2', scene.companyWith([wish()], did)))).toBe('conflict company_id_taken')
      for (const { mandateId } of mandates) await scene.end(await scene.asOfficer('endMandate'), mandateId)
      expect(await refusalOf(scene.register('C-1', moved))).toBe('conflict company_differs')
      const left = await scene.registry.store.read("SELECT id FROM mandates WHERE state = 'active'")
      for (const { id } of left) await scene.end(await scene.asOfficer('endMandate'), String(id))
      expect(await refusalOf(scene.register('C-1', moved))).toBeUndefined()
      expect(await refusalOf(scene.register('C-2', scene.companyWith([wish()], did)))).toBeUndefined()
    })

    it('lets one of several first registrations at the same moment say which company it is', async () => {
      const scene = await open()
      const register = (company: string, did: string) =>
        refusalOf(scene.register(company, scene.companyWith([scene.wishFor(newHolder())], { id: did })))
      const names = [1, 2, 3, 4, 5].map(n => `did:web:c${n}.example`)
      const differing = await Promise.all(names.map(did => register('C-1', did)))
      expect(differing.filter(code => code === undefined)).toHaveLength(1)
      expect(new Set(differing)).toEqual(new Set([undefined, 'conflict company_differs']))
      const shared = await Promise.all(
        ['C-2', 'C-3', 'C-4', 'C-5'].map(company => register(company, 'did:web:x.example')),
      )
      expect(shared.filter(code => code === undefined)).toHaveLength(1)
      expect(new Set(shared)).toEqual(new Set([undefined, 'conflict company_id_taken']))
      expect(await scene.registry.store.read('SELECT count(*) AS n FROM mandates')).toEqual([{ n: 2 }])
    })

    it('answers a repeated request with what it gave the first time', async () => {
      const scene = await open()
      const body = scene.companyWith([scene.wishFor(newHolder())])
      const first = await scene.register('C-1', body, 'key-1')
      expect(await scene.register('C-1', body, 'key-1')).toEqual(first)
      expect(await scene.registry.store.read('SELECT count(*) AS n FROM credentials')).toEqual([{ n: 1 }])
      const other = scene.companyWith([scene.wishFor(newHolder())])
      expect(await refusalOf(scene.register('C-1', other, 'key-1'))).toBe('conflict idempotency_mismatch')
    })

    it('is closed to officers without the competence, to directors, and to everybody else', async () => {
      const scene = await open()
      const body = scene.companyWith([scene.wishFor(newHolder())])
      const params = { company: 'C-1' }
      const nobody = scene.registry.call('registerSignatories', body, { params })
      expect(await refusalOf(nobody)).toBe('unauthenticated unauthenticated')
      const clerk = newHolder()
      await scene.give(clerk, 'PublicOfficer', { competences: ['registry:land-titles:decide'] })
      const asClerk = scene.asHolders('registerSignatories', [clerk])
      expect(await refusalOf(asClerk)).toBe('forbidden claims_insufficient')
      const [director] = await scene.directorsOf('C-2')
      const asDirector = scene.asHolders('registerSignatories', director === undefined ? [] : [director.holder])
      expect(await refusalOf(asDirector)).toBe('forbidden credential_missing')
    })

    it('has room for a thousand mandates of a company, and says so', async () => {
      const scene = await open()
      await scene.directorsOf('C-1')
      const names = columns.split(',').map(name => name.trim())
      const copied = names.map(name => (name === 'id' || name === 'credential' ? `${name} || ?` : name))
      for (let n = 0; n < 999; n += batch) {
        await scene.registry.store.transaction(async tx => {
          for (let k = n; k < Math.min(n + batch, 999); k++) {
            const sql = `INSERT INTO mandates (${names.join(', ')}) SELECT ${copied.join(', ')} FROM mandates
              ORDER BY id LIMIT 1`
            await tx.query(sql, [`-${k}`, `-${k}`])
          }
        })
      }
      const full = scene.register('C-1', scene.companyWith([scene.wishFor(newHolder())]))
      expect(await refusalOf(full)).toBe('rejected mandates_full')
      expect(await refusalOf(scene.register('C-2', scene.companyWith([scene.wishFor(newHolder())])))).toBeUndefined()
    })
  })
})
