import { digestOf } from './canonical.ts'
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

/** The door for reads that disclose personal data: admit → read → journal. Nothing is handed out unrecorded. */
export const disclose = async <Output>(house: House, disclosure: Disclosure<Output>): Promise<Output> => {
  const { operation, requires, caller } = disclosure
  admit(caller, requires)
  const output = await disclosure.read()
  await house.store.transaction(async tx => {
    house.journal.record(tx, {
      operation,
      caller: { kind: caller.kind, id: caller.id, credentials: [] },
      input: digestOf(disclosure.input),
      authority: authorityOf(requires),
      rules: [],
      outcome: 'disclosed',
      at: house.clock.now(),
    })
  })
  return output
}
