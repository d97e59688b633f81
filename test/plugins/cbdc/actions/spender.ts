import { writeSync } from 'node:fs'
import type { SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { openGround, type Place, secp256k1Owner } from '../ground.ts'

// A process that pays on and on and says what it was answered, until it is killed or has paid often enough.
type Spender = { number: number; seed: number }
type Record = { id: string; record: string }
const { place, spenders, shared, rounds } = JSON.parse(process.argv[2] ?? '{}') as {
  place: Place
  /** Accounts that only this process spends from, by the seeds of their keys. */
  spenders: Spender[]
  /** Records that other processes hand in too. */
  shared: Record[]
  /** How often each spends; 0: without end. */
  rounds: number
}

/** At once and whole, so that a kill finds it said: a pipe that is full just now is tried again. */
const say = (line: string): void => {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

const ground = await openGround(place)
ground.state.now = Date.now()
const submit = async (...records: Record[]): Promise<void> => {
  const written = await ground.submit(...records)
  for (const [at, { number, debitBalance }] of written.entries()) {
    say(`${JSON.stringify({ ...records[at], number, balance: String(debitBalance) })}\n`)
  }
}

const spend = async ({ number: from, seed }: Spender, payee: Spender): Promise<void> => {
  const owner = secp256k1Owner(Buffer.alloc(32, seed))
  let { nonce } = await ground.account(from)
  const validUntil = Math.floor(Date.now() / 1_000) + 3_600
  const pay = () =>
    ground.signed(owner, ground.transfer(from, payee.number, 1n, { nonce: nonce++, fee: 1, validUntil }))
  for (let round = 1; rounds === 0 || round <= rounds; round += 1) {
    if (round % 7 !== 0) await submit(...(round % 3 === 0 ? [pay(), pay()] : [pay()]))
    else {
      const terms = { expiry: validUntil, lockHash: '00'.repeat(32), arbiter: 0, fee: 0, validUntil, signature: '' }
      const reserve: SignedEntry = {
        kind: 'reserve',
        from,
        to: payee.number,
        currency: 1,
        amount: 2n,
        nonce: nonce++,
        ...terms,
      }
      await submit(ground.signed(owner, reserve))
    }
  }
}

await Promise.all([
  ...spenders.map((spender, at) => spend(spender, spenders[(at + 1) % spenders.length] as Spender)),
  (async () => {
    for (const record of shared) await submit(record)
  })(),
])
await ground.close()
