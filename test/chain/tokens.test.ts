import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ChainAccount, signTransaction } from '../../src/chain/account.ts'
import { typeIdOf } from '../../src/chain/contracts.ts'
import { orderIdOf, registerKeyOf, registerTokens, tokenIdOf, uuidNumber } from '../../src/chain/tokens.ts'
import {
  bindingDigest,
  bindWrite,
  domainIdOf,
  firstBindingList,
  openBindingListWrite,
  pseudonymIdOf,
  secp256k1BindingSignature,
  type WalletBinding,
} from '../../src/chain/wallets.ts'
import type { ChainWrite, RegisterTokens, TokenEntry } from '../../src/kernel/ports.ts'
import { type Ground, listLength, newAccount, openGround } from './ground.ts'

const type = 'BusinessLicence'
const baseUri = 'https://registry.example/registry/tokens/'
let ground: Ground
let tokens: RegisterTokens
let nextIndex = 0

const commitmentOf = (text: string): string => `0x${createHash('sha256').update(text).digest('hex')}`
const newAddress = (): string => newAccount().address.toLowerCase()
const newEntry = (holder: string | null = null): TokenEntry => {
  const entryId = randomUUID()
  return { entryId, holder, commitment: commitmentOf(entryId) }
}

/** What the outbox was told when the chain declined. */
const refusedOnChain = async (writes: ChainWrite[]): Promise<string> => {
  const id = await ground.enqueue(...writes)
  expect(await ground.outbox.wait(id, 20_000)).toBe('failed')
  const [row] = await ground.store.read<{ error: string }>('SELECT error FROM outbox WHERE id = ?', [id])
  return row?.error ?? ''
}

const call = async (contract: 'TitleRegistry' | 'LicenceRegistry', method: string, args: unknown[]) => {
  const { address, interface: own } = ground.contracts[contract]
  const data = own.encodeFunctionData(method, args)
  return own.decodeFunctionResult(method, await ground.client.rpc('eth_call', [{ to: address, data }, 'latest']))[0]
}

const sendFrom = async (account: ChainAccount, to: string, data: string): Promise<boolean> => {
  const { chainId } = ground.client
  const nonce = await ground.client.transactionCount(account.address)
  const fees = { maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }
  const fields = { type: 2, chainId, nonce, to, data, gasLimit: 500_000, value: 0n, ...fees }
  const { raw, hash } = await signTransaction(account, fields)
  await ground.client.broadcast(raw)
  await ground.embedded.mine()
  return (await ground.client.receipt(hash))?.succeeded ?? false
}

const read = async <Standing>(tokens: AsyncIterable<Standing>): Promise<Standing[]> => {
  const found: Standing[] = []
  for await (const token of tokens) found.push(token)
  return found
}

const all = async <Standing>(standing: Promise<{ tokens: AsyncIterable<Standing> }>): Promise<Standing[]> =>
  read((await standing).tokens)

const titleOf = async (register: string, entryId: string) =>
  (await all(tokens.titles.standing(register))).find(title => title.entryId === entryId)

const accredit = async (): Promise<void> => {
  const root = ground.embedded.deployer.address
  const outbox = ground.openOutbox({ account: ground.embedded.deployer })
  const from = Math.floor(ground.clock.now() / 1_000) - 60
  const writes = [type, 'KycAttestation'].map(name => ({
    ...{ contract: 'TrustRegistry', method: 'accredit', account: root },
    args: [ground.issuer, typeIdOf(name), from, from + 1_000_000, 0],
  }))
  const id = await ground.store.transaction(tx => outbox.enqueue(tx, writes))
  await outbox.wait(id, 20_000)
  expect(await ground.store.read('SELECT DISTINCT error FROM outbox WHERE id = ?', [id])).toEqual([{ error: null }])
}

