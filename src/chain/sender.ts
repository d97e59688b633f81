import { randomUUID } from 'node:crypto'
import type { Interface } from 'ethers'
import type { Header } from './client.ts'
import { coalesce, inParallel } from './coalesce.ts'
import { currentFees, type Fees } from './fees.ts'
import { type SenderLease, senderLease } from './lease.ts'
import type { Log } from './log.ts'
import type { OutboxOptions } from './outbox.ts'
import { type Change, LeaseLost, type OutboxRow, type OutboxRows, outboxRows, type SignedRow } from './outbox-rows.ts'
import { errorText } from './revert.ts'
import { type Estimate, estimate, isKnown, resignRow, signFiller, signRow } from './sign.ts'
import { stillMined, track, unmined } from './track.ts'

/** Polls for which a nonce must look used by a stranger before its transaction gets another one. */
const robberyPolls = 3
/** On networks a node may lag behind; a call that would revert is tried this often before it counts as failed. */
const revertTries = 3

const keyOf = (row: OutboxRow): string => `${row.id}:${row.position}`

/** Sends what waits in the outbox of one account, while it holds the lease of that account. */
export class Sender {
  readonly #options: OutboxOptions & { log: Log }
  readonly #account: string
  readonly #lease: SenderLease
  readonly #rows: OutboxRows
  readonly #interfaces: Map<string, Interface>
  readonly #maxGas: number
  readonly #maxFeePerGas: bigint
  /** When this process last handed a transaction to the node, by hash. */
  readonly #broadcastAt = new Map<string, number>()
  readonly #robbedPolls = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  readonly #timer: NodeJS.Timeout
  #closed = false
  /** The first look is at final rows too: the chain may have come back older than it was. */
  #looked = false

  constructor(options: OutboxOptions & { log: Log }) {
    const { store, clock, client, leaseMs = 15_000, pollMs = 1_000 } = options
    this.#options = options
    this.#account = options.account.address.toLowerCase()
    this.#lease = senderLease(store, clock, `outbox:${client.chain}:${this.#account}`, randomUUID(), leaseMs)
    this.#rows = outboxRows(store, this.#account, this.#lease)
    this.#interfaces = new Map(Object.values(options.contracts).map(c => [c.address.toLowerCase(), c.interface]))
    this.#maxGas = options.maxGas ?? 15_000_000
    this.#maxFeePerGas = options.maxFeePerGas ?? 500_000_000_000n
    this.#timer = setInterval(() => void this.poke(), pollMs)
    this.#timer.unref()
  }

