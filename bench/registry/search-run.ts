import { join } from 'node:path'
import { agencyEntities, agencyMigrations } from '../../src/agency.ts'
import { readAgencies } from '../../src/config/agency.ts'
import { loadCredentialTypes } from '../../src/identity/types.ts'
import type { Row } from '../../src/kernel/ports.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { openDesk } from '../../src/plugins/registry/actions/desk.ts'
import { searchPage } from '../../src/plugins/registry/actions/search.ts'
import { searchRows } from '../../src/plugins/registry/extract.ts'
import type { RegistryNeeds } from '../../src/plugins/registry/needs.ts'
import { registersOf } from '../../src/registers.ts'
import { openStore } from '../../src/store/store.ts'
import { answer, readInput } from '../child.ts'

/** Searches a register of so many entries on SQLite, over all kinds of conditions and pages near and far. */

export type SearchRun = { directory: string; entries: number; searches: number }
export type SearchResult = {
  p99Ms: number
  /** The kind of search whose half takes longest. */
  slowest: { name: string; medianMs: number }
  fillSeconds: number
}

const { directory, entries, searches } = await readInput<SearchRun>()
const root = join(import.meta.dirname, '../..')
const [config] = readAgencies([join(root, 'agents/business-registry.yml')])
if (config === undefined) throw new Error('there is no business registry')
const register = registersOf(config, loadCredentialTypes(join(root, 'schemas')))[0]
if (register === undefined) throw new Error('there is no register')
const clock = { now: () => Date.now() }
const store = await openStore({
  file: join(directory, 'search.sqlite'),
  migrations: agencyMigrations,
  entities: agencyEntities,
})
const desk = openDesk({ house: { store, clock }, registers: [register], did: 'did:x:y' } as unknown as RegistryNeeds)

const classes = ['retail', 'fishing', 'banking', 'transport', 'building', 'catering', 'forestry', 'printing']
const fieldsOf = (at: number) => ({
  ...{ legalName: `Company ${at.toString(36)} of Port ${at % 977}`, registrationNumber: `C-${at}` },
  licenceClass: classes[at % classes.length] ?? '',
  activities: [{ scheme: 'NACE-2.1', code: String(at % 90).padStart(2, '0') }],
  registeredAddress: { adminUnitL1: 'XN', postCode: String(10_000 + (at % 5_000)) },
})

const fill = async (): Promise<void> => {
  const chunk = 5_000
  for (let from = 0; from < entries; from += chunk) {
    await store.transaction(async tx => {
      const rows: Row[] = []
      const found: Row[] = []
      for (let at = from; at < Math.min(entries, from + chunk); at += 1) {
        const fields = fieldsOf(at)
        const id = timeId(Date.now())
        rows.push({
          ...{
            id,
            register: register.name,
            number: `BL-${at}`,
            state: at % 100 === 0 ? 'revoked' : 'active',
            version: 1,
          },
          ...{
            fields: JSON.stringify(fields),
            extract: '{}',
            holder: `did:key:${at}`,
            wallet: null,
            legal_basis: 's. 4',
          },
          ...{ valid_from: 0, valid_until: Date.now() + 1e10, token: String(at), commitment: '0x' },
          ...{ created_at: 0, changed_at: 0 },
        })
        for (const row of searchRows(register, { number: `BL-${at}`, fields }))
          found.push({ register: register.name, ...row, entry: id })
      }
      tx.insert('registry_entries', rows)
      tx.insert('registry_search', found)
    })
  }
}

type Wish = Parameters<typeof searchPage>[3]

/** From the rarest to the commonest, alone and together, also together where nothing meets both. */
const wishes: [string, (at: number) => Wish][] = [
  ['one of its kind', at => ({ where: { registrationNumber: `C-${at}` } })],
  ['a class', at => ({ where: { licenceClass: classes[at % classes.length] ?? '' } })],
  ['a beginning', at => ({ where: { legalName: { prefix: `company ${at.toString(36).slice(0, 2)}` } } })],
  [
    'two conditions',
    at => ({ where: { licenceClass: 'retail', 'activities.code': String((at * 2) % 90).padStart(2, '0') } }),
  ],
  ['a class and a beginning', () => ({ where: { licenceClass: 'fishing', legalName: { prefix: 'comp' } } })],
  ['two that exclude one another', () => ({ where: { licenceClass: 'retail', 'activities.code': '01' } })],
  ['a class in a rare state', at => ({ where: { licenceClass: classes[(at * 4) % 8] ?? '' }, state: 'revoked' })],
  ['a class in a state that none has', () => ({ where: { licenceClass: 'fishing' }, state: 'suspended' })],
  ['everything', () => ({ where: {} })],
]
const allowed = register.search.map(path => path.join('.'))

const began = performance.now()
await fill()
const fillSeconds = (performance.now() - began) / 1_000

const measured: { name: string; ms: number }[] = []
for (let at = 0; measured.length < searches; at += 1) {
  for (const [name, wishOf] of wishes) {
    const wish = wishOf((at * 7_919) % entries)
    // Two pages on, so that pages after the first are measured as well.
    let after: string | undefined
    for (let page = 0; page < 3; page += 1) {
      const from = performance.now()
      const found = await searchPage(desk, register, allowed, {
        ...wish,
        limit: 100,
        ...(after !== undefined && { after }),
      })
      measured.push({ name, ms: performance.now() - from })
      after = found.next
      if (after === undefined) break
    }
  }
}
await store.close()
const quantile = (values: number[], share: number): number =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
const medians = [...Map.groupBy(measured, ({ name }) => name)].map(([name, each]) => ({
  ...{
    name,
    medianMs: quantile(
      each.map(({ ms }) => ms),
      0.5,
    ),
  },
}))
const slowest = medians.reduce((a, b) => (b.medianMs > a.medianMs ? b : a))
answer({
  p99Ms: quantile(
    measured.map(({ ms }) => ms),
    0.99,
  ),
  slowest,
  fillSeconds,
} satisfies SearchResult)
