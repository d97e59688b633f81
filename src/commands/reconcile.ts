import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AgencyOnChain, bringOnChain, followChain, openAgencyBase } from '../agency.ts'
import { createLog } from '../http/log.ts'
import { loadCredentialTypes } from '../identity/types.ts'
import { Refusal } from '../kernel/refusal.ts'
import { openDesk } from '../plugins/registry/actions/desk.ts'
import { reconcile as compare, type Difference } from '../plugins/registry/actions/reconcile.ts'
import { readingOf } from '../registers.ts'
import { assertStarted, type Desk, masterKeyOf, notStarted } from './desk.ts'

const schemas = new URL('../../schemas', import.meta.url).pathname
const settleMs = 60_000

const line = ({ register, entry, what, inRegister, onChain }: Difference): string =>
  `${register} ${entry} ${what}: register ${inRegister}, chain ${onChain}`

/** Prints every difference, a line each. @throws Refusal outbox_pending, registers_differ */
const compareAll = async (desk: Desk, agency: AgencyOnChain): Promise<void> => {
  const registry = openDesk(readingOf(agency, loadCredentialTypes(schemas)))
  const began = desk.clock.now()
  await agency.outbox.poke()
  if (!(await agency.outbox.settled(settleMs))) {
    const detail = 'Transactions of the register still wait for the chain; reconcile when they are through.'
    throw new Refusal('unavailable', 'outbox_pending', detail)
  }
  let found = 0
  for (const register of registry.registers) {
    const comparison = await compare(registry, register, began)
    if (comparison === undefined) continue
    for await (const difference of comparison.differences) {
      found += 1
      desk.out(line(difference))
    }
    desk.note(`${register.name} is compared at block ${comparison.block.number} (${comparison.block.hash})`)
  }
  if (found === 0) return desk.note('register and chain agree')
  throw new Refusal('conflict', 'registers_differ', `Register and chain differ in ${found} facts; see the lines above.`)
}

/**
 * Holds the agency's registers against their tokens on chain, at one block each. Without CHAIN_RPC_URL it opens the
 * demo's own chain, so the service has to be ended first.
 */
export const reconcile = async (desk: Desk): Promise<void> => {
  const { config, environment, clock } = desk
  const { dataDir, databaseUrl, publicOrigin, port, rpcUrls, logLevel } = environment
  assertStarted(desk, 'agency.sqlite')
  if (rpcUrls.length === 0 && !existsSync(join(dataDir, 'chain', 'deployment.json'))) throw notStarted(config.name)
  const publicUrl = `${publicOrigin ?? `http://localhost:${port}`}/${config.name}`
  const base = await openAgencyBase(config, { dataDir, databaseUrl, masterKey: masterKeyOf(desk), clock, publicUrl })
  try {
    const log = createLog({ level: logLevel, write: desk.note })
    const chain = await followChain({ ...environment, clock, log, rootAccount: undefined })
    const agency = bringOnChain(base, chain, log)
    try {
      await compareAll(desk, agency)
    } finally {
      await agency.outbox.close()
      await chain.close()
    }
  } finally {
    await base.store.close()
    await base.keys.close()
  }
}