  /** Looks at once. Never rejects: what goes wrong is logged, and tried again at the next poll. */
  readonly poke = coalesce(async () => {
    try {
      if (this.#closed || (this.#looked && !(await this.#rows.anyWaiting()))) return
      do {
        if (!(await this.#lease.hold())) return
      } while ((await this.#advance()) && !this.#closed)
      this.#looked = true
    } catch (error) {
      if (error instanceof LeaseLost || this.#closed) return
      this.#options.log.warn({ error: String(error) }, 'the outbox could not be worked off; it tries again')
    }
  })

  /** Resolves at the next change of any row by this process, or after `timeoutMs`. */
  nextChange(timeoutMs: number): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(wake)
        this.#listeners.delete(done)
        resolve()
      }
      const wake = setTimeout(done, timeoutMs)
      this.#listeners.add(done)
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    await this.poke()
    await this.#lease.release()
  }

  /** One look at the chain and all that follows from it. @returns whether another look may bring more. */
  async #advance(): Promise<boolean> {
    const { client, mine } = this.#options
    const head = await client.head()
    const count = await client.transactionCount(this.#account)
    const known = await this.#rows.noncesFrom(count)
    const woken = await this.#wakeDropped(known)
    const signed = await this.#rows.signed()
    const interfaceOf = (contract: string) => this.#interfaceOf(contract)
    const { changes, robbed } = await track({ client, head, account: this.#account, interfaceOf }, signed, count)
    await this.#save(changes)
    const released = await this.#releaseRobbed(robbed, head)
    const settled = await this.#settle(signed, head)
    const waiting = signed.filter(row => row.state === 'queued' && row.nonce !== null && row.nonce >= count)
    const pool = new Set([...known, ...waiting].map(row => row.nonce))
    const sent = await this.#sendNew(pool, count)
    await this.#fillGap(pool, count)
    await this.#resend(waiting)
    if (mine && pool.size > 0) await mine()
    return woken + changes.length + released + settled + sent > 0
  }

  async #save(changes: Change[]): Promise<void> {
    if (changes.length === 0) return
    await this.#rows.save(changes)
    for (const { row, set } of changes) {
      // What the chain has lost again goes out at once.
      if (set.state === 'queued' && row.hash !== null) this.#broadcastAt.delete(row.hash)
    }
    const { onMined } = this.#options
    if (onMined && changes.some(({ set }) => set.state === 'mined')) {
      await Promise.resolve(onMined()).catch(() => undefined)
    }
    for (const listener of [...this.#listeners]) listener()
  }

  async #broadcast(hash: string, raw: string): Promise<void> {
    this.#broadcastAt.set(hash, performance.now())
    await this.#options.client.broadcast(raw).catch(error => {
      if (isKnown(error)) return
      this.#options.log.warn({ hash, error: String(error) }, 'the chain did not take a transaction; it is sent again')
    })
  }

  #broadcastAll(rows: SignedRow[]): Promise<unknown> {
    return inParallel(rows, 16, row => this.#broadcast(row.hash, row.raw))
  }

  /** Settled rows that a deep reorganisation or a lost state took off the chain wait again. */
  async #wakeDropped(known: (SignedRow & { settled: number })[]): Promise<number> {
    const settled = known.filter(row => row.settled === 1)
    if (settled.length === 0) return 0
    const standing = await stillMined(this.#options.client, settled)
    const dropped = settled.filter(row => !standing.has(row))
    if (dropped.length > 0) {
      this.#options.log.warn({ rows: dropped.length }, 'final transactions are off the chain; they are sent again')
    }
    await this.#save(dropped.map(row => ({ row, set: { ...unmined, settled: 0 } })))
    return dropped.length
  }

  /** A nonce used by a stranger, for good: our transaction can never be mined under it, and gets another one. */
  async #releaseRobbed(robbed: SignedRow[], head: Header): Promise<number> {
    const keys = new Set(robbed.map(keyOf))
    for (const key of this.#robbedPolls.keys()) if (!keys.has(key)) this.#robbedPolls.delete(key)
    if (robbed.length === 0) return 0
    const { client, confirmations, log } = this.#options
    const buried = await client.transactionCount(this.#account, Math.max(0, head.number - confirmations))
    const lost = robbed.filter(row => {
      const polls = (this.#robbedPolls.get(keyOf(row)) ?? 0) + 1
      this.#robbedPolls.set(keyOf(row), polls)
      return polls >= robberyPolls && row.nonce < buried
    })
    if (lost.length > 0) log.warn({ rows: lost.length }, 'somebody else sends from the account of the outbox')
    const set = { nonce: null, raw: null, hash: null, earlier: '[]', sent_at: null }
    await this.#save(lost.map(row => ({ row, set })))
    return lost.length
  }

  /** What is deep enough becomes final, after the chain itself is on disk and is seen to hold it still. */
  async #settle(signed: SignedRow[], head: Header): Promise<number> {
    const { client, confirmations, persist } = this.#options
    const deep = signed.filter(
      row => row.state !== 'queued' && row.block_number !== null && head.number - row.block_number >= confirmations,
    )
    if (deep.length === 0) return 0
    await persist?.()
    const standing = [...(await stillMined(client, deep))]
    await this.#save(
      standing.map(row => ({ row, set: { settled: 1, state: row.state === 'failed' ? 'failed' : 'final' } })),
    )
    for (const row of standing) this.#broadcastAt.delete(row.hash)
    return standing.length
  }

  /** Signs as many waiting rows as the chain would take now, in their order; stores them; sends them. */
  async #sendNew(pool: Set<number>, count: number): Promise<number> {
    const { client, window = 256 } = this.#options
    const fresh = await this.#rows.unsigned(Math.max(0, window - pool.size))
    if (fresh.length === 0) return 0
    const fees = await currentFees(client, this.#maxFeePerGas)
    const estimates = await inParallel(fresh, 16, row => estimate(client, this.#account, row, this.#maxGas))
    const changes: Change[] = []
    let nonce = count
    for (const [i, row] of fresh.entries()) {
      const found = estimates[i]
      if (found === undefined) break
      if ('gas' in found) {
        while (pool.has(nonce)) nonce += 1
        changes.push(await this.#sign(row, nonce, found.gas, fees))
        pool.add(nonce)
        continue
      }
      // It may need what is still in flight before it; judged alone it has failed.
      if (pool.size > 0) break
      const change = this.#declined(row, found)
      changes.push(change)
      if (change.set.settled !== 1) break
    }
    await this.#save(changes)
    await this.#broadcastAll(fresh.filter((row): row is SignedRow => row.raw !== null))
    return changes.length
  }

  /** Addresses that are named otherwise than in the configuration are the moneys of currencies. */
  #interfaceOf(contract: string): Interface | undefined {
    return this.#interfaces.get(contract) ?? this.#options.contracts['SovereignMoney']?.interface
  }

  async #sign(row: OutboxRow, nonce: number, gas: number, fees: Fees): Promise<Change> {
    const { account, client, clock } = this.#options
    const { raw, hash } = await signRow(account, client.chainId, row, { nonce, gas, fees })
    return { row, set: { nonce, raw, hash, attempts: row.attempts + 1, error: null, sent_at: clock.now() } }
  }

  #declined(row: OutboxRow, found: Exclude<Estimate, { gas: number }>): Change {
    const error =
      'reverts' in found
        ? errorText(found.reverts.data, this.#interfaceOf(row.contract))
        : `GasAboveLimit(${found.tooMuch})`
    const attempts = row.attempts + 1
    const patient = this.#options.mine === undefined && attempts < revertTries
    return { row, set: patient ? { attempts, error } : { attempts, error, state: 'failed', settled: 1 } }
  }

  /** A foreign transaction that was dropped leaves a hole before ours: nothing, sent to ourselves, closes it. */
  async #fillGap(pool: Set<number>, count: number): Promise<void> {
    if (pool.has(count) || Math.max(-1, ...pool) < count) return
    const { account, client, log } = this.#options
    const fees = await currentFees(client, this.#maxFeePerGas)
    const { raw, hash } = await signFiller(account, client.chainId, count, fees)
    log.warn({ nonce: count }, 'a nonce before ours is unused; it is used up')
    await this.#broadcast(hash, raw)
  }

  /** Sends again what the node may have forgotten, and offers more for what has waited too long. */
  async #resend(waiting: SignedRow[]): Promise<void> {
    const { account, client, clock, resendMs = 15_000, bumpMs = 60_000 } = this.#options
    const now = performance.now()
    const due = new Set(
      waiting.filter(row => now - (this.#broadcastAt.get(row.hash) ?? Number.NEGATIVE_INFINITY) >= resendMs),
    )
    const stuck = waiting.filter(row => row.sent_at !== null && clock.now() - row.sent_at >= bumpMs)
    if (stuck.length > 0) {
      const fees = await currentFees(client, this.#maxFeePerGas)
      const changes: Change[] = []
      for (const row of stuck) {
        const again = await resignRow(account, row, fees, this.#maxFeePerGas)
        if (again === undefined) continue
        const earlier = JSON.stringify([row.hash, ...(JSON.parse(row.earlier) as string[])])
        const attempts = row.attempts + 1
        changes.push({ row, set: { raw: again.raw, hash: again.hash, earlier, attempts, sent_at: clock.now() } })
        due.add(row)
      }
      await this.#save(changes)
    }
    await this.#broadcastAll([...due])
  }
}
