import type { Interface, Result } from 'ethers'
import type {
  AssetStanding,
  BlockRef,
  LicenceStanding,
  RegisterStanding,
  TitleStanding,
  TokenHolder,
} from '../kernel/ports.ts'
import { type ChainClient, type Header, RpcError } from './client.ts'
import type { Binding } from './contracts.ts'
import { openView } from './view.ts'

/** Reads every token of a register at one block, in pages. */
export type TokenReads = {
  isOpen(contract: Binding, register: bigint): Promise<boolean>
  titles(contract: Binding, register: bigint): Promise<RegisterStanding<TitleStanding>>
  licences(contract: Binding, register: bigint): Promise<RegisterStanding<LicenceStanding>>
  assets(contract: Binding, register: bigint): Promise<RegisterStanding<AssetStanding>>
}

/** Entries or holdings in one call: each takes about 10,000 gas to read, and nodes allow a call some 50 million. */
const pageLength = 500
const zeroAddress = `0x${'0'.repeat(40)}`
const states = ['active', 'suspended', 'revoked'] as const

/** A block named by its hash is exact: a node on which it was replaced declines, it does not answer for another. */
type At = { hash: string } | 'latest'

const readerOf = (client: ChainClient) => {
  const view = openView(client)
  const call = (contract: Binding, method: string, args: unknown[], at: At): Promise<Result> =>
    view(contract, method, args, at === 'latest' ? at : { blockHash: at.hash, requireCanonical: true })

  /** What a paged view returns, one by one; `args` stand before position and count. */
  async function* pages(contract: Binding, method: string, args: unknown[], at: At): AsyncGenerator<Result> {
    for (let from = 0; ; from += pageLength) {
      const [page] = await call(contract, method, [...args, from, pageLength], at)
      yield* page as Result[]
      if ((page as Result).length < pageLength) return
    }
  }
  return { call, pages }
}

const blockOf = (client: ChainClient, head: Header): BlockRef => ({
  chain: client.chain,
  number: head.number,
  hash: head.hash,
  timestamp: head.timestamp * 1_000,
})

/** Lower-case, hyphenated. */
export const uuidOf = (entry: bigint): string =>
  entry
    .toString(16)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const isUnknownRegister = (abi: Interface, error: unknown): boolean =>
  error instanceof RpcError &&
  error.data !== undefined &&
  error.data.startsWith(abi.getError('UnknownRegister')?.selector ?? 'none')

/** @param issuer whose address holds what is in custody */
export const tokenReads = (client: ChainClient, issuer: string): TokenReads => {
  const { call, pages } = readerOf(client)
  const holderOf = (address: string): TokenHolder => {
    const holder = address.toLowerCase()
    return holder === issuer ? null : holder
  }
  const namesOf = (register: bigint, row: Result): { tokenId: string; entryId: string; commitment: string } => {
    const entry = row['entryId'] as bigint
    const commitment = (row['commitment'] as string).toLowerCase()
    return { tokenId: String((register << 128n) | entry), entryId: uuidOf(entry), commitment }
  }

  /** Every row of the register at the newest block, made into what the register compares. */
  const standing = async <Standing>(
    contract: Binding,
    register: bigint,
    read: (row: Result, at: Header) => Standing | Promise<Standing>,
  ): Promise<RegisterStanding<Standing>> => {
    const head = await client.head()
    async function* tokens(): AsyncGenerator<Standing> {
      for await (const row of pages(contract, 'standingsIn', [register], head)) yield await read(row, head)
    }
    return { block: blockOf(client, head), tokens: tokens() }
  }

  const holdingsOf = async (contract: Binding, tokenId: string, at: Header): Promise<AssetStanding['holdings']> => {
    const held: AssetStanding['holdings'] = []
    for await (const row of pages(contract, 'holdingsIn', [tokenId], at)) {
      const [amount, frozen] = [row['amount'] as bigint, row['frozen'] as bigint]
      if (amount > 0n) held.push({ holder: holderOf(row['holder'] as string), amount, frozen })
    }
    return held
  }

  return {
    isOpen: async (contract, register) => {
      try {
        await call(contract, 'registerOf', [register], 'latest')
        return true
      } catch (error) {
        if (isUnknownRegister(contract.interface, error)) return false
        throw error
      }
    },
    titles: (contract, register) =>
      standing(contract, register, row => ({
        ...namesOf(register, row),
        holder: row['holder'] === zeroAddress ? undefined : holderOf(row['holder'] as string),
        frozen: (row['freezes'] as bigint) > 0n,
        encumbrances: Number(row['encumbrances']),
      })),
    licences: (contract, register) =>
      standing(contract, register, row => ({
        ...namesOf(register, row),
        holder: holderOf(row['holder'] as string),
        state: states[Number(row['state'])] ?? 'revoked',
        expires: row['expiry'] === 0n ? null : Number(row['expiry']) * 1_000,
      })),
    assets: (contract, register) =>
      standing(contract, register, async (row, at) => {
        const names = namesOf(register, row)
        const holdings = await holdingsOf(contract, names.tokenId, at)
        return { ...names, cap: row['cap'] as bigint, issued: row['supply'] as bigint, holdings }
      }),
  }
}