/** Binds the wallet to somebody in the domain, by the account that owns the issuer. */
const bind = async (wallet: string, domain: string): Promise<void> => {
  const place = { chainId: ground.client.chainId, address: ground.contracts.WalletRegistry.address }
  const binding: WalletBinding = {
    ...{ issuer: ground.issuer, wallet, domain: domainIdOf(domain), level: 2, jurisdiction: 'XN' },
    pseudonym: pseudonymIdOf(createHash('sha256').update(wallet).digest('base64url')),
    expiry: Math.floor(ground.clock.now() / 1_000 + 7_200) * 1_000,
    ...{ list: firstBindingList, index: nextIndex++, deadline: ground.clock.now() + 3_600_000 },
  }
  const signature = secp256k1BindingSignature(await ground.account.sign(bindingDigest(place, binding)))
  await ground.send(bindWrite({ binding, signature, account: ground.issuer }))
}

beforeAll(async () => {
  ground = await openGround()
  const { client, contracts, issuer, account } = ground
  tokens = registerTokens({ client, contracts, issuer, account: account.address })
  await accredit()
  await ground.send(
    openBindingListWrite({ issuer, list: firstBindingList, length: listLength }),
    ...tokens.titles.openRegister({ name: 'titles', type, baseUri, walletTransfers: null }),
    ...tokens.titles.openRegister({ name: 'flats', type, baseUri, walletTransfers: { domain: 'flats', level: 2 } }),
    ...tokens.licences.openRegister({ name: 'licences', type, baseUri }),
    ...tokens.assets.openRegister({ name: 'quotas', type, baseUri }),
  )
})
afterAll(() => ground.close())

describe('ids', () => {
  it('of tokens are those that the contract gives, whatever issuer, register and entry', async () => {
    const { address, interface: own } = ground.contracts.TitleRegistry
    const hex = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(bytes => `0x${Buffer.from(bytes).toString('hex')}`)
    await fc.assert(
      fc.asyncProperty(hex, fc.string(), fc.uuid(), async (issuer, register, entryId) => {
        const { id } = await import('ethers')
        const data = own.encodeFunctionData('tokenIdOf', [issuer, id(register), uuidNumber(entryId)])
        const told = await ground.client.rpc<string>('eth_call', [{ to: address, data }, 'latest'])
        expect(tokenIdOf(issuer, register, entryId)).toBe(String(BigInt(told)))
      }),
      { numRuns: 25 },
    )
  })

  it('of two entries, registers or issuers are never the same', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.string(), fc.string(), (one, other, register, another) => {
        const issuer = ground.issuer
        const same = one === other && register === another
        expect(tokenIdOf(issuer, register, one) === tokenIdOf(issuer, another, other)).toBe(same)
      }),
    )
  })

  it('are of UUIDs in lower case, and of nothing else', () => {
    for (const wrong of [
      '',
      'x',
      '0198C7F2-0a1b-7c3d-8e4f-5a6b7c8d9e0f',
      '0198c7f20a1b7c3d8e4f5a6b7c8d9e0f',
      '-'.repeat(36),
    ]) {
      expect(() => uuidNumber(wrong)).toThrow(RangeError)
      expect(() => orderIdOf(wrong)).toThrow(RangeError)
    }
    expect(registerKeyOf(ground.issuer, 'titles') < 1n << 128n).toBe(true)
  })
})

