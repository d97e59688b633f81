import { hkdfSync, timingSafeEqual } from 'node:crypto'
import type { AgencyOnChain } from './agency.ts'
import { waitingOf } from './chain/outbox-waiting.ts'
import { frozenUnder, registerTokens } from './chain/tokens.ts'
import { type AgencyConfig, ConfigError } from './config/agency.ts'
import { compileFieldSchema } from './http/field-schema.ts'
import type { Log } from './http/log.ts'
import type { IssuerKey } from './identity/issue.ts'
import type { CredentialTypes } from './identity/types.ts'
import type { ChainWrite, RegisterTokens } from './kernel/ports.ts'
import { assertSound } from './kernel/sound.ts'
import { openLedgerFunds } from './ledger-funds.ts'
import { openDesk } from './plugins/registry/actions/desk.ts'
import { collectDue, settlementBy } from './plugins/registry/actions/land/payments.ts'
import { recordLapsed } from './plugins/registry/actions/lapse.ts'
import type { RepairNeeds } from './plugins/registry/actions/repair.ts'
import { DefinitionInvalid, parseDefinition } from './plugins/registry/definition.ts'
import type { LandNeeds } from './plugins/registry/land/needs.ts'
import type { RegistryNeeds } from './plugins/registry/needs.ts'
import { lapsesARound } from './plugins/registry/policy.ts'
import { type Knowledge, openRegister, type Register } from './plugins/registry/soundness.ts'
import { keepRound, type Round } from './rounds.ts'
import { openLogProofs } from './store/log-proofs.ts'

/** What registers take of an agency: definitions, tokens on chain, and the rounds that record what has lapsed. */

const knowledgeOf = (issues: readonly string[], types: CredentialTypes): Knowledge => ({
  type(id) {
    const versions = types.all.filter(type => type.id === id).sort((a, b) => b.version - a.version)
    const [newest] = versions
    return newest && { id, maxDays: newest.validity.maxDays, schema: newest.schema }
  },
  compile: compileFieldSchema,
  assertSound: requirement => assertSound(requirement, types.all),
  issues,
})

/** The registers of an agency, found sound. @throws ConfigError with one sentence */
export const registersOf = ({ name, issues, definitions }: AgencyConfig, types: CredentialTypes): Register[] => {
  if (definitions.length === 0) throw new ConfigError(`${name}: the plugin registry needs registers`)
  const knowledge = knowledgeOf(issues, types)
  return definitions.map(({ file, data }) => {
    try {
      return openRegister(parseDefinition(data), knowledge)
    } catch (cause) {
      if (!(cause instanceof DefinitionInvalid)) throw cause
      throw new ConfigError(`${file}: ${cause.message}`, { cause })
    }
  })
}

export const tokensOf = ({ chain, address }: Pick<AgencyOnChain, 'chain' | 'address'>): RegisterTokens =>
  registerTokens({ client: chain.client, contracts: chain.contracts, issuer: address, account: address })

const openingOf = (tokens: RegisterTokens, publicUrl: string, register: Register): ChainWrite[] => {
  const { name, credential, walletTransfers = null } = register
  const opening = { name, type: credential.type, baseUri: `${publicUrl}/registry/tokens/` }
  if (register.tokens === 'licence') return tokens.licences.openRegister(opening)
  if (register.tokens === 'title') return tokens.titles.openRegister({ ...opening, walletTransfers })
  return register.tokens === 'asset' ? tokens.assets.openRegister(opening) : []
}

const isOpen = async (tokens: RegisterTokens, { name, tokens: kind }: Register): Promise<boolean> => {
  if (kind === 'none') return true
  const contracts = { licence: tokens.licences, title: tokens.titles, asset: tokens.assets }
  return contracts[kind].isOpen(name)
}

/** Opens on chain what is not open yet; what an earlier start sent is waited for first, not repeated. */
const openOnChain = async (agency: AgencyOnChain, tokens: RegisterTokens, registers: readonly Register[]) => {
  await agency.outbox.settled(settleMs)
  const open = await Promise.all(registers.map(register => isOpen(tokens, register)))
  const writes = registers
    .filter((_, at) => open[at] === false)
    .flatMap(register => openingOf(tokens, agency.settings.publicUrl, register))
  if (writes.length === 0) return
  await agency.store.transaction(tx => agency.outbox.enqueue(tx, writes))
  await agency.outbox.poke()
}
const settleMs = 60_000

const secretMessage = Buffer.from('chancery: the secret under which a register knows persons. Sign nothing else.')

