import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import { openDesk, prove } from '../../../src/plugins/wallet/actions/prove.ts'
import type { Passphrases } from '../../../src/plugins/wallet/passphrase.ts'
import { wallet } from '../../../src/plugins/wallet/plugin.ts'
import {
  attemptsMost,
  attemptsWindowMs,
  passphraseCostLeast,
  sessionLifeMs,
  sessionsMost,
} from '../../../src/plugins/wallet/policy.ts'
import { citizenAt, everythingStored, onBothDatabases, passphrase, refusalOf, signedIn, withToken } from './fixture.ts'

const other = 'another passphrase altogether'

onBothDatabases(scene => {
  test('a citizen registers, signs in and has an empty wallet', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    expect(amara.token).toMatch(/^cs_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/)
    expect(await amara.call('listHeld')).toEqual({ items: [] })
  })

  test('a wrong passphrase and an unknown handle are refused alike', async () => {
    const { office } = await scene()
    await citizenAt(office, 'amara')
    const answers = []
    for (const handle of ['amara', 'nobody-here']) {
      const error = await office.call('openSession', { handle, passphrase: other }).catch((thrown: unknown) => thrown)
      answers.push(JSON.stringify(error, ['kind', 'code', 'message', 'facts']))
    }
    expect(answers[0]).toContain('sign_in_refused')
    expect(answers[1]).toBe(answers[0])
  })

  test('an unknown handle costs the very derivation that a wrong passphrase costs', async () => {
    const { office } = await scene()
    await citizenAt(office, 'amara')
    const desk = openDesk(office.needs)
    const derived: unknown[] = []
    const derive: Passphrases['derive'] = (tried, salt, cost) => {
      derived.push([tried, salt.length, cost])
      return desk.passphrases.derive(tried, salt, cost)
    }
    const watched = { ...desk, passphrases: { ...desk.passphrases, derive } }
    const context = { caller: anonymous, params: {}, query: {}, body: undefined, headers: {}, publicUrl: '' }
    for (const handle of ['amara', 'nobody-here']) {
      const claim = { operation: 'openSession', handle, passphrase: other }
      expect(await refusalOf(prove(watched, context, claim))).toBe('sign_in_refused')
    }
    expect(derived).toEqual([1, 2].map(() => [other, 16, passphraseCostLeast]))
  })

  test('after too many attempts a handle is refused, known or not, until the window ends', async () => {
    const { office, clock } = await scene()
    await citizenAt(office, 'amara')
    for (const handle of ['amara', 'nobody-here']) {
      const tries = Array.from({ length: attemptsMost + 3 }, () =>
        refusalOf(office.call('openSession', { handle, passphrase: other })),
      )
      const codes = await Promise.all(tries)
      expect(codes.filter(code => code === 'sign_in_refused')).toHaveLength(attemptsMost)
      expect(codes.filter(code => code === 'sign_in_attempts')).toHaveLength(3)
    }
    expect(await refusalOf(office.call('openSession', { handle: 'amara', passphrase }))).toBe('sign_in_attempts')
    clock.advance(attemptsWindowMs + 1)
    expect(await refusalOf(office.call('openSession', { handle: 'amara', passphrase }))).toBeUndefined()
  })

  test('a good sign-in forgets the failures before it', async () => {
    const { office } = await scene()
    await citizenAt(office, 'amara')
    for (let round = 0; round < 3; round++) {
      for (let failures = 1; failures < attemptsMost; failures++) {
        const code = await refusalOf(office.call('openSession', { handle: 'amara', passphrase: other }))
        expect(code).toBe('sign_in_refused')
      }
      await signedIn(office, 'amara')
    }
  })

  test('handles and passphrases that will not do are refused', async () => {
    const { office } = await scene()
    await citizenAt(office, 'amara')
    const cases: [string, string, string][] = [
      ['amara', other, 'handle_taken'],
      ['Amara', other, 'handle_malformed'],
      ['a', other, 'handle_malformed'],
      ['kofi', 'too short', 'passphrase_weak'],
      ['kofi', 'my name is kofi, yes', 'passphrase_weak'],
      ['kofi', 'x'.repeat(1_025), 'passphrase_weak'],
    ]
    for (const [handle, with_, code] of cases) {
      expect(await refusalOf(office.call('registerCitizen', { handle, passphrase: with_ }))).toBe(code)
    }
  })

  test('a session ends with its time', async () => {
    const { office, clock } = await scene()
    const amara = await citizenAt(office, 'amara')
    clock.advance(sessionLifeMs - 1)
    expect(await office.sessions.session(amara.token)).toBeDefined()
    clock.advance(1)
    expect(await office.sessions.session(amara.token)).toBeUndefined()
  })

  test('a session ends with signing out, and only that one', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const elsewhere = await signedIn(office, 'amara')
    await amara.call('closeSession')
    expect(await office.sessions.session(amara.token)).toBeUndefined()
    expect(await office.sessions.session(elsewhere.token)).toBeDefined()
  })

  test('a restart of the service keeps sessions', async () => {
    const { office, again } = await scene()
    const amara = await citizenAt(office, 'amara')
    const did = await amara.newKey()
    const restarted = withToken(await again(), amara.token)
    const seen = await restarted.call('listHeld')
    expect(seen).toEqual({ items: [] })
    expect(did).toMatch(/^did:key:zDn/)
  })

  test('a token that is edited, cut, or of a session that never was opens nothing', async () => {
    const { office } = await scene()
    const { token } = await citizenAt(office, 'amara')
    const flipped = token.slice(0, -2) + (token.at(-2) === 'A' ? 'B' : 'A') + token.slice(-1)
    const strange = [flipped, token.slice(0, -1), `${token}A`, token.slice(3), `cs_${'0'.repeat(32)}_${'A'.repeat(43)}`]
    for (const attempt of [...strange, '', 'cs__']) expect(await office.sessions.session(attempt)).toBeUndefined()
  })

  test('more sessions than allowed end the oldest', async () => {
    const { office, clock } = await scene()
    const first = await citizenAt(office, 'amara')
    for (let opened = 0; opened < sessionsMost; opened++) {
      clock.advance(1)
      await signedIn(office, 'amara')
    }
    expect(await office.sessions.session(first.token)).toBeUndefined()
    expect(await office.store.read('SELECT id FROM wallet_sessions')).toHaveLength(sessionsMost)
  })

  test('a changed passphrase opens the wallet, the old one does not, and other sessions end', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const elsewhere = await signedIn(office, 'amara')
    await amara.newKey()
    await amara.call('changePassphrase', { passphrase, newPassphrase: other })
    expect(await office.sessions.session(elsewhere.token)).toBeUndefined()
    expect(await office.sessions.session(amara.token)).toBeDefined()
    expect(await refusalOf(signedIn(office, 'amara'))).toBe('sign_in_refused')
    expect(await refusalOf(signedIn(office, 'amara', other))).toBeUndefined()
  })

  test('a session alone cannot change the passphrase', async () => {
    const { office } = await scene()
    const amara = await citizenAt(office, 'amara')
    const wish = (passphrase: string, newPassphrase: string) =>
      refusalOf(amara.call('changePassphrase', { passphrase, newPassphrase }))
    expect(await wish('a guess at the passphrase', other)).toBe('sign_in_refused')
    expect(await wish(passphrase, passphrase)).toBe('passphrase_reused')
    expect(await wish(passphrase, 'short')).toBe('passphrase_weak')
    expect(await refusalOf(signedIn(office, 'amara'))).toBeUndefined()
  })

  test('staff, strangers and a caller made up by hand are refused every citizen’s operation', async () => {
    const { office } = await scene()
    await citizenAt(office, 'amara')
    const [{ id }] = (await office.store.read('SELECT id FROM wallet_citizens')) as [{ id: string }]
    const [{ id: session }] = (await office.store.read('SELECT id FROM wallet_sessions')) as [{ id: string }]
    const callers: [Caller, string][] = [
      [anonymous, 'unauthenticated'],
      [{ kind: 'apiKey', id: 'k', scopes: ['*', 'wallet'] }, 'citizen_only'],
      [{ kind: 'citizen', id, session }, 'session_locked'],
    ]
    const operations = Object.entries(wallet.routes(office.needs)).filter(
      ([, route]) => route.requires.by === 'citizen',
    )
    expect(operations).toHaveLength(27)
    for (const [caller, code] of callers) {
      for (const [operation] of operations) {
        const body = { passphrase, audience: 'https://x.example', challenge: 'n', claims: ['a'], export: {} }
        expect(await refusalOf(office.call(operation, body, { caller }))).toBe(code)
      }
    }
  })

  test('no passphrase, token or secret stands in the database, nor a quick digest of one', async () => {
    const { office } = await scene()
    const { token } = await citizenAt(office, 'amara')
    await refusalOf(office.call('openSession', { handle: 'my secret phrase in the wrong field', passphrase }))
    const stored = await everythingStored(office)
    for (const secret of [passphrase, token, token.slice(-43), 'my secret phrase']) expect(stored).not.toContain(secret)
  })
})

test('a cost of passphrases below the least stops the start', () => {
  const needs = { passphraseCost: { memoryKib: 1_024, passes: 1, parallelism: 1 } }
  expect(() => wallet.routes(needs as never)).toThrow('out of bounds')
})
