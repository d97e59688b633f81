import type { EntryOf } from '../../../../kernel/ledger-entry.ts'
import { instructionsTooMany, payeeCannotReceive } from '../../errors.ts'
import { closedToPayments } from '../../ledger/facts.ts'
import { isCustomer } from '../../ledger/limits.ts'
import type { CbdcNeeds } from '../../needs.ts'
import { instructionsMost } from '../../policy.ts'
import type { Held } from '../enter.ts'

type Parts = Pick<Held, 'book'>
type Instruct = EntryOf<'instruct'>

/** As a transfer would be judged now, but for what the payee holds: whoever pays nothing would learn that to the unit. */
const canReceive = (needs: CbdcNeeds, { book }: Parts, to: number): boolean => {
  const payee = book.state.account(to)
  if (payee === undefined || closedToPayments.has(payee.class)) return false
  return !isCustomer(payee) || (payee.kyc !== null && needs.kycInForce(payee.kyc))
}

/**
 * Policy about an instruction that is laid down. Of its payee it tells less than a transfer does; limits of either side are
 * asked when an instalment is due.
 * @throws Refusal instructions_too_many, payee_cannot_receive
 */
export const assertInstructable = (
  needs: CbdcNeeds,
  parts: Parts,
  { entry, isValid }: { entry: Instruct; isValid: boolean },
): void => {
  // Counted with this one, which is in the book already where it is valid: the payee must not make a difference here.
  const standing = parts.book.standingOf(entry.account) + (isValid ? 0 : 1)
  if (standing > instructionsMost) throw instructionsTooMany()
  if (!canReceive(needs, parts, entry.to)) throw payeeCannotReceive()
}
