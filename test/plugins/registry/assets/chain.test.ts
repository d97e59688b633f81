import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { typeIdOf } from '../../../../src/chain/contracts.ts'
import type { Follower } from '../../../../src/chain/follower.ts'
import { registerTokens } from '../../../../src/chain/tokens.ts'
import {
  bindingDigest,
  bindWrite,
  domainIdOf,
  firstBindingList,
  openBindingListWrite,
  pseudonymIdOf,
  secp256k1BindingSignature,
  type WalletBinding,
} from '../../../../src/chain/wallets.ts'
import type { HolderCaller } from '../../../../src/kernel/gate.ts'
import type { ChainWrite, RegisterTokens } from '../../../../src/kernel/ports.ts'
import { assetRoutes } from '../../../../src/plugins/registry/actions/assets/routes.ts'
import { type Difference, reconcile } from '../../../../src/plugins/registry/actions/reconcile.ts'
import { type Ground, listLength, newAccount, openGround, setBits } from '../../../chain/ground.ts'
import { holderCaller, movableClock, type Office, openOffice, refusalOf } from '../world.ts'
import { at, directorate, fleet, heldBy, issued, joint, legalBasis, opened, order, register, sources } from './scene.ts'

const domain = `register:${register}`
let ground: Ground
let follower: Follower
let tokens: RegisterTokens
let office: Office
let directory: string
let sent = 0

const bySender = async (...writes: ChainWrite[]): Promise<void> => {
  const root = ground.embedded.deployer
  const outbox = ground.openOutbox({ account: root })
  const id = await ground.store.transaction(tx => outbox.enqueue(tx, writes))
  await outbox.wait(id, 20_000)
  expect(await ground.store.read('SELECT DISTINCT error FROM outbox WHERE id = ?', [id])).toEqual([{ error: null }])
}

/** Hands over to the real contracts what the register wanted sent, in its order. */
const settle = async (): Promise<void> => {
  for (const { method, args } of office.writes.slice(sent)) {
    const assets = tokens.assets as unknown as Record<string, (...given: unknown[]) => ChainWrite[]>
    const writes = assets[method]?.(...args) ?? []
    if (writes.length > 0) await ground.send(...writes)
  }
  sent = office.writes.length
  office.clock.advance(1_000)
}

const compare = async (): Promise<Omit<Difference, 'register'>[]> => {
  const desk = { ...office.desk, tokens }
  const found = await reconcile(desk, desk.register(register), office.clock.now())
  const differences: Omit<Difference, 'register'>[] = []
  for await (const { register: _, ...difference } of found?.differences ?? []) differences.push(difference)
  return differences
}

/** A person whom the register knew by pseudonym before they showed their number. */
const pseudonymous = (value: string): HolderCaller =>
  holderCaller(undefined, {
    ...{ id: 'ownerPseudonym', type: 'NationalIdentity' },
    claims: {
      ...{ pseudonym: { domain, value }, familyName: 'Okafor', givenName: 'Robin' },
      personalAdministrativeNumber: 'N-Okafor',
    },
  })

let nextIndex = 0

const bind = async (wallet: string, pseudonym: string): Promise<void> => {
  const place = { chainId: ground.client.chainId, address: ground.contracts.WalletRegistry.address }
  const binding: WalletBinding = {
    ...{ issuer: ground.issuer, wallet, domain: domainIdOf(domain), level: 2, jurisdiction: 'XN' },
    ...{ pseudonym: pseudonymIdOf(pseudonym), list: firstBindingList, index: nextIndex++ },
    expiry: Math.floor(ground.clock.now() / 1_000 + 7_200) * 1_000,
    deadline: ground.clock.now() + 3_600_000,
  }
  const signature = secp256k1BindingSignature(await ground.account.sign(bindingDigest(place, binding)))
  await ground.send(bindWrite({ binding, signature, account: ground.issuer }))
  await follower.poke()
}

/** As the service runs it, with a view of the wallets on chain. */
const withWallets = async (caller: HolderCaller, operation: string, entry: string, body: unknown) => {
  const route = assetRoutes({ ...office.desk, ...office.needs.land, wallets: follower.wallets })[operation]
  if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
  const params = { register, entry }
  const how = { caller, params, query: {}, body, headers: {}, publicUrl: 'https://office.example' }
  return (await route.run(how)).body as Record<string, unknown>
}

const place = (caller: HolderCaller, entry: string, wallet: string | null) =>
  withWallets(caller, 'placeHolding', entry, { wallet })

beforeAll(async () => {
  ground = await openGround()
  follower = await ground.openFollower()
  const { client, contracts, issuer, account } = ground
  tokens = registerTokens({ client, contracts, issuer, account: account.address })
  const from = Math.floor(ground.clock.now() / 1_000) - 60
  await bySender(
    ...['ResourceQuota', 'KycAttestation'].map(name => ({
      ...{ contract: 'TrustRegistry', method: 'accredit', account: ground.embedded.deployer.address },
      args: [issuer, typeIdOf(name), from, from + 1_000_000, 0],
    })),
  )
  await ground.send(
    openBindingListWrite({ issuer, list: firstBindingList, length: listLength }),
    ...tokens.assets.openRegister({ name: register, type: 'ResourceQuota', baseUri: 'https://office.example/' }),
  )
  directory = mkdtempSync(join(tmpdir(), 'chancery-assets-'))
  office = await openOffice({ file: join(directory, 'office.sqlite') }, movableClock(), sources())
})
afterAll(async () => {
  await office.store.close()
  await ground.close()
  rmSync(directory, { recursive: true, force: true })
})