/**
 * Under it registers know persons who show no pseudonym. As with the OPRF key, it comes from a signature of a key that
 * is used for nothing else: it is in the backups of the keys, and outlives a change of the master key.
 */
const personSecret = async ({ keys }: AgencyOnChain): Promise<Uint8Array> => {
  const { keyId } = await keys.obtain({ kind: 'Ed25519', alias: 'register-persons' })
  const sign = () => keys.signer.sign(keyId, 'EdDSA', secretMessage)
  const [first, second] = [await sign(), await sign()]
  if (!timingSafeEqual(first, second)) throw new Error('The signer of Ed25519 keys is not deterministic (RFC 8032).')
  return Buffer.from(hkdfSync('sha256', first, '', 'chancery register persons', 32))
}

/** What comparing the registers with the chain needs: nothing is signed, and nothing decided. */
export const readingOf = (agency: AgencyOnChain, types: CredentialTypes): RegistryNeeds => {
  const { house, store, outbox, log, did, config, settings } = agency
  const never = (): never => {
    throw new Error('nothing is issued here')
  }
  return {
    ...{ house, outbox, did, registers: registersOf(config, types), tokens: tokensOf(agency) },
    issuance: { issue: never, store: never, changeStatus: never },
    ...{ newId: never, credential: never, proveKey: never, proofs: openLogProofs(store, log.sequencer) },
    ...{ authority: config.title, publicUrl: settings.publicUrl, land: { personSecret: new Uint8Array(32) } },
  }
}

/** What bringing the chain to what the registers say takes besides. */
export const repairingOf = (agency: AgencyOnChain): RepairNeeds => {
  const { address, chain, outbox, settings } = agency
  const tokens = tokensOf(agency)
  return {
    waiting: (reads, since) => waitingOf(reads, outbox.account, since),
    opening: async register =>
      (await isOpen(tokens, register)) ? [] : openingOf(tokens, settings.publicUrl, register),
    frozenUnder: frozenUnder({ client: chain.client, contracts: chain.contracts, issuer: address }),
  }
}

export type RegistryParts = { types: CredentialTypes; issuerKey(): IssuerKey } & Pick<
  RegistryNeeds,
  'issuance' | 'newId' | 'proveKey'
>

/** How deeds are paid for, where the configuration names a ledger. */
const settlementOf = async (agency: AgencyOnChain, key: () => IssuerKey): Promise<Partial<LandNeeds>> => {
  const { ledger } = agency.config
  if (ledger === undefined) return {}
  const funds = await openLedgerFunds(agency, ledger, key)
  return { funds, settlement: settlementBy(agency.house, funds) }
}

/** What the registry plugin needs of an agency. Its registers are opened on chain on the way. */
export const registryOf = async (agency: AgencyOnChain, parts: RegistryParts): Promise<RegistryNeeds> => {
  const { house, store, outbox, log, did, config, settings, chain } = agency
  const registers = registersOf(config, parts.types)
  const tokens = tokensOf(agency)
  await openOnChain(agency, tokens, registers)
  return {
    ...{ house, outbox, did, registers, tokens },
    ...{ issuance: parts.issuance, newId: parts.newId, proveKey: parts.proveKey },
    proofs: openLogProofs(store, log.sequencer),
    async credential(id) {
      const sql = 'SELECT compact, format FROM credentials WHERE id = ?'
      return (await store.read<{ compact: string; format: string }>(sql, [id]))[0]
    },
    ...{ authority: config.title, publicUrl: settings.publicUrl },
    land: {
      ...{ personSecret: await personSecret(agency), wallets: chain.follower.wallets },
      ...(await settlementOf(agency, parts.issuerKey)),
    },
  }
}

/** Records what has lapsed, and collects what is due. @returns what ends that. */
export const keepRegisters = (agency: AgencyOnChain, needs: RegistryNeeds, log: Log): (() => Promise<void>) => {
  const desk = openDesk(needs)
  const { funds } = needs.land
  const rounds: Round[] = [
    {
      ...{ name: 'registry-lapses', everyMs: 60_000, failing: 'lapsed entries were not recorded; tried again' },
      async run(check, ended) {
        while ((await recordLapsed(desk, check)) === lapsesARound && !ended());
      },
    },
  ]
  if (funds !== undefined) {
    rounds.push({
      ...{ name: 'land-payments', everyMs: 2_000, failing: 'payments for deeds were not collected; tried again' },
      async run(check) {
        await collectDue(needs.house, funds, check)
      },
    })
  }
  const keeping = rounds.map(round => keepRound(agency, log, round))
  return async () => {
    await Promise.all(keeping.map(end => end()))
  }
}
