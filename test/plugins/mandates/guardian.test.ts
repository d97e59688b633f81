import { perform } from '../../../src/kernel/perform.ts'
import type { HolderRequirement } from '../../../src/kernel/requirement.ts'
import { dayAt, newHolder, onBothDatabases, refusalOf, type Scene } from './fixture.ts'

/** Whoever opens an account for somebody else shows by which mandate. */
const requires = {
  by: 'holder',
  of: { id: 'mandate', type: 'GuardianMandate', mandate: true },
} as const satisfies HolderRequirement

const family = async (scene: Scene, changes: Record<string, unknown> = {}) => {
  const [guardian, minor] = [newHolder(), newHolder()]
  const shown = await scene.give(guardian, 'GuardianMandate', {
    principal: { id: minor.did },
    operations: ['openAccount'],
    ...{ startsOn: dayAt(scene.clock, -1), endsOn: dayAt(scene.clock, 30), ...changes },
  })
  return { guardian, minor, shown }
}

onBothDatabases(open => {
  describe('a guardian', () => {
    it('acts for the minor through a gated operation, and the evidence names both', async () => {
      const scene = await open()
      const { guardian, minor, shown } = await family(scene)
      const caller = await scene.registry.admitted(requires, 'openAccount', [shown])
      expect(caller).toMatchObject({ actor: guardian.did, principal: minor.did })
      const done = await perform(scene.registry.house, {
        ...{ operation: 'openAccount', requires, caller, input: {} },
        act: async () => ({ openedFor: caller.principal }),
      })
      expect(done).toEqual({ openedFor: minor.did })
      const rows = await scene.registry.store.read('SELECT * FROM journal_details')
      const text = rows
        .flatMap(row => Object.values(row))
        .map(value => (value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)))
        .join(' ')
      for (const name of [guardian.did, minor.did, shown.credential.id]) expect(text).toContain(name)
    })

    it('does not act in another operation, outside the mandate’s days, or when it was revoked', async () => {
      const scene = await open()
      const codeOf = async (changes: Record<string, unknown>, operation = 'openAccount') => {
        const { shown } = await family(scene, changes)
        return refusalOf(scene.registry.admitted(requires, operation, [shown]))
      }
      expect(await codeOf({}, 'closeAccount')).toBe('forbidden mandate_operation')
      expect(await codeOf({ startsOn: dayAt(scene.clock, 1) })).toBe('forbidden mandate_period')
      expect(await codeOf({ endsOn: dayAt(scene.clock, -1) })).toBe('forbidden mandate_period')
      const { shown } = await family(scene)
      const verdict = await scene.nation.identity.verify(shown.credential.compact, {})
      const { status } = verdict.document as { status: { status_list: { idx: number } } }
      scene.nation.bits.set(`0:${status.status_list.idx}`, 'revoked')
      expect(await refusalOf(scene.registry.admitted(requires, 'openAccount', [shown]))).toBe(
        'forbidden credential_revoked',
      )
    })
  })
})
