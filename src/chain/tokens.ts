import { AbiCoder, id, keccak256 } from 'ethers'
import type { ChainWrite, RegisterTokens, TokenHolder } from '../kernel/ports.ts'
import type { ChainClient } from './client.ts'
import { type Contracts, toSeconds, typeIdOf } from './contracts.ts'
import { type TokenReads, tokenReads } from './token-reads.ts'
import { openView } from './view.ts'
import { domainIdOf } from './wallets.ts'

/** A register's id on chain: keccak256 of its name, for example of `land-titles`. */
export const registerIdOf = (name: string): string => id(name)

/** The upper half of the ids of a register's tokens. @param issuer hex address */
export const registerKeyOf = (issuer: string, register: string): bigint => {
  const encoded = AbiCoder.defaultAbiCoder().encode(['address', 'bytes32'], [issuer, registerIdOf(register)])
  return BigInt(keccak256(encoded)) >> 128n
}

/** A UUID as a number of 128 bits. @throws RangeError */
export const uuidNumber = (uuid: string): bigint => {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) {
    throw new RangeError('An entry or order is named by a UUID in lower case.')
  }
  return BigInt(`0x${uuid.replaceAll('-', '')}`)
}

/** The id of an entry's token, decimal, the same in TitleRegistry, LicenceRegistry and AssetRegistry. */
export const tokenIdOf = (issuer: string, register: string, entryId: string): string =>
  String((registerKeyOf(issuer, register) << 128n) | uuidNumber(entryId))

/** An order, or a reason, as the chain knows it: the UUID of the agency's own record of it. */
export const orderIdOf = (uuid: string): string => `0x${uuidNumber(uuid).toString(16).padStart(64, '0')}`

export type TokenOptions = {
  client: ChainClient
  contracts: Pick<Contracts, 'TitleRegistry' | 'LicenceRegistry' | 'AssetRegistry'>
  /** Address of the agency's did:ethr: the registrar, and the custodian of what has no wallet. */
  issuer: string
  /** The account that owns the issuer, from which the outbox sends. */
  account: string
}

/** Everything that both sides of the file need to name things as the contracts do. */
type Names = {
  issuer: string
  key(register: string): bigint
  token(register: string, entryId: string): string
  holder(holder: TokenHolder): string
}

type ContractName = keyof TokenOptions['contracts']
type Write = (method: string, ...args: unknown[]) => ChainWrite

/** Entries that fit one transaction of 15 million gas: making one takes some 90,000, changing one some 40,000. */
const mostMade = 100
const mostChanged = 200

const inParts = <T>(all: readonly T[], most: number): T[][] => {
  const parts: T[][] = []
  for (let from = 0; from < all.length; from += most) parts.push(all.slice(from, from + most))
  return parts
}

/** Zero stands for "without end". */
const expiryOf = (expires: number | null): number => (expires === null ? 0 : toSeconds(expires))

const noDomain = `0x${'0'.repeat(64)}`
const termsOf = (transfers: { domain: string; level: number } | null) => ({
  walletTransfers: transfers !== null,
  domain: transfers === null ? noDomain : domainIdOf(transfers.domain),
  level: transfers?.level ?? 0,
})

type Amended = readonly { entryId: string; commitment: string }[]

const amending =
  (names: Names, write: Write) =>
  (register: string, entries: Amended): ChainWrite[] =>
    inParts(entries, mostChanged).map(part =>
      write(
        'amend',
        part.map(({ entryId }) => names.token(register, entryId)),
        part.map(({ commitment }) => commitment),
      ),
    )

const titles = (names: Names, write: Write, reads: TokenReads, options: TokenOptions): RegisterTokens['titles'] => {
  const { issuer, key, token, holder } = names
  const contract = options.contracts.TitleRegistry
  type Made = { entryId: string; holder: TokenHolder; commitment: string; encumbrances?: number }
  const made = (entry: Made): unknown[] => [
    ...[uuidNumber(entry.entryId), holder(entry.holder), entry.encumbrances ?? 0, entry.commitment],
  ]
  return {
    openRegister: ({ name, type, baseUri, walletTransfers }) => {
      const { domain, level, walletTransfers: allowed } = termsOf(walletTransfers)
      return [write('openRegister', issuer, registerIdOf(name), typeIdOf(type), baseUri, allowed, domain, level)]
    },
    isOpen: register => reads.isOpen(contract, key(register)),
    standing: register => reads.titles(contract, key(register)),
    mint: (register, entries) =>
      inParts(entries, mostMade).map(part => write('mintMany', key(register), part.map(made))),
    amend: amending(names, write),
    transfer: (register, { entryId, from, to, commitment }) => [
      write('transferByRegister', token(register, entryId), holder(from), holder(to), commitment),
    ],
    encumber: (register, { entryId, encumbrances, commitment }) => [
      write('encumber', token(register, entryId), encumbrances, commitment),
    ],
    freeze: (register, { entryId, order }) => [write('freeze', token(register, entryId), orderIdOf(order))],
    unfreeze: (register, { entryId, order }) => [write('unfreeze', token(register, entryId), orderIdOf(order))],
    forcedTransfer: (register, { entryId, from, to, order, commitment }) => [
      write('forcedTransfer', token(register, entryId), holder(from), holder(to), orderIdOf(order), commitment),
    ],
    replace: (register, { predecessors, successors }) => [
      write(
        'replace',
        key(register),
        predecessors.map(({ entryId }) => token(register, entryId)),
        predecessors.map(each => holder(each.holder)),
        successors.map(made),
      ),
    ],
    close: (register, { entryId, holder: from }) => [write('close', token(register, entryId), holder(from))],
  }
}

