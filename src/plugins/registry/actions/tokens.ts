import type { ChainWrite } from '../../../kernel/ports.ts'
import { dayMs } from '../policy.ts'
import type { Register } from '../soundness.ts'
import type { Desk } from './desk.ts'
import type { Entry } from './entries.ts'

/** What becomes of an entry's token, as writes for the outbox. */

/** New entries of one register; classes of assets are opened by the asset's own operations. */
export const mintWrites = (desk: Desk, register: Register, entries: readonly Entry[]): ChainWrite[] => {
  const { licences, titles } = desk.tokens
  const tokens = entries.map(({ id, wallet, commitment, validUntil }) => ({
    ...{ entryId: id, holder: wallet, commitment, expires: validUntil },
  }))
  if (register.tokens === 'licence') {
    // The contract makes no licence that is over already, and what is made together fails together. So one that may end
    // before the chain gets to it is made by itself.
    const soon = desk.house.clock.now() + dayMs
    const { alone = [], together = [] } = Object.groupBy(tokens, ({ expires }) =>
      expires !== null && expires < soon ? 'alone' : 'together',
    )
    return [
      ...(together.length > 0 ? licences.mint(register.name, together) : []),
      ...alone.flatMap(token => licences.mint(register.name, [token])),
    ]
  }
  if (register.tokens === 'title') return titles.mint(register.name, tokens)
  return []
}

type Changed = { before: Entry; after: Entry; kind: string }

const licenceWrites = (desk: Desk, register: string, { before, after }: Changed): ChainWrite[] => {
  const { licences } = desk.tokens
  const { id: entryId, commitment, validUntil: expires } = after
  const writes: ChainWrite[] = []
  // What ends for good is not written to any more.
  if (after.state === 'revoked' || after.state === 'closed') {
    return before.state === after.state ? [] : licences.revoke(register, [entryId])
  }
  if (before.validUntil !== after.validUntil) writes.push(...licences.renew(register, { entryId, expires, commitment }))
  else if (before.commitment !== commitment) writes.push(...licences.amend(register, [{ entryId, commitment }]))
  if (before.state !== 'suspended' && after.state === 'suspended') writes.push(...licences.suspend(register, [entryId]))
  if (before.state === 'suspended' && after.state === 'active') writes.push(...licences.reinstate(register, [entryId]))
  return writes
}

/** What a change means for the token where the change does not say so itself. */
export const changeWrites = (desk: Desk, register: Register, changed: Changed): ChainWrite[] => {
  const { before, after } = changed
  if (register.tokens === 'licence') return licenceWrites(desk, register.name, changed)
  if (register.tokens === 'title' && before.commitment !== after.commitment) {
    return desk.tokens.titles.amend(register.name, [{ entryId: after.id, commitment: after.commitment }])
  }
  return []
}
