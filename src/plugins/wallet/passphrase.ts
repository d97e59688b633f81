import { argon2 } from 'node:crypto'
import { passphraseReused, passphraseWeak, signInBusy } from './errors.ts'
import {
  derivationsAtOnce,
  derivationsWaiting,
  type PassphraseCost,
  passphraseCostLeast,
  passphraseCostMost,
  passphraseLeast,
  passphraseMost,
} from './policy.ts'
import { keyBytes } from './vault.ts'

const parts = ['memoryKib', 'passes', 'parallelism'] as const

/** Whether a cost is within what is made and opened here. */
export const costFits = (cost: PassphraseCost): boolean =>
  parts.every(
    part =>
      Number.isSafeInteger(cost[part]) &&
      cost[part] >= passphraseCostLeast[part] &&
      cost[part] <= passphraseCostMost[part],
  )

/** Keys from passphrases (Argon2id), a few at once, so that signing in never starves the rest of the service. */
export type Passphrases = {
  /** What new passphrases cost. */
  cost: PassphraseCost
  /** @throws Refusal too_many/sign_in_busy when too many wait already. */
  derive(passphrase: string, salt: Uint8Array, cost: PassphraseCost): Promise<Buffer>
}

const derived = (passphrase: string, salt: Uint8Array, cost: PassphraseCost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const parameters = {
      // One spelling however the keyboard composes it (NIST SP 800-63B section 3.1.1.2).
      message: Buffer.from(passphrase.normalize('NFKC')),
      nonce: salt,
      memory: cost.memoryKib,
      passes: cost.passes,
      parallelism: cost.parallelism,
      tagLength: keyBytes,
    }
    argon2('argon2id', parameters, (error, key) => (error === null ? resolve(key) : reject(error)))
  })

export const openPassphrases = (cost: PassphraseCost): Passphrases => {
  if (!costFits(cost)) throw new Error('the cost of passphrases is out of bounds')
  const waiting: (() => void)[] = []
  let running = 0
  const turn = async (): Promise<void> => {
    if (running < derivationsAtOnce) {
      running += 1
      return
    }
    if (waiting.length >= derivationsWaiting) throw signInBusy()
    await new Promise<void>(resolve => waiting.push(resolve))
  }
  const done = (): void => {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }
  return {
    cost,
    derive: async (passphrase, salt, of) => {
      await turn()
      try {
        return await derived(passphrase, salt, of)
      } finally {
        done()
      }
    },
  }
}

/** @throws Refusal passphrase_weak, passphrase_reused */
export const judgePassphrase = (passphrase: string, without: { handle?: string; other?: string }): void => {
  const text = passphrase.normalize('NFKC')
  const { handle, other } = without
  if ([...text].length < passphraseLeast || text.length > passphraseMost) throw passphraseWeak(passphraseLeast)
  if (handle !== undefined && text.toLowerCase().includes(handle)) throw passphraseWeak(passphraseLeast)
  if (other !== undefined && text === other.normalize('NFKC')) throw passphraseReused()
}