const officer = (entry: string, more: Record<string, string> = {}) => at(office, directorate(), { entry, ...more })

it('Register and chain agree after everything that can be done to units.', async () => {
  const [north, south] = [fleet('C-1'), fleet('C-2')]
  const { entry } = await opened(office)
  await issued(office, entry, north, '500')
  await issued(office, entry, south, '100')
  await at(office, joint(north.caller, south.caller), { entry })('transferUnits', { amount: '50', legalBasis })
  const freeze = async (amount: string, reference: string) => {
    const body = { of: north.named, amount, order: order(reference), legalBasis }
    return (await officer(entry)('freezeUnits', body)).freeze
  }
  const [first, second] = [await freeze('100', '1'), await freeze('200', '2')]
  await officer(entry, { freeze: first })('liftUnitsFreeze', { legalBasis })
  const taking = { from: north.named, to: south.named, legalBasis }
  await officer(entry)('forceTransferUnits', { ...taking, amount: '250', order: order('3'), freeze: second })
  await officer(entry)('retireUnits', { from: south.named, amount: '30', legalBasis, reason: 'Stock' })
  await officer(entry)('changeAssetCap', { cap: '570', legalBasis, reason: 'Stock' })
  await settle()
  expect(await compare()).toEqual([])
  const standing = await tokens.assets.standing(register)
  for await (const token of standing.tokens) {
    expect(token).toMatchObject({ entryId: entry, cap: 570n, issued: 570n })
    expect(token.holdings).toEqual([{ holder: null, amount: 570n, frozen: 0n }])
  }
})

it('Units go to their holder’s own wallet and to nobody else’s, stay there under a freeze, and come back.', async () => {
  const wallet = newAccount().address.toLowerCase()
  const value = createHash('sha256').update('Okafor').digest('base64url')
  const okafor = pseudonymous(value)
  const { entry } = await opened(office)
  const named = { person: { familyName: 'Okafor', givenName: 'Robin', pseudonym: value } }
  const { party } = await officer(entry)('issueUnits', { to: named, amount: '80', legalBasis })
  expect(await refusalOf(place(okafor, entry, wallet))).toBe('wallet_of_another')
  await bind(wallet, createHash('sha256').update('Somebody').digest('base64url'))
  expect(await refusalOf(place(okafor, entry, wallet))).toBe('wallet_of_another')
  const own = newAccount().address.toLowerCase()
  await bind(own, value)
  expect(await place(okafor, entry, own)).toMatchObject({ party, amount: '80', wallet: own })
  const freezing = { of: { party }, amount: '30', order: order('9'), legalBasis }
  const { freeze } = await officer(entry)('freezeUnits', freezing)
  await settle()
  expect(await compare()).toEqual([])
  expect(await refusalOf(place(okafor, entry, null))).toBe('holding_frozen')
  const issue = () => withWallets(directorate(), 'issueUnits', entry, { to: { party }, amount: '1', legalBasis })
  await issue()
  await ground.send(setBits(ground.issuer, [{ list: firstBindingList, index: 1 }]))
  await follower.poke()
  expect(await refusalOf(issue())).toBe('wallet_binding_ended')
  await officer(entry, { freeze })('liftUnitsFreeze', { legalBasis })
  await place(okafor, entry, null)
  expect(await issue()).toMatchObject({ issued: '82' })
  await settle()
  expect(await compare()).toEqual([])
})

it('What was done behind the register’s back is found: units, freezes, caps, classes too many and too few.', async () => {
  const { entry } = await opened(office)
  const north = fleet('C-1')
  await issued(office, entry, north, '10')
  await settle()
  expect(await compare()).toEqual([])
  const stranger = newAccount().address.toLowerCase()
  const extra = randomUUID()
  const commitment = `0x${'ab'.repeat(32)}`
  const planted = { entryId: extra, cap: 5n, decimals: 0, walletTransfers: null, commitment }
  await ground.send(
    ...tokens.assets.transfer(register, { entryId: entry, from: null, to: stranger, amount: 4n }),
    ...tokens.assets.freeze(register, { entryId: entry, holder: null, amount: 1n, order: randomUUID() }),
    ...tokens.assets.amend(register, { entryId: entry, cap: 2_000n, commitment }),
    ...tokens.assets.openClass(register, planted),
  )
  const { entry: unsent } = await opened(office)
  office.clock.advance(1_000)
  const own = await office.desk.house.store.read('SELECT commitment FROM registry_entries WHERE id = ?', [entry])
  expect(await compare()).toEqual([
    { entry, what: 'cap', inRegister: '1000', onChain: '2000' },
    { entry, what: 'units', inRegister: 'the registrar 10', onChain: 'the registrar 6' },
    { entry, what: 'frozen', inRegister: 'the registrar 0', onChain: 'the registrar 1' },
    { entry, what: 'units', inRegister: `${stranger} 0`, onChain: `${stranger} 4` },
    { entry, what: 'commitment', inRegister: own[0]?.['commitment'], onChain: commitment },
    { entry: extra, what: 'extra', inRegister: 'no entry', onChain: commitment },
    { entry: unsent, what: 'missing', inRegister: 'FQ-2026-0004', onChain: 'no token' },
  ])
  expect(await heldBy(office, entry, north)).toMatchObject({ amount: '10' })
  // What moved since the comparison began is left to the next one.
  await issued(office, entry, north, '1')
  expect((await compare()).filter(found => found.entry === entry).map(({ what }) => what)).toEqual(['commitment'])
})
