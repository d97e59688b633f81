import { createHash } from 'node:crypto'
import { company, dayMs, newDid, type Office, officer, onBothDatabases, refusalOf } from './world.ts'

const register = 'business-licences'
const plan = Buffer.from('%PDF-1.7 a plan')
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('base64url')
const attachment = { name: 'business-plan', mediaType: 'application/pdf', sha256: sha256(plan), bytes: plan.length }
const fields = {
  licenceClass: 'fishing',
  activities: [{ scheme: 'NACE-2.1', code: '03.11', label: 'Marine fishing' }],
  registeredAddress: { thoroughfare: 'Quay', postName: 'Port Verity', postCode: '10101', adminUnitL1: 'XN' },
}
const legalBasis = 'Licensing Act, s. 4'

type View = Record<string, unknown> & { application: string; entry: string; state: string }

const at = (office: Office, caller: ReturnType<typeof company>, params: Record<string, string> = {}, key?: string) => {
  return async (operation: string, body?: unknown): Promise<View> => {
    const how = { caller, params: { register, ...params }, ...(key !== undefined && { key }) }
    return (await office.call(operation, body, how)).body as View
  }
}

const apply = (office: Office, applicant = company(), more: Record<string, unknown> = {}) =>
  at(office, applicant)('applyToRegister', { fields, attachments: [attachment], ...more })

const granted = async (office: Office, applicant = company(), more: Record<string, unknown> = {}) => {
  const { application } = await apply(office, applicant, more)
  await at(office, officer(), { application })('takeApplication')
  return at(office, officer(), { application })('grantApplication', { legalBasis })
}

const extract = async (office: Office, entry: string, query: Record<string, string> = {}) =>
  (await office.call('getEntry', undefined, { params: { entry }, query })).body as Record<string, unknown>