describe('a register', () => {
  it('is open once it was opened, and not before', async () => {
    expect(await tokens.titles.isOpen('titles')).toBe(true)
    expect(await tokens.titles.isOpen('licences')).toBe(false)
    expect(await tokens.licences.isOpen('licences')).toBe(true)
    expect(await tokens.assets.isOpen('quotas')).toBe(true)
    const again = tokens.titles.openRegister({ name: 'titles', type, baseUri, walletTransfers: null })
    expect(await refusedOnChain(again)).toContain('RegisterExists')
  })

  it('is not opened for a type that the agency is not accredited for', async () => {
    const writes = tokens.licences.openRegister({ name: 'pilots', type: 'PilotLicence', baseUri })
    expect(await refusedOnChain(writes)).toContain('RegistrarNotAccredited')
    expect(await tokens.licences.isOpen('pilots')).toBe(false)
  })

  it('is read at one block, in pages, in the order of its entries', async () => {
    const [open] = tokens.titles.openRegister({ name: 'many', type, baseUri, walletTransfers: null })
    const entries = Array.from({ length: 620 }, () => newEntry())
    const mint = tokens.titles.mint('many', entries)
    expect(mint).toHaveLength(7)
    for (const write of [...(open ? [open] : []), ...mint]) await ground.send(write)
    const standing = await tokens.titles.standing('many')
    // What is made after the block does not count.
    await ground.send(...tokens.titles.mint('many', [newEntry()]))
    const found = await read(standing.tokens)
    expect(found.map(({ entryId }) => entryId)).toEqual(entries.map(({ entryId }) => entryId))
    expect(found.at(-1)).toEqual({
      ...{ tokenId: tokens.tokenIdOf('many', entries.at(-1)?.entryId ?? ''), entryId: entries.at(-1)?.entryId },
      ...{ holder: null, frozen: false, encumbrances: 0, commitment: entries.at(-1)?.commitment },
    })
    expect(standing.block).toMatchObject({ chain: ground.client.chain })
    expect(await all(tokens.titles.standing('never opened'))).toEqual([])
  })
})

describe('a title', () => {
  it('is made, transferred by the register and amended', async () => {
    const [buyer, entry] = [newAddress(), newEntry()]
    const { entryId } = entry
    const commitment = commitmentOf('sold')
    await ground.send(
      ...tokens.titles.mint('titles', [entry]),
      ...tokens.titles.transfer('titles', { entryId, from: null, to: buyer, commitment }),
      ...tokens.titles.encumber('titles', { entryId, encumbrances: 2, commitment }),
    )
    const tokenId = tokens.tokenIdOf('titles', entryId)
    expect(await titleOf('titles', entryId)).toEqual({
      ...{ tokenId, entryId, holder: buyer, frozen: false, encumbrances: 2, commitment },
    })
    expect(await call('TitleRegistry', 'tokenURI', [tokenId])).toBe(`${baseUri}${tokenId}`)
    await ground.send(...tokens.titles.amend('titles', [{ entryId, commitment: entry.commitment }]))
    expect(await titleOf('titles', entryId)).toMatchObject({ commitment: entry.commitment })
  })

  it('stays where it is under a freeze, until an order forces it, once', async () => {
    const entry = newEntry(newAddress())
    const { entryId, holder: from, commitment } = entry
    const to = newAddress()
    const [caveat, order] = [randomUUID(), randomUUID()]
    await ground.send(
      ...tokens.titles.mint('titles', [entry]),
      ...tokens.titles.freeze('titles', { entryId, order: caveat }),
    )
    const sale = tokens.titles.transfer('titles', { entryId, from, to, commitment })
    expect(await refusedOnChain(sale)).toContain('TitleFrozen')
    await ground.send(...tokens.titles.forcedTransfer('titles', { entryId, from, to, order, commitment }))
    expect(await titleOf('titles', entryId)).toMatchObject({ holder: to, frozen: true })
    const back = { entryId, from: to, to: from, order, commitment }
    expect(await refusedOnChain(tokens.titles.forcedTransfer('titles', back))).toContain('OrderUsed')
    await ground.send(...tokens.titles.unfreeze('titles', { entryId, order: caveat }))
    expect(await titleOf('titles', entryId)).toMatchObject({ frozen: false })
  })

  it('does not take back a sale that it did not know of', async () => {
    const entry = newEntry(newAddress())
    await ground.send(...tokens.titles.mint('titles', [entry]))
    const { entryId, commitment } = entry
    const sale = tokens.titles.transfer('titles', { entryId, from: newAddress(), to: newAddress(), commitment })
    expect(await refusedOnChain(sale)).toContain('NotHolder')
  })

  it('is split and merged, and closed', async () => {
    const [whole, left, right, merged] = [newEntry(), newEntry(newAddress()), newEntry(), newEntry()]
    const successorsOf = (...entries: TokenEntry[]) => entries.map(each => ({ ...each, encumbrances: 1 }))
    await ground.send(
      ...tokens.titles.mint('titles', [whole]),
      ...tokens.titles.replace('titles', { predecessors: [whole], successors: successorsOf(left, right) }),
      ...tokens.titles.replace('titles', { predecessors: [left, right], successors: successorsOf(merged) }),
      ...tokens.titles.close('titles', merged),
    )
    for (const { entryId } of [whole, left, right, merged]) {
      expect((await titleOf('titles', entryId))?.holder).toBeUndefined()
    }
    expect(await titleOf('titles', right.entryId)).toMatchObject({ encumbrances: 1 })
    expect(await refusedOnChain(tokens.titles.mint('titles', [whole]))).toContain('EntryExists')
  })

  it('is transferred by its holder to a wallet that an accredited issuer has bound, and to no other', async () => {
    const [seller, buyer] = [newAccount(), newAddress()]
    await ground.embedded.faucet(seller.address)
    const entry = newEntry(seller.address.toLowerCase())
    await ground.send(...tokens.titles.mint('flats', [entry]))
    const { address, interface: own } = ground.contracts.TitleRegistry
    const tokenId = tokens.tokenIdOf('flats', entry.entryId)
    const data = own.encodeFunctionData('transferFrom', [seller.address, buyer, tokenId])
    expect(await sendFrom(seller, address, data)).toBe(false)
    await bind(buyer, 'another domain')
    expect(await sendFrom(seller, address, data)).toBe(false)
    await bind(buyer, 'flats')
    expect(await sendFrom(seller, address, data)).toBe(true)
    expect(await titleOf('flats', entry.entryId)).toMatchObject({ holder: buyer })
  })
})

