import fc from 'fast-check'
import { computedArea, parseGeometry } from '../../../../src/plugins/registry/land/geometry.ts'
import { type Office, onBothDatabases, refusalOf } from '../world.ts'
import {
  amount,
  areaOf,
  bank,
  call,
  full,
  identityIssuer,
  joint,
  legalBasis,
  lodge,
  mortgage,
  named,
  nextPlot,
  notary,
  order,
  parcel,
  person,
  registrar,
  share,
  survey,
  type TitleBody,
  transfer,
} from './scene.ts'
import { polygon } from './shapes.ts'

/**
 * A plot between two parallels that is cut by lines from south to north: a title lies between its western and its
 * eastern line, each given by where it meets the two parallels. Slanting lines meet the grid nowhere in particular.
 */
type Line = { south: number; north: number }
type Held = { id: string; west: Line; east: Line; area: bigint }

const high = 6_000
const wide = 12_000
const people = ['Okafor', 'Haddad', 'Lund']

const geometryOf = ({ west, east }: Pick<Held, 'west' | 'east'>) =>
  polygon([
    [west.south, 0],
    [east.south, 0],
    [east.north, high],
    [west.north, high],
  ])

type World = { office: Office; plot: string; titles: Held[]; area: bigint; parcels: number }
type Step = {
  what: string
  title: number
  who: number
  whom: number
  part: number
  of: number
  at: number
  slant: number
}

const stepOf = fc.record({
  what: fc.constantFrom(
    ...['transfer', 'transfer', 'transfer', 'split', 'split', 'merge', 'merge', 'merge', 'mortgage', 'mortgage'],
    ...['discharge', 'postpone', 'block', 'lift', 'lift', 'lift', 'inherit', 'encumber', 'end'],
  ),
  title: fc.nat(20),
  who: fc.nat(2),
  whom: fc.nat(2),
  part: fc.integer({ min: 1, max: 5 }),
  of: fc.integer({ min: 1, max: 5 }),
  at: fc.integer({ min: 10, max: 90 }),
  slant: fc.integer({ min: -200, max: 200 }),
}) satisfies fc.Arbitrary<Step>

const open = async (office: Office): Promise<World> => {
  const { number, west: start } = nextPlot(office)
  const [west, east] = [start, start + wide].map(x => ({ south: x, north: x })) as [Line, Line]
  const geometry = geometryOf({ west, east })
  const title = await call(office, registrar(), 'registerTitle', {
    fields: { cadastralDistrict: number },
    parcels: [parcel(number, geometry)],
    owners: [{ of: named('Okafor'), share: share(1, 1) }],
    legalBasis,
  })
  const area = areaOf(geometry)
  return { office, plot: number, titles: [{ id: title.id, west, east, area }], area, parcels: 0 }
}

type Full = Awaited<ReturnType<typeof full>>

const splitStep = async (world: World, held: Held, { at, slant }: Step): Promise<void> => {
  const cutAt = (side: 'south' | 'north', by: number) =>
    Math.round(held.west[side] + ((held.east[side] - held.west[side]) * at) / 100) + by
  const cut = { south: cutAt('south', slant), north: cutAt('north', -slant) }
  const room = Math.min(
    ...[
      cut.south - held.west.south,
      held.east.south - cut.south,
      cut.north - held.west.north,
      held.east.north - cut.north,
    ],
  )
  if (room < 300) return
  const left = { west: held.west, east: cut }
  const right = { west: cut, east: held.east }
  const area = areaOf(geometryOf(left))
  const numbers = [1, 2].map(() => `${world.plot}/${++world.parcels}`)
  const parts = [
    { parcel: parcel(numbers[0] ?? '', geometryOf(left), area) },
    { parcel: parcel(numbers[1] ?? '', geometryOf(right), held.area - area) },
  ]
  const body = { parts, survey, legalBasis }
  const { titles } = await call<{ titles: TitleBody[] }>(world.office, registrar(), 'splitTitle', body, {
    title: held.id,
  })
  const at0 = world.titles.indexOf(held)
  world.titles.splice(
    at0,
    1,
    { id: titles[0]?.id ?? '', ...left, area },
    { id: titles[1]?.id ?? '', ...right, area: held.area - area },
  )
}

