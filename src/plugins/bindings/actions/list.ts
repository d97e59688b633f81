import { disclose } from '../../../kernel/disclose.ts'
import type { HolderCaller } from '../../../kernel/gate.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, WalletReader } from '../../../kernel/ports.ts'
import type { BindingsNeeds } from '../needs.ts'
import { requires } from '../policy.ts'

type BindingRow = Row & {
  id: string
  wallet: string
  domain: string
  level: number
  list: number
  place: number
  expires: number
  deadline: number
  signed_at: number
  ended_at: number | null
  ended_why: string | null
}

/** The names under which this agency knows the caller: the holders of its own KYC attestations that they proved. */
export const ownHolders = ({ credentials }: HolderCaller): string[] => {
  const own = credentials.filter(({ type, own }) => type === 'KycAttestation' && own === true)
  return [...new Set(own.map(({ holder }) => holder))]
}

const dated = (time: number): string => new Date(Number(time)).toISOString()

/** What has become of a binding, by our own records and the replica of the chain. */
const stateOf = (row: BindingRow, wallets: WalletReader, now: number): string => {
  if (row.ended_at !== null) return 'ended'
  if (Number(row.expires) <= now) return 'expired'
  const standing = wallets.standing(row.wallet, row.domain)
  const isThis = standing.valid && standing.list === Number(row.list) && standing.index === Number(row.place)
  if (isThis) return 'bound'
  return Number(row.deadline) > now ? 'signed' : 'lapsed'
}

const viewOf = (row: BindingRow, wallets: WalletReader, now: number) => ({
  id: row.id,
  wallet: row.wallet,
  domain: row.domain,
  level: Number(row.level),
  state: stateOf(row, wallets, now),
  signedAt: dated(row.signed_at),
  expires: dated(row.expires),
  ...(row.ended_at === null ? {} : { endedAt: dated(row.ended_at), endedWhy: row.ended_why ?? '' }),
})

/** The caller's own wallet bindings, the newest first. @throws Refusal status_unavailable while the chain is not followed */
export const listWalletBindings = async (needs: BindingsNeeds, context: Context): Promise<Answer> => {
  const { caller } = context
  return disclose(needs.house, {
    operation: 'listWalletBindings',
    requires: requires.own,
    caller,
    input: {},
    read: async () => {
      const holders = caller.kind === 'holder' ? ownHolders(caller) : []
      const sql = `SELECT id, wallet, domain, level, list, place, expires, deadline, signed_at, ended_at, ended_why
        FROM wallet_bindings WHERE holder IN (${holders.map(() => '?').join(', ')}) ORDER BY id DESC LIMIT ${pageMost}`
      const rows = holders.length === 0 ? [] : await needs.house.store.read<BindingRow>(sql, holders)
      const now = needs.house.clock.now()
      return { status: 200, body: { items: rows.map(row => viewOf(row, needs.wallets, now)) } }
    },
  })
}
const pageMost = 200