describe('a licence', () => {
  const licence = (expires: number | null) => ({ ...newEntry(newAddress()), expires })
  const standingOf = async (entryId: string) =>
    (await all(tokens.licences.standing('licences'))).find(each => each.entryId === entryId)

  it('is granted, renewed, suspended, reinstated and revoked', async () => {
    const hour = 3_600_000
    const soon = Math.floor(ground.clock.now() / 1_000) * 1_000 + hour
    const [one, endless] = [licence(soon), licence(null)]
    const { entryId, holder, commitment } = one
    await ground.send(...tokens.licences.mint('licences', [one, endless]))
    const tokenId = tokens.tokenIdOf('licences', entryId)
    expect(await standingOf(entryId)).toEqual({ tokenId, entryId, holder, state: 'active', expires: soon, commitment })
    expect(await standingOf(endless.entryId)).toMatchObject({ expires: null })
    expect(await call('LicenceRegistry', 'isInForce', [tokenId])).toBe(true)
    await ground.send(
      ...tokens.licences.renew('licences', { entryId, expires: soon + hour, commitment: commitmentOf('renewed') }),
      ...tokens.licences.suspend('licences', [entryId, endless.entryId]),
    )
    expect(await standingOf(entryId)).toMatchObject({ state: 'suspended', expires: soon + hour })
    expect(await call('LicenceRegistry', 'isInForce', [tokenId])).toBe(false)
    await ground.send(
      ...tokens.licences.reinstate('licences', [entryId]),
      ...tokens.licences.amend('licences', [{ entryId, commitment }]),
      ...tokens.licences.revoke('licences', [endless.entryId]),
    )
    expect(await standingOf(entryId)).toMatchObject({ state: 'active', commitment })
    expect(await standingOf(endless.entryId)).toMatchObject({ state: 'revoked', holder: endless.holder })
    expect(await refusedOnChain(tokens.licences.reinstate('licences', [endless.entryId]))).toContain('WrongState')
  })

  it('moves to another wallet of its holder under a reason, and in no other way', async () => {
    const seller = newAccount()
    await ground.embedded.faucet(seller.address)
    const held = { ...newEntry(seller.address.toLowerCase()), expires: null }
    const { entryId, holder: from } = held
    await ground.send(...tokens.licences.mint('licences', [held]))
    const { address, interface: own } = ground.contracts.LicenceRegistry
    const to = newAddress()
    const tokenId = tokens.tokenIdOf('licences', entryId)
    const data = own.encodeFunctionData('transferFrom', [seller.address, to, tokenId])
    expect(await sendFrom(seller, address, data)).toBe(false)
    const reason = randomUUID()
    await ground.send(...tokens.licences.replaceWallet('licences', { entryId, from, to, reason }))
    expect(await standingOf(entryId)).toMatchObject({ holder: to })
    const back = tokens.licences.replaceWallet('licences', { entryId, from: to, to: from, reason })
    expect(await refusedOnChain(back)).toContain('OrderUsed')
  })
})