const mergeStep = async (world: World, held: Held): Promise<void> => {
  const next = world.titles[world.titles.indexOf(held) + 1]
  if (next === undefined) return
  const both = { west: held.west, east: next.east }
  const area = held.area + next.area
  world.parcels += 1
  const merged = await call(world.office, registrar(), 'mergeTitles', {
    titles: [held.id, next.id],
    parcel: parcel(`${world.plot}/${world.parcels}`, geometryOf(both), area),
    ...{ survey, legalBasis },
  })
  world.titles.splice(world.titles.indexOf(held), 2, { id: merged.id, ...both, area })
}

const lenders = ['B-0', 'B-1', 'B-2'].map(number => bank(number))
const lenderOf = (title: Full, id: string | undefined) => {
  const number = title.interests.find(interest => interest.id === id)?.party?.name['registrationNumber'] ?? 'B-0'
  return lenders[Number(number.slice(2))] ?? lenders[0]
}

const chargedStep = async ({ office }: World, title: Full, { what, at, who }: Step): Promise<unknown> => {
  const params = { title: title.id }
  const mortgages = title.encumbrances
    .filter(({ kind }) => kind === 'mortgage')
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
  const some = mortgages[at % Math.max(mortgages.length, 1)]
  const behind = mortgages[(at % Math.max(mortgages.length, 1)) + 1]
  const [owner = person(''), ...others] = title.owners.map(({ party }) => person(party.name['familyName'] ?? ''))
  const lender = lenderOf(title, some?.id)
  if (what === 'mortgage') {
    const terms = {
      lender: { issuer: identityIssuer, registrationNumber: `B-${who}` },
      version: title.version,
      amount,
      legalBasis,
    }
    for (const other of others) await call(office, other.as('owner'), 'consentToMortgage', terms, params)
    return mortgage(office, title, { lender: lenders[who] ?? bank('B-0'), owner })
  }
  if (some === undefined || lender === undefined) return undefined
  if (what === 'discharge') {
    const body = { legalBasis }
    return call(office, lender.as('lender'), 'dischargeMortgage', body, { ...params, mortgage: some.id })
  }
  const advanced = lenderOf(title, behind?.id)
  if (behind === undefined || advanced === undefined) return undefined
  const body = { version: title.version, behind: behind.id, legalBasis }
  return call(office, joint({ lender, advanced, owner, notary }), 'postponeMortgage', body, {
    ...params,
    mortgage: some.id,
  })
}

const ordersStep = async ({ office }: World, title: Full, { what, at }: Step): Promise<unknown> => {
  const params = { title: title.id }
  const orders = title.encumbrances.filter(({ kind }) => kind === 'caveat' || kind === 'court-order')
  const plain = title.encumbrances.filter(({ kind }) => kind === 'easement')
  if (what === 'block') return lodge(office, title.id, { order: order(`O-${title.version}`) })
  if (what === 'lift') {
    const chosen = orders[at % Math.max(orders.length, 1)]
    if (chosen === undefined) return undefined
    return call(office, registrar(), 'liftCaveat', { legalBasis }, { ...params, order: chosen.id })
  }
  if (what === 'encumber') {
    const body = { kind: 'easement', description: 'A path', legalBasis }
    return call(office, registrar(), 'registerInterest', body, params)
  }
  const chosen = plain[at % Math.max(plain.length, 1)]
  if (chosen === undefined) return undefined
  return call(office, registrar(), 'endInterest', { legalBasis }, { ...params, interest: chosen.id })
}

const disposals = ['transfer', 'split', 'merge', 'mortgage', 'postpone', 'inherit']

const run = async (world: World, step: Step, title: Full, held: Held): Promise<unknown> => {
  const { office } = world
  const { what, who, whom, part, of } = step
  const portion = share(Math.min(part, of), Math.max(part, of))
  const buyer = people[whom] ?? ''
  if (what === 'transfer') {
    const owned = title.owners[who % title.owners.length]
    // Most often part of what the seller has; now and then more, or what another has.
    const seller = step.at > 85 ? (people[who] ?? '') : (owned?.party.name['familyName'] ?? '')
    const { numerator, denominator } = owned?.share ?? share(1, 1)
    const some = share(BigInt(portion.numerator) * BigInt(numerator), BigInt(portion.denominator) * BigInt(denominator))
    const sold = step.at < 15 ? portion : some
    return transfer(office, title, { seller: person(seller), buyer: person(buyer) }, { share: sold })
  }
  if (what === 'inherit') {
    const deceased = title.owners[who % title.owners.length]?.party.id ?? ''
    const heirs = [
      { of: named(buyer), share: portion },
      {
        of: named(people[(whom + 1) % 3] ?? ''),
        share: share(Math.max(part, of) - Math.min(part, of) || 1, Math.max(part, of)),
      },
    ]
    const exact = Math.max(part, of) === Math.min(part, of) ? heirs.slice(0, 1) : heirs
    const body = { version: title.version, deceased, heirs: exact, certificate: order('PC'), legalBasis }
    return call(office, registrar(), 'registerSuccession', body, { title: title.id })
  }
  if (what === 'split') return splitStep(world, held, step)
  if (what === 'merge') return mergeStep(world, held)
  if (['mortgage', 'discharge', 'postpone'].includes(what)) return chargedStep(world, title, step)
  return ordersStep(world, title, step)
}

