import { decodeEntry, type EntryOf, type SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { payInstalments } from '../../../../src/plugins/cbdc/actions/instructions/pay.ts'
import { reconcileLedger } from '../../../../src/plugins/cbdc/actions/reads/reconcile.ts'
import { roundMost } from '../../../../src/plugins/cbdc/policy.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, start } from '../ground.ts'
import { noFence } from '../orders/office.ts'
import { openReading } from '../reads/reading.ts'

export const second = Math.floor(start / 1_000)

type Fields = Partial<EntryOf<'instruct'>>

/** People of a ledger whose instructions are a call, and the round that pays them. */
export const openPayers = (ground: Ground) => {
  const reading = openReading(ground)
  const person = async (name: string, funds = 0n) => {
    const opened = await reading.person(name, funds)
    const nonce = async () => (await ground.account(opened.number)).nonce
    const validUntil = () => Math.floor(ground.state.now / 1_000) + 3_600
    const instruct = async (to: number, fields: Fields = {}): Promise<number> => {
      const entry: SignedEntry = {
        ...{ kind: 'instruct', account: opened.number, to, currency: 1, amount: 300n, first: second + 60 },
        ...{ unit: 3, every: 1, times: 0, nonce: await nonce(), validUntil: validUntil(), signature: '' },
        ...fields,
      }
      await ground.submit(ground.signed(opened.owner, entry))
      const [row] = await ground.store.read<{ number: number }>('SELECT max(number) AS number FROM cbdc_instructions')
      return row?.number ?? 0
    }
    const revoke = async (instruction: number) => {
      const spoken = { nonce: await nonce(), validUntil: validUntil(), signature: '' }
      const entry: SignedEntry = { kind: 'revoke', account: opened.number, instruction, ...spoken }
      return ground.submit(ground.signed(opened.owner, entry))
    }
    const list = async () =>
      (await opened.read('listInstructions', { account: opened.number }))['items'] as Record<string, unknown>[]
    const balance = async () => {
      const { creditsPosted, debitsPosted } = await ground.account(opened.number)
      return creditsPosted - debitsPosted
    }
    return { ...opened, instruct, revoke, list, balance, nonce }
  }
  /** Rounds until there is no more to do at once, as the service runs them. */
  const rounds = async () => {
    let acts = 0
    while ((await payInstalments(ground.desk, noFence)) === roundMost) {
      acts += 1
      if (acts > 50) throw new Error('the round comes to no end')
    }
  }
  const pass = async (ms: number) => {
    ground.state.now += ms
    await rounds()
  }
  /** The indices that were paid, in their order. */
  const paid = async () => {
    const rows = await ground.store.read<{ raw: Buffer }>('SELECT raw FROM cbdc_entries ORDER BY number')
    return rows.flatMap(({ raw }) => {
      const entry = decodeEntry(raw)
      return entry?.kind === 'instalment' ? [entry.index] : []
    })
  }
  return { ground, reading, person, rounds, pass, paid }
}

export const expectSound = async (ground: Ground) => {
  await expectFolded(ground.store)
  for await (const difference of reconcileLedger(ground.desk)) expect(difference).toBeUndefined()
}