describe('an asset', () => {
  const openClass = async (cap: bigint): Promise<TokenEntry> => {
    const entry = newEntry()
    await ground.send(...tokens.assets.openClass('quotas', { ...entry, cap, decimals: 3, walletTransfers: null }))
    return entry
  }
  const standingOf = async (entryId: string) =>
    (await all(tokens.assets.standing('quotas'))).find(each => each.entryId === entryId)

  it('is issued up to its cap, transferred and retired', async () => {
    const cap = 2n ** 100n
    const { entryId, commitment } = await openClass(cap)
    const fisher = newAddress()
    await ground.send(
      ...tokens.assets.issue('quotas', { entryId, to: null, amount: cap }),
      ...tokens.assets.transfer('quotas', { entryId, from: null, to: fisher, amount: 1_000n }),
      ...tokens.assets.retire('quotas', { entryId, from: fisher, amount: 400n }),
      ...tokens.assets.issue('quotas', { entryId, to: fisher, amount: 1n }),
    )
    expect(await standingOf(entryId)).toEqual({
      ...{ tokenId: tokens.tokenIdOf('quotas', entryId), entryId, cap, issued: cap - 399n, commitment },
      holdings: [
        { holder: null, amount: cap - 1_000n, frozen: 0n },
        { holder: fisher, amount: 601n, frozen: 0n },
      ],
    })
    const more = tokens.assets.issue('quotas', { entryId, to: fisher, amount: 400n })
    expect(await refusedOnChain(more)).toContain('CapExceeded')
    const lower = tokens.assets.amend('quotas', { entryId, cap: 1n, commitment })
    expect(await refusedOnChain(lower)).toContain('CapOutOfRange')
  })

  it('stays where it is as far as it is frozen, until an order takes it', async () => {
    const { entryId } = await openClass(1_000n)
    const [from, to] = [newAddress(), newAddress()]
    const [freeze, order] = [randomUUID(), randomUUID()]
    await ground.send(
      ...tokens.assets.issue('quotas', { entryId, to: from, amount: 100n }),
      ...tokens.assets.freeze('quotas', { entryId, holder: from, amount: 80n, order: freeze }),
    )
    const move = tokens.assets.transfer('quotas', { entryId, from, to, amount: 21n })
    expect(await refusedOnChain(move)).toContain('UnitsFrozen')
    const forced = { entryId, from, to, amount: 30n, order, freeze }
    await ground.send(...tokens.assets.forcedTransfer('quotas', forced))
    expect((await standingOf(entryId))?.holdings).toEqual([
      { holder: from, amount: 70n, frozen: 50n },
      { holder: to, amount: 30n, frozen: 0n },
    ])
    await ground.send(...tokens.assets.unfreeze('quotas', { entryId, holder: from, order: freeze }))
    expect((await standingOf(entryId))?.holdings[0]).toEqual({ holder: from, amount: 70n, frozen: 0n })
  })

  it('needs no transaction to pass between two who both have no wallet', () => {
    expect(tokens.assets.transfer('quotas', { entryId: randomUUID(), from: null, to: null, amount: 1n })).toEqual([])
  })
})