type HoldingRow = { title: string; n: string; d: string }

/** Sums fractions over a common denominator, which is another way than the one under test. */
const sumsOfShares = (rows: readonly HoldingRow[]): Map<string, boolean> => {
  const sums = new Map<string, boolean>()
  for (const [title, own] of Map.groupBy(rows, row => row.title)) {
    const common = own.reduce((product, { d }) => product * BigInt(d), 1n)
    const sum = own.reduce((total, { n, d }) => total + (BigInt(n) * common) / BigInt(d), 0n)
    sums.set(title, sum === common)
  }
  return sums
}

const assertInvariants = async ({ office, titles, area }: World): Promise<void> => {
  const holdings = await office.store.read<HoldingRow>(
    'SELECT title, cast(numerator AS text) AS n, cast(denominator AS text) AS d FROM land_holdings',
  )
  const sums = sumsOfShares(holdings)
  expect([...sums].filter(([, whole]) => !whole)).toEqual([])
  const found = await Promise.all(titles.map(({ id }) => full(office, id)))
  expect(found.every(({ state }) => state === 'active')).toBe(true)
  expect(found.every(({ id }) => sums.get(id))).toBe(true)
  expect(found.reduce((sum, each) => sum + BigInt(each.legalAreaSquareCentimetres), 0n)).toBe(area)
  const measured = found
    .flatMap(each => each.parcels)
    .reduce((sum, { geometry }) => sum + computedArea(parseGeometry(geometry)), 0n)
  expect(Number(measured - area) / Number(area)).toBeCloseTo(0, 4)
  for (const { encumbrances } of found) {
    const ranks = encumbrances.flatMap(({ rank }) => rank ?? []).sort((a, b) => a - b)
    expect(ranks).toEqual(ranks.map((_, at) => at + 1))
  }
}

const takeStep = async (world: World, step: Step): Promise<void> => {
  const held = world.titles[step.title % world.titles.length] as Held
  const next = step.what === 'merge' ? world.titles[world.titles.indexOf(held) + 1] : undefined
  const before = await full(world.office, held.id)
  const concerned = next === undefined ? [before] : [before, await full(world.office, next.id)]
  const blocked = concerned.some(({ encumbrances }) =>
    encumbrances.some(({ kind }) => kind === 'caveat' || kind === 'court-order'),
  )
  let acted = false
  const code = await refusalOf(
    run(world, step, before, held).then(answer => {
      acted = answer !== undefined
    }),
  )
  if (!blocked || !disposals.includes(step.what)) return
  // Past a block there is no disposal: whatever else is wrong with it, nothing of the title has changed.
  if (['transfer', 'mortgage', 'inherit'].includes(step.what)) expect({ acted, code }).toMatchObject({ acted: false })
  const after = await full(world.office, held.id)
  expect({ owners: after.owners, state: after.state, version: after.version }).toEqual({
    ...{ owners: before.owners, state: before.state, version: before.version },
  })
}

onBothDatabases(openOffice => {
  it('any history keeps shares whole, area constant and ranks in order, and goes past no block', async () => {
    const office = await openOffice()
    const slow = office.store.dialect === 'postgres'
    await fc.assert(
      fc.asyncProperty(fc.array(stepOf, { minLength: 15, maxLength: 40 }), async steps => {
        const world = await open(office)
        for (const step of steps) {
          await takeStep(world, step)
          await assertInvariants(world)
        }
      }),
      { numRuns: slow ? 5 : 20, endOnFailure: true },
    )
    const kinds = await office.store.read<{ step: string }>('SELECT step FROM registry_history')
    const counted = new Set(kinds.map(({ step }) => (JSON.parse(step) as { kind: string }).kind))
    // Otherwise the invariants would have been looked at in vain.
    const often = ['registered', 'transferred', 'split', 'mortgaged', 'discharged', 'blocked', 'unblocked', 'inherited']
    for (const kind of slow ? often.slice(0, 4) : often) expect(counted).toContain(kind)
  }, 180_000)
})
