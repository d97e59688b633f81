import fc from 'fast-check'
import { digestOf } from '../../../src/kernel/canonical.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { recordLapsed } from '../../../src/plugins/registry/actions/lapse.ts'
import { searchRows } from '../../../src/plugins/registry/extract.ts'
import { company, dayMs, newDid, type Office, officer, onBothDatabases } from './world.ts'

const register = 'business-licences'
const legalBasis = 'Licensing Act, s. 4'
const cause = { legalBasis, reason: 'As it happens' }

/** What may happen to an entry; most of it is refused most of the time. */
type Event =
  | { do: 'suspendEntry' | 'reinstateEntry' | 'revokeEntry' }
  | { do: 'amendEntry'; name: string; rebind: boolean }
  | { do: 'renew' }
  | { do: 'wait'; days: number }
  | { do: 'sweep' }

const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('suspendEntry' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reinstateEntry' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revokeEntry' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ do: fc.constant('amendEntry' as const), rebind: fc.boolean() },
      name: fc.constantFrom('Northwind', 'Southwind', 'Zephyr Ltd'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('renew' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.constantFrom(1, 100, 290) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
)

const run = async (office: Office, applicant: ReturnType<typeof company>, entry: string, event: Event) => {
  const params = { register, entry }
  switch (event.do) {
    case 'wait':
      return office.clock.advance(event.days * dayMs)
    case 'sweep':
      return recordLapsed(office.desk, async () => undefined)
    case 'renew': {
      const how = { caller: applicant, params: { register } }
      const made = await office.call('applyToRegister', { purpose: 'renewal', entry }, how)
      const { application } = made.body as { application: string }
      const deciding = { caller: officer(), params: { register, application } }
      await office.call('takeApplication', undefined, deciding)
      return office.call('grantApplication', { legalBasis }, deciding)
    }
    case 'amendEntry': {
      const { name, rebind } = event
      const body = { ...cause, fields: { legalName: name }, ...(rebind && { holder: newDid() }) }
      return office.call('amendEntry', body, { caller: officer(), params })
    }
    default:
      return office.call(event.do, cause, { caller: officer(), params })
  }
}

type Row = Record<string, string | number | null | Uint8Array>
type StepRow = Row & { digest: Uint8Array; at: number; step: string }

const steps = async (office: Office, entry: string) => {
  const sql = 'SELECT digest, at, step FROM registry_history WHERE entry = ? ORDER BY version'
  const rows = await office.store.read<StepRow>(sql, [entry])
  return rows.map(({ digest, at, step }) => ({ digest, at, step: JSON.parse(step) as Record<string, unknown> }))
}

const from = { suspended: ['active'], reinstated: ['suspended'], renewed: ['active'], amended: ['active'] } as const

/** What holds of an entry, whatever has happened to it. */
const check = async (office: Office, entry: string): Promise<void> => {
  const history = await steps(office, entry)
  const [row] = await office.store.read<Row>('SELECT * FROM registry_entries WHERE id = ?', [entry])
  const fields = JSON.parse(String(row?.['fields'])) as Record<string, unknown>
  // Without gaps, in time, each step as its digest says, the last one what the register says now.
  expect(history.map(({ step }) => step['version'])).toEqual(history.map((_, at) => at + 1))
  const times = history.map(({ at }) => at)
  expect([...times].sort((a, b) => a - b)).toEqual(times)
  for (const { digest, step } of history) expect(Buffer.from(digest)).toEqual(digestOf(step))
  const last = history.at(-1)?.step
  expect({ state: last?.['state'], fields: last?.['fields'], version: last?.['version'] }).toEqual({
    ...{ state: row?.['state'], fields, version: row?.['version'] },
  })
  for (const [at, { step }] of history.entries()) {
    const allowed = from[step['kind'] as keyof typeof from] as readonly unknown[] | undefined
    if (allowed !== undefined) expect(allowed).toContain(history[at - 1]?.step['state'])
    // Nothing follows an end.
    if (step['state'] === 'revoked' || step['state'] === 'lapsed') expect(at).toBe(history.length - 1)
  }
  // The index says what the fields say.
  const found = await office.store.read<Row>('SELECT field, value FROM registry_search WHERE entry = ?', [entry])
  const shown = found.map(({ field, value }) => `${field}=${value}`)
  const wanted = searchRows(office.desk.register(register), { number: String(row?.['number']), fields }).map(
    ({ field, value }) => `${field}=${value}`,
  )
  expect(shown.sort()).toEqual(wanted.sort())
  // One credential is in force, unless the entry is revoked; its status is the entry's.
  const sql = 'SELECT c.status_index FROM registry_credentials r JOIN credentials c ON c.id = r.id WHERE r.entry = ?'
  const current = await office.store.read<Row>(`${sql} AND r.ended_at IS NULL`, [entry])
  const ended = await office.store.read<Row>(`${sql} AND r.ended_at IS NOT NULL`, [entry])
  expect(current).toHaveLength(row?.['state'] === 'revoked' ? 0 : 1)
  const statusOf = (each: Row) => office.statuses.get(Number(each['status_index'])) ?? 'valid'
  expect(ended.map(statusOf).every(status => status === 'revoked')).toBe(true)
  const before = history.filter(({ step }) => step['state'] !== 'lapsed').at(-1)?.step['state']
  if (current[0] !== undefined) expect(statusOf(current[0])).toBe(before === 'suspended' ? 'suspended' : 'valid')
}

onBothDatabases(open => {
  describe('an entry', () => {
    it('keeps its history, its index and its credentials together, whatever happens to it', async () => {
      const office = await open()
      let taken = 0
      const runs = fc.asyncProperty(fc.array(events, { minLength: 3, maxLength: 14 }), async happenings => {
        const number = Math.floor(Math.random() * 1e9)
        const named = { legalName: `Company ${number}`, registrationNumber: `C-${number}` }
        const applicant = company(named.legalName, named.registrationNumber)
        const line = { holder: applicant.actor, legalBasis }
        const activities = [{ scheme: 'NACE-2.1', code: '03.11' }]
        const fields = { ...named, licenceClass: 'fishing', activities }
        const how = { caller: officer(), params: { register } }
        const [answer] = await office.lines('grantEntries', [{ ...line, fields }], how)
        const entry = String(answer?.['entry'])
        for (const event of happenings) {
          try {
            await run(office, applicant, entry, event)
            taken += 1
          } catch (error) {
            if (!isRefusal(error)) throw error
          }
        }
        await check(office, entry)
      })
      await fc.assert(runs, { numRuns: 40, endOnFailure: true })
      expect(taken).toBeGreaterThan(100)
    }, 120_000)
  })
})
