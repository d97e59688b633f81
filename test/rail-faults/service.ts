import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { keyAccount } from '../../src/chain/account.ts'
import { connect } from '../../src/chain/client.ts'
import { type Addresses, bindContracts, loadArtifacts } from '../../src/chain/contracts.ts'
import { startEmbedded } from '../../src/chain/embedded.ts'
import type { Log } from '../../src/chain/log.ts'
import { openMoneyRail } from '../../src/chain/money-rail.ts'
import { type Outbox, openOutbox } from '../../src/chain/outbox.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { decideMove } from '../../src/plugins/cbdc/actions/rail/decide.ts'
import { followRail } from '../../src/plugins/cbdc/actions/rail/follow.ts'
import { checkInvariant } from '../../src/plugins/cbdc/actions/reads/invariant.ts'
import { openGround, own, type Place, secp256k1Owner, start } from '../plugins/cbdc/ground.ts'

// A process of the ledger with its rail, which does what it is told line by line until it is killed. It has everything loaded
// before it begins, so that a test can put it in the place of one that was killed at once.

export type ServiceSettings = {
  place: Place
  /** Of a node of its own; without, the chain is a network. */
  chainDir: string | undefined
  rpcUrl: string
  addresses: Addresses
  operatorKey: string
  money: string
  /** When the ledger's clock stood at its start. */
  epoch: number
}

export type Withdrawal = {
  do: 'withdraw'
  id: string
  seed: number
  from: number
  amount: string
  wallet: string
  nonce: number
  validUntil: number
}
export type Task =
  | Withdrawal
  | { do: 'decide'; operation: string; decision: string; wallet?: string; key: string }
  | { do: 'admit'; wallet: string }
export type Line = { serial: number; task: Task }
export type Said = { serial: number; answer?: unknown; refused?: string }

const officer = {
  ...{ kind: 'holder', id: 'did:key:officer', actor: 'did:key:officer', principal: 'did:key:officer', mandates: [] },
  ...{ credentials: [], proof: 'session' },
  matched: {
    officer: {
      ...{ type: 'PublicOfficer', issuer: 'self', holder: 'did:key:officer', holderKey: 'k', own: true },
      ...{ claims: { competences: ['cbdc:rail'], officerNumber: '1' }, digest: 'd' },
    },
  },
} as never

/** At once and whole, so that a kill finds it said. */
const say = (said: Said | { ready: true } | { breaches: string[] }): void => {
  for (;;) {
    try {
      writeSync(1, `${JSON.stringify(said)}\n`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

const log: Log = {
  info: () => undefined,
  warn: (fields: unknown, text: string) => void process.stderr.write(`${text} ${JSON.stringify(fields)}\n`),
}

/** Whoever keeps the service starts it again when its node did not answer at its start. */
const patiently = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === 20) throw error
      await new Promise(done => setTimeout(done, 25))
    }
  }
}

const openService = async (settings: ServiceSettings) => {
  const { place, chainDir, rpcUrl, addresses, operatorKey, money, epoch } = settings
  const embedded = chainDir === undefined ? undefined : await startEmbedded({ dir: chainDir, heartbeatMs: 250, log })
  const client = await patiently(() => connect(rpcUrl, { chainId: 31_337, timeoutMs: 2_000 }))
  const contracts = bindContracts(await loadArtifacts(new URL('../../contracts/build/', import.meta.url)), addresses)
  const account = keyAccount(operatorKey)
  const hurry = { pollMs: 40, resendMs: 300, leaseMs: 300, log }
  const chained = embedded && { mine: embedded.mine, persist: embedded.persist }
  let outbox: Outbox | undefined
  const ground = await openGround(place, {
    more: async store => {
      const clock = { now: () => Date.now() }
      const confirmations = embedded === undefined ? 2 : 0
      outbox = openOutbox({ store, client, clock, account, contracts, confirmations, ...chained, ...hurry })
      const parts = { client, contracts, ...(embedded && { persist: embedded.persist }) }
      const terms = { account: account.address, currencies: [1] }
      return { outbox, rail: await patiently(() => openMoneyRail(parts, terms)) }
    },
  })
  Object.defineProperty(ground.state, 'now', { get: () => start + (Date.now() - epoch) })
  const follow = (): void => {
    followRail(ground.desk)
      .catch(error => log.warn({ error: String(error) }, 'the gate was not read'))
      .finally(() => setTimeout(follow, 25))
  }
  follow()
  const check = (): void => {
    checkInvariant(ground.desk)
      .then(({ holds, currencies }) => holds || say({ breaches: currencies.flatMap(({ breaches }) => breaches) }))
      // The chain cannot be asked just now.
      .catch(() => undefined)
      .finally(() => setTimeout(check, 150))
  }
  check()
  const { desk, store } = ground
  return {
    async withdraw({ id, seed, from, amount, wallet, nonce, validUntil }: Withdrawal): Promise<string> {
      const entry = { kind: 'withdraw', from, to: own.rail, currency: 1, amount: BigInt(amount), fee: 0 } as const
      const more = { recipient: wallet.slice(2).toLowerCase(), nonce, validUntil, signature: '' }
      const owner = secp256k1Owner(Buffer.alloc(32, seed))
      const [written] = await ground.submit(ground.signed(owner, { ...entry, ...more }, id))
      return String(written?.number)
    },
    async decide({ operation, decision, wallet, key }: Extract<Task, { do: 'decide' }>): Promise<unknown> {
      const body = { decision, legalBasis: 'Act 1', ...(wallet === undefined ? {} : { wallet }) }
      const params = { currency: '1', operation }
      const context = { caller: officer, params, query: {}, headers: { 'idempotency-key': key }, publicUrl: '', body }
      return (await decideMove(desk, context as never)).body
    },
    async admit({ wallet }: Extract<Task, { do: 'admit' }>): Promise<void> {
      const args = [money, wallet, `0x${'33'.repeat(32)}`]
      const write = { contract: 'PolicyEngine', method: 'setInstitution', args, account: account.address }
      await store.transaction(async tx => void (await outbox?.enqueue(tx, [write])))
    },
  }
}

const work = (service: Awaited<ReturnType<typeof openService>>, task: Task): Promise<unknown> =>
  task.do === 'withdraw' ? service.withdraw(task) : task.do === 'decide' ? service.decide(task) : service.admit(task)

const settings = JSON.parse(process.argv[2] ?? '{}') as ServiceSettings
let service: ReturnType<typeof openService> | undefined
for await (const line of createInterface({ input: process.stdin })) {
  if (service === undefined) {
    service = openService(settings)
    await service
    say({ ready: true })
    continue
  }
  const { serial, task } = JSON.parse(line) as Line
  void service
    .then(opened => work(opened, task))
    .then(
      answer => say({ serial, answer: answer ?? null }),
      error => {
        log.warn({ error: String(error) }, 'a task was not done')
        say({ serial, refused: isRefusal(error) ? error.code : String(error) })
      },
    )
}
// Whoever started it has gone.
process.exit(0)