onBothDatabases(open => {
  describe('an application', () => {
    it('becomes an entry, a credential and a token by the decision of an officer', async () => {
      const office = await open()
      const applicant = company()
      const made = await apply(office, applicant)
      expect(made).toMatchObject({ state: 'submitted', purpose: 'grant', holder: applicant.actor })
      const { application } = made
      expect(await at(office, officer(), { application })('takeApplication')).toMatchObject({ officer: 'BR-0001' })
      const answer = await at(office, officer(), { application })('grantApplication', {
        ...{ legalBasis, fields: { conditions: ['Within twelve miles'] } },
      })
      expect(answer).toMatchObject({ state: 'granted', number: 'BL-2026-000001' })

      const shown = await extract(office, answer.entry)
      expect(shown).toMatchObject({ state: 'active', version: 1, number: 'BL-2026-000001' })
      expect(shown['fields']).toEqual({
        ...{ legalName: 'Northwind Fisheries Ltd', registrationNumber: 'C-1048822', licenceClass: 'fishing' },
        ...{ activities: fields.activities, conditions: ['Within twelve miles'] },
        registeredAddress: { postName: 'Port Verity' },
      })

      const collected = await at(office, applicant, { application })('collectCredential')
      const claims = JSON.parse(Buffer.from(String(collected['compact']).split('.')[1] ?? '', 'base64url').toString())
      expect(claims.credentialSubject).toMatchObject({
        ...{ id: applicant.actor, legalName: 'Northwind Fisheries Ltd', licenceNumber: 'BL-2026-000001' },
        ...{ issueDate: '2026-06-01', expiryDate: '2027-06-01', jurisdiction: 'XN' },
      })
      const [mint] = office.writes
      expect(mint).toMatchObject({ contract: 'licences', method: 'mint' })
      expect(JSON.stringify(mint?.args)).toContain(String(shown['commitment']))
      expect(JSON.stringify(office.writes)).not.toContain('Northwind')
    })

    it('is refused with reasons and on a legal basis of the register', async () => {
      const office = await open()
      const { application } = await apply(office)
      await at(office, officer(), { application })('takeApplication')
      const refuse = (body: object) => at(office, officer(), { application })('refuseApplication', body)
      expect(await refusalOf(refuse({ legalBasis: 'Because', reasons: ['No'] }))).toBe('legal_basis_unknown')
      const refused = await refuse({ legalBasis, reasons: ['The vessel is not seaworthy'] })
      expect(refused).toMatchObject({ state: 'refused', reasons: ['The vessel is not seaworthy'], legalBasis })
      expect(await refusalOf(refuse({ legalBasis, reasons: ['Again'] }))).toBe('application_decided')
    })

    it('goes back to the applicant and comes again', async () => {
      const office = await open()
      const applicant = company()
      const { application } = await apply(office, applicant)
      const theirs = at(office, applicant, { application })
      expect(await refusalOf(theirs('resubmitApplication', { fields }))).toBe('application_state')
      await at(office, officer(), { application })('takeApplication')
      await at(office, officer(), { application })('askForChanges', { asked: 'Name the harbour.' })
      expect(await theirs('getApplication')).toMatchObject({ state: 'changes_asked', asked: 'Name the harbour.' })
      expect(await refusalOf(at(office, officer(), { application })('grantApplication', { legalBasis }))).toBe(
        'application_state',
      )
      const again = await theirs('resubmitApplication', { fields: { ...fields, tradeName: 'Northwind' } })
      expect(again).toMatchObject({ state: 'in_review', officer: 'BR-0001' })
      expect(await at(office, officer(), { application })('grantApplication', { legalBasis })).toMatchObject({
        state: 'granted',
      })
    })

    it('is taken back before it is decided, and not after', async () => {
      const office = await open()
      const applicant = company()
      const { application } = await apply(office, applicant)
      expect(await at(office, applicant, { application })('withdrawApplication')).toMatchObject({ state: 'withdrawn' })
      const late = at(office, applicant, { application })
      expect(await refusalOf(late('withdrawApplication'))).toBe('application_state')
      expect(await refusalOf(at(office, officer(), { application })('takeApplication'))).toBe('application_decided')
    })

    it('cannot claim what its credentials say, nor what officers write', async () => {
      const office = await open()
      const wish = (more: object) => refusalOf(apply(office, company(), { fields: { ...fields, ...more } }))
      expect(await wish({ legalName: 'Another Ltd' })).toBe('field_from_claims')
      expect(await wish({ conditions: [] })).toBe('field_from_officer')
      expect(await wish({ licenceClass: 'Not A Class' })).toBe('fields_invalid')
      expect(await wish({ colour: 'red' })).toBe('fields_invalid')
    })

    it('names a holder whose key the applicant proved, and no other', async () => {
      const office = await open()
      expect(await refusalOf(apply(office, company(), { holder: newDid() }))).toBe('holder_key_foreign')
      const applicant = company()
      expect(await apply(office, applicant, { holder: applicant.actor })).toMatchObject({ holder: applicant.actor })
    })

    it('sends its token to a wallet that is bound to the applicant in this register, and to no other', async () => {
      const office = await open()
      const wallet = `0x${'5A'.repeat(20)}`
      const pseudonym = 'p'.repeat(43)
      const domain = `register:${register}`
      const applicant = company('Northwind Fisheries Ltd', 'C-1048822', { pseudonym: { domain, value: pseudonym } })
      expect(await refusalOf(apply(office, applicant, { wallet }))).toBe('wallet_not_yours')
      office.bound.set(`${wallet.toLowerCase()} ${domain}`, pseudonym)
      expect(await refusalOf(apply(office, company(), { wallet }))).toBe('wallet_not_yours')
      const elsewhere = { pseudonym: { domain: 'register:other', value: pseudonym } }
      const stranger = company('Northwind Fisheries Ltd', 'C-1048822', elsewhere)
      expect(await refusalOf(apply(office, stranger, { wallet }))).toBe('wallet_not_yours')
      await granted(office, applicant, { wallet })
      expect(JSON.stringify(office.writes[0]?.args)).toContain(`"holder":"${wallet.toLowerCase()}"`)
    })

    it('has the attachments that the register asks for, in the media types it takes', async () => {
      const office = await open()
      const wish = (attachments: object[]) => refusalOf(apply(office, company(), { attachments }))
      expect(await wish([])).toBe('attachment_missing')
      expect(await wish([{ ...attachment, mediaType: 'text/html' }])).toBe('attachment_type')
      expect(await wish([attachment, { ...attachment, name: 'poem' }])).toBe('attachment_unexpected')
      expect(await wish([attachment, attachment])).toBe('attachment_unexpected')
    })

    it('takes the content of an attachment only if it is what was named', async () => {
      const office = await open()
      const applicant = company()
      const { application } = await apply(office, applicant)
      const put = (content: string, name = 'business-plan') =>
        at(office, applicant, { application, name })('putAttachment', { content })
      expect(await refusalOf(put(Buffer.from('another plan').toString('base64')))).toBe('attachment_mismatch')
      expect(await refusalOf(put('????'))).toBe('content_malformed')
      expect(await refusalOf(put(plan.toString('base64'), 'organisation-chart'))).toBe('attachment_unknown')
      expect(await put(plan.toString('base64'))).toMatchObject(attachment)
      const read = await at(office, officer(), { application, name: 'business-plan' })('getAttachment')
      expect(Buffer.from(String(read['content']), 'base64')).toEqual(plan)
    })

    it('is shown to whoever applied and to officers, and to nobody else', async () => {
      const office = await open()
      const { application } = await apply(office)
      const stranger = at(office, company('Another Ltd', 'C-2'), { application })
      expect(await refusalOf(stranger('getApplication'))).toBe('application_unknown')
      expect(await refusalOf(stranger('withdrawApplication'))).toBe('application_unknown')
      expect(await at(office, officer(), { application })('getApplication')).toMatchObject({ state: 'submitted' })
    })

    it('is decided once, whoever decides at the same moment', async () => {
      const office = await open()
      const { application } = await apply(office)
      await at(office, officer(), { application })('takeApplication')
      const grant = (number: string) => at(office, officer(number), { application })('grantApplication', { legalBasis })
      const codes = await Promise.all([
        refusalOf(grant('BR-0001')),
        refusalOf(grant('BR-0002')),
        refusalOf(
          at(office, officer('BR-0003'), { application })('refuseApplication', { legalBasis, reasons: ['No'] }),
        ),
      ])
      expect(codes.sort()).toEqual(['application_decided', 'application_decided', undefined].sort())
      const [{ n } = { n: -1 }] = await office.store.read<{ n: number }>('SELECT count(*) AS n FROM registry_entries')
      const decided = await at(office, officer(), { application })('getApplication')
      expect(n).toBe(decided.state === 'granted' ? 1 : 0)
    })

    it('is not decided by whoever applied, though they are an officer', async () => {
      const office = await open()
      const applicant = company()
      const { application } = await apply(office, applicant)
      const { matched, credentials } = officer()
      const both = { ...applicant, matched: { ...applicant.matched, ...matched } }
      const own = { ...both, credentials: [...applicant.credentials, ...credentials] }
      const as = (caller: typeof own) => at(office, caller, { application })
      expect(await refusalOf(as(own)('takeApplication'))).toBe('application_own')
      await at(office, officer(), { application })('takeApplication')
      expect(await refusalOf(as(own)('grantApplication', { legalBasis }))).toBe('application_own')
      expect(await refusalOf(as(own)('refuseApplication', { legalBasis, reasons: ['No'] }))).toBe('application_own')
      const [line] = await office.lines('grantEntries', [{ application, legalBasis }], {
        caller: own,
        params: { register },
      })
      expect(line).toMatchObject({ error: { code: 'application_own' } })
    })

    it('is not rewritten by a line of a batch, and every line of a batch sent again is answered as it was', async () => {
      const office = await open()
      const { application } = await apply(office)
      const how = { caller: officer(), params: { register }, key: 'batch-1' }
      const lines = [
        { application, legalBasis },
        { application, legalBasis, fields: { legalName: 'Another Ltd' } },
      ]
      const first = await office.lines('grantEntries', lines, how)
      expect(first).toMatchObject([{ error: { code: 'application_state' } }, { error: { code: 'application_state' } }])
      await at(office, officer(), { application })('takeApplication')
      expect(await office.lines('grantEntries', lines, how)).toEqual(first)
      const anew = await office.lines('grantEntries', [lines[1]], { ...how, key: 'batch-2' })
      expect(anew).toMatchObject([{ line: 1, error: { code: 'fields_invalid' } }])
    })

    it('does not take the tokens of others with it when it may end before the chain gets to it', async () => {
      const office = await open()
      const soon = new Date(office.clock.now() + 60_000).toISOString()
      const written = { ...fields, legalName: 'Northwind Fisheries Ltd', registrationNumber: 'C-1048822' }
      const lines = [undefined, soon, undefined].map(validUntil => ({
        ...{ holder: newDid(), fields: written, legalBasis },
        ...(validUntil !== undefined && { validUntil }),
      }))
      await office.lines('grantEntries', lines, { caller: officer(), params: { register } })
      expect(office.writes.map(({ method, args }) => [method, (args[1] as unknown[]).length])).toEqual([
        ['mint', 2],
        ['mint', 1],
      ])
    })

    it('gives the same answer to the same decision sent again', async () => {
      const office = await open()
      const { application } = await apply(office)
      await at(office, officer(), { application })('takeApplication')
      const who = officer()
      const send = () => at(office, who, { application }, 'key-1')('grantApplication', { legalBasis })
      const first = await send()
      expect(await send()).toEqual(first)
      const [row] = await office.store.read<{ n: number }>('SELECT count(*) AS n FROM registry_entries')
      expect(row?.n).toBe(1)
    })

    it('is not asked for anything by anonymous callers, staff, or officers of another register', async () => {
      const office = await open()
      const body = { fields, attachments: [attachment] }
      const as = (caller: never) => refusalOf(office.call('applyToRegister', body, { caller, params: { register } }))
      expect(await as({ kind: 'anonymous', id: 'anonymous' } as never)).toBe('unauthenticated')
      expect(await as({ kind: 'apiKey', id: 'k', scopes: ['credentials:issue'] } as never)).toBe('holder_only')
      expect(await as(officer() as never)).toBe('credential_missing')
      const { application } = await apply(office)
      const grant = at(office, company(), { application })('grantApplication', { legalBasis })
      expect(await refusalOf(grant)).toBe('credential_missing')
    })
  })

  describe('an entry', () => {
    it('is suspended and reinstated with its credential and its token', async () => {
      const office = await open()
      const { entry } = await granted(office)
      const decide = at(office, officer(), { entry })
      const cause = { legalBasis: 'Licensing Act, s. 17', reason: 'Inspection under way' }
      expect(await decide('suspendEntry', cause)).toMatchObject({ state: 'suspended', version: 2 })
      expect([...office.statuses.values()]).toEqual(['suspended'])
      expect(office.writes.at(-1)).toMatchObject({ method: 'suspend' })
      expect(await refusalOf(decide('suspendEntry', cause))).toBe('entry_state')
      expect(await refusalOf(decide('amendEntry', { ...cause, fields: {} }))).toBe('entry_state')
      expect(await decide('reinstateEntry', cause)).toMatchObject({ state: 'active', version: 3 })
      expect([...office.statuses.values()]).toEqual(['valid'])
      expect(office.writes.at(-1)).toMatchObject({ method: 'reinstate' })
      expect(await refusalOf(decide('reinstateEntry', cause))).toBe('entry_state')
    })

    it('is revoked for good', async () => {
      const office = await open()
      const { entry } = await granted(office)
      const decide = at(office, officer(), { entry })
      const cause = { legalBasis: 'Licensing Act, s. 21', reason: 'Fished without a quota', order: 'A 17/2026' }
      expect(await decide('revokeEntry', cause)).toMatchObject({ state: 'revoked' })
      expect([...office.statuses.values()]).toEqual(['revoked'])
      expect(office.writes.at(-1)).toMatchObject({ method: 'revoke' })
      for (const operation of ['revokeEntry', 'suspendEntry', 'reinstateEntry']) {
        expect(await refusalOf(decide(operation, cause))).toBe('entry_state')
      }
    })

    it('is amended: the old credential ends, a new one is issued', async () => {
      const office = await open()
      const { entry } = await granted(office)
      const cause = { legalBasis, reason: 'Moved' }
      const decide = at(office, officer(), { entry })
      const amended = await decide('amendEntry', {
        ...cause,
        fields: { tradeName: 'Northwind', registeredAddress: null },
      })
      expect(amended).toMatchObject({ version: 2, fields: { tradeName: 'Northwind' } })
      expect(amended['fields']).not.toHaveProperty('registeredAddress')
      expect([...office.statuses.values()]).toEqual(['revoked'])
      expect(office.writes.at(-1)).toMatchObject({ method: 'amend' })
      const stale = decide('amendEntry', { ...cause, fields: { tradeName: 'Late' }, version: 1 })
      expect(await refusalOf(stale)).toBe('entry_changed')
      expect(await refusalOf(decide('amendEntry', { ...cause, fields: { legalName: null } }))).toBe('fields_invalid')
      const cause2 = { reason: 'x', legalBasis: 'My own law' }
      expect(await refusalOf(decide('amendEntry', { ...cause2, fields: {} }))).toBe('legal_basis_unknown')
    })

    it('lapses at its time, and that is recorded once', async () => {
      const office = await open()
      const { recordLapsed } = await import('../../../src/plugins/registry/actions/lapse.ts')
      const { entry } = await granted(office)
      office.clock.advance(366 * dayMs)
      expect(await extract(office, entry)).toMatchObject({ state: 'lapsed', version: 1 })
      const cause = { legalBasis, reason: 'Too late' }
      expect(await refusalOf(at(office, officer(), { entry })('suspendEntry', cause))).toBe('entry_state')
      const fence = async () => undefined
      const rounds = await Promise.all([recordLapsed(office.desk, fence), recordLapsed(office.desk, fence)])
      expect(rounds.sort()).toEqual([0, 1])
      expect(await extract(office, entry)).toMatchObject({ state: 'lapsed', version: 2 })
    })

    it('is renewed within its window, and goes on from where it ended', async () => {
      const office = await open()
      const applicant = company()
      const { entry } = await granted(office, applicant)
      const renew = () => at(office, applicant)('applyToRegister', { purpose: 'renewal', entry })
      expect(await refusalOf(renew())).toBe('renewal_window')
      office.clock.advance(300 * dayMs)
      const stranger = at(office, company('Another Ltd', 'C-2'))('applyToRegister', { purpose: 'renewal', entry })
      expect(await refusalOf(stranger)).toBe('holder_key_foreign')
      const { application } = await renew()
      expect(await refusalOf(renew())).toBe('application_open')
      await at(office, officer(), { application })('takeApplication')
      const renewed = await at(office, officer(), { application })('grantApplication', { legalBasis })
      expect(renewed.entry).toBe(entry)
      expect(await extract(office, entry)).toMatchObject({ validUntil: '2028-05-31T12:00:00.000Z', version: 2 })
      expect(office.writes.at(-1)).toMatchObject({ method: 'renew' })
      office.clock.advance(800 * dayMs)
      expect(await refusalOf(renew())).toBe('renewal_window')
    })

    it('is renewed after its end if that was applied for before, whether or not the end was recorded', async () => {
      const office = await open()
      const { recordLapsed } = await import('../../../src/plugins/registry/actions/lapse.ts')
      const applicants = [company(), company('Southwind Ltd', 'C-2')]
      const made: View[] = []
      for (const applicant of applicants) made.push(await granted(office, applicant))
      office.clock.advance(364 * dayMs)
      const asked: View[] = []
      for (const [index, { entry }] of made.entries()) {
        const { application } = await at(office, applicants[index] ?? company())('applyToRegister', {
          purpose: 'renewal',
          entry,
        })
        await at(office, officer(), { application })('takeApplication')
        asked.push({ ...(made[index] as View), application })
      }
      const grant = ({ application }: View) =>
        at(office, officer(), { application })('grantApplication', { legalBasis })
      const [one, other] = asked as [View, View]
      office.clock.advance(10 * dayMs)
      await grant(one)
      expect(await extract(office, one.entry)).toMatchObject({ state: 'active', version: 2 })
      expect(await recordLapsed(office.desk, async () => undefined)).toBe(1)
      expect(await extract(office, other.entry)).toMatchObject({ state: 'lapsed', version: 2 })
      const gap = new Date(office.clock.now()).toISOString()
      office.clock.advance(dayMs)
      await grant(other)
      const renewed = { state: 'active', version: 3, validUntil: '2028-05-31T12:00:00.000Z' }
      expect(await extract(office, other.entry)).toMatchObject(renewed)
      expect(await extract(office, other.entry, { at: gap })).toMatchObject({ state: 'lapsed' })
      expect(office.writes.at(-1)).toMatchObject({ method: 'renew' })
    })

    it('is not renewed after its end if it was revoked or suspended, or the new time is over as well', async () => {
      const office = await open()
      const { recordLapsed } = await import('../../../src/plugins/registry/actions/lapse.ts')
      const cause = { legalBasis: 'Licensing Act, s. 21', reason: 'Fished without a quota' }
      const grant = ({ application }: View) =>
        refusalOf(at(office, officer(), { application })('grantApplication', { legalBasis }))
      const asked: View[] = []
      const made: View[] = []
      for (const number of ['C-1', 'C-2', 'C-3']) made.push(await granted(office, company('Wind Ltd', number)))
      office.clock.advance(364 * dayMs)
      for (const [index, { entry }] of made.entries()) {
        const renewal = { purpose: 'renewal', entry }
        const view = await at(office, company('Wind Ltd', `C-${index + 1}`))('applyToRegister', renewal)
        await at(office, officer(), { application: view.application })('takeApplication')
        asked.push(view)
      }
      const [revoked, suspended, forgotten] = asked as [View, View, View]
      await at(office, officer(), { entry: revoked.entry })('revokeEntry', cause)
      await at(office, officer(), { entry: suspended.entry })('suspendEntry', cause)
      office.clock.advance(10 * dayMs)
      expect([await grant(revoked), await grant(suspended)]).toEqual(['entry_state', 'entry_state'])
      await recordLapsed(office.desk, async () => undefined)
      expect([await grant(revoked), await grant(suspended)]).toEqual(['entry_state', 'entry_state'])
      office.clock.advance(365 * dayMs)
      expect(await grant(forgotten)).toBe('validity_wrong')
    })

    it('is amended on the application of its holder, who cannot touch what the officers wrote', async () => {
      const office = await open()
      const applicant = company()
      const { application } = await apply(office, applicant)
      await at(office, officer(), { application })('takeApplication')
      const conditions = ['Within twelve miles']
      const decision = { legalBasis, fields: { conditions } }
      const { entry } = await at(office, officer(), { application })('grantApplication', decision)
      const wish = { purpose: 'amendment', entry, fields: { ...fields, licenceClass: 'aquaculture' } }
      const ask = (caller = applicant, more = {}) =>
        at(office, caller)('applyToRegister', { ...wish, ...more, attachments: [attachment] })
      expect(await refusalOf(ask(company('Another Ltd', 'C-2')))).toBe('holder_key_foreign')
      expect(await refusalOf(ask(applicant, { fields: { ...fields, conditions: [] } }))).toBe('field_from_officer')
      const unknown = '00000000-0000-7000-8000-000000000000'
      expect(await refusalOf(ask(applicant, { entry: unknown }))).toBe('entry_unknown')
      const second = await ask()
      await at(office, officer(), { application: second.application })('takeApplication')
      await at(office, officer(), { application: second.application })('grantApplication', { legalBasis })
      const shown = await extract(office, entry)
      expect(shown).toMatchObject({ version: 2, fields: { licenceClass: 'aquaculture', conditions } })
      expect(shown['validUntil']).toBe('2027-06-01T12:00:00.000Z')
      expect([...office.statuses.values()]).toEqual(['revoked'])
    })

    it('keeps what officers wrote while an application about it was open', async () => {
      const office = await open()
      const applicant = company()
      const { entry } = await granted(office, applicant)
      office.clock.advance(300 * dayMs)
      for (const purpose of ['renewal', 'amendment']) {
        const more = purpose === 'renewal' ? { fields: {}, attachments: [] } : {}
        const { application } = await apply(office, applicant, { purpose, entry, ...more })
        const conditions = [`Set before the ${purpose} was decided`]
        const cause = { legalBasis: 'Licensing Act, s. 17', reason: 'Inspection' }
        await at(office, officer(), { entry })('amendEntry', { fields: { conditions }, ...cause })
        await at(office, officer(), { application })('takeApplication')
        await at(office, officer(), { application })('grantApplication', { legalBasis })
        expect((await extract(office, entry))['fields']).toMatchObject({ conditions })
      }
    })

    it('stands in its history as it stood on a date', async () => {
      const office = await open()
      const { entry } = await granted(office)
      const before = new Date(office.clock.now() + 500).toISOString()
      office.clock.advance(dayMs)
      const cause = { legalBasis, reason: 'New name' }
      await at(office, officer(), { entry })('amendEntry', { ...cause, fields: { tradeName: 'Northwind' } })
      expect((await extract(office, entry))['fields']).toHaveProperty('tradeName')
      expect((await extract(office, entry, { at: before }))['fields']).not.toHaveProperty('tradeName')
      const early = extract(office, entry, { at: '2020-01-01T00:00:00Z' })
      expect(await refusalOf(early)).toBe('entry_not_yet')
      expect(await refusalOf(extract(office, entry, { at: 'yesterday' }))).toBe('date_malformed')
    })

    it('is not shown as of a time to come, but for what two clocks may differ by', async () => {
      const office = await open()
      const { entry } = await granted(office)
      const ahead = (ms: number) => ({ at: new Date(office.clock.now() + ms).toISOString() })
      expect(await refusalOf(extract(office, entry, ahead(60_001)))).toBe('time_not_come')
      const how = { caller: officer(), params: { register, entry }, query: ahead(dayMs) }
      expect(await refusalOf(office.call('getFullExtract', undefined, how))).toBe('time_not_come')
      office.clock.advance(365 * dayMs - 30_000)
      expect(await extract(office, entry, ahead(60_000))).toMatchObject({ state: 'active', version: 1 })
    })
  })
})
