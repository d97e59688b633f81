import fc from 'fast-check'
import { onEachDatabase, type Place } from '../../../databases.ts'
import { movableClock } from '../../../http/fixture.ts'
import { errorOf, licence, migrations, newWallet, openServer, type Server, type Wallet } from './fixture.ts'

/* The grant's state machine: whatever order things come in, an issuance is taken up once, and a token opens what the model says. */

const minute = 60_000

type Token = { access: string; refresh: string; wallet: Wallet; made: number; live: boolean; renewable: boolean }
type Given = { code: string; verifier: string; wallet: Wallet; made: number; used: boolean; family: Token[] }
type Offer = {
  issuance: string
  code: string
  txCode: string
  state: string
  made: number
  tries: number
  standing: 'open' | 'spent' | 'blocked' | 'ended'
  codes: Given[]
  tokens: Token[]
}
type Model = { offers: Offer[] }
type Real = { server: Server; where: Place; clock: ReturnType<typeof movableClock>; reopen(): Promise<Server> }

type Step = { name: string; run(model: Model, real: Real): Promise<void> }

const pick = <T>(all: readonly T[], at: number): T | undefined => (all.length === 0 ? undefined : all[at % all.length])

/** The same wallet, at the process that runs now. */
const walletAt = ({ server }: Real, { key }: Wallet): Wallet => {
  const wallet = newWallet(server)
  Object.assign(wallet.key, key)
  return wallet
}

const tokenOf = (body: Record<string, unknown>, wallet: Wallet, made: number): Token => ({
  ...{ access: String(body['access_token']), refresh: String(body['refresh_token']) },
  ...{ wallet, made, live: true, renewable: true },
})

const isFresh = ({ made }: { made: number }, lifeMs: number, real: Real): boolean => real.clock.now() < made + lifeMs

/** Both grants, as no offer has them that is protected by a transaction code; then the state has to open nothing. */
const offer = (isProtected: boolean): Step => ({
  name: isProtected ? 'protected offer' : 'offer',
  async run(model, { server, clock }) {
    const txCode = isProtected ? ({ length: 4, inputMode: 'numeric' } as const) : undefined
    const given = await server.offer({ preAuthorized: { txCode }, authorizationCode: true })
    model.offers.push({
      ...{ issuance: given.issuance, code: given.preAuthorizedCode ?? '', txCode: given.txCode ?? '' },
      ...{ state: given.issuerState ?? '', made: clock.now(), tries: 5, standing: 'open', codes: [], tokens: [] },
    })
  },
})

const preAuthorized = (at: number, isRight: boolean): Step => ({
  name: `pre-authorized ${at} ${isRight ? 'right' : 'wrong'}`,
  async run(model, real) {
    const found = pick(model.offers, at)
    if (found === undefined) return
    const wallet = newWallet(real.server)
    const isProtected = found.txCode !== ''
    const wrong = isProtected ? `${(Number(found.txCode[0]) + 1) % 10}${found.txCode.slice(1)}` : '1234'
    const tx_code = isRight ? found.txCode : wrong
    const answer = await wallet.preAuthorized(found.code, tx_code === '' ? {} : { tx_code })
    const isOpen = found.standing === 'open' && isFresh(found, 10 * minute, real)
    expect(answer.status).toBe(isOpen && isRight ? 200 : 400)
    if (!isOpen) return
    if (isRight) {
      found.standing = 'spent'
      found.tokens.push(tokenOf(answer.body, wallet, real.clock.now()))
      return
    }
    if (!isProtected) {
      expect(errorOf(answer).code).toBe('tx_code_unexpected')
      return
    }
    found.tries -= 1
    expect(errorOf(answer).code).toBe(found.tries > 0 ? 'tx_code_wrong' : 'code_blocked')
    if (found.tries === 0) found.standing = 'blocked'
  },
})

const consent = (at: number): Step => ({
  name: `consent ${at}`,
  async run(model, real) {
    const found = pick(model.offers, at)
    if (found === undefined) return
    const wallet = newWallet(real.server)
    const given = await wallet.consent({ issuer_state: found.state, scope: licence })
    const isOpen = found.txCode === '' && found.standing === 'open' && isFresh(found, 10 * minute, real)
    expect(given.pushed.status).toBe(isOpen ? 201 : 400)
    if (!isOpen) return
    expect(given.code).not.toBe('')
    found.codes.push({
      ...{ code: given.code, verifier: given.verifier, wallet, made: real.clock.now(), used: false, family: [] },
    })
  },
})

