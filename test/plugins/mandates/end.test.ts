import { dayAt, type Holder, newHolder, onBothDatabases, refusalOf, type Scene } from './fixture.ts'

const company = 'C-1'
const acting = { by: 'holder', of: { id: 'm', type: 'CompanyMandate', mandate: true } } as const

/** A director, a procurist below, and an employee below that. */
const lineIn = async (scene: Scene) => {
  const [director] = await scene.directorsOf(company)
  if (director === undefined) throw new Error('a director was registered')
  const below = async (giver: Holder, changes: Record<string, unknown>) => {
    const holder = newHolder()
    const { mandateId } = await scene.passOn([giver], { company, ...scene.wishFor(holder, changes) })
    return { holder, mandateId, credential: await scene.collect(holder, mandateId) }
  }
  const procurist = await below(director.holder, { office: 'procurist' })
  const employee = await below(procurist.holder, {
    office: 'employee',
    operations: ['createTransfer'],
    mayDelegate: false,
  })
  return { director, procurist, employee }
}
type Member = Awaited<ReturnType<typeof lineIn>>['employee']

const mayAct = (scene: Scene, { holder, credential }: Member) =>
  refusalOf(scene.registry.admitted(acting, 'createTransfer', [{ by: holder, credential }]))

const statesOf = async (scene: Scene) => {
  const caller = await scene.asOfficer('listMandates')
  const { body } = await scene.registry.call('listMandates', undefined, { caller, query: { company } })
  return (body as { items: { state: string }[] }).items.map(({ state }) => state)
}

