import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { retention } from '../../../src/plugins/aliases/entities.ts'
import { addressLifeMs, aliasLifeMs, dayMs, isMasked } from '../../../src/plugins/aliases/policy.ts'
import { erase } from '../../../src/store/retention.ts'
import {
  bank,
  citizen,
  codeOf,
  type Directory,
  ledger,
  onBothDatabases,
  otherBank,
  phoneBody,
  quietTag,
  someTag,
  stranger,
  tagOf,
} from './fixture.ts'

const number = '+99912345678'
const account = { ledger, account: 7 }
const staff: Caller = { kind: 'apiKey', id: 'k', scopes: ['*'] }
const addressOf = (answer: Record<string, unknown>) => String(answer['paymentAddress'])

/** Everything that the directory's database holds, in whichever form it might be written. */
const everything = async (directory: Directory): Promise<string> => {
  const texts: string[] = []
  const tables = ['aliases', 'alias_addresses', 'alias_rates', 'alias_requests']
  for (const table of [...tables, 'journal', 'journal_details', 'idempotency']) {
    for (const row of await directory.rows(table)) {
      for (const value of Object.values(row)) {
        if (!(value instanceof Uint8Array)) texts.push(String(value))
        else for (const form of ['latin1', 'hex', 'base64url'] as const) texts.push(Buffer.from(value).toString(form))
      }
    }
  }
  return texts.join('\n')
}

