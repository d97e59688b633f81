import { computedArea } from '../../../../src/plugins/registry/land/geometry.ts'
import { onBothDatabases, refusalOf, sourceOf } from '../world.ts'
import {
  areaOf,
  bank,
  call,
  full,
  legalBasis,
  lodge,
  mortgage,
  named,
  ownedBy,
  ownersOf,
  parcel,
  person,
  register,
  registered,
  registrar,
  share,
  side,
  survey,
  type TitleBody,
  transfer,
} from './scene.ts'
import { polygon, rectangle, regionOf } from './shapes.ts'

const fields = { cadastralDistrict: 'Northshore 17' }
const sole = [{ of: named('Okafor'), share: share(1, 1) }]
type Office = Parameters<typeof ownedBy>[0]

const register1 = (office: Office, body: Record<string, unknown>) =>
  call(office, registrar(), 'registerTitle', { fields, owners: sole, legalBasis, ...body })

/** The two halves of a plot that `registered` laid, cut at a part of its width. */
const halves = ({ west, legalAreaSquareCentimetres }: TitleBody & { west: number }, numbers = ['H-1', 'H-2']) => {
  const [left, right] = [rectangle(west, 0, west + side / 2, side), rectangle(west + side / 2, 0, west + side, side)]
  const area = BigInt(legalAreaSquareCentimetres)
  return [
    { parcel: parcel(numbers[0] ?? '', left, area / 2n) },
    { parcel: parcel(numbers[1] ?? '', right, area - area / 2n) },
  ]
}

const split = (office: Office, title: TitleBody & { west: number }, more: Record<string, unknown> = {}) =>
  call<{ titles: TitleBody[] }>(
    office,
    registrar(),
    'splitTitle',
    { parts: halves(title), survey, legalBasis, ...more },
    { title: title.id },
  )

const merge = (office: Office, titles: readonly TitleBody[], geometry: unknown, area: bigint, number = 'M-1') =>
  call(office, registrar(), 'mergeTitles', {
    titles: titles.map(({ id }) => id),
    parcel: { parcelNumber: number, geometry, legalAreaSquareCentimetres: String(area) },
    ...{ survey, legalBasis },
  })

