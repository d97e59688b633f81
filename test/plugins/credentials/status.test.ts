import { join } from 'node:path'
import { agencyEntities, agencyMigrations } from '../../../src/agency.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { decideStatus, holdCredential } from '../../../src/plugins/credentials/actions/status.ts'
import type { CredentialsNeeds } from '../../../src/plugins/credentials/needs.ts'
import { openStore } from '../../../src/store/store.ts'
import { stopPostgres, withPostgres } from '../../postgres.ts'
import { temporaryFolder } from '../../service.ts'

const folder = temporaryFolder()
const id = 'urn:uuid:00000000-0000-7000-8000-000000000001'

afterAll(async () => {
  await stopPostgres()
  folder.remove()
})

describe.each(['sqlite', 'postgres'] as const)('decisions about a status over %s', dialect => {
  let store: Awaited<ReturnType<typeof openStore>>
  beforeAll(async () => {
    const place =
      dialect === 'sqlite'
        ? { file: join(folder.path, 'a.sqlite') }
        : { databaseUrl: await withPostgres(), schema: 'decisions' }
    store = await openStore({ ...place, migrations: agencyMigrations, entities: agencyEntities })
  }, 60_000)
  afterAll(() => store.close())

  it('revoke a credential once, however many ask at the same moment', async () => {
    const row = { id, type: 'X', type_version: 1, format: 'vc+jwt', status_list: 0, status_index: 1 }
    await store.transaction(async tx =>
      tx.insert('credentials', [{ ...row, issued_at: 1, valid_until: 2, compact: '' }]),
    )
    const clock = { now: () => Date.now() }
    const needs = {
      house: { clock },
      outbox: { enqueue: async () => 'outbox-1' },
      identity: { decide: () => undefined },
      statusAuthority: { chain: '', registry: '', issuer: '' },
      statusWrites: () => [],
      newId: () => timeId(clock.now()),
    } as unknown as CredentialsNeeds
    const revoke = () =>
      store.transaction(tx => decideStatus(needs, tx, [id], { purpose: 'revocation', set: true, reason: null }))
    // One at a time into the queue, so that the lanes take them apart.
    const asked: Promise<string>[] = []
    for (let n = 0; n < 8; n++) {
      asked.push(revoke())
      await new Promise(done => setImmediate(done))
    }
    const answers = await Promise.allSettled(asked)
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refused = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason.code] : []))
    expect(new Set(refused)).toEqual(new Set(['already_revoked']))
  })

  it('take what follows from them into their own write, unless they lift a suspension', async () => {
    const other = id.replace(/1$/, '2')
    const row = { id: other, type: 'X', type_version: 1, format: 'vc+jwt', status_list: 0, status_index: 2 }
    await store.transaction(async tx =>
      tx.insert('credentials', [{ ...row, issued_at: 1, valid_until: 2, compact: '' }]),
    )
    const clock = { now: () => Date.now() }
    const written: unknown[] = []
    const needs = {
      house: { clock },
      outbox: { enqueue: async () => 'outbox-2' },
      identity: { decide: () => undefined },
      statusAuthority: { chain: '', registry: '', issuer: '' },
      statusWrites: (bits: unknown, set: boolean) => [written.push({ bits, set })],
      onStatusChange: async () => [{ list: 32_768, index: 7 }],
      newId: () => timeId(clock.now()),
    } as unknown as CredentialsNeeds
    const held = () => store.transaction(tx => holdCredential(tx, other))
    const decide = (purpose: 'revocation' | 'suspension', set: boolean) =>
      store.transaction(tx => decideStatus(needs, tx, [other], { purpose, set, reason: null }))
    const seen = [await held()]
    for (const [purpose, set] of [
      ['suspension', true],
      ['suspension', false],
      ['revocation', true],
    ] as const) {
      await decide(purpose, set)
      seen.push(await held())
    }
    expect(seen).toEqual(['valid', 'suspended', 'valid', 'revoked'])
    const follows = { list: 32_768, index: 7 }
    expect(written).toEqual([
      { bits: [{ list: 1, index: 2 }, follows], set: true },
      { bits: [{ list: 1, index: 2 }], set: false },
      { bits: [{ list: 0, index: 2 }, follows], set: true },
    ])
    expect(await store.transaction(tx => holdCredential(tx, 'urn:uuid:unknown'))).toBeUndefined()
  })
})