const licences = (names: Names, write: Write, reads: TokenReads, options: TokenOptions): RegisterTokens['licences'] => {
  const { issuer, key, token, holder } = names
  const contract = options.contracts.LicenceRegistry
  const each =
    (method: string) =>
    (register: string, entryIds: readonly string[]): ChainWrite[] =>
      inParts(entryIds, mostChanged).map(part =>
        write(
          method,
          part.map(entryId => token(register, entryId)),
        ),
      )
  return {
    openRegister: ({ name, type, baseUri }) => [
      write('openRegister', issuer, registerIdOf(name), typeIdOf(type), baseUri),
    ],
    isOpen: register => reads.isOpen(contract, key(register)),
    standing: register => reads.licences(contract, key(register)),
    mint: (register, entries) =>
      inParts(entries, mostMade).map(part =>
        write(
          'mintMany',
          key(register),
          part.map(entry => [
            ...[uuidNumber(entry.entryId), holder(entry.holder), expiryOf(entry.expires), entry.commitment],
          ]),
        ),
      ),
    amend: amending(names, write),
    renew: (register, { entryId, expires, commitment }) => [
      write('renew', [token(register, entryId)], [expiryOf(expires)], [commitment]),
    ],
    suspend: each('suspend'),
    reinstate: each('reinstate'),
    revoke: each('revoke'),
    replaceWallet: (register, { entryId, from, to, reason }) => [
      write('replaceWallet', token(register, entryId), holder(from), holder(to), orderIdOf(reason)),
    ],
  }
}

const assets = (names: Names, write: Write, reads: TokenReads, options: TokenOptions): RegisterTokens['assets'] => {
  const { issuer, key, token, holder } = names
  const contract = options.contracts.AssetRegistry
  return {
    openRegister: ({ name, type, baseUri }) => [
      write('openRegister', issuer, registerIdOf(name), typeIdOf(type), baseUri),
    ],
    isOpen: register => reads.isOpen(contract, key(register)),
    standing: register => reads.assets(contract, key(register)),
    openClass: (register, { entryId, cap, decimals, walletTransfers, commitment }) => {
      const terms = termsOf(walletTransfers)
      const opened = { entryId: uuidNumber(entryId), cap, supply: 0, decimals, ...terms, commitment }
      return [write('openClass', key(register), opened)]
    },
    amend: (register, { entryId, cap, commitment }) => [write('amend', token(register, entryId), cap, commitment)],
    issue: (register, { entryId, to, amount }) => [
      write('issueMany', token(register, entryId), [holder(to)], [amount]),
    ],
    retire: (register, { entryId, from, amount }) => [write('retire', token(register, entryId), holder(from), amount)],
    transfer: (register, { entryId, from, to, amount }) =>
      // Both without a wallet: on chain the units stay where they are.
      from === to ? [] : [write('transferByRegister', token(register, entryId), holder(from), holder(to), amount)],
    freeze: (register, { entryId, holder: held, amount, order }) => [
      write('freeze', token(register, entryId), holder(held), amount, orderIdOf(order)),
    ],
    unfreeze: (register, { entryId, holder: held, order }) => [
      write('unfreeze', token(register, entryId), holder(held), orderIdOf(order)),
    ],
    forcedTransfer: (register, { entryId, from, to, amount, order, freeze }) => {
      const past = freeze === null ? noDomain : orderIdOf(freeze)
      const [giver, receiver] = [holder(from), holder(to)]
      return [write('forcedTransfer', token(register, entryId), giver, receiver, amount, orderIdOf(order), past)]
    },
  }
}

/** The tokens of one agency's registers: writes for its outbox, and reads for reconciliation. */
export const registerTokens = (options: TokenOptions): RegisterTokens => {
  const issuer = options.issuer.toLowerCase()
  const reads = tokenReads(options.client, issuer)
  const names: Names = {
    issuer,
    key: register => registerKeyOf(issuer, register),
    token: (register, entryId) => tokenIdOf(issuer, register, entryId),
    holder: holder => holder ?? issuer,
  }
  const writing =
    (contract: ContractName): Write =>
    (method, ...args) => ({ contract, method, args, account: options.account })
  return {
    tokenIdOf: names.token,
    titles: titles(names, writing('TitleRegistry'), reads, options),
    licences: licences(names, writing('LicenceRegistry'), reads, options),
    assets: assets(names, writing('AssetRegistry'), reads, options),
  }
}

/** Whether a title's token stands frozen under an order, which is named as in `freeze`. */
export const frozenUnder =
  ({ client, contracts, issuer }: Pick<TokenOptions, 'client' | 'contracts' | 'issuer'>) =>
  async (register: string, { entryId, order }: { entryId: string; order: string }): Promise<boolean> => {
    const args = [tokenIdOf(issuer.toLowerCase(), register, entryId), orderIdOf(order)]
    const [held] = await openView(client)(contracts.TitleRegistry, 'isFrozenUnder', args)
    return held as boolean
  }
