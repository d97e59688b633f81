import { type AgencyOnChain, processId } from './agency.ts'
import { openListPairArgs } from './chain/contracts.ts'
import { openBindingListWrite } from './chain/wallets.ts'
import type { Log } from './http/log.ts'
import { batchBits, openStatusLists } from './identity/status.ts'
import type { ChainWrite } from './kernel/ports.ts'
import { anchorRound, publishFirst, type RoundNeeds } from './plugins/credentials/actions/anchored.ts'
import { acquireLease, checkLease, type Lease, releaseLease } from './store/leases.ts'

/** An agency's status lists on chain: how they are opened, and published in rounds where they are anchored. */

/** Chain writes that set or clear these bits of an issuer's lists, each within the gas limit of a transaction. */
export const statusBitWrites = (issuer: string, bits: { list: number; index: number }[], set: boolean): ChainWrite[] =>
  batchBits(bits).map(({ lists, words, masks }) => ({
    contract: 'StatusRegistry',
    method: set ? 'setBitsIn' : 'clearBitsIn',
    args: [issuer, lists, words, masks],
    account: issuer,
  }))

const anchorNeeds = ({ house, outbox, address, settings }: AgencyOnChain) => {
  const { publicUrl } = settings
  return { house, outbox, publicUrl, issuer: address }
}

export const openLists = (agency: AgencyOnChain) => {
  const { chain, address, store } = agency
  const { mode } = agency.config.status
  const registry = chain.contracts.StatusRegistry.address
  return openStatusLists({
    store,
    status: chain.follower.status,
    chain: chain.client.chain,
    registry,
    issuer: address,
    secret: agency.derive('status index'),
    mode,
    async openOnChain(tx, list, length, again) {
      const args = openListPairArgs(address, list, length, mode === 'anchored')
      const write = { contract: 'StatusRegistry', method: 'openLists', args, account: address }
      const id = await agency.outbox.enqueue(tx, [write])
      // A first version that the chain refused with the list is made up for by the next round.
      if (mode === 'anchored' && !again) await publishFirst(anchorNeeds(agency), tx, list, length)
      return id
    },
    hasFailed: async id => (await agency.outbox.state(id))?.state === 'failed',
  })
}

/** The agency's lists of wallet bindings: always bit by bit, because tokens ask for them on chain. */
export const openBindingLists = (agency: AgencyOnChain) => {
  const { chain, address, store, outbox } = agency
  return openStatusLists({
    ...{ store, status: chain.follower.status, chain: chain.client.chain, issuer: address, mode: 'binding' },
    registry: chain.contracts.StatusRegistry.address,
    secret: agency.derive('binding index'),
    openOnChain: (tx, list, length) => outbox.enqueue(tx, [openBindingListWrite({ issuer: address, list, length })]),
    hasFailed: async id => (await outbox.state(id))?.state === 'failed',
  })
}

/**
 * Publishes the agency's anchored lists in rounds, at whole multiples of their time, while this process has the lease.
 * @returns what ends that, after the round under way.
 */
export const startRounds = (agency: AgencyOnChain, log: Log): (() => Promise<void>) => {
  const { store, settings, chain, address, outbox, config } = agency
  const { clock } = settings
  const everyMs = config.status.roundSeconds * 1_000
  let lease: Lease | undefined
  const needs: RoundNeeds = {
    ...anchorNeeds(agency),
    lease: {
      async hold() {
        lease = await acquireLease(store, clock, { name: 'anchored-lists', holder: processId, ttlMs: roundLeaseMs })
        return lease !== undefined
      },
      check: tx => checkLease(store, tx, lease as Lease),
    },
    anchoredVersion: list => chain.follower.listFacts(address, list)?.anchored?.version ?? 0,
  }
  const round = async () => {
    try {
      const { published, behind } = await anchorRound(needs)
      if (published.length > 0) void outbox.poke()
      if (behind.length > 0) log.error({ lists: behind }, 'the chain has newer status lists than this database')
    } catch (error) {
      log.error({ error: String(error) }, 'a round of anchored status lists failed; the next one tries again')
    }
  }
  let under: Promise<void> = Promise.resolve()
  let ended = false
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    if (ended) return
    const begin = () => {
      under = round()
      void under.then(next)
    }
    timer = setTimeout(begin, everyMs - (clock.now() % everyMs))
    timer.unref()
  }
  next()
  return async () => {
    ended = true
    clearTimeout(timer)
    await under
    if (lease !== undefined) await releaseLease(store, lease)
  }
}
const roundLeaseMs = 3_000
