import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AgencyBase, type AgencyOnChain, bringOnChain, followChain, issuerKey, openAgencyBase } from '../agency.ts'
import { createLog } from '../http/log.ts'
import { keyAttribute, keyValiditySeconds } from '../identity/did-ethr.ts'
import type { KeyInfo } from '../identity/keys.ts'
import type { ChainWrite } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { settle } from '../register.ts'
import { assertStarted, type Desk, masterKeyOf, notStarted, recordCommand } from './desk.ts'

/** The chain write that makes the key known to the world, until the replica shows it. */
const missingAttribute = (agency: AgencyOnChain, key: KeyInfo): ChainWrite[] => {
  const { address, chain } = agency
  const { name, value } = keyAttribute(key)
  const isKnown = chain.follower
    .didEvents(address)
    .some(event => event.kind === 'attribute' && event.name === name && event.value.toLowerCase() === value)
  const args = [address, name, value, keyValiditySeconds]
  return isKnown ? [] : [{ contract: 'EthereumDIDRegistry', method: 'setAttribute', args, account: address }]
}

const assertRegistered = (agency: AgencyOnChain): Promise<unknown> =>
  issuerKey(agency).catch(cause => {
    const detail = `The signing key of ${agency.config.name} is not registered on this chain; start the agency first.`
    throw new Refusal('conflict', 'key_not_registered', detail, { cause })
  })

/**
 * Prepare → register → activate. Each step finds what an earlier run of it left behind, so a run that was killed is
 * finished by the next: the waiting key is taken up, its attribute is set once, and only a registered key is activated.
 */
const rotate = async (desk: Desk, agency: AgencyOnChain): Promise<void> => {
  const { keys, store, config } = agency
  await assertRegistered(agency)
  const before = agency.signing
  const next = await keys.prepare('signing')
  desk.note(`${next.keyId} is prepared`)
  await settle(agency, () => missingAttribute(agency, next))
  const { kid } = await issuerKey({ ...agency, signing: next })
  desk.note(`${next.keyId} is registered on chain`)
  await keys.activate(next.keyId)
  await recordCommand(desk, store, 'rotate-key', { retired: before.keyId, active: next.keyId, kid })
  desk.out(`${config.name} signs with ${next.keyId} (${kid}); ${before.keyId} is retired and still verifies`)
  desk.note('A process that is running signs with the new key within seconds.')
}

const withAgency = async (desk: Desk, work: (base: AgencyBase) => Promise<void>): Promise<void> => {
  const { config, environment, clock } = desk
  const { dataDir, databaseUrl, publicOrigin, port } = environment
  const publicUrl = `${publicOrigin ?? `http://localhost:${port}`}/${config.name}`
  const base = await openAgencyBase(config, { dataDir, databaseUrl, masterKey: masterKeyOf(desk), clock, publicUrl })
  try {
    await work(base)
  } finally {
    await base.store.close()
    await base.keys.close()
  }
}

export const rotateKey = async (desk: Desk): Promise<void> => {
  const { environment, clock, config } = desk
  const { dataDir, rpcUrls, logLevel } = environment
  assertStarted(desk, 'veramo.sqlite')
  if (rpcUrls.length === 0 && !existsSync(join(dataDir, 'chain', 'deployment.json'))) throw notStarted(config.name)
  await withAgency(desk, async base => {
    const log = createLog({ level: logLevel, write: desk.note })
    const chain = await followChain({ ...environment, clock, log, rootAccount: undefined })
    const agency = bringOnChain(base, chain, log)
    try {
      await rotate(desk, agency)
    } finally {
      await agency.outbox.close()
      await chain.close()
    }
  })
}
