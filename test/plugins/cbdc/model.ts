import { createHash } from 'node:crypto'
import type { Entry, OwnerKey } from '../../../src/kernel/ledger-entry.ts'

/** The ledger as the plainest thing that could be right: maps that are changed in place, and every reason looked at. */

const most = 2n ** 63n - 1n
const zeros = '0'.repeat(64)

export type ModelAccount = {
  currency: number
  side: number
  key: string
  nonce: number
  paid: bigint
  received: bigint
  paying: bigint
  receiving: bigint
  frozen: bigint
  holds: number
  linked: number
  interestDay: number
  closed: boolean
}
type ModelReservation = {
  from: number
  to: number
  currency: number
  amount: bigint
  left: bigint
  expiry: number
  lock: string
  arbiter: number
}
type ModelInstruction = {
  from: number
  to: number
  currency: number
  amount: bigint
  first: number
  unit: number
  every: number
  times: number
  next: number
}

/** Seconds of an instalment by the calendar, month by month; NaN where there is none. */
export const modelDue = (
  { first, unit, every, times }: Omit<ModelInstruction, 'from' | 'to'>,
  index: number,
): number => {
  if ((times > 0 && index >= times) || (unit === 0 && index > 0)) return Number.NaN
  const date = new Date(first * 1_000)
  if (unit === 1 || unit === 2) date.setUTCDate(date.getUTCDate() + index * every * (unit === 2 ? 7 : 1))
  if (unit === 3) {
    const day = date.getUTCDate()
    date.setUTCDate(1)
    date.setUTCMonth(date.getUTCMonth() + index * every)
    const month = date.getUTCMonth()
    date.setUTCDate(day)
    // Past the end of a shorter month: its last day.
    if (date.getUTCMonth() !== month) date.setUTCDate(0)
  }
  const due = date.getTime() / 1_000
  return due < 2 ** 32 ? due : Number.NaN
}

/** The order in which reasons are told. */
export const precedence = [
  ...['amount_not_positive', 'amount_too_large', 'account_same', 'account_unknown', 'account_closed'],
  ...['reservation_unknown', 'reservation_expired', 'reservation_pending'],
  ...['instruction_unknown', 'instalment_index', 'instalment_early', 'signature_invalid', 'transfer_expired'],
  ...['nonce_mismatch', 'currency_mismatch', 'key_invalid', 'account_number_taken', 'preimage_mismatch'],
  ...['reservation_amount', 'reservation_expiry', 'instruction_schedule', 'instruction_terms'],
  ...['account_frozen', 'freeze_unknown', 'account_not_linked'],
  ...[
    'account_not_issuance',
    'account_not_empty',
    'interest_already',
    'sum_too_large',
    'funds_insufficient',
    'payee_cannot_receive',
  ],
]

const nameOf = ({ scheme, prefix, x }: OwnerKey): string => `${scheme}/${prefix}/${x}`
const held = (account: ModelAccount): bigint => account.received - account.paid
const free = (account: ModelAccount): bigint => held(account) - account.paying - account.frozen

/** What stands against an entry, by the names of the reasons. */
type Reasons = Record<string, boolean | undefined>
type Judged = { against: Reasons; happens: () => void }

