import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AgencyOnChain, bringOnChain, followChain, openAgencyBase } from '../agency.ts'
import { createLog } from '../http/log.ts'
import { loadCredentialTypes } from '../identity/types.ts'
import { Refusal } from '../kernel/refusal.ts'
import { openDesk, type Desk as RegistryDesk } from '../plugins/registry/actions/desk.ts'
import { type Difference, type Disparity, differencesOf, disparities } from '../plugins/registry/actions/reconcile.ts'
import { type Repaired, repairTokens } from '../plugins/registry/actions/repair.ts'
import { readingOf, repairingOf } from '../registers.ts'
import { assertStarted, type Desk, masterKeyOf, notStarted } from './desk.ts'
import { reportLedger } from './reconcile-ledger.ts'

const schemas = new URL('../../schemas', import.meta.url).pathname
const settleMs = 60_000

const line = ({ register, entry, what, inRegister, onChain }: Difference): string =>
  `${register} ${entry} ${what}: register ${inRegister}, chain ${onChain}`

/** Waits for what is under way, so that it does not look like a difference. @returns whether all is through. */
const isSettled = async ({ outbox }: AgencyOnChain): Promise<boolean> => {
  await outbox.poke()
  return outbox.settled(settleMs)
}

/** Everything in which register and chain differ; what is over in the register before it had a token only counts. */
async function* compareAll(desk: Desk, registry: RegistryDesk, began: number): AsyncGenerator<Disparity> {
  for (const register of registry.registers) {
    const comparison = await disparities(registry, register, began)
    if (comparison === undefined) continue
    let over = 0
    for await (const disparity of comparison.disparities) {
      if (disparity.facts.some(({ what }) => what === 'over')) over += 1
      else yield disparity
    }
    const { number, hash } = comparison.block
    desk.note(`${register.name} is compared at block ${number} (${hash})`)
    if (over > 0) desk.note(`${register.name}: ${over} entries were over before they had a token, and need none`)
  }
}

const agreed = 'register and chain agree'

const registersDiffer = (facts: number): Refusal =>
  new Refusal('conflict', 'registers_differ', `Register and chain differ in ${facts} facts; see the lines above.`)

/** Prints every difference, a line each. @throws Refusal outbox_pending, registers_differ */
const report = async (desk: Desk, agency: AgencyOnChain): Promise<void> => {
  const registry = openDesk(readingOf(agency, loadCredentialTypes(schemas)))
  const began = desk.clock.now()
  if (!(await isSettled(agency))) {
    const detail = 'Transactions of the register still wait for the chain; reconcile when they are through.'
    throw new Refusal('unavailable', 'outbox_pending', detail)
  }
  let found = 0
  for await (const disparity of compareAll(desk, registry, began)) {
    const lines = differencesOf(disparity).map(line)
    found += lines.length
    for (const each of lines) desk.out(each)
  }
  if (found === 0) return desk.note(agreed)
  throw registersDiffer(found)
}

const words = {
  queued: 'queued',
  waiting: 'not queued: something of this entry waits for the chain already',
  changed: 'not queued: the register changed this entry meanwhile, reconcile again',
  left: 'not repaired: nothing that the register may write mends it',
} as const

/** What is left of a disparity, however much of it is queued, is said of each fact. */
const printRepaired = (desk: Desk, { disparity, outcome, left }: Repaired): number => {
  const stays = new Set(left.facts)
  let remaining = 0
  for (const fact of disparity.facts) {
    const word = outcome === 'queued' && stays.has(fact) ? 'left' : outcome
    if (word === 'left' || word === 'changed') remaining += 1
    const [difference] = differencesOf({ ...disparity, facts: [fact] })
    if (difference !== undefined) desk.out(`${line(difference)}; ${words[word]}`)
  }
  return remaining
}

/** Queues what brings the chain to what the registers say. @throws Refusal registers_differ for what it does not. */
const repair = async (desk: Desk, agency: AgencyOnChain): Promise<void> => {
  const registry = openDesk(readingOf(agency, loadCredentialTypes(schemas)))
  const needs = repairingOf(agency)
  const began = desk.clock.now()
  if (!(await isSettled(agency)))
    desk.note('Transactions of the register still wait for the chain; they are left to it.')
  const waiting = await needs.waiting(agency.store.read, began)
  const found: Disparity[] = []
  for await (const disparity of compareAll(desk, registry, began)) found.push(disparity)
  if (found.length === 0) return desk.note(agreed)
  const repaired = await repairTokens(registry, needs, { found, began, waiting })
  const remaining = repaired.reduce((sum, each) => sum + printRepaired(desk, each), 0)
  const count = (outcome: Repaired['outcome']) => repaired.filter(each => each.outcome === outcome).length
  desk.note(`${count('queued')} entries are queued for the chain, ${count('waiting')} wait for it already`)
  if (count('queued') > 0) desk.note('The running service sends what is queued, or else the next start does.')
  if (remaining > 0) throw registersDiffer(remaining)
}

/**
 * Holds the agency's registers against their tokens on chain, at one block each, and its ledger of money against its entries. Without CHAIN_RPC_URL it opens the
 * demo's own chain, so the service has to be ended first.
 * @param wishes.repair also queues what brings the chain to what the registers say.
 */
export const reconcile = async (desk: Desk, wishes: { repair?: boolean | undefined } = {}): Promise<void> => {
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
      const keepsMoney = config.plugins.includes('cbdc')
      if (keepsMoney) await reportLedger(desk, agency)
      if (keepsMoney && !config.plugins.includes('registry')) return
      await (wishes.repair === true ? repair(desk, agency) : report(desk, agency))
    } finally {
      await agency.outbox.close()
      await chain.close()
    }
  } finally {
    await base.store.close()
    await base.keys.close()
  }
}
