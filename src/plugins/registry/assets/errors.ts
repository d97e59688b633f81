import { Refusal } from '../../../kernel/refusal.ts'

const amounts = (facts: Record<string, bigint>): { facts: Record<string, string> } => ({
  facts: Object.fromEntries(Object.entries(facts).map(([name, amount]) => [name, String(amount)])),
})

export const amountInvalid = (): Refusal =>
  new Refusal(
    'rejected',
    'amount_invalid',
    'An amount is a decimal text of the smallest unit, above zero and at most 9223372036854775807.',
  )
export const capExceeded = (available: bigint): Refusal =>
  new Refusal(
    'rejected',
    'cap_exceeded',
    'So many units would be more than the cap; issue fewer, or raise the cap first.',
    amounts({ available }),
  )
export const capBelowIssued = (issued: bigint): Refusal =>
  new Refusal(
    'rejected',
    'cap_below_issued',
    'The cap cannot be lower than what is issued; retire units first.',
    amounts({ issued }),
  )
export const unitsInsufficient = (held: bigint): Refusal =>
  new Refusal('rejected', 'units_insufficient', 'The holder has fewer units than that.', amounts({ held }))
export const unitsFrozen = (available: bigint, frozen: bigint): Refusal =>
  new Refusal(
    'rejected',
    'units_frozen',
    'So many of the holder’s units are not free: orders hold the others; have them lifted first.',
    amounts({ available, frozen }),
  )
export const holdingUnknown = (): Refusal =>
  new Refusal('not_found', 'holding_unknown', 'The register knows no holding of that party in this class.')
export const freezeUnknown = (): Refusal =>
  new Refusal('not_found', 'freeze_unknown', 'No such freeze stands in this class.')
export const freezeOfAnother = (): Refusal =>
  new Refusal('rejected', 'freeze_of_another', 'The freeze is not on the units of the one they are taken from.')
export const orderExecuted = (): Refusal =>
  new Refusal(
    'conflict',
    'order_executed',
    'The order has been executed in this register; name each part of one that takes effect in several.',
  )
export const holderSame = (): Refusal =>
  new Refusal('rejected', 'holder_same', 'Giver and receiver are one; units pass from one holder to another.')
export const walletOfAnother = (): Refusal =>
  new Refusal(
    'rejected',
    'wallet_of_another',
    'The wallet is not bound to the holder in the domain of this register; have it bound first.',
  )
export const walletBindingEnded = (): Refusal =>
  new Refusal(
    'rejected',
    'wallet_binding_ended',
    'The receiver’s wallet is bound no longer; the holder brings the tokens back to the registrar first.',
  )
export const holdingFrozen = (): Refusal =>
  new Refusal(
    'rejected',
    'holding_frozen',
    'Units that orders hold stay where they are; have the freezes lifted first.',
  )
export const holdingChanged = (): Refusal =>
  new Refusal('conflict', 'holding_changed', 'The holding has changed in the meantime; ask again.')