export const openModel = (feesOf: (currency: number) => number) => {
  const accounts = new Map<number, ModelAccount>()
  const reservations = new Map<number, ModelReservation>()
  const instructions = new Map<number, ModelInstruction>()
  const counts = { accounts: 0, reservations: 0, instructions: 0 }
  let fees: { currency: number; fee: bigint }[] = []

  const of = (number: number): ModelAccount => {
    const account = accounts.get(number)
    if (account === undefined) throw new Error(`the model has no account ${number}`)
    return account
  }
  const presence = (...numbers: number[]): Reasons => ({
    account_unknown: numbers.some(number => !accounts.has(number)),
    account_closed: numbers.some(number => accounts.get(number)?.closed),
  })
  const sizes = (amount: bigint): Reasons => ({ amount_not_positive: amount <= 0n, amount_too_large: amount > most })
  const spoken = (number: number, entry: { nonce: number; validUntil: number }, signer: string, at: number) => ({
    ...presence(number),
    signature_invalid: accounts.get(number)?.key !== signer,
    transfer_expired: entry.validUntil * 1_000 <= at,
    nonce_mismatch: accounts.get(number)?.nonce !== entry.nonce,
  })
  const roomless = (account: ModelAccount, amount: bigint): boolean => {
    const sum = account.received + account.receiving + amount
    return account.side === 1 ? sum > account.paid : sum > most
  }
  const cannotReceive = (number: number, currency: number, amount: bigint): boolean => {
    const account = accounts.get(number)
    if (account === undefined || account.closed || account.holds > 0 || account.currency !== currency) return true
    return roomless(account, amount)
  }
  /** Without funds; on the other side of zero an account only pays by order, and its sums end somewhere. */
  const lacking = (number: number, amount: bigint, byOrder = true): Reasons => {
    const account = accounts.get(number)
    if (account === undefined) return {}
    if (account.side === 1 && byOrder) return { sum_too_large: account.paid + amount > most }
    return { funds_insufficient: account.side === 1 || amount > free(account) }
  }
  const otherCurrency = (number: number, currency: number): boolean => accounts.get(number)?.currency !== currency
  const isHeld = (number: number): boolean => (accounts.get(number)?.holds ?? 0) > 0
  const give = (from: number, to: number, amount: bigint): void => {
    of(from).paid += amount
    of(to).received += amount
  }
  const takeFee = (from: number, currency: number, fee: bigint): void => {
    of(from).paid += fee
    fees.push({ currency, fee })
  }
  const isKey = ({ scheme, prefix }: OwnerKey): boolean => [1, 2].includes(scheme) && [2, 3].includes(prefix)
  const end = (number: number, reservation: ModelReservation): void => {
    of(reservation.from).paying -= reservation.left
    of(reservation.to).receiving -= reservation.left
    reservations.delete(number)
  }

  const judgePayment = (
    entry: Extract<Entry, { kind: 'transfer' | 'withdraw' | 'reserve' }>,
    signer: string,
    at: number,
  ) => {
    const { from, to, currency, amount } = entry
    const fee = BigInt(entry.fee)
    return {
      ...sizes(amount),
      account_same: from === to,
      ...spoken(from, entry, signer, at),
      currency_mismatch: otherCurrency(from, currency),
      account_frozen: isHeld(from),
      ...lacking(from, amount + fee, false),
      payee_cannot_receive: cannotReceive(to, currency, amount),
    }
  }

  const judge = (entry: Entry, signer: string, at: number): Judged => {
    switch (entry.kind) {
      case 'open':
        return {
          against: {
            key_invalid: !isKey(entry) || entry.side > 1,
            account_number_taken: entry.account !== counts.accounts + 1,
          },
          happens: () => {
            counts.accounts += 1
            accounts.set(entry.account, {
              ...{ currency: entry.currency, side: entry.side, key: nameOf(entry), nonce: 0, paid: 0n, received: 0n },
              ...{ paying: 0n, receiving: 0n, frozen: 0n, holds: 0, linked: 0, interestDay: 0, closed: false },
            })
          },
        }
      case 'transfer':
      case 'withdraw':
        return {
          against: judgePayment(entry, signer, at),
          happens: () => {
            of(entry.from).nonce += 1
            give(entry.from, entry.to, entry.amount)
            takeFee(entry.from, entry.currency, BigInt(entry.fee))
          },
        }
      case 'reserve': {
        const { from, to, currency, amount, expiry, lockHash: lock, arbiter } = entry
        const usual = judgePayment(entry, signer, at)
        const noArbiter = arbiter !== 0 && (accounts.get(arbiter)?.closed ?? true)
        return {
          against: {
            ...usual,
            account_same: from === to || from === arbiter,
            reservation_expiry: expiry * 1_000 <= at,
            payee_cannot_receive: usual.payee_cannot_receive || noArbiter,
          },
          happens: () => {
            of(from).nonce += 1
            takeFee(from, currency, BigInt(entry.fee))
            of(from).paying += amount
            of(to).receiving += amount
            counts.reservations += 1
            reservations.set(counts.reservations, { from, to, currency, amount, left: amount, expiry, lock, arbiter })
          },
        }
      }
      case 'post': {
        const found = reservations.get(entry.reservation)
        const decides = found?.arbiter === 0 ? found.to : found?.arbiter
        const opened = createHash('sha256').update(Buffer.from(entry.preimage, 'hex')).digest('hex')
        const payee = accounts.get(found?.to ?? 0)
        return {
          against: {
            ...sizes(entry.amount),
            ...presence(entry.by),
            reservation_unknown: found === undefined,
            reservation_expired: found !== undefined && found.expiry * 1_000 <= at,
            signature_invalid: decides !== entry.by || entry.last > 1 || accounts.get(entry.by)?.key !== signer,
            preimage_mismatch: found !== undefined && found.lock !== zeros && found.lock !== opened,
            reservation_amount: entry.remaining !== found?.left || entry.amount > entry.remaining,
            // What an institution decides on is no longer the payer's.
            account_frozen: found?.arbiter === 0 && isHeld(found.from),
            payee_cannot_receive: payee?.closed || (found?.arbiter === 0 && (payee?.holds ?? 0) > 0),
          },
          happens: () => {
            const reservation = found as ModelReservation
            of(reservation.from).paying -= entry.amount
            of(reservation.to).receiving -= entry.amount
            reservation.left -= entry.amount
            give(reservation.from, reservation.to, entry.amount)
            if (entry.last === 1 || reservation.left === 0n) end(entry.reservation, reservation)
          },
        }
      }
      case 'void': {
        const found = reservations.get(entry.reservation)
        const mayEnd = found !== undefined && [found.to, found.arbiter].includes(entry.by)
        return {
          against: {
            ...presence(entry.by),
            reservation_unknown: found === undefined,
            signature_invalid: !mayEnd || accounts.get(entry.by)?.key !== signer,
          },
          happens: () => end(entry.reservation, found as ModelReservation),
        }
      }
      case 'expire': {
        const found = reservations.get(entry.reservation)
        return {
          against: {
            reservation_unknown: found === undefined,
            reservation_pending: found !== undefined && at < found.expiry * 1_000,
          },
          happens: () => end(entry.reservation, found as ModelReservation),
        }
      }
      case 'mint':
      case 'burn':
      case 'deposit':
      case 'sweep': {
        const { from, to, currency, amount } = entry
        const swept = entry.kind === 'sweep'
        const issuing = entry.kind === 'mint' ? from : entry.kind === 'burn' ? to : undefined
        return {
          against: {
            ...sizes(amount),
            account_same: from === to,
            ...presence(from),
            currency_mismatch: otherCurrency(from, currency),
            account_frozen: isHeld(from),
            account_not_issuance: issuing !== undefined && accounts.get(issuing)?.side !== 1,
            account_not_linked: swept && (to === 0 || accounts.get(from)?.linked !== to),
            ...lacking(from, amount, !swept),
            payee_cannot_receive: cannotReceive(to, currency, amount),
          },
          happens: () => give(from, to, amount),
        }
      }
      case 'seize': {
        const { from, to, currency, amount, frozen } = entry
        const account = accounts.get(from)
        const short = account !== undefined && amount > free(account) + frozen
        return {
          against: {
            ...sizes(amount),
            account_same: from === to,
            ...presence(from),
            currency_mismatch: otherCurrency(from, currency),
            freeze_unknown: frozen > amount || frozen > (account?.frozen ?? 0n),
            ...(account?.side === 1 ? lacking(from, amount) : { funds_insufficient: short }),
            payee_cannot_receive: cannotReceive(to, currency, amount),
          },
          happens: () => {
            of(from).frozen -= frozen
            give(from, to, amount)
          },
        }
      }
      case 'freeze':
        return {
          against: {
            amount_too_large: entry.amount > most,
            ...presence(entry.account),
            sum_too_large: (accounts.get(entry.account)?.frozen ?? 0n) + entry.amount > most,
          },
          happens: () => {
            if (entry.amount === 0n) of(entry.account).holds += 1
            else of(entry.account).frozen += entry.amount
          },
        }
      case 'unfreeze': {
        const account = accounts.get(entry.account)
        return {
          against: {
            ...presence(entry.account),
            freeze_unknown: entry.amount === 0n ? account?.holds === 0 : entry.amount > (account?.frozen ?? 0n),
          },
          happens: () => {
            if (entry.amount === 0n) of(entry.account).holds -= 1
            else of(entry.account).frozen -= entry.amount
          },
        }
      }
      case 'interest': {
        const { account, counter, currency, amount, day } = entry
        const [payer, payee] = amount > 0n ? [counter, account] : [account, counter]
        const size = amount > 0n ? amount : -amount
        const receiver = accounts.get(payee)
        return {
          against: {
            account_same: account === counter,
            ...presence(account, counter),
            currency_mismatch: otherCurrency(account, currency) || otherCurrency(counter, currency),
            interest_already: day <= (accounts.get(account)?.interestDay ?? 0),
            ...(size === 0n ? {} : lacking(payer, size)),
            payee_cannot_receive: size > 0n && receiver !== undefined && roomless(receiver, size),
          },
          happens: () => {
            of(account).interestDay = day
            give(payer, payee, size)
          },
        }
      }
      case 'close': {
        const account = accounts.get(entry.account)
        const sums = account === undefined ? [] : [held(account), account.paying, account.receiving, account.frozen]
        return {
          against: {
            ...presence(entry.account),
            account_frozen: isHeld(entry.account),
            account_not_empty: sums.some(sum => sum !== 0n),
          },
          happens: () => {
            of(entry.account).closed = true
          },
        }
      }
      case 'link': {
        const { account, linked } = entry
        const currency = accounts.get(account)?.currency ?? 0
        return {
          against: {
            account_same: account === linked,
            ...spoken(account, entry, signer, at),
            payee_cannot_receive: linked !== 0 && cannotReceive(linked, currency, -most),
          },
          happens: () => {
            of(account).nonce += 1
            of(account).linked = linked
          },
        }
      }
      case 'instruct': {
        const { account: from, to, currency, amount, first, unit, every, times } = entry
        const payer = accounts.get(from)
        const due = (index: number) => modelDue({ currency, amount, first, unit, every, times, next: 0 }, index)
        const once = unit === 0 && every === 1 && times === 1
        const repeated = unit >= 1 && unit <= 3 && every > 0 && (times === 0 || !Number.isNaN(due(times - 1)))
        return {
          against: {
            ...sizes(amount),
            account_same: from === to,
            ...spoken(from, entry, signer, at),
            currency_mismatch: otherCurrency(from, currency),
            instruction_schedule: !(once || repeated) || first * 1_000 <= at,
            account_frozen: isHeld(from),
            funds_insufficient: payer?.side === 1,
            payee_cannot_receive: cannotReceive(to, currency, 0n),
          },
          happens: () => {
            of(from).nonce += 1
            counts.instructions += 1
            instructions.set(counts.instructions, { from, to, currency, amount, first, unit, every, times, next: 0 })
          },
        }
      }
      case 'instalment': {
        const { instruction: number, index, from, to, currency, amount } = entry
        const found = instructions.get(number)
        const due = found === undefined ? Number.NaN : modelDue(found, index)
        const other = found?.to !== to || found.currency !== currency || found.amount !== amount
        return {
          against: {
            ...presence(from),
            instruction_unknown: found?.from !== from,
            instalment_index: Number.isNaN(due) || index < (found?.next ?? 0),
            instalment_early: due * 1_000 > at,
            instruction_terms: other,
            account_frozen: isHeld(from),
            ...lacking(from, amount, false),
            payee_cannot_receive: cannotReceive(to, currency, amount),
          },
          happens: () => {
            give(from, to, amount)
            const instruction = found as ModelInstruction
            instruction.next = index + 1
            if (Number.isNaN(modelDue(instruction, index + 1))) instructions.delete(number)
          },
        }
      }
      case 'revoke':
        return {
          against: {
            instruction_unknown: instructions.get(entry.instruction)?.from !== entry.account,
            ...spoken(entry.account, entry, signer, at),
          },
          happens: () => {
            of(entry.account).nonce += 1
            instructions.delete(entry.instruction)
          },
        }
      case 'keyChange':
      case 'keyOrder': {
        const owned = entry.kind === 'keyChange' ? spoken(entry.account, entry, signer, at) : presence(entry.account)
        return {
          against: { ...owned, key_invalid: !isKey(entry) },
          happens: () => {
            of(entry.account).nonce += 1
            of(entry.account).key = nameOf(entry)
          },
        }
      }
    }
  }

  return {
    ...{ accounts, reservations, instructions, counts },
    /** @param beforehand reasons that are not the ledger's own. @returns why not, or undefined when it stands now. */
    enter(entry: Entry, signer: OwnerKey | undefined, at: number, beforehand: Reasons = {}): string | undefined {
      const { against, happens } = judge(entry, signer === undefined ? '' : nameOf(signer), at)
      const why = precedence.find(reason => against[reason] || beforehand[reason])
      if (why === undefined) happens()
      return why
    },
    endBatch(): void {
      for (const { currency, fee } of fees) if (fee > 0n) of(feesOf(currency)).received += fee
      fees = []
    },
    /** Credits less debits of all accounts; fees of an open batch are on their way. */
    total(): bigint {
      const underway = fees.reduce((sum, { fee }) => sum + fee, 0n)
      return [...accounts.values()].reduce((sum, account) => sum + held(account), underway)
    },
  }
}

export type Model = ReturnType<typeof openModel>
export const keyName = nameOf
