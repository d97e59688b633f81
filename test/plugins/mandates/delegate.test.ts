import { dayAt, type Holder, newHolder, onBothDatabases, refusalOf, type Scene } from './fixture.ts'

const company = 'C-1'

/** What a director passes on to an employee unless a test says otherwise. */
const wishOf = (scene: Scene, holder: Holder, changes: Record<string, unknown> = {}) => ({
  company,
  ...scene.wishFor(holder, {
    office: 'employee',
    operations: ['createTransfer'],
    limits: [{ currency: 'XNC', perActMinor: '50000' }],
    ...{ mayDelegate: false, startsOn: dayAt(scene.clock, 0), endsOn: dayAt(scene.clock, 90) },
    ...changes,
  }),
})

/** A director with a bounded mandate, so that there is something to be wider than. */
const bounded = (scene: Scene) => ({
  limits: [{ currency: 'XNC', perActMinor: '100000' }],
  startsOn: dayAt(scene.clock, -10),
  endsOn: dayAt(scene.clock, 200),
})

const onlyDirector = async (scene: Scene, changes: Record<string, unknown> = {}) => {
  const [director] = await scene.directorsOf(company, [changes])
  if (director === undefined) throw new Error('a director was registered')
  return director
}

onBothDatabases(open => {
  describe('a mandate that is passed on', () => {
    it('names the one it comes from, and lets the employee act for the company', async () => {
      const scene = await open()
      const director = await onlyDirector(scene)
      const employee = newHolder()
      const given = await scene.passOn([director.holder], wishOf(scene, employee))
      const held = await scene.collect(employee, given.mandateId)
      const { verified, claims } = await scene.nation.identity.verify(held.compact, {})
      expect(verified).toBe(true)
      const ancestor = { credentialId: director.credential.id, holder: director.holder.did, level: 1, jointly: 1 }
      expect(claims).toMatchObject({ office: 'employee', mayDelegate: false, ancestors: [ancestor] })
      const requirement = { by: 'holder', of: { id: 'm', type: 'CompanyMandate', mandate: true } } as const
      const shown = [{ by: employee, credential: held }]
      const caller = await scene.registry.admitted(requirement, 'createTransfer', shown)
      expect(caller.actor).toBe(employee.did)
      expect(caller.principal).toMatch(/^urn:chancery:company:.*:C-1$/)
      expect(caller.mandates.map(({ credentialId }) => credentialId)).toEqual([given.credentialId])
      const other = scene.registry.admitted(requirement, 'closeAccount', shown)
      expect(await refusalOf(other)).toBe('forbidden mandate_operation')
    })

    it.each<[string, Record<string, unknown> | ((scene: Scene) => Record<string, unknown>)]>([
      ['another operation', { operations: ['createTransfer', 'closeAccount'] }],
      ['a higher limit', { limits: [{ currency: 'XNC', perActMinor: '100001' }] }],
      ['no limit', { limits: [] }],
      ['another currency', { limits: [{ currency: 'EUR', perActMinor: '1' }] }],
      ['a longer period', scene => ({ endsOn: dayAt(scene.clock, 201) })],
      ['an earlier start', scene => ({ startsOn: dayAt(scene.clock, -11) })],
    ])('is refused with %s than its giver has', async (_what, changes) => {
      const scene = await open()
      const director = await onlyDirector(scene, bounded(scene))
      const wider = typeof changes === 'function' ? changes(scene) : changes
      const pass = (more: Record<string, unknown>) =>
        refusalOf(scene.passOn([director.holder], wishOf(scene, newHolder(), more)))
      expect(await pass(wider)).toBe('forbidden mandate_wider')
      expect(await pass({})).toBeUndefined()
    })

    it('cannot be given by whoever may not delegate, whose mandate does not name it, or of another company', async () => {
      const scene = await open()
      const employee = newHolder()
      const kept = await onlyDirector(scene, { mayDelegate: false })
      const wish = wishOf(scene, employee)
      expect(await refusalOf(scene.passOn([kept.holder], wish))).toBe('forbidden mandate_not_delegable')
      const mute = await onlyDirector(scene, { operations: ['createTransfer'] })
      expect(await refusalOf(scene.passOn([mute.holder], wish))).toBe('forbidden mandate_operation')
      const [foreign] = await scene.directorsOf('C-2')
      const others = scene.passOn(foreign === undefined ? [] : [foreign.holder], wish)
      expect(await refusalOf(others)).toBe('forbidden company_foreign')
      const past = scene.passOn([kept.holder], wishOf(scene, employee, { endsOn: dayAt(scene.clock, -1) }))
      expect(await refusalOf(past)).toBe('rejected mandate_period_empty')
      expect(await refusalOf(scene.registry.call('issueSubMandate', wish))).toBe('unauthenticated unauthenticated')
    })

    it('is not given under a credential that this register does not know', async () => {
      const scene = await open()
      const director = await onlyDirector(scene)
      const caller = await scene.asHolders('issueSubMandate', [director.holder])
      const wish = wishOf(scene, newHolder())
      const [acting] = caller.mandates
      if (acting === undefined) throw new Error('the director acts under a mandate')
      for (const mandates of [
        [],
        [{ ...acting, issuer: 'did:ethr:0x7a69:0x00000000000000000000000000000000000000ff' }],
        [{ ...acting, credentialId: 'urn:uuid:00000000-0000-7000-8000-000000000000' }],
      ]) {
        const work = scene.registry.call('issueSubMandate', wish, { caller: { ...caller, mandates } })
        expect(await refusalOf(work)).toBe('not_found mandate_unknown')
      }
    })

    it('goes down to the fourth and no further', async () => {
      const scene = await open()
      let giver = (await onlyDirector(scene)).holder
      const wish = (holder: Holder) =>
        wishOf(scene, holder, { operations: ['createTransfer', 'issueSubMandate'], mayDelegate: true })
      for (let level = 2; level <= 4; level++) {
        const next = newHolder()
        const { mandateId } = await scene.passOn([giver], wish(next))
        await scene.collect(next, mandateId)
        giver = next
      }
      const fourth = await scene.registry.store.read('SELECT level, ancestors FROM mandates ORDER BY id DESC LIMIT 1')
      expect(fourth[0]?.['level']).toBe(4)
      expect(JSON.parse(String(fourth[0]?.['ancestors']))).toHaveLength(3)
      expect(await refusalOf(scene.passOn([giver], wish(newHolder())))).toBe('forbidden mandate_depth')
    })

    it('is given by two who sign jointly only when both present for it', async () => {
      const scene = await open()
      const directors = await scene.directorsOf(company, [{ jointly: 2 }, { jointly: 2 }])
      const holders = directors.map(({ holder }) => holder)
      const employee = newHolder()
      const wish = wishOf(scene, employee)
      for (const [proof, who] of [
        ['session', holders],
        ['presentation', holders.slice(0, 1)],
      ] as const) {
        const alone = scene.asHolders('issueSubMandate', who, proof)
        expect(await refusalOf(alone)).toBe('forbidden mandate_joint')
      }
      const { mandateId } = await scene.passOn(holders, wish)
      const { claims } = await scene.nation.identity.verify((await scene.collect(employee, mandateId)).compact, {})
      const given = (claims as { ancestors: { holder: string }[] }).ancestors.map(({ holder }) => holder)
      expect(given.sort()).toEqual(holders.map(({ did }) => did).sort())
      // The employee acts alone: it took both directors to say so.
      expect(claims?.['signing']).toEqual({ jointly: 1 })
    })

    it('is not given by two who stand at different levels', async () => {
      const scene = await open()
      const wide = { operations: ['createTransfer', 'issueSubMandate'], limits: [], mayDelegate: true }
      const [first, second] = await scene.directorsOf(company, [{ jointly: 2 }, { jointly: 2 }])
      if (first === undefined || second === undefined) throw new Error('two directors were registered')
      const procurist = newHolder()
      const lower = wishOf(scene, procurist, { ...wide, jointly: 2 })
      const { mandateId } = await scene.passOn([first.holder, second.holder], lower)
      await scene.collect(procurist, mandateId)
      const mixed = scene.passOn([first.holder, procurist], wishOf(scene, newHolder()))
      expect(await refusalOf(mixed)).toBe('rejected mandate_levels_differ')
    })

    it('is not given under a mandate that ends at the same moment', async () => {
      const scene = await open()
      const director = await onlyDirector(scene)
      // Admitted while it stood; by the time of the act it has ended.
      const caller = await scene.asHolders('issueSubMandate', [director.holder])
      await scene.end(await scene.asOfficer('endMandate'), director.mandateId)
      const work = scene.registry.call('issueSubMandate', wishOf(scene, newHolder()), { caller })
      expect(await refusalOf(work)).toBe('forbidden mandate_ended')
      const [row] = await scene.registry.store.read('SELECT count(*) AS n FROM credentials WHERE type = ?', [
        'CompanyMandate',
      ])
      expect(row).toEqual({ n: 1 })
    })

    it('is given once for one idempotency key, and the evidence names all who stand behind it', async () => {
      const scene = await open()
      const directors = await scene.directorsOf(company, [{ jointly: 2 }, { jointly: 2 }])
      const holders = directors.map(({ holder }) => holder)
      const wish = wishOf(scene, newHolder())
      const given = await scene.passOn(holders, wish, 'key-1')
      expect(await scene.passOn(holders, wish, 'key-1')).toEqual(given)
      const rows = await scene.registry.store.read('SELECT * FROM journal_details')
      const texts = rows.map(row =>
        Object.values(row)
          .map(value => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)))
          .join(' '),
      )
      const evidence = texts.filter(text => text.includes('issueSubMandate'))
      expect(evidence).toHaveLength(1)
      for (const { credential } of directors) expect(evidence[0]).toContain(credential.id)
      expect(evidence[0]).toMatch(/urn:chancery:company:[^"]*:C-1/)
    })
  })
})
