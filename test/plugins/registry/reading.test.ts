import { createHash, verify } from 'node:crypto'
import fc from 'fast-check'
import { canonical } from '../../../src/kernel/canonical.ts'
import type { RecordProof } from '../../../src/kernel/ports.ts'
import { searchable } from '../../../src/plugins/registry/extract.ts'
import { company, dayMs, holderCaller, newDid, type Office, officer, onBothDatabases, refusalOf } from './world.ts'

const register = 'business-licences'
const legalBasis = 'Licensing Act, s. 4'

type Line = Record<string, unknown>

const licence = (at: number, more: Line = {}): Line => ({
  ...{ holder: newDid(), legalBasis },
  fields: {
    ...{ legalName: `Company ${at}`, registrationNumber: `C-${at}`, licenceClass: at % 2 === 0 ? 'retail' : 'fishing' },
    activities: [{ scheme: 'NACE-2.1', code: `0${at % 10}.1` }],
    registeredAddress: { adminUnitL1: 'XN', postCode: String(10_000 + at) },
    ...more,
  },
})

const enter = async (office: Office, lines: Line[]): Promise<Line[]> =>
  office.lines('grantEntries', lines, { caller: officer(), params: { register } })

const ids = (answers: Line[]): string[] => answers.map(({ entry }) => String(entry))

type Page = { entries: { entry: string; fields: Record<string, unknown> }[]; next?: string }

const search = async (office: Office, body: Line, operation = 'searchEntries'): Promise<Page> =>
  (await office.call(operation, body, { params: { register }, caller: officer() })).body as Page

/** All pages, one after the other. */
const everyPage = async (office: Office, body: Line, operation?: string): Promise<string[]> => {
  const found: string[] = []
  let after: string | undefined
  for (let pages = 0; pages < 50; pages += 1) {
    const page = await search(office, { ...body, ...(after !== undefined && { after }) }, operation)
    found.push(...page.entries.map(({ entry }) => entry))
    after = page.next
    if (after === undefined) return found
  }
  throw new Error('the pages have no end')
}

/** Whoever proved the credential that an entry was issued as. */
const holderOf = async (office: Office, entry: string) => {
  const sql = 'SELECT id, holder FROM registry_credentials WHERE entry = ?'
  const [row] = await office.store.read<{ id: string; holder: string }>(sql, [entry])
  return holderCaller(undefined, {
    ...{ id: 'entry', type: 'BusinessLicence', claims: {}, credentialId: row?.id ?? '', holder: row?.holder ?? '' },
  })
}