const redeem = (at: number, which: number): Step => ({
  name: `redeem ${at} ${which}`,
  async run(model, real) {
    const found = pick(model.offers, at)
    const given = found && pick(found.codes, which)
    if (found === undefined || given === undefined) return
    const wallet = walletAt(real, given.wallet)
    const answer = await wallet.redeem(given)
    const isFirst = !given.used
    const isGood =
      isFirst && isFresh(given, minute, real) && found.standing === 'open' && isFresh(found, 10 * minute, real)
    expect(answer.status).toBe(isGood ? 200 : 400)
    if (!isFirst) for (const token of given.family) Object.assign(token, { live: false, renewable: false })
    if (isGood) {
      found.standing = 'spent'
      given.family.push(tokenOf(answer.body, wallet, real.clock.now()))
      found.tokens.push(...given.family)
    }
    if (isFresh(given, minute, real) || given.used) given.used = true
  },
})

const refresh = (at: number, which: number): Step => ({
  name: `refresh ${at} ${which}`,
  async run(model, real) {
    const found = pick(model.offers, at)
    const token = found && pick(found.tokens, which)
    if (found === undefined || token === undefined) return
    const wallet = walletAt(real, token.wallet)
    const answer = await wallet.refresh(token.refresh)
    const until = found.made + 60 * minute
    const isGood = token.renewable && real.clock.now() < until && found.standing !== 'ended'
    expect(answer.status).toBe(isGood ? 200 : 400)
    const family = found.codes.find(({ family: own }) => own.includes(token))?.family ?? found.tokens
    if (isGood) {
      const renewed = tokenOf(answer.body, wallet, real.clock.now())
      token.renewable = false
      if (answer.body['refresh_token'] === undefined) renewed.renewable = false
      if (family !== found.tokens) family.push(renewed)
      found.tokens.push(renewed)
      return
    }
    // One that comes again takes all of its authorization with it.
    if (errorOf(answer).code === 'refresh_token_used') {
      for (const each of family) Object.assign(each, { live: false, renewable: false })
    }
  },
})

const use = (at: number, which: number): Step => ({
  name: `use ${at} ${which}`,
  async run(model, real) {
    const found = pick(model.offers, at)
    const token = found && pick(found.tokens, which)
    if (found === undefined || token === undefined) return
    const opened = await walletAt(real, token.wallet)
      .use(token.access)
      .then(({ issuance }) => issuance)
      .catch(() => undefined)
    expect(opened).toBe(token.live && isFresh(token, 15 * minute, real) ? found.issuance : undefined)
  },
})

const withdraw = (at: number): Step => ({
  name: `withdraw ${at}`,
  async run(model, { server }) {
    const found = pick(model.offers, at)
    if (found === undefined) return
    await server.withdraw(found.issuance)
    found.standing = 'ended'
    for (const token of found.tokens) Object.assign(token, { live: false, renewable: false })
  },
})

const pass = (ms: number): Step => ({ name: `pass ${ms}`, run: async (_, { clock }) => clock.advance(ms) })

/** A process that is killed forgets what it holds in memory; the database stands. */
const restart: Step = {
  name: 'restart',
  async run(_, real) {
    await real.server.close()
    real.server = await real.reopen()
  },
}

const small = fc.nat({ max: 3 })
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.boolean().map(offer) },
  { weight: 4, arbitrary: fc.tuple(small, fc.boolean()).map(([at, isRight]) => preAuthorized(at, isRight)) },
  { weight: 4, arbitrary: small.map(consent) },
  { weight: 5, arbitrary: fc.tuple(small, small).map(([at, which]) => redeem(at, which)) },
  { weight: 5, arbitrary: fc.tuple(small, small).map(([at, which]) => refresh(at, which)) },
  { weight: 5, arbitrary: fc.tuple(small, small).map(([at, which]) => use(at, which)) },
  { weight: 1, arbitrary: small.map(withdraw) },
  { weight: 1, arbitrary: fc.constantFrom(20_000, 61_000, 6 * minute, 16 * minute).map(pass) },
  { weight: 1, arbitrary: fc.constant(restart) },
)

onEachDatabase(migrations, ({ place }) => {
  it('an issuance is taken up once, and its tokens open what they should, in whatever order things come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 40 }), async chosen => {
        const where = await place()
        const clock = movableClock()
        const reopen = () => openServer(where, { clock })
        const real: Real = { server: await reopen(), where, clock, reopen }
        const model: Model = { offers: [] }
        try {
          for (const step of [offer(false), offer(true), ...chosen]) await step.run(model, real)
          const [row] = await real.server.store.read(`SELECT count(DISTINCT issuance) AS issuances FROM oid4vci_tokens`)
          const taken = model.offers.filter(({ tokens }) => tokens.length > 0).length
          expect(Number(row?.['issuances'])).toBeLessThanOrEqual(taken)
        } finally {
          await real.server.close()
        }
      }),
      { numRuns: 12 },
    )
  }, 60_000)
})
