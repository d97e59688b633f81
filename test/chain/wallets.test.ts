import { generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Wallet } from 'ethers'
import fc from 'fast-check'
import { thumbprintToBytes32, typeIdOf } from '../../src/chain/contracts.ts'
import type { Follower } from '../../src/chain/follower.ts'
import type { Outbox } from '../../src/chain/outbox.ts'
import {
  admitIssuerKeyWrite,
  bindCall,
  bindingDigest,
  bindingTypedData,
  bindWrite,
  domainIdOf,
  firstBindingList,
  openBindingListWrite,
  p256BindingSignature,
  pseudonymIdOf,
  pseudonymOfId,
  secp256k1BindingSignature,
  type WalletBinding,
} from '../../src/chain/wallets.ts'
import { thumbprintOf } from '../../src/identity/key-material.ts'
import type { ChainWrite } from '../../src/kernel/ports.ts'
import { type Ground, listLength, newAccount, openGround, refusalOf, sendFrom, setBits } from './ground.ts'

type P256Key = { privateKey: KeyObject; jwk: JsonWebKey; thumbprint: string }

const newKey = (): P256Key => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = publicKey.export({ format: 'jwk' }) as JsonWebKey
  return { privateKey, jwk, thumbprint: thumbprintOf(jwk) }
}

const hour = 3_600_000
const money = domainIdOf('XND')
const key = newKey()
let ground: Ground
let follower: Follower
let rootOutbox: Outbox
let place: { chainId: number; address: string }
let nextIndex = 0

const newPseudonym = (): string => Buffer.from(Wallet.createRandom().privateKey.slice(2), 'hex').toString('base64url')
const newWallet = (): string => newAccount().address.toLowerCase()

/** A wallet nobody knows, bound to a person nobody knows. */
const newBinding = (change: Partial<WalletBinding> = {}): WalletBinding => ({
  issuer: ground.issuer,
  wallet: newWallet(),
  domain: money,
  pseudonym: pseudonymIdOf(newPseudonym()),
  level: 2,
  jurisdiction: 'XN-NO',
  expiry: Math.floor(ground.clock.now() / 1_000 + 7_200) * 1_000,
  list: firstBindingList,
  index: nextIndex++,
  deadline: ground.clock.now() + hour,
  ...change,
})

const signedWith = (used: P256Key, binding: WalletBinding): string => {
  const data = bindingDigest(place, binding)
  const signature = sign('sha256', data, { key: used.privateKey, dsaEncoding: 'ieee-p1363' })
  return p256BindingSignature(used.thumbprint, signature)
}

const handIn = async (binding: WalletBinding, signature = signedWith(key, binding)): Promise<void> => {
  await ground.send(bindWrite({ binding, signature, account: ground.issuer }))
  await follower.poke()
}

/** What the outbox was told when the chain declined. */
const refusedOnChain = async (write: ChainWrite): Promise<string> => {
  const id = await ground.enqueue(write)
  expect(await ground.outbox.wait(id, 20_000)).toBe('failed')
  const [row] = await ground.store.read<{ error: string }>('SELECT error FROM outbox WHERE id = ?', [id])
  return row?.error ?? ''
}

const unbind = (wallet: string): Omit<ChainWrite, 'account'> => ({
  contract: 'WalletRegistry',
  method: 'unbind',
  args: [money, [wallet]],
})

const asRoot = async (...writes: ChainWrite[]): Promise<void> => {
  const id = await ground.store.transaction(tx => rootOutbox.enqueue(tx, writes))
  await rootOutbox.wait(id, 20_000)
  expect(await ground.store.read('SELECT DISTINCT error FROM outbox WHERE id = ?', [id])).toEqual([{ error: null }])
  await follower.poke()
}
const root = (): string => ground.embedded.deployer.address

const call = async (method: string, args: unknown[]): Promise<unknown[]> => {
  const { address, interface: own } = ground.contracts.WalletRegistry
  const data = own.encodeFunctionData(method, args)
  return [...own.decodeFunctionResult(method, await ground.client.rpc('eth_call', [{ to: address, data }, 'latest']))]
}

/** The replica's answer, after making sure that the contract's is the same. */
const standing = async (wallet: string, domain = 'XND') => {
  const told = follower.wallets.standing(wallet, domain)
  const id = domain.startsWith('0x') ? domain : domainIdOf(domain)
  const [valid, level] = await call('standingOf', [wallet, id])
  expect({ valid, level }).toEqual({ valid: told.valid, level: told.valid ? BigInt(told.level) : 0n })
  const [pseudonym] = await call('pseudonymOf', [wallet, id])
  if (told.valid) expect(pseudonymOfId(String(pseudonym))).toBe(told.pseudonym)
  return told
}