const sha256 = (...parts: (string | Uint8Array)[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** RFC 6962, 2.1.1, as a stranger would write it. */
const rootBy = (leaf: Buffer, index: number, size: number, path: Buffer[]): Buffer => {
  if (size === 1) return sha256(Buffer.of(0), leaf)
  let half = 1
  while (half * 2 < size) half *= 2
  const [below, sibling] = [path.slice(0, -1), path.at(-1) ?? Buffer.alloc(0)]
  return index < half
    ? sha256(Buffer.of(1), rootBy(leaf, index, half, below), sibling)
    : sha256(Buffer.of(1), sibling, rootBy(leaf, index - half, size - half, below))
}

/** Does the log stand by this step? With nothing but what was handed out, and the log's key. */
const isProven = (step: unknown, proof: RecordProof, key: Parameters<typeof verify>[2]): boolean => {
  const digest = sha256(canonical(step)).toString('hex')
  const { effects } = proof
  if (effects === undefined || !(effects.value as string[]).includes(digest)) return false
  const salted = sha256(Buffer.from(effects.salt, 'base64'), canonical(effects.value)).toString('base64')
  if (!effects.commitments.includes(salted)) return false
  const leaf = sha256(effects.scheme, ...effects.commitments.map(text => Buffer.from(text, 'base64')))
  if (leaf.toString('base64') !== proof.leaf) return false
  const [signed = '', signatures = ''] = proof.checkpoint.split('\n\n')
  const [, size, root] = signed.split('\n')
  const path = proof.path.map(text => Buffer.from(text, 'base64'))
  if (rootBy(leaf, proof.leafIndex, Number(size), path).toString('base64') !== root) return false
  const signature = Buffer.from(signatures.trim().split(' ')[2] ?? '', 'base64').subarray(4)
  return verify(null, Buffer.from(`${signed}\n`), key, signature)
}

type History = { steps: { step: Record<string, unknown>; digest: string; proof?: RecordProof }[]; next?: number }

onBothDatabases(open => {
  describe('a bulk grant', () => {
    it('enters many in one transaction, and answers each line in its place', async () => {
      const office = await open()
      const bad = { ...licence(9), holder: undefined }
      const answers = await enter(office, [licence(0), { ...licence(1), legalBasis: 'Mine' }, licence(2), bad])
      expect(answers.map(answer => (answer['error'] as { code: string } | undefined)?.code)).toEqual([
        ...[undefined, 'legal_basis_unknown', undefined, 'fields_invalid'],
      ])
      expect(answers.map(({ line }) => line)).toEqual([1, 2, 3, 4])
      expect(answers[2]).toMatchObject({ number: 'BL-2026-000003' })
      expect(office.writes.filter(({ method }) => method === 'mint')).toHaveLength(1)
      const [records] = await office.store.read<{ n: number }>('SELECT count(*) AS n FROM journal')
      expect(records?.n).toBe(1)
    })

    it('grants applications that are under review, and only those', async () => {
      const office = await open()
      const fields = { licenceClass: 'retail', activities: [{ scheme: 'NACE-2.1', code: '47.1' }] }
      const plan = { name: 'business-plan', mediaType: 'application/pdf', sha256: 'A'.repeat(43), bytes: 10 }
      const apply = async () => {
        const how = { caller: company(), params: { register } }
        const { body } = await office.call('applyToRegister', { fields, attachments: [plan] }, how)
        return String((body as Line)['application'])
      }
      const [reviewed, waiting] = [await apply(), await apply()]
      await office.call('takeApplication', undefined, {
        ...{ caller: officer(), params: { register, application: reviewed } },
      })
      const lines = [reviewed, waiting].map(application => ({ application, legalBasis }))
      const answers = await enter(office, lines)
      expect(answers[0]).toMatchObject({ line: 1, number: 'BL-2026-000001' })
      expect(answers[1]).toMatchObject({ line: 2, error: { code: 'application_state' } })
      expect((await enter(office, lines))[0]).toMatchObject({ error: { code: 'application_decided' } })
    })

    it('answers a stream that is sent again as it did before, and goes on from there', async () => {
      const office = await open()
      const caller = officer()
      const lines = [licence(0), licence(1), { ...licence(2), legalBasis: 'Mine' }]
      const send = () => office.lines('grantEntries', lines, { caller, params: { register }, key: 'import-1' })
      const first = await send()
      expect(await send()).toEqual(first)
      const [row] = await office.store.read<{ n: number }>('SELECT count(*) AS n FROM registry_entries')
      expect(row?.n).toBe(2)
    })

    it('is refused where a decision needs two officers', async () => {
      const { sourceOf } = await import('./world.ts')
      const careful = { ...sourceOf(register), decide: { fourEyes: { lifeSeconds: 3_600 }, fields: ['conditions'] } }
      const office = await open([careful])
      expect(await refusalOf(enter(office, [licence(0)]))).toBe('grant_one_by_one')
    })
  })

  describe('the history of an entry', () => {
    it('is proven step by step to whoever checks it without us', async () => {
      const office = await open()
      const [entry = ''] = ids(await enter(office, [licence(0), licence(1)]))
      const caller = officer()
      const cause = { legalBasis, reason: 'Inspection' }
      await office.call('suspendEntry', cause, { caller, params: { register, entry } })
      const read = async (query = {}) =>
        (await office.call('getEntryHistory', undefined, { caller, params: { register, entry }, query }))
          .body as History
      expect((await read()).steps.map(({ proof }) => proof)).toEqual([undefined, undefined])

      await office.log.sequencer.runOnce()
      const { steps } = await read()
      expect(steps.map(({ step }) => step['kind'])).toEqual(['granted', 'suspended'])
      expect(steps[1]?.step).toMatchObject({ legalBasis, reason: 'Inspection', by: { officer: 'BR-0001' } })
      for (const { step, digest, proof } of steps) {
        if (proof === undefined) throw new Error('a step has no proof')
        expect(sha256(canonical(step)).toString('hex')).toBe(digest)
        expect(isProven(step, proof, office.log.publicKey)).toBe(true)
        expect(isProven({ ...step, legalBasis: 'Another' }, proof, office.log.publicKey)).toBe(false)
      }
      expect((await read({ after: '1' })).steps).toHaveLength(1)
    })

    it('is never changed in the database', async () => {
      const office = await open()
      await enter(office, [licence(0)])
      for (const sql of [`UPDATE registry_history SET step = '{}'`, 'DELETE FROM registry_history']) {
        await expect(office.store.transaction(tx => tx.query(sql))).rejects.toThrow(/never changed/)
      }
    })
  })

  describe('a full extract', () => {
    it('is for the holder of this very entry and for officers', async () => {
      const office = await open()
      const [one = '', other = ''] = ids(await enter(office, [licence(0), licence(1)]))
      const holder = await holderOf(office, one)
      const read = async (entry: string, caller = holder) =>
        (await office.call('getFullExtract', undefined, { caller, params: { register, entry } })).body as Line
      expect((await read(one))['fields']).toHaveProperty('registeredAddress.postCode')
      expect(await refusalOf(read(other))).toBe('entry_holder_only')
      expect(await read(other, officer())).toMatchObject({ state: 'active' })
      expect(await refusalOf(read(one, company()))).toBe('credential_missing')
      expect(await refusalOf(read('00000000-0000-7000-8000-000000000000', officer()))).toBe('entry_unknown')
      const how = { caller: officer('LR-1', 'land-titles'), params: { register: 'land-titles', entry: one } }
      expect(await refusalOf(office.call('getFullExtract', undefined, how))).toBe('entry_unknown')
    })

    it('leaves evidence of who read it', async () => {
      const office = await open()
      const [entry = ''] = ids(await enter(office, [licence(0)]))
      await office.call('getFullExtract', undefined, { caller: officer(), params: { register, entry } })
      const rows = await office.store.read<{ record: string }>('SELECT record FROM journal_details')
      const operations = rows.map(row => (JSON.parse(row.record) as Line)['operation'])
      expect(operations).toContain('getFullExtract')
    })

    it('is closed to whoever holds a credential that has been replaced', async () => {
      const office = await open()
      const [entry = ''] = ids(await enter(office, [licence(0)]))
      const before = await holderOf(office, entry)
      const cause = { legalBasis, reason: 'Lost phone', fields: {}, holder: newDid() }
      await office.call('amendEntry', cause, { caller: officer(), params: { register, entry } })
      const read = office.call('getFullExtract', undefined, { caller: before, params: { register, entry } })
      expect(await refusalOf(read)).toBe('entry_holder_only')
    })
  })

  describe('a search', () => {
    it('finds entries by value and by beginning, in any case and width of letters', async () => {
      const office = await open()
      await enter(office, [licence(0, { legalName: 'Ａcme  Trading' }), licence(1), licence(2)])
      const names = async (where: Line) =>
        (await search(office, { where })).entries.map(({ fields }) => fields['legalName'])
      expect(await names({ legalName: 'ACME TRADING' })).toEqual(['Ａcme  Trading'])
      expect(await names({ legalName: { prefix: 'comp' } })).toEqual(['Company 1', 'Company 2'])
      expect(await names({ legalName: { prefix: 'comp' }, licenceClass: 'retail' })).toEqual(['Company 2'])
      expect(await names({ 'activities.code': '02.1', licenceClass: 'fishing' })).toEqual([])
      expect(await names({ number: 'bl-2026-000002' })).toEqual(['Company 1'])
      expect(await names({ number: { prefix: 'BL-2026' }, licenceClass: 'retail' })).toEqual([
        'Ａcme  Trading',
        'Company 2',
      ])
      expect(await names({})).toHaveLength(3)
    })

    it('goes from page to page without leaving out or repeating anything', async () => {
      const office = await open()
      const lines = Array.from({ length: 57 }, (_, at) => licence(at))
      const made = ids(await enter(office, lines))
      const even = made.filter((_, at) => at % 2 === 0)
      expect((await everyPage(office, { where: {}, limit: 10 })).sort()).toEqual([...made].sort())
      expect((await everyPage(office, { where: { licenceClass: 'retail' }, limit: 7 })).sort()).toEqual(
        [...even].sort(),
      )
      const both = { where: { licenceClass: 'retail', legalName: { prefix: 'company' } }, limit: 5 }
      expect((await everyPage(office, both)).sort()).toEqual([...even].sort())
      expect(await everyPage(office, { where: { legalName: { prefix: 'zz' } } })).toEqual([])
    })

    it('gives an entry once that begins so in several ways', async () => {
      const office = await open()
      const activities = ['01.1', '01.2', '02.1'].map(code => ({ scheme: 'NACE-2.1', code }))
      const [entry] = ids(
        await enter(office, [licence(5, { activities }), licence(6, { activities: [activities[2]] })]),
      )
      for (const limit of [1, 2, 10]) {
        expect(await everyPage(office, { where: { 'activities.code': { prefix: '01' } }, limit })).toEqual([entry])
      }
    })

    it('follows what entries become', async () => {
      const office = await open()
      const [entry = '', second = ''] = ids(await enter(office, [licence(0), licence(1)]))
      const how = { caller: officer(), params: { register, entry } }
      await office.call('amendEntry', { legalBasis, reason: 'New name', fields: { legalName: 'Zephyr' } }, how)
      expect(await everyPage(office, { where: { legalName: 'Company 0' } })).toEqual([])
      expect(await everyPage(office, { where: { legalName: 'zephyr' } })).toEqual([entry])
      await office.call('revokeEntry', { legalBasis, reason: 'Over' }, how)
      expect(await everyPage(office, { where: {}, state: 'revoked' })).toEqual([entry])
      expect(await everyPage(office, { where: {}, state: 'active' })).toEqual([second])
      office.clock.advance(400 * dayMs)
      expect(await everyPage(office, { where: {}, state: 'lapsed' })).toEqual([second])
    })

    it('tells the public nothing by fields that the public may not read', async () => {
      const office = await open()
      const [entry = ''] = ids(await enter(office, [licence(0)]))
      const where = { 'registeredAddress.postCode': '10000' }
      expect(await refusalOf(search(office, { where }))).toBe('search_field_unknown')
      expect(await everyPage(office, { where }, 'searchEntriesAsOfficer')).toEqual([entry])
      const page = await search(office, { where: {} })
      expect(page.entries[0]?.fields).not.toHaveProperty('registeredAddress.postCode')
      const asStranger = office.call('searchEntriesAsOfficer', { where }, { caller: company(), params: { register } })
      expect(await refusalOf(asStranger)).toBe('credential_missing')
    })

    it.each<[string, Line]>([
      ['search_field_unknown', { where: { colour: 'red' } }],
      ['search_empty', { where: { legalName: '  ' } }],
      ['cursor_malformed', { where: { legalName: 'a' }, after: 'AAAA' }],
      [
        'cursor_malformed',
        { where: { legalName: 'a' }, after: Buffer.from('["licenceClass","a","b"]').toString('base64url') },
      ],
      ['cursor_malformed', { where: {}, after: Buffer.from('["legalName","a","b"]').toString('base64url') }],
      ['cursor_malformed', { where: { legalName: 'a' }, after: Buffer.from('{"field":1}').toString('base64url') }],
    ])('is refused with %s for %j', async (code, body) => {
      const office = await open()
      expect(await refusalOf(search(office, body))).toBe(code)
    })
  })
})

describe('a searchable value', () => {
  it.each([
    ['STRASSE', 'straße'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ﬁsh', 'FISH'],
  ])('is the same for %s and %s', (one, other) => expect(searchable(one)).toBe(searchable(other)))

  it('is the same for every spelling of it, and stays so', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), text => {
        const once = searchable(text)
        expect(searchable(once)).toBe(once)
        expect(searchable(text.toUpperCase().toLowerCase())).toBe(
          searchable(text.toLowerCase().toUpperCase().toLowerCase()),
        )
        expect([...once].length).toBeLessThanOrEqual(200)
      }),
    )
  })
})