onBothDatabases(open => {
  it('A register that leaves transfers to wallets is refused at start: it would not know of them.', async () => {
    const left = { ...sourceOf(register), walletTransfers: { domain: register, level: 2 } }
    await expect(open([left])).rejects.toThrow(/^The register land-titles: walletTransfers cannot be met/)
  })

  describe('first registration', () => {
    it('enters land with its owners, its token, and an extract without them', async () => {
      const office = await open()
      const title = await registered(office, [
        { of: named('Okafor'), share: share(1, 3) },
        { of: named('Haddad'), share: share(2, 3) },
      ])
      expect(title).toMatchObject({ state: 'active', version: 1, number: 'LT-2026-000001', encumbrances: [] })
      const shown = (await office.call('getTitle', undefined, { params: { register, title: title.id } })).body
      expect(JSON.stringify(shown)).not.toMatch(/Okafor|Haddad|N-Okafor|[0-9a-f-]{36}.*owners/)
      expect(await ownersOf(office, title.id)).toEqual({ Okafor: '1/3', Haddad: '2/3' })
      expect(office.writes.map(({ contract, method }) => `${contract}.${method}`)).toEqual(['titles.mint'])
      expect(JSON.stringify(await office.store.read('SELECT alias FROM land_aliases'))).not.toContain('N-Okafor')
    })

    it('is refused when the shares are not one, or a party is named twice', async () => {
      const office = await open()
      const half = { of: named('Okafor'), share: share(1, 2) }
      expect(await refusalOf(registered(office, [half]))).toBe('shares_not_whole')
      expect(await refusalOf(registered(office, [half, { of: named('Haddad'), share: share(2, 3) }]))).toBe(
        'shares_not_whole',
      )
      expect(await refusalOf(registered(office, [half, half]))).toBe('party_named_twice')
      expect(await refusalOf(registered(office, [{ of: named('Okafor'), share: share(3, 2) }]))).toBe('share_invalid')
      expect(await office.store.read('SELECT id FROM land_parcels')).toEqual([])
    })

    it.each<[string, unknown, string]>([
      [
        'that crosses itself',
        polygon([
          [0, 0],
          [900, 900],
          [900, 0],
          [0, 901],
        ]),
        'geometry_invalid',
      ],
      [
        'that is not closed',
        {
          type: 'Polygon',
          coordinates: [
            [
              [2, 46],
              [2.1, 46],
              [2.1, 46.1],
            ],
          ],
        },
        'geometry_invalid',
      ],
      ['of another size than surveyed', rectangle(0, 0, 500, 500), 'area_mismatch'],
    ])('of a parcel %s is refused', async (_, geometry, code) => {
      const office = await open()
      const parcels = [{ parcelNumber: 'X-1', geometry, legalAreaSquareCentimetres: '1000000' }]
      expect(await refusalOf(register1(office, { parcels }))).toBe(code)
    })

    it('of a parcel that lies on others is refused with their ids; a neighbour is welcome', async () => {
      const office = await open()
      const [one, two] = [await ownedBy(office, 'Okafor'), await ownedBy(office, 'Haddad')]
      const over = rectangle(one.west + 100, 100, two.west + 100, 200)
      const attempt = register1(office, { parcels: [parcel('X-1', over)] })
      await expect(attempt).rejects.toMatchObject({
        code: 'parcel_overlaps',
        facts: { overlaps: [one.parcels[0]?.id, two.parcels[0]?.id] },
      })
      const beside = rectangle(one.west + side, 0, one.west + side + 500, side)
      expect((await register1(office, { parcels: [parcel('X-1', beside)] })).state).toBe('active')
      expect(await refusalOf(register1(office, { parcels: [parcel('X-1', rectangle(0, 90_000, 900, 90_900))] }))).toBe(
        'parcel_number_taken',
      )
      const inside = [
        parcel('X-2', rectangle(0, 90_000, 900, 90_900)),
        parcel('X-3', rectangle(0, 90_000, 800, 90_800)),
      ]
      expect(await refusalOf(register1(office, { parcels: inside }))).toBe('geometry_invalid')
    })

    it('of one place several times in one batch of acts succeeds once', async () => {
      const office = await open()
      const attempts = Array.from({ length: 6 }, (_, at) =>
        refusalOf(register1(office, { parcels: [parcel(`X-${at}`, rectangle(at * 10, 0, 5_000 + at * 10, 5_000))] })),
      )
      const codes = await Promise.all(attempts)
      expect(codes.filter(code => code === undefined)).toHaveLength(1)
      expect(codes.filter(code => code === 'parcel_overlaps')).toHaveLength(5)
    })

    it('keeps to the fields and legal bases of the register, and to its kind', async () => {
      const office = await open()
      const parcels = [parcel('X-1', rectangle(0, 0, 900, 900))]
      expect(await refusalOf(register1(office, { parcels, fields: { landUse: 'moon' } }))).toBe('fields_invalid')
      const elsewhere = { params: { register: 'business-licences' }, caller: registrar() }
      const body = { parcels, fields, owners: sole, legalBasis }
      expect(await refusalOf(office.call('registerTitle', body, elsewhere))).toBe('register_unknown')
    })

    it('is for officers of this register', async () => {
      const office = await open()
      const parcels = [parcel('X-1', rectangle(0, 0, 900, 900))]
      const attempt = call(office, person('Okafor').as('owner'), 'registerTitle', {
        parcels,
        fields,
        owners: sole,
        legalBasis,
      })
      expect(await refusalOf(attempt)).toBe('credential_missing')
    })

    it('with one idempotency key gives one title', async () => {
      const office = await open()
      const body = { fields, owners: sole, legalBasis, parcels: [parcel('X-1', rectangle(0, 0, 900, 900))] }
      const caller = registrar()
      const first = await call(office, caller, 'registerTitle', body, {}, 'key-1')
      expect(await call(office, caller, 'registerTitle', body, {}, 'key-1')).toEqual(first)
      expect(await office.store.read('SELECT id FROM registry_entries')).toHaveLength(1)
    })
  })

  describe('the land of one act', () => {
    /** Strips beside one another, whose common borders have so many positions. */
    const strips = (count: number, positions: number) =>
      Array.from({ length: count }, (_, at) => {
        const border = (place: number) =>
          Array.from({ length: positions }, (_, step) => [place * 900 + ((step * 7 + place) % 5), step * 90] as const)
        const geometry = polygon([...border(at + 1), ...border(at).reverse()])
        return { parcelNumber: `S-${at}`, geometry, legalAreaSquareCentimetres: '1' }
      })
    /** Sides that all run across the land beside one another. */
    const comb = (teeth: number) => {
      const slanted = (x: number, y: number) => [x + 2 * y, y] as const
      const tips = Array.from({ length: teeth }, (_, at) => slanted(at * 30, at % 2 === 0 ? 0 : 300_000))
      return polygon([slanted((teeth - 1) * 30, -9_000), ...tips.reverse(), slanted(0, -9_000)])
    }

    it('has a bound, so that no request holds up all others', async () => {
      const office = await open()
      expect(await refusalOf(register1(office, { parcels: strips(4, 800) }))).toBe('geometry_too_large')
      const title = await ownedBy(office, 'Okafor')
      const parts = strips(19, 990).map(each => ({ parcel: each }))
      await expect(split(office, title, { parts })).rejects.toMatchObject({
        ...{ code: 'geometry_too_large', facts: { positions: 19 * 1_981 + 5, most: 6_000 } },
      })
      expect(
        await refusalOf(merge(office, [title, await ownedBy(office, 'Okafor')], strips(1, 3_000)[0]?.geometry, 1n)),
      ).toBe('geometry_too_large')
    })

    it('is not so drawn that every side is compared with all others', async () => {
      const office = await open()
      const parcels = (teeth: number) =>
        [0, 1].map(at => ({ ...parcel(`C-${at}`, comb(teeth)), parcelNumber: `C-${at}` }))
      expect(await refusalOf(register1(office, { parcels: parcels(1_500) }))).toBe('geometry_tangled')
      expect(await refusalOf(register1(office, { parcels: parcels(40) }))).toBe('geometry_invalid')
    })
  })

  describe('a split', () => {
    it('conserves area, shares and encumbrances in every part, and closes the whole', async () => {
      const office = await open()
      const owner = person('Okafor')
      const title = await ownedBy(office, 'Okafor')
      const charged = await mortgage(office, title, { lender: bank('B-1'), owner })
      const { titles } = await split(office, title)
      expect(titles).toHaveLength(2)
      const areas = titles.map(each => BigInt(each.legalAreaSquareCentimetres))
      expect(areas.reduce((sum, area) => sum + area, 0n)).toBe(BigInt(title.legalAreaSquareCentimetres))
      for (const part of titles) {
        expect(part.predecessors).toEqual([title.id])
        expect(part.encumbrances).toMatchObject([{ kind: 'mortgage', rank: 1 }])
        expect(part.encumbrances[0]?.id).not.toBe(charged.mortgage)
        expect(await ownersOf(office, part.id)).toEqual({ Okafor: '1/1' })
      }
      const whole = await full(office, title.id)
      expect(whole).toMatchObject({ state: 'closed', successors: titles.map(({ id }) => id) })
      const replaced = office.writes.find(({ method }) => method === 'replace')?.args[1] as Record<string, unknown>
      expect(replaced['predecessors']).toEqual([{ entryId: title.id, holder: null }])
      expect(replaced['successors']).toMatchObject(titles.map(({ id }) => ({ entryId: id, encumbrances: 1 })))
    })

    it('frees no land and takes none: the map has the parts instead of the whole', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const { titles } = await split(office, title)
      const box = { bbox: '2.29,46.05,2.4,46.25' }
      const listed = (await office.call('listParcels', undefined, { params: { register }, query: box })).body as {
        features: { properties: { title: string } }[]
      }
      expect(listed.features.map(({ properties }) => properties.title).sort()).toEqual(
        titles.map(({ id }) => id).sort(),
      )
      const again = register1(office, { parcels: [parcel('X-9', rectangle(title.west, 0, title.west + side, side))] })
      await expect(again).rejects.toMatchObject({ code: 'parcel_overlaps' })
    })

    it.each<[string, (title: TitleBody & { west: number }) => Record<string, unknown>, string]>([
      [
        'area is invented',
        title => {
          const [one, two] = halves(title)
          const more = String(BigInt(two?.parcel.legalAreaSquareCentimetres ?? 0) + 1n)
          return { parts: [one, { parcel: { ...two?.parcel, legalAreaSquareCentimetres: more } }] }
        },
        'split_area_mismatch',
      ],
      [
        'a part reaches beyond',
        title => {
          const [one, two] = halves(title)
          const wide = rectangle(title.west + side / 2, 0, title.west + side + 20, side)
          return { parts: [one, { parcel: { ...two?.parcel, geometry: wide } }] }
        },
        'split_outside_parent',
      ],
      [
        'the parts overlap',
        title => {
          const [one, two] = halves(title)
          const wide = rectangle(title.west + side / 2 - 20, 0, title.west + side, side)
          return { parts: [one, { parcel: { ...two?.parcel, geometry: wide } }] }
        },
        'split_overlaps',
      ],
      ['it was drawn up for another version', () => ({ version: 7 }), 'title_changed'],
      ['a number is taken', title => ({ parts: halves(title, ['P-1', 'H-2']) }), 'parcel_number_taken'],
      ['a number is given twice', title => ({ parts: halves(title, ['H-1', 'H-1']) }), 'parcel_number_taken'],
    ])('is refused when %s', async (_, more, code) => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      expect(await refusalOf(split(office, title, more(title)))).toBe(code)
      expect((await full(office, title.id)).state).toBe('active')
    })

    it('is refused for a blocked title, and for one that is closed', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const { order } = await lodge(office, title.id)
      await expect(split(office, title)).rejects.toMatchObject({ code: 'title_blocked', facts: { orders: [order] } })
      const other = await ownedBy(office, 'Okafor')
      await split(office, other)
      expect(await refusalOf(split(office, other, { parts: halves(other, ['H-3', 'H-4']) }))).toBe('title_closed')
    })

    it('of one title twice at the same moment succeeds once', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const attempts = [0, 1, 2].map(at =>
        refusalOf(split(office, title, { parts: halves(title, [`A-${at}`, `B-${at}`]) })),
      )
      const codes = await Promise.all(attempts)
      expect(codes.filter(code => code === undefined)).toHaveLength(1)
    })
  })

  describe('a merger', () => {
    it('of what was split gives back the area, the owners and the encumbrances', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      await mortgage(office, title, { lender: bank('B-1'), owner: person('Okafor') })
      const { titles } = await split(office, title)
      const geometry = rectangle(title.west, 0, title.west + side, side)
      const merged = await merge(office, titles, geometry, BigInt(title.legalAreaSquareCentimetres))
      expect(merged).toMatchObject({
        legalAreaSquareCentimetres: title.legalAreaSquareCentimetres,
        encumbrances: [{ kind: 'mortgage', rank: 1 }],
      })
      expect(merged.predecessors).toEqual(titles.map(({ id }) => id).sort())
      expect(await ownersOf(office, merged.id)).toEqual({ Okafor: '1/1' })
    })

    it('needs the same owners with the same shares, the same encumbrances, and the same land', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const { titles } = await split(office, title)
      const [one, two] = titles as [TitleBody, TitleBody]
      const whole = rectangle(title.west, 0, title.west + side, side)
      const area = BigInt(title.legalAreaSquareCentimetres)
      expect(await refusalOf(merge(office, [one, one], whole, area))).toBe('titles_repeated')
      expect(await refusalOf(merge(office, titles, whole, area + 1n))).toBe('split_area_mismatch')
      const wide = rectangle(title.west, 0, title.west + side + 40, side)
      expect(await refusalOf(merge(office, titles, wide, area))).toBe('split_outside_parent')
      const small = rectangle(title.west, 0, title.west + side - 30, side)
      expect(await refusalOf(merge(office, titles, small, area))).toBe('split_area_mismatch')

      const stranger = await register1(office, {
        owners: [{ of: named('Haddad'), share: share(1, 1) }],
        parcels: [parcel('X-1', rectangle(title.west + side, 0, title.west + side + 1_000, side))],
      })
      const both = rectangle(title.west + side / 2, 0, title.west + side + 1_000, side)
      const sum = BigInt(two.legalAreaSquareCentimetres) + BigInt(stranger.legalAreaSquareCentimetres)
      expect(await refusalOf(merge(office, [two, stranger], both, sum))).toBe('merge_owners_differ')
      await mortgage(office, one, { lender: bank('B-1'), owner: person('Okafor') })
      expect(await refusalOf(merge(office, titles, whole, area))).toBe('merge_encumbrances_differ')
      await lodge(office, two.id)
      expect(await refusalOf(merge(office, titles, whole, area))).toBe('title_blocked')
    })
  })

  describe('reading', () => {
    it('lists parcels by box a page at a time, and refuses a box that is none', async () => {
      const office = await open()
      for (const name of ['A', 'B', 'C']) await ownedBy(office, name)
      const list = async (query: Record<string, string>) =>
        (await office.call('listParcels', undefined, { params: { register }, query })).body as {
          features: { id: string; properties: { parcelNumber: string } }[]
          next?: string
        }
      const page = await list({ bbox: '2.3,46.1,2.31,46.2', limit: '2' })
      expect(page.features).toHaveLength(2)
      const nowhere = list({ bbox: '2.3,46.1,2.31,46.2', after: 'elsewhere' })
      expect(await refusalOf(nowhere)).toBe('cursor_malformed')
      const rest = await list({ bbox: '2.3,46.1,2.31,46.2', limit: '2', after: page.next ?? '' })
      expect(rest.features.map(({ properties }) => properties.parcelNumber)).toEqual(['P-3'])
      expect((await list({ bbox: '2.3020,46.1,2.3021,46.2' })).features).toHaveLength(1)
      expect((await list({ bbox: '2.9,46.1,2.91,46.2' })).features).toEqual([])
      for (const bbox of [
        '1,2,3',
        '2,2,1,3',
        '0,0,0.3,0.1',
        'a,b,c,d',
        '0,89.9,1,90.1',
        '1e1,0,11,1',
        '181,0,181.5,1',
      ]) {
        expect(await refusalOf(list({ bbox }))).toBe('box_invalid')
      }
    })

    it('shows all of a title to those with a right in it, notaries and officers, and leaves evidence', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      await mortgage(office, title, { lender: bank('B-1'), owner: person('Okafor') })
      for (const reader of [person('Okafor').as('reader'), bank('B-1').as('lender'), registrar()]) {
        expect((await full(office, title.id, reader)).owners).toHaveLength(1)
      }
      for (const reader of [person('Haddad').as('reader'), bank('B-2').as('lender')]) {
        expect(await refusalOf(full(office, title.id, reader))).toBe('title_party_only')
      }
      expect(
        await refusalOf(call(office, person('Okafor').as('seller'), 'getFullTitle', undefined, { title: title.id })),
      ).toBe('credential_missing')
      const records = await office.store.read<{ record: string }>('SELECT record FROM journal_details')
      expect(records.filter(({ record }) => record.includes('getFullTitle'))).toHaveLength(3)
    })

    it('finds a title as it stood before it was encumbered', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const before = new Date(office.clock.now()).toISOString()
      office.clock.advance(60_000)
      await mortgage(office, title, { lender: bank('B-1'), owner: person('Okafor') })
      const extract = async (query: Record<string, string>) =>
        (await office.call('getEntry', undefined, { params: { entry: title.id }, query })).body as {
          extract: { encumbrances: unknown[] }
        }
      expect((await extract({ at: before })).extract.encumbrances).toEqual([])
      expect((await extract({})).extract.encumbrances).toHaveLength(1)
    })

    it('shows who owned a title and what lay on it at a time, by what its history kept', async () => {
      const office = await open()
      const [seller, buyer] = [person('Okafor'), person('Haddad')]
      const title = await ownedBy(office, 'Okafor')
      const times: string[] = []
      const later = (): void => {
        times.push(new Date(office.clock.now()).toISOString())
        office.clock.advance(60_000)
      }
      const seen = async (at: string | undefined, operation = 'getFullTitle', caller = registrar()) => {
        const how = { caller, params: { register, title: title.id }, query: at === undefined ? {} : { at } }
        return (await office.call(operation, undefined, how)).body as Awaited<ReturnType<typeof full>>
      }
      later()
      const mortgaged = await mortgage(office, title, { lender: bank('B-1'), owner: seller })
      later()
      const sold = await transfer(office, mortgaged, { seller, buyer })
      later()
      const now = await seen(undefined)
      await split(office, { ...sold, west: title.west })
      const [registeredAt, mortgagedAt, soldAt] = times
      const names = ({ owners }: Awaited<ReturnType<typeof full>>) =>
        owners.map(({ party }) => party.name['familyName'])
      const first = await seen(registeredAt)
      expect(first).toMatchObject({ version: 1, state: 'active', interests: [], encumbrances: [] })
      expect(first.owners).toMatchObject([{ party: { name: { familyName: 'Okafor' } }, share: share(1, 1) }])
      expect(first.parcels).toEqual(now.parcels)
      const second = await seen(mortgagedAt)
      expect(names(second)).toEqual(['Okafor'])
      expect(second.interests).toMatchObject([{ id: mortgaged.mortgage, registered: mortgagedAt }])
      expect(names(now)).toEqual(['Haddad'])
      expect(await seen(soldAt)).toEqual(now)
      expect(await seen(undefined)).toMatchObject({ state: 'closed' })
      const shown = await seen(mortgagedAt, 'getTitle')
      expect(shown).toMatchObject({ version: 2, encumbrances: mortgaged.encumbrances, parcels: now.parcels })
      expect(shown).not.toHaveProperty('owners')
      expect(names(await seen(registeredAt, 'getFullTitle', buyer.as('reader')))).toEqual(['Okafor'])
      const former = seen(registeredAt, 'getFullTitle', seller.as('reader'))
      expect(await refusalOf(former)).toBe('title_party_only')
    })

    it('shows no title before it was, to come, or where the history says too little', async () => {
      const office = await open()
      const title = await ownedBy(office, 'Okafor')
      const then = office.clock.now()
      const seen = (at: number, operation: string) =>
        refusalOf(
          office.call(operation, undefined, {
            ...{ caller: registrar(), params: { register, title: title.id } },
            query: { at: new Date(at).toISOString() },
          }),
        )
      office.clock.advance(60_000)
      await mortgage(office, title, { lender: bank('B-1'), owner: person('Okafor') })
      for (const operation of ['getTitle', 'getFullTitle']) {
        expect(await seen(then - 1, operation)).toBe('entry_not_yet')
        expect(await seen(then + 180_000, operation)).toBe('time_not_come')
        expect(await seen(then, operation)).toBeUndefined()
      }
      const sql = 'SELECT record, digest, step FROM registry_history WHERE entry = ? AND version = 1'
      const [row] = await office.store.read<{ record: string; digest: Uint8Array; step: string }>(sql, [title.id])
      const { detail: _, ...bare } = JSON.parse(row?.step ?? '{}')
      const { record = '', digest = new Uint8Array(32) } = row ?? {}
      const between = { entry: title.id, version: 99, record, at: then + 30_000, digest, step: JSON.stringify(bare) }
      await office.store.transaction(async tx => tx.insert('registry_history', [between]))
      for (const operation of ['getTitle', 'getFullTitle']) {
        expect(await seen(then, operation)).toBeUndefined()
        expect(await seen(then + 30_000, operation)).toBe('title_not_recorded_then')
      }
    })
  })

  it('measures what it lays on the map', () => {
    expect(areaOf(rectangle(0, 0, side, side))).toBe(
      computedArea(
        regionOf([
          [0, 0],
          [side, 0],
          [side, side],
          [0, side],
        ]),
      ),
    )
  })
})
