import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { Interface, type InterfaceAbi, id } from 'ethers'

/** In an order in which they can be deployed: a contract stands after those that its constructor names. */
export const contractNames = [
  'EthereumDIDRegistry',
  'Governance',
  'StatusRegistry',
  'TrustRegistry',
  'WalletRegistry',
  'TitleRegistry',
  'LicenceRegistry',
  'AssetRegistry',
  // The code that every currency runs; the currencies themselves are proxies that MoneyFactory makes.
  'SovereignMoney',
  'PolicyEngine',
  'MoneyFactory',
  'RailGate',
  'Settlement',
  'PurposeMoney',
] as const
export type ContractName = (typeof contractNames)[number]

export type Artifact = { name: string; abi: InterfaceAbi; bytecode: string }
export type Artifacts = Record<ContractName, Artifact>

/** A contract at its place. Address in lower-case hex. */
export type Binding = { address: string; interface: Interface }
export type Contracts = Record<ContractName, Binding>
export type Addresses = Record<ContractName, string>

/** Reads what `contracts/build.ts` made. @param directory holds <Name>.json for every contract. */
export const loadArtifacts = async (directory: string | URL): Promise<Artifacts> => {
  const base = typeof directory === 'string' ? pathToFileURL(`${directory}/`) : directory
  const read = async (name: ContractName): Promise<[ContractName, Artifact]> => {
    const text = await readFile(new URL(`${name}.json`, base), 'utf8').catch(cause => {
      throw new Error(`The contract ${name} has not been built.`, { cause })
    })
    return [name, JSON.parse(text) as Artifact]
  }
  return Object.fromEntries(await Promise.all(contractNames.map(read))) as Artifacts
}

export const bindContracts = (artifacts: Artifacts, addresses: Addresses): Contracts =>
  Object.fromEntries(
    contractNames.map(name => [
      name,
      { address: addresses[name].toLowerCase(), interface: new Interface(artifacts[name].abi) },
    ]),
  ) as Contracts

/** The id of a credential type on chain: keccak256 of its name, for example of `DrivingLicence`. */
export const typeIdOf = (typeName: string): string => id(typeName)

export const purposes = { revocation: 1, suspension: 2, binding: 3 } as const
export const modes = { bitmap: 0, anchored: 1 } as const

const wordBits = 256

/** A pointer names the revocation list; its suspension list is the next number, with the same indices. */
export const suspensionListOf = (revocationList: number): number => revocationList + 1

/** Arguments of `openLists` for the two lists behind one pointer. */
export const openListPairArgs = (
  issuer: string,
  revocationList: number,
  length: number,
  anchored = false,
): unknown[] => {
  const mode = anchored ? modes.anchored : modes.bitmap
  const lists = [revocationList, suspensionListOf(revocationList)]
  return [issuer, lists, [purposes.revocation, purposes.suspension], [mode, mode], [length, length]]
}

export type StatusBit = { list: number; index: number }

/** Arguments of `setBitsIn` and `clearBitsIn`: bits of one word become one mask, so that many cost little. */
export const statusBitsArgs = (issuer: string, bits: readonly StatusBit[]): unknown[] => {
  const masks = new Map<string, { list: number; word: number; mask: bigint }>()
  for (const { list, index } of bits) {
    const word = Math.floor(index / wordBits)
    const mask = 1n << BigInt(wordBits - 1 - (index % wordBits))
    const key = `${list}:${word}`
    masks.set(key, { list, word, mask: mask | (masks.get(key)?.mask ?? 0n) })
  }
  const rows = [...masks.values()].sort((a, b) => a.list - b.list || a.word - b.word)
  return [issuer, rows.map(row => row.list), rows.map(row => row.word), rows.map(row => row.mask)]
}

/** RFC 7638 thumbprint (base64url) ↔ bytes32. */
export const thumbprintToBytes32 = (thumbprint: string): string =>
  `0x${Buffer.from(thumbprint, 'base64url').toString('hex')}`
export const bytes32ToThumbprint = (bytes32: string): string =>
  Buffer.from(bytes32.slice(2), 'hex').toString('base64url')

/** Seconds on chain, milliseconds with us. */
export const toSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1_000)
