import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { moveState, moveUnknown, moveWalletMissing, railUnavailable } from '../../errors.ts'
import { railRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import type { Held } from '../enter.ts'
import { tryDeposit } from './follow.ts'
import { type Move, type MoveState, readMove, setMove } from './moves.ts'

/** What an officer decides about a move that does not go on by itself. */
const decisions = {
  /** It has not arrived and shall not: refunded once the gate has said so finally. */
  cancel: { direction: 'toChain', states: ['sent', 'ending'] },
  /** What waits in suspense on the chain comes back. */
  return: { direction: 'toChain', states: ['suspended', 'ending'] },
  /** Another try on the chain, to the same wallet or another of the same person. */
  settle: { direction: undefined, states: ['suspended'] },
  /** What the ledger cannot credit goes back to its wallet. */
  refund: { direction: 'toLedger', states: ['stranded', 'ending'] },
  /** Another try to credit it on the ledger. */
  credit: { direction: undefined, states: ['stranded'] },
  /** Tells the gate of it again: it counts once there. */
  resend: { direction: 'toChain', states: ['sent'] },
} as const satisfies Record<string, { direction: Move['direction'] | undefined; states: readonly MoveState[] }>

type Decision = keyof typeof decisions
type DecideBody = { decision: Decision; wallet?: string; legalBasis: string }

export const moveView = ({ amount, since, changed, outbox: _, ...move }: Move) => ({
  ...move,
  amountMinor: String(amount),
  since: new Date(since).toISOString(),
  changed: new Date(changed).toISOString(),
})

const writeOf = (desk: Desk, move: Move, { decision, wallet }: DecideBody) => {
  const { rail } = desk
  if (rail === undefined) throw railUnavailable()
  if (decision === 'cancel') return rail.cancel(move)
  if (decision === 'return') return rail.returnSuspense(move)
  if (decision === 'refund') return rail.refund(move)
  if (decision === 'resend') return rail.arrive([{ ...move, amountMinor: move.amount }])
  if (wallet === undefined) throw moveWalletMissing()
  return rail.settleSuspense({ ...move, wallet: wallet.toLowerCase() })
}

const decide = async (desk: Desk, held: Held, move: Move, body: DecideBody): Promise<Move> => {
  const { tx, book } = held
  if (body.decision === 'credit') {
    const done = await tryDeposit(desk, held, move)
    if (!('entry' in done)) return setMove(tx, move, { reason: done.reason }, book.at)
    const to: Partial<Move> =
      move.direction === 'toLedger'
        ? { state: 'credited', entry: done.entry }
        : { state: 'refunded', refund: done.entry }
    return setMove(tx, move, { ...to, reason: null }, book.at)
  }
  if (desk.outbox === undefined) throw railUnavailable()
  const outbox = await desk.outbox.enqueue(tx, [writeOf(desk, move, body)])
  const ends = body.decision === 'cancel' || body.decision === 'return' || body.decision === 'refund'
  return setMove(tx, move, ends ? { state: 'ending', outbox } : { outbox }, book.at)
}

/** @throws Refusal move_unknown, move_state, move_wallet_missing, rail_unavailable */
export const decideMove = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = context.body as DecideBody
  const { currency = '', operation = '' } = context.params
  const number = Number(currency)
  const move = await desk.ledger.execute({
    operation: 'decideMove',
    requires: railRequires.decide,
    caller: context.caller,
    input: { currency, operation, ...body },
    idempotencyKey: context.headers['idempotency-key'],
    chains: async () => [],
    answer: async held => {
      const found = await readMove(held.tx.query, number, operation)
      if (found === undefined) throw moveUnknown()
      const { direction, states } = decisions[body.decision]
      const fits = direction === undefined || direction === found.direction
      if (!fits || !(states as readonly MoveState[]).includes(found.state)) throw moveState(found.state)
      return moveView(await decide(desk, held, found, body))
    },
  })
  return { status: 202, body: move }
}

/** How far a move has come: whoever knows its id, which is made from what its owner signed, may ask. */
export const getMove = async (desk: Desk, context: Context): Promise<Answer> => {
  const { currency = '', operation = '' } = context.params
  const move = await readMove(desk.house.store.read, Number(currency), operation)
  if (move === undefined) throw moveUnknown()
  const { state, direction, reason, since, changed } = moveView(move)
  return { status: 200, body: { operation, state, direction, reason, since, changed } }
}