onBothDatabases(open => {
  describe('the end of a mandate', () => {
    it('ends all that come from it, at the next call', async () => {
      const scene = await open()
      const { director, procurist, employee } = await lineIn(scene)
      expect(await mayAct(scene, employee)).toBeUndefined()
      const ended = await scene.end(await scene.asHolders('endMandate', [director.holder]), director.mandateId)
      expect(ended).toMatchObject({ mandateId: director.mandateId, credentialId: director.credential.id })
      expect(await mayAct(scene, director)).toBe('forbidden credential_revoked')
      expect(await mayAct(scene, procurist)).toBe('forbidden mandate_ended')
      expect(await mayAct(scene, employee)).toBe('forbidden mandate_ended')
      expect(await statesOf(scene)).toEqual(['ended', 'ended_above', 'ended_above'])
    })

    it('leaves those above untouched', async () => {
      const scene = await open()
      const { director, procurist, employee } = await lineIn(scene)
      await scene.end(await scene.asHolders('endMandate', [director.holder]), procurist.mandateId)
      expect(await mayAct(scene, director)).toBeUndefined()
      expect(await mayAct(scene, procurist)).toBe('forbidden credential_revoked')
      expect(await mayAct(scene, employee)).toBe('forbidden mandate_ended')
      expect(await statesOf(scene)).toEqual(['in_force', 'ended', 'ended_above'])
    })

    it('is for an officer, the holder, and each one above; for nobody else', async () => {
      const scene = await open()
      const { director, procurist, employee } = await lineIn(scene)
      const [other] = await scene.directorsOf('C-2')
      const colleague = newHolder()
      const wish = scene.wishFor(colleague, { operations: ['createTransfer'], mayDelegate: false })
      await scene.collect(colleague, (await scene.passOn([director.holder], { company, ...wish })).mandateId)
      const endAs = async (holders: readonly (Holder | undefined)[], mandateId: string) => {
        const who = holders.flatMap(holder => holder ?? [])
        return refusalOf(scene.end(await scene.asHolders('endMandate', who), mandateId))
      }
      // A colleague, the one below, and another company's director.
      expect(await endAs([colleague], employee.mandateId)).toBe('forbidden mandate_foreign')
      expect(await endAs([employee.holder], procurist.mandateId)).toBe('forbidden mandate_foreign')
      expect(await endAs([other?.holder], director.mandateId)).toBe('forbidden mandate_foreign')
      const nobody = scene.registry.call('endMandate', { reason: 'x' }, { params: { mandate: employee.mandateId } })
      expect(await refusalOf(nobody)).toBe('unauthenticated unauthenticated')
      // Somebody with mandates of two companies ends by the one that counts, whichever was shown first.
      expect(await endAs([other?.holder, director.holder], employee.mandateId)).toBeUndefined()
      expect(await endAs([procurist.holder], procurist.mandateId)).toBeUndefined()
      expect(await refusalOf(scene.end(await scene.asOfficer('endMandate'), director.mandateId))).toBeUndefined()
    })

    it('does not take another issuer’s word for an id of ours', async () => {
      const scene = await open()
      const { director, employee } = await lineIn(scene)
      const caller = await scene.asHolders('endMandate', [director.holder])
      const strange = caller.credentials.map(credential => ({ ...credential, issuer: 'did:ethr:0x7a69:0x00' }))
      const work = scene.end({ ...caller, credentials: strange }, employee.mandateId)
      expect(await refusalOf(work)).toBe('forbidden mandate_foreign')
    })

    it('comes to a mandate whose credential was revoked past the register', async () => {
      const scene = await open()
      const { employee } = await lineIn(scene)
      const change = { purpose: 'revocation', set: true, reason: 'lost phone' } as const
      const { issuance } = scene.registry.needs
      await scene.registry.store.transaction(tx => issuance.changeStatus(tx, [employee.credential.id], change))
      expect(await statesOf(scene)).toEqual(['in_force', 'in_force', 'ended'])
      const ended = await scene.end(await scene.asOfficer('endMandate'), employee.mandateId)
      expect(ended).not.toHaveProperty('statusChange')
      expect(await statesOf(scene)).toEqual(['in_force', 'in_force', 'ended'])
    })

    it('comes once, however many ask at the same moment', async () => {
      const scene = await open()
      const { employee } = await lineIn(scene)
      const caller = await scene.asOfficer('endMandate')
      const codes = await Promise.all(Array.from({ length: 6 }, () => refusalOf(scene.end(caller, employee.mandateId))))
      expect(codes.filter(code => code === undefined)).toHaveLength(1)
      expect(new Set(codes)).toEqual(new Set([undefined, 'conflict mandate_ended']))
      const decided = await scene.registry.store.read('SELECT count(*) AS n FROM status_decisions')
      expect(decided).toEqual([{ n: 1 }])
      const nobody = '00000000-0000-7000-8000-000000000000'
      expect(await refusalOf(scene.end(caller, nobody))).toBe('not_found mandate_unknown')
    })
  })

  describe('the list of mandates', () => {
    it('shows officers and directors all of a company, a page at a time', async () => {
      const scene = await open()
      const { director, procurist, employee } = await lineIn(scene)
      const caller = await scene.asHolders('listMandates', [director.holder])
      const page = async (query: Record<string, string>) =>
        (await scene.registry.call('listMandates', undefined, { caller, query })).body as {
          items: Record<string, unknown>[]
          nextCursor?: string
        }
      const first = await page({ limit: '2' })
      const second = await page({ limit: '2', cursor: first.nextCursor ?? '' })
      expect(second.nextCursor).toBeUndefined()
      const items = [...first.items, ...second.items]
      expect(items.map(({ mandateId, level, collected, state }) => [mandateId, level, collected, state])).toEqual([
        [director.mandateId, 1, true, 'in_force'],
        [procurist.mandateId, 2, true, 'in_force'],
        [employee.mandateId, 3, true, 'in_force'],
      ])
      expect(items[2]?.['givenUnder']).toEqual([director.credential.id, procurist.credential.id])
      scene.clock.advance(400 * 86_400_000)
      expect(await statesOf(scene)).toEqual(['expired', 'expired', 'expired'])
    })

    it('tells what has not begun, and what was suspended past the register', async () => {
      const scene = await open()
      const later = { startsOn: dayAt(scene.clock, 5) }
      await scene.register(company, scene.companyWith([scene.wishFor(newHolder(), later), scene.wishFor(newHolder())]))
      const [, row] = await scene.registry.store.read('SELECT status_list, status_index FROM mandates ORDER BY id')
      scene.nation.bits.set(`${row?.['status_list']}:${row?.['status_index']}`, 'suspended')
      expect(await statesOf(scene)).toEqual(['not_yet', 'suspended'])
    })

    it('is closed to employees and to directors of other companies', async () => {
      const scene = await open()
      const { employee } = await lineIn(scene)
      const [other] = await scene.directorsOf('C-2')
      const listAs = async (holder: Holder | undefined, query: Record<string, string>) => {
        const caller = await scene.asHolders('listMandates', holder === undefined ? [] : [holder])
        return refusalOf(scene.registry.call('listMandates', undefined, { caller, query }))
      }
      expect(await listAs(employee.holder, {})).toBe('forbidden director_only')
      expect(await listAs(other?.holder, { company })).toBe('forbidden company_foreign')
      expect(await listAs(other?.holder, { cursor: 'x' })).toBe('malformed cursor_malformed')
      const officer = await scene.asOfficer('listMandates')
      const unnamed = scene.registry.call('listMandates', undefined, { caller: officer })
      expect(await refusalOf(unnamed)).toBe('malformed company_missing')
      const nobody = scene.registry.call('listMandates', undefined, { query: { company } })
      expect(await refusalOf(nobody)).toBe('unauthenticated unauthenticated')
    })
  })
})