beforeAll(async () => {
  ground = await openGround()
  rootOutbox = ground.openOutbox({ account: ground.embedded.deployer })
  follower = await ground.openFollower()
  place = { chainId: ground.client.chainId, address: ground.contracts.WalletRegistry.address }
  const from = Math.floor(ground.clock.now() / 1_000) - 60
  const accredit = [ground.issuer, typeIdOf('KycAttestation'), from, from + 1_000_000, 0]
  await asRoot(
    { contract: 'TrustRegistry', method: 'accredit', args: accredit, account: root() },
    admitIssuerKeyWrite({ issuer: ground.issuer, jwk: key.jwk, account: root() }),
  )
  await ground.send(openBindingListWrite({ issuer: ground.issuer, list: firstBindingList, length: listLength }))
  await follower.poke()
})
afterAll(() => ground.close())

describe('a wallet', () => {
  it('is bound by a P-256 signature of the issuer, whichever half of the order its s is in', async () => {
    const bindings = Array.from({ length: 8 }, () => newBinding())
    for (const binding of bindings) await handIn(binding)
    for (const { wallet, pseudonym, expiry, index } of bindings) {
      expect(await standing(wallet)).toEqual({
        ...{ valid: true, wallet, domain: money, issuer: ground.issuer, level: 2, jurisdiction: 'XN' },
        ...{ pseudonym: pseudonymOfId(pseudonym), expiry, list: firstBindingList, index },
      })
    }
  })

  it('is bound by a secp256k1 signature of the account that owns the issuer', async () => {
    const binding = newBinding({ level: 3 })
    const signature = secp256k1BindingSignature(await ground.account.sign(bindingDigest(place, binding)))
    await handIn(binding, signature)
    expect(await standing(binding.wallet)).toMatchObject({ valid: true, level: 3 })
  })

  it('is bound by the citizen, who sends it from the wallet itself', async () => {
    const citizen = newAccount()
    await ground.embedded.faucet(citizen.address)
    const binding = newBinding({ wallet: citizen.address.toLowerCase() })
    const signature = signedWith(key, binding)
    await sendFrom(ground, citizen, bindCall(ground.contracts.WalletRegistry, { binding, signature }))
    await follower.poke()
    expect(await standing(binding.wallet)).toMatchObject({ valid: true })
  })

  it('is bound in one domain and not in another, which the reader takes by name or by id', async () => {
    const binding = newBinding()
    await handIn(binding)
    expect(await standing(binding.wallet, money)).toMatchObject({ valid: true })
    expect(await standing(binding.wallet.toUpperCase().replace('0X', '0x'))).toMatchObject({ valid: true })
    expect(await standing(binding.wallet, 'land titles')).toEqual({ valid: false, reason: 'unbound' })
    expect(await standing(newWallet())).toEqual({ valid: false, reason: 'unbound' })
  })

  it('is invalid from the block on in which its bit is set, and its neighbour is not', async () => {
    const [binding, neighbour] = [newBinding(), newBinding()]
    await handIn(binding)
    await handIn(neighbour)
    expect(await standing(binding.wallet)).toMatchObject({ valid: true })
    await ground.send(setBits(ground.issuer, [{ list: firstBindingList, index: binding.index }]))
    await follower.poke()
    expect(await standing(binding.wallet)).toMatchObject({ valid: false, reason: 'revoked', index: binding.index })
    expect(await standing(neighbour.wallet)).toMatchObject({ valid: true })
  })

  it('is invalid when its binding has expired, without any block', async () => {
    const late = await ground.openFollower({ maxLagMs: 10 * hour, maxHeadAgeMs: 10 * hour, pollMs: 50 })
    const binding = newBinding()
    await handIn(binding)
    await late.poke()
    ground.clock.ahead = binding.expiry - Date.now() - 5_000
    expect(late.wallets.standing(binding.wallet, money)).toMatchObject({ valid: true })
    ground.clock.ahead = binding.expiry - Date.now()
    expect(late.wallets.standing(binding.wallet, money)).toMatchObject({ valid: false, reason: 'expired' })
    ground.clock.ahead = 0
    await follower.poke()
  })

  it('is unbound by its issuer, and comes back with a new signature only', async () => {
    const binding = newBinding()
    await handIn(binding)
    await ground.send(unbind(binding.wallet))
    await follower.poke()
    expect(await standing(binding.wallet)).toEqual({ valid: false, reason: 'unbound' })
    const again = bindWrite({ binding, signature: signedWith(key, binding), account: ground.issuer })
    expect(await refusedOnChain(again)).toMatch(/IndexUsed/)
    await handIn({ ...binding, index: nextIndex++ })
    expect(await standing(binding.wallet)).toMatchObject({ valid: true })
  })

  it('is refused when the chain has not been followed for longer than allowed', async () => {
    const late = await ground.openFollower({ maxLagMs: 1_000, pollMs: 3_600_000 })
    expect(late.wallets.standing(newWallet(), 'XND').valid).toBe(false)
    ground.clock.ahead = 1_500
    expect(await refusalOf(() => late.wallets.standing(newWallet(), 'XND'))).toBe('status_unavailable')
    expect(await refusalOf(() => late.wallets.bindingsOf(newPseudonym(), 'XND'))).toBe('status_unavailable')
    expect(await refusalOf(() => late.wallets.issuerKey(ground.issuer, key.thumbprint))).toBe('status_unavailable')
    ground.clock.ahead = 0
  })
})

