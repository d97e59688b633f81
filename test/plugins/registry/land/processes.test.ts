import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { landRoutes } from '../../../../src/plugins/registry/actions/land/routes.ts'
import { stopPostgres, withPostgres } from '../../../postgres.ts'
import { type Office, openOffice, type Place, refusalOf } from '../world.ts'
import {
  deedBody,
  joint,
  legalBasis,
  lodge,
  named,
  notary,
  ownedBy,
  ownersOf,
  parcel,
  person,
  register,
  registrar,
  share,
} from './scene.ts'
import { rectangle } from './shapes.ts'

/** Two processes of one agency over one database, whose acts stand still between what they look at and their commit. */

const folder = mkdtempSync(join(tmpdir(), 'chancery-land-'))
const places: Record<string, () => Promise<Place>> = {
  SQLite: async () => ({ file: join(folder, `${Math.random().toString(36).slice(2)}.sqlite`) }),
  PostgreSQL: async () => ({
    databaseUrl: await withPostgres(),
    schema: `l${Math.random().toString(36).slice(2)}`,
  }),
}

const pause = () => new Promise<void>(done => setTimeout(done, 150))

/** The operations of a process, slowed down. */
const slowly = (office: Office) => {
  const { outbox, land } = office.needs
  const enqueue: typeof outbox.enqueue = async (tx, writes) => {
    await pause()
    return outbox.enqueue(tx, writes)
  }
  const routes = landRoutes({ ...office.desk, ...land, outbox: { ...outbox, enqueue }, settlement: { settle: pause } })
  return (
    operation: string,
    caller: ReturnType<typeof registrar>,
    body: unknown,
    params: Record<string, string> = {},
  ) => {
    const route = routes[operation]
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    const context = { caller, params: { register, ...params }, query: {}, headers: {}, publicUrl: '' }
    return refusalOf(route.run({ ...context, body }))
  }
}

describe.each(Object.entries(places))('two processes on %s', (_, placeOf) => {
  const opened: Office[] = []

  const openTwo = async (): Promise<[Office, Office]> => {
    const place = await placeOf()
    const first = await openOffice(place)
    const second = await openOffice(place)
    opened.push(first, second)
    return [first, second]
  }

  afterEach(async () => {
    for (const office of opened.splice(0)) await office.store.close()
  })
  afterAll(async () => {
    await stopPostgres()
    rmSync(folder, { recursive: true, force: true })
  })

  it('lay a parcel on one place once', async () => {
    const offices = await openTwo()
    const codes = await Promise.all(
      offices.map((office, at) =>
        slowly(office)('registerTitle', registrar(), {
          fields: { cadastralDistrict: 'Northshore 17' },
          parcels: [parcel(`X-${at}`, rectangle(at * 10, 0, 5_000 + at * 10, 5_000))],
          owners: [{ of: named(`Owner ${at}`), share: share(1, 1) }],
          legalBasis,
        }),
      ),
    )
    expect(codes.sort()).toEqual(['parcel_overlaps', undefined])
  })

  it('sell one title once', async () => {
    const offices = await openTwo()
    const title = await ownedBy(offices[0], 'Okafor')
    const codes = await Promise.all(
      offices.map((office, at) => {
        const caller = joint({ seller: person('Okafor'), buyer: person(`Buyer ${at}`), notary })
        return slowly(office)('transferTitle', caller, deedBody(title, { payment: { reference: 'x' } }), {
          title: title.id,
        })
      }),
    )
    expect([...codes].sort()).toEqual(['title_changed', undefined])
    expect(await ownersOf(offices[0], title.id)).toEqual({ [`Buyer ${codes.indexOf(undefined)}`]: '1/1' })
  })

  it('let no sale past an order that comes in at the same moment', async () => {
    const [office, other] = await openTwo()
    const title = await ownedBy(office, 'Okafor')
    const caller = joint({ seller: person('Okafor'), buyer: person('Buyer'), notary })
    const sale = slowly(office)('transferTitle', caller, deedBody(title, { payment: { reference: 'x' } }), {
      title: title.id,
    })
    const [sold] = await Promise.all([sale, lodge(other, title.id)])
    const steps = await office.store.read<{ step: string }>(
      'SELECT step FROM registry_history WHERE entry = ? ORDER BY version',
      [title.id],
    )
    const kinds = steps.map(({ step }) => (JSON.parse(step) as { kind: string }).kind)
    const expected = sold === undefined ? ['registered', 'transferred', 'blocked'] : ['registered', 'blocked']
    expect(kinds).toEqual(expected)
    expect([undefined, 'title_blocked']).toContain(sold)
  })
})