onBothDatabases((open, place) => {
  describe('an alias', () => {
    it('of a phone, vouched for by one bank, is paid to by another that never learns the account before', async () => {
      const directory = await open()
      const tag = await tagOf(directory, 'phone', number)
      const registered = await directory.register('phone', await phoneBody(number, { tag }))
      expect(registered).toMatchObject({ kind: 'phone', maskedName: 'A*** O.', ...account })
      const asked = await tagOf(directory, 'phone', number, { caller: citizen('1') })
      expect(asked).toBe(tag)
      const found = await directory.lookUp('phone', asked, { by: otherBank })
      expect(Object.keys(found).sort()).toEqual(['expires', 'maskedName', 'paymentAddress'])
      expect(found['maskedName']).toBe('A*** O.')
      expect(await directory.resolve(addressOf(found), { by: otherBank })).toEqual(account)
    })

    it('of a national id is registered by whoever proves it, and nothing stored shows the id or the name', async () => {
      const directory = await open()
      const caller = citizen('900417-2381')
      const answer = await directory.register('national-id', account, { caller })
      expect(answer).toMatchObject({ kind: 'national-id', maskedName: 'A*** O.', ...account })
      const found = await directory.lookUp('national-id', await quietTag('national-id', '900417-2381'))
      expect(found['maskedName']).toBe('A*** O.')
      const stored = await everything(directory)
      for (const secret of ['900417-2381', 'Amara', 'Okafor']) {
        for (const form of ['latin1', 'hex', 'base64url'] as const)
          expect(stored).not.toContain(Buffer.from(secret).toString(form))
      }
      expect(stored).toContain('A*** O.')
    })

    it('of a national id is the same person’s under another credential: that changes it, and it stays one', async () => {
      const directory = await open()
      await directory.register('national-id', account, { caller: citizen('90-1') })
      await directory.register('national-id', { ledger, account: 8 }, { caller: citizen('90-1') })
      await directory.register('national-id', { ledger, account: 9 }, { caller: citizen('901') })
      const found = await directory.lookUp('national-id', await quietTag('national-id', '90-1'))
      expect(await directory.resolve(addressOf(found))).toEqual({ ledger, account: 8 })
      expect(await directory.rows('aliases')).toHaveLength(2)
    })

    it('of one kind is not one of the other, though the text and even the tag be the same', async () => {
      const directory = await open()
      expect(await quietTag('phone', '12345')).not.toBe(await quietTag('national-id', '12345'))
      const tag = await quietTag('national-id', '90-1')
      await directory.register('phone', await phoneBody(number, { tag, maskedName: 'X*** X.' }))
      await directory.register('national-id', account, { caller: citizen('90-1') })
      expect((await directory.lookUp('national-id', tag))['maskedName']).toBe('A*** O.')
    })

    it('is refused without its proof: to nobody, to staff, to a stranger, for another body', async () => {
      const directory = await open()
      const body = await phoneBody()
      const register = (caller: Caller) => codeOf(directory.register('phone', body, { caller }))
      expect(await register(anonymous)).toBe('unauthenticated')
      expect(await register(staff)).toBe('agency_only')
      expect(await register(citizen('90-1'))).toBe('agency_only')
      expect(await register(directory.agency(stranger, body))).toBe('alias_bank_only')
      expect(await register(directory.agency(bank, { ...body, account: 8 }))).toBe('agency_body_mismatch')
      const national = (caller: Caller) => codeOf(directory.register('national-id', account, { caller }))
      expect(await national(directory.agency(bank, account))).toBe('holder_only')
      expect(await national({ ...citizen('90-1'), matched: {} })).toBe('credential_missing')
      expect(await directory.rows('aliases')).toEqual([])
    })

    it.each([
      ['no tag', { tag: undefined }, 'alias_vouching_malformed'],
      ['no name', { maskedName: undefined }, 'alias_vouching_malformed'],
      ['a whole name', { maskedName: 'Amara Okaf' }, 'alias_name_unmasked'],
      ['a name that shows its length', { maskedName: 'A**** O.' }, 'alias_name_unmasked'],
      ['small initials', { maskedName: 'a*** o.' }, 'alias_name_unmasked'],
      ['an unknown ledger', { ledger: `did:ethr:0x7a69:0x${'99'.repeat(20)}` }, 'alias_ledger_unknown'],
      ['a ledger of another method', { ledger: 'did:web:ledger.example' }, 'body_invalid'],
      ['an account below zero', { account: -1 }, 'body_invalid'],
      ['an account beyond 32 bits', { account: 4_294_967_296 }, 'body_invalid'],
      ['an account that is a text', { account: '7' }, 'body_invalid'],
      ['a tag that is a number', { tag: number }, 'body_invalid'],
      ['the number itself', { phone: number }, 'body_invalid'],
    ])('is refused with %s', async (_, changes, code) => {
      const directory = await open()
      const body = JSON.parse(JSON.stringify(await phoneBody(number, changes)))
      expect(await codeOf(directory.register('phone', body))).toBe(code)
      expect(await directory.rows('aliases')).toEqual([])
    })

    it('of a national id takes neither tag nor name from the body', async () => {
      const directory = await open()
      const caller = citizen('90-1')
      for (const more of [{ tag: someTag(1) }, { maskedName: 'B*** B.' }]) {
        const refused = directory.register('national-id', { ...account, ...more }, { caller })
        expect(await codeOf(refused)).toBe('alias_vouching_malformed')
      }
    })

    it('that one bank vouches for is not another’s until it lapses, and asking so counts', async () => {
      const directory = await open()
      const body = await phoneBody()
      await directory.register('phone', body)
      const taken = () => codeOf(directory.register('phone', { ...body, account: 8 }, { by: otherBank }))
      for (let n = 0; n < 8; n++) expect(await taken()).toBe('alias_taken')
      expect(await taken()).toBe('alias_rate_exceeded')
      directory.state.now += dayMs
      await directory.register('phone', { ...body, account: 9 })
      directory.state.now += aliasLifeMs
      expect(await codeOf(directory.register('phone', { ...body, account: 8 }, { by: otherBank }))).toBe(
        'it went through',
      )
      const found = await directory.lookUp('phone', body.tag)
      expect(await directory.resolve(addressOf(found))).toEqual({ ledger, account: 8 })
    })

    it('of two banks at one moment, in two processes, is one’s', async () => {
      const where = await place()
      const processes = [await open(where), await open(where)]
      const body = await phoneBody()
      const codes = await Promise.all(
        [bank, otherBank, bank, otherBank].map((by, n) =>
          codeOf((processes[n % 2] as Directory).register('phone', { ...body, account: n }, { by })),
        ),
      )
      expect(codes.filter(code => code === 'alias_taken')).toHaveLength(2)
      expect(codes.filter(code => code === 'it went through')).toHaveLength(2)
      expect(await (processes[0] as Directory).rows('aliases')).toHaveLength(1)
    })

    it('is removed by whoever registered it and by nobody else, and once', async () => {
      const directory = await open()
      const body = await phoneBody()
      const { tag } = body
      const [one, other] = [citizen('90-1'), citizen('90-2')]
      await directory.register('phone', body)
      await directory.register('national-id', account, { caller: one })
      expect(await codeOf(directory.remove('phone', { tag }, { by: otherBank }))).toBe('alias_unknown')
      expect(await codeOf(directory.remove('phone', { tag: someTag(1) }))).toBe('alias_unknown')
      expect(await codeOf(directory.remove('phone', {}))).toBe('alias_vouching_malformed')
      expect(await codeOf(directory.remove('phone', { tag }, { by: stranger }))).toBe('alias_bank_only')
      expect(await codeOf(directory.remove('phone', { tag }, { caller: one }))).toBe('agency_only')
      expect(await codeOf(directory.remove('national-id', {}, { caller: other }))).toBe('alias_unknown')
      const idTag = await quietTag('national-id', '90-1')
      expect(await codeOf(directory.remove('national-id', { tag: idTag }, { caller: other }))).toBe(
        'alias_vouching_malformed',
      )
      expect(await directory.remove('phone', { tag })).toEqual({ kind: 'phone', state: 'removed' })
      expect(await codeOf(directory.remove('phone', { tag }))).toBe('alias_unknown')
      await directory.remove('national-id', {}, { caller: citizen('90-1') })
      expect(await directory.rows('aliases')).toEqual([])
    })
  })

  describe('a lookup', () => {
    it('of what nobody registered has the same shape, the same steps, and the same name each time', async () => {
      const directory = await open()
      await directory.register('phone', await phoneBody())
      const known = await directory.lookUp('phone', await quietTag('phone', number))
      const [first, again, second] = [
        await directory.lookUp('phone', someTag(1)),
        await directory.lookUp('phone', someTag(1), { by: otherBank }),
        await directory.lookUp('phone', someTag(2)),
      ]
      for (const answer of [first, second]) {
        expect(Object.keys(answer)).toEqual(Object.keys(known))
        expect(isMasked(String(answer['maskedName']))).toBe(true)
        expect(addressOf(answer)).toHaveLength(addressOf(known).length)
        expect(answer['expires']).toBe(known['expires'])
      }
      expect(again['maskedName']).toBe(first['maskedName'])
      expect(addressOf(again)).not.toBe(addressOf(first))
      const [addresses, requests] = [await directory.rows('alias_addresses'), await directory.rows('alias_requests')]
      expect([addresses.length, requests.length]).toEqual([4, 5])
      expect(addresses.filter(row => row['registration'] === null)).toHaveLength(3)
      expect(new Set(requests.slice(1).map(row => JSON.stringify([row['act'], row['kind'], row['acts']]))).size).toBe(1)
    })

    it('of a lapsed alias is one of what nobody registered', async () => {
      const directory = await open()
      const body = await phoneBody()
      await directory.register('phone', body)
      directory.state.now += aliasLifeMs
      const found = await directory.lookUp('phone', body.tag)
      expect(await codeOf(directory.resolve(addressOf(found)))).toBe('payment_address_unusable')
    })

    it('is refused to whoever is neither a bank nor a person, and for another body', async () => {
      const directory = await open()
      const tag = someTag(1)
      expect(await codeOf(directory.lookUp('phone', tag, { by: stranger }))).toBe('alias_bank_only')
      expect(await codeOf(directory.lookUp('phone', tag, { caller: anonymous }))).toBe('unauthenticated')
      expect(await codeOf(directory.lookUp('phone', tag, { caller: staff }))).toBe('holder_only')
      expect(await codeOf(directory.lookUp('phone', tag, { caller: { ...citizen('1'), matched: {} } }))).toBe(
        'credential_missing',
      )
      const params = { asker: 'institution' }
      const elsewhere = directory.agency(bank, {})
      const asked = directory.call('lookUpAlias', { kind: 'phone', tag }, { caller: elsewhere, params })
      expect(await codeOf(asked)).toBe('agency_body_mismatch')
      expect(await directory.rows('alias_requests')).toEqual([])
    })

    it('is refused beyond the day’s limit of a person, whichever credential they come with, until the next day', async () => {
      const directory = await open()
      for (let n = 0; n < 3; n++) await directory.lookUp('phone', someTag(n), { caller: citizen('90-1') })
      const refusal = await directory
        .lookUp('phone', someTag(3), { caller: citizen('90-1') })
        .catch((error: unknown) => error)
      const twelveHours = 12 * 3_600
      expect(refusal).toMatchObject({
        ...{ kind: 'too_many', code: 'alias_rate_exceeded', facts: { retryAfterSeconds: twelveHours } },
      })
      await directory.lookUp('phone', someTag(3), { caller: citizen('90-2') })
      await directory.lookUp('phone', someTag(3))
      directory.state.now += twelveHours * 1_000
      await directory.lookUp('phone', someTag(3), { caller: citizen('90-1') })
      expect(JSON.stringify(await directory.rows('alias_requests'))).not.toContain('90-1')
    })

    it('counts together over processes and at the same moment', async () => {
      const where = await place()
      const processes = [await open(where), await open(where)]
      const codes = await Promise.all(
        Array.from({ length: 12 }, (_, n) => codeOf((processes[n % 2] as Directory).lookUp('phone', someTag(n)))),
      )
      expect(codes.filter(code => code === 'alias_rate_exceeded')).toHaveLength(4)
      expect(await (processes[0] as Directory).rows('alias_addresses')).toHaveLength(8)
    })

    it('repeated under its key answers the same and counts once; another under it is refused', async () => {
      const directory = await open()
      const first = await directory.lookUp('phone', someTag(1), { key: 'a' })
      expect(await directory.lookUp('phone', someTag(1), { key: 'a' })).toEqual(first)
      expect(await directory.rows('alias_requests')).toHaveLength(1)
      expect(await codeOf(directory.lookUp('phone', someTag(2), { key: 'a' }))).toBe('idempotency_mismatch')
    })
  })

  describe('an evaluation', () => {
    it('counts each element, also those of what is no alias, and is recorded without what was asked', async () => {
      const directory = await open()
      await tagOf(directory, 'phone', number)
      const blinded = Array(19).fill(Buffer.from(directoryPoint(), 'hex').toString('base64url'))
      await directory.evaluate({ kind: 'phone', blinded })
      expect(await codeOf(tagOf(directory, 'phone', number))).toBe('alias_rate_exceeded')
      const rows = await directory.rows('alias_requests')
      expect(rows.map(row => [row['act'], row['asker'], Number(row['acts'])])).toEqual([
        ['evaluation', bank, 1],
        ['evaluation', bank, 19],
      ])
    })

    it.each([
      ['no elements', { kind: 'phone', blinded: [] }, 'body_invalid'],
      ['another kind', { kind: 'email', blinded: [] }, 'body_invalid'],
      ['an alias that was not blinded', { kind: 'phone', blinded: [number] }, 'body_invalid'],
      [
        'what is no point',
        { kind: 'phone', blinded: [Buffer.alloc(33, 255).toString('base64url')] },
        'blinded_element_invalid',
      ],
    ])('is refused with %s', async (_, body, code) => {
      const directory = await open()
      expect(await codeOf(directory.evaluate(body))).toBe(code)
    })

    it('is refused to whoever may not look up, and for a replayed request', async () => {
      const directory = await open()
      const body = { kind: 'phone', blinded: [Buffer.from(directoryPoint(), 'hex').toString('base64url')] }
      expect(await codeOf(directory.evaluate(body, { by: stranger }))).toBe('alias_bank_only')
      expect(await codeOf(directory.evaluate(body, { caller: anonymous }))).toBe('unauthenticated')
      const caller: Caller = {
        ...(directory.agency(bank, body) as Extract<Caller, { kind: 'agency' }>),
        spend: async () => {
          throw new Refusal('unauthenticated', 'proof_replayed', 'This proof was used before.')
        },
      }
      const replayed = directory.call('evaluateAliases', body, { caller, params: { asker: 'institution' } })
      expect(await codeOf(replayed)).toBe('proof_replayed')
      expect(await directory.rows('alias_rates')).toEqual([])
    })
  })

  describe('a payment address', () => {
    const found = async (directory: Directory, how: { by?: string; caller?: Caller } = {}) =>
      addressOf(await directory.lookUp('phone', await quietTag('phone', number), how))

    it('leads to the account once; repeated under its key it answers the same', async () => {
      const directory = await open()
      await directory.register('phone', await phoneBody())
      const address = await found(directory)
      expect(await directory.resolve(address, { key: 'a' })).toEqual(account)
      expect(await directory.resolve(address, { key: 'a' })).toEqual(account)
      expect(await codeOf(directory.resolve(address))).toBe('payment_address_unusable')
      expect(await codeOf(directory.resolve(address, { key: 'b' }))).toBe('payment_address_unusable')
    })

    it('leads to the account once of many askers at one moment in two processes', async () => {
      const where = await place()
      const processes = [await open(where), await open(where)]
      await (processes[0] as Directory).register('phone', await phoneBody())
      const address = await found(processes[0] as Directory)
      const codes = await Promise.all(
        Array.from({ length: 8 }, (_, n) => codeOf((processes[n % 2] as Directory).resolve(address))),
      )
      expect(codes.filter(code => code === 'it went through')).toHaveLength(1)
    })

    it('is for the bank that asked, or the payee’s ledger; a citizen’s for any bank; and no attempt of another uses it up', async () => {
      const directory = await open()
      await directory.register('phone', await phoneBody())
      const address = await found(directory)
      for (const by of [otherBank, stranger])
        expect(await codeOf(directory.resolve(address, { by }))).toBe('payment_address_unusable')
      expect(await directory.resolve(address, { by: ledger })).toEqual(account)
      const theirs = await found(directory, { caller: citizen('90-1') })
      expect(await codeOf(directory.resolve(theirs, { by: stranger }))).toBe('payment_address_unusable')
      expect(await directory.resolve(theirs, { by: otherBank })).toEqual(account)
    })

    it('is refused to citizens, staff and nobody, and for another body', async () => {
      const directory = await open()
      await directory.register('phone', await phoneBody())
      const address = await found(directory)
      const as = (caller: Caller) => codeOf(directory.resolve(address, { caller }))
      expect(await as(anonymous)).toBe('unauthenticated')
      expect(await as(staff)).toBe('agency_only')
      expect(await as(citizen('90-1'))).toBe('agency_only')
      expect(await as(directory.agency(bank, {}))).toBe('agency_body_mismatch')
      expect(await codeOf(directory.resolve('1'))).toBe('body_invalid')
    })

    it('leads nowhere after its time, after a change, after a removal, and where nobody has the alias: one refusal', async () => {
      const directory = await open()
      const body = await phoneBody()
      await directory.register('phone', body)
      const refused = async (address: string) => {
        const refusal = await directory.resolve(address).catch((error: unknown) => error)
        return refusal instanceof Refusal ? [refusal.kind, refusal.code, refusal.message, refusal.facts] : refusal
      }
      const late = await found(directory)
      directory.state.now += addressLifeMs
      const refusals = [await refused(late)]
      const changed = await found(directory)
      await directory.register('phone', { ...body, account: 8 })
      refusals.push(await refused(changed))
      const removed = await found(directory)
      await directory.remove('phone', { tag: body.tag })
      refusals.push(await refused(removed))
      refusals.push(await refused(await found(directory)))
      refusals.push(await refused('AAAAAAAAAAAAAAAAAAAAAA'))
      expect(new Set(refusals.map(each => JSON.stringify(each))).size).toBe(1)
      expect(refusals[0]).toEqual(['not_found', 'payment_address_unusable', expect.any(String), {}])
    })

    it('of nobody is used up and recorded too', async () => {
      const directory = await open()
      const address = addressOf(await directory.lookUp('phone', someTag(1)))
      expect(await codeOf(directory.resolve(address, { key: 'a' }))).toBe('payment_address_unusable')
      expect(await codeOf(directory.resolve(address, { key: 'a' }))).toBe('payment_address_unusable')
      const [row] = await directory.rows('alias_addresses')
      expect(Number(row?.['used_at'])).toBe(directory.state.now)
    })
  })

  it('leaves behind what the retention rules keep', async () => {
    const directory = await open()
    await directory.register('phone', await phoneBody())
    await directory.lookUp('phone', someTag(1))
    const erased = () => erase(directory.store, directory.clock, [...retention])
    expect(await erased()).toEqual({ aliases: 0, alias_addresses: 0, alias_rates: 0, alias_requests: 0 })
    directory.state.now += 2 * dayMs
    expect(await erased()).toEqual({ aliases: 0, alias_addresses: 1, alias_rates: 2, alias_requests: 0 })
    directory.state.now += aliasLifeMs
    expect(await erased()).toMatchObject({ aliases: 1, alias_requests: 0 })
    directory.state.now += 2 * aliasLifeMs
    expect((await erased())['alias_requests']).toBe(2)
  })
})

/** The generator of P-256: any point will do where the outcome is not looked at. */
const directoryPoint = (): string => '036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'