describe('a person', () => {
  it('has one wallet in a domain, which another replaces', async () => {
    const first = newBinding()
    await handIn(first)
    const second = newBinding({ pseudonym: first.pseudonym })
    const refused = bindWrite({ binding: second, signature: signedWith(key, second), account: ground.issuer })
    expect(await refusedOnChain(refused)).toMatch(/TooManyWallets/)
    const third = newBinding({ pseudonym: first.pseudonym, replaces: first.wallet })
    await handIn(third)
    expect(await standing(first.wallet)).toEqual({ valid: false, reason: 'unbound' })
    const own = follower.wallets.bindingsOf(pseudonymOfId(first.pseudonym), 'XND')
    expect(own).toMatchObject([{ valid: true, wallet: third.wallet }])
    expect(follower.wallets.bindingsOf(newPseudonym(), 'XND')).toEqual([])
    expect(follower.wallets.bindingsOf(pseudonymOfId(first.pseudonym), 'land titles')).toEqual([])
  })

  it('has several where Governance allows them, and the dead ones make room', async () => {
    const domain = domainIdOf('several')
    await asRoot({ contract: 'WalletRegistry', method: 'setWalletsMost', args: [domain, 2], account: root() })
    const bindings = [newBinding({ domain }), newBinding({ domain }), newBinding({ domain })]
    const { pseudonym } = bindings[0] as WalletBinding
    for (const binding of bindings) binding.pseudonym = pseudonym
    const [first, second, third] = bindings as [WalletBinding, WalletBinding, WalletBinding]
    await handIn(first)
    await handIn(second)
    await ground.send(setBits(ground.issuer, [{ list: firstBindingList, index: first.index }]))
    await follower.poke()
    const standings = () => follower.wallets.bindingsOf(pseudonymOfId(pseudonym), domain)
    expect(standings().map(own => own.valid)).toEqual([false, true])
    await handIn(third)
    expect(standings()).toMatchObject([{ wallet: second.wallet }, { wallet: third.wallet }])
    expect(await standing(first.wallet, domain)).toEqual({ valid: false, reason: 'unbound' })
  })
})

