import { digestOf } from './canonical.ts'
import { evidenceOf } from './evidence.ts'
import { admit, authorityOf, type Caller } from './gate.ts'
import type { House } from './perform.ts'
import type { Requirement } from './requirement.ts'

export type Disclosure<Output> = {
  operation: string
  requires: Requirement
  caller: Caller
  input: unknown
  read: () => Promise<Output>
}

/**
 * The door for reads that disclose personal data: admit → read → journal. Nothing is handed out unrecorded, nor twice for
 * a proof that counts once.
 */
export const disclose = async <Output>(house: House, disclosure: Disclosure<Output>): Promise<Output> => {
  const { operation, requires, caller } = disclosure
  admit(caller, requires)
  const output = await disclosure.read()
  await house.store.transaction(async tx => {
    if ('spend' in caller) await caller.spend?.(tx)
    house.journal.record(tx, {
      operation,
      caller: evidenceOf(caller),
      input: digestOf(disclosure.input),
      authority: authorityOf(requires, caller),
      rules: [],
      outcome: 'disclosed',
      at: house.clock.now(),
    })
  })
  return output
}