describe('a signature', () => {
  it('is refused with another key, over another wallet, or once the key was withdrawn', async () => {
    const binding = newBinding()
    const write = (signature: string) => bindWrite({ binding, signature, account: ground.issuer })
    expect(await refusedOnChain(write(signedWith(newKey(), binding)))).toMatch(/UnknownKey/)
    const forged = { ...newKey(), thumbprint: key.thumbprint }
    expect(await refusedOnChain(write(signedWith(forged, binding)))).toMatch(/InvalidSignature/)
    const other = signedWith(key, { ...binding, wallet: newWallet() })
    expect(await refusedOnChain(write(other))).toMatch(/InvalidSignature/)
    const elsewhere = bindingDigest({ ...place, chainId: place.chainId + 1 }, binding)
    const signature = sign('sha256', elsewhere, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    expect(await refusedOnChain(write(p256BindingSignature(key.thumbprint, signature)))).toMatch(/InvalidSignature/)
  })

  it('is over the digest that the contract computes', async () => {
    const address = fc
      .uint8Array({ minLength: 20, maxLength: 20 })
      .map(bytes => `0x${Buffer.from(bytes).toString('hex')}`)
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => `0x${Buffer.from(bytes).toString('hex')}`)
    const seconds = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(second => second * 1_000)
    const anyBinding = fc.record({
      ...{ issuer: address, wallet: address, replaces: address, domain: word, pseudonym: word },
      ...{ level: fc.integer({ min: 0, max: 255 }), jurisdiction: fc.stringMatching(/^[A-Z]{2}$/) },
      ...{ expiry: seconds, deadline: seconds },
      ...{ list: fc.integer({ min: 0, max: 65_535 }), index: fc.integer({ min: 0, max: 2 ** 24 - 1 }) },
    })
    await fc.assert(
      fc.asyncProperty(anyBinding, async binding => {
        const [digest] = await call('digestOf', [bindingTypedData(place, binding).message])
        expect(digest).toBe(`0x${Buffer.from(bindingDigest(place, binding)).toString('hex')}`)
      }),
      { numRuns: 50 },
    )
  })
})

describe("an issuer's key", () => {
  it('is unknown until the root has admitted it, and stays known as withdrawn', async () => {
    const signing = newKey()
    const known = () => follower.wallets.issuerKey(ground.issuer, signing.thumbprint)
    const admit = admitIssuerKeyWrite({ issuer: ground.issuer, jwk: signing.jwk, account: root() })
    expect(known()).toBeUndefined()
    await asRoot(admit)
    expect(known()).toBe('admitted')
    const [admitted] = await call('isIssuerKey', [ground.issuer, thumbprintToBytes32(signing.thumbprint)])
    expect(admitted).toBe(true)
    await asRoot({ ...admit, method: 'withdrawIssuerKey' })
    expect(known()).toBe('withdrawn')
    const binding = newBinding()
    const write = bindWrite({ binding, signature: signedWith(signing, binding), account: ground.issuer })
    expect(await refusedOnChain(write)).toMatch(/UnknownKey/)
  })

  it('is refused when it is of another curve', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const jwk = publicKey.export({ format: 'jwk' }) as JsonWebKey
    expect(() => admitIssuerKeyWrite({ issuer: ground.issuer, jwk, account: root() })).toThrow(/P-256/)
  })
})

describe('the replica of the registry of wallets', () => {
  it('is the same after the follower starts again', async () => {
    const binding = newBinding()
    await handIn(binding)
    const fresh = await ground.openFollower()
    expect(fresh.wallets.standing(binding.wallet, money)).toEqual(await standing(binding.wallet))
    expect(fresh.wallets.issuerKey(ground.issuer, key.thumbprint)).toBe('admitted')
  })

  // The last of this file with this chain: it takes blocks back, and the outbox's nonces with them.
  it('takes back what a reorganisation took back: bindings, ends of bindings, and set bits', async () => {
    const [kept, ended, revoked] = [newBinding(), newBinding(), newBinding()]
    for (const binding of [kept, ended, revoked]) await handIn(binding)
    const snapshot = await ground.client.rpc<string>('evm_snapshot', [])
    const added = newBinding()
    await handIn(added)
    const replaced = newBinding({ wallet: kept.wallet, pseudonym: kept.pseudonym, level: 3 })
    await handIn(replaced)
    await ground.send(unbind(ended.wallet), setBits(ground.issuer, [{ list: firstBindingList, index: revoked.index }]))
    await follower.poke()
    expect(await standing(added.wallet)).toMatchObject({ valid: true })
    expect(await standing(kept.wallet)).toMatchObject({ valid: true, level: 3 })
    expect(await standing(ended.wallet)).toMatchObject({ reason: 'unbound' })
    expect(await standing(revoked.wallet)).toMatchObject({ reason: 'revoked' })

    await ground.outbox.close()
    await ground.client.rpc('evm_revert', [snapshot])
    for (let i = 0; i < 6; i++) await ground.embedded.mine()
    await follower.poke()
    expect(await standing(added.wallet)).toEqual({ valid: false, reason: 'unbound' })
    expect(await standing(kept.wallet)).toMatchObject({ valid: true, level: 2 })
    expect(await standing(ended.wallet)).toMatchObject({ valid: true })
    expect(await standing(revoked.wallet)).toMatchObject({ valid: true })
    expect(follower.wallets.bindingsOf(pseudonymOfId(added.pseudonym), 'XND')).toEqual([])
  })
})
