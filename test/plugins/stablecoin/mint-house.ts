import { randomBytes } from 'node:crypto'
import { Wallet } from 'ethers'
import { agencyMigrations } from '../../../src/agency.ts'
import { type ChainAccount, keyAccount } from '../../../src/chain/account.ts'
import { type CurrencyOpening, makeWrite, openWrite, termsOfIssuer } from '../../../src/chain/currencies.ts'
import { type Outbox, openOutbox } from '../../../src/chain/outbox.ts'
import { openStablecoin } from '../../../src/chain/stablecoin.ts'
import type { Caller, HolderCaller, ProvenCredential } from '../../../src/kernel/gate.ts'
import type { Verdict } from '../../../src/kernel/identity.ts'
import type { ChainWrite, Store, WalletStanding } from '../../../src/kernel/ports.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { followCoins } from '../../../src/plugins/stablecoin/actions/follow.ts'
import type { StablecoinNeeds } from '../../../src/plugins/stablecoin/needs.ts'
import { stablecoin } from '../../../src/plugins/stablecoin/plugin.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import { type Ground, newAccount } from '../../chain/ground.ts'
import type { Databases } from '../../databases.ts'
import { type Call, openEdge } from '../edge.ts'

/** An issuer and an attestor of a token on a real chain; who stands behind a wallet, and what a licence says, is the test's to change. */

const coinOf = (number: number): CurrencyOpening => ({
  ...{ number, code: 'HBR', name: 'Harbour Coin', decimals: 2, home: 'chain' },
  limits: { minting: 100_000n, burning: 100_000n },
})

const credential = (type: string, claims: Record<string, unknown>): ProvenCredential => ({
  ...{ type, issuer: 'self', holder: `did:key:${randomBytes(4).toString('hex')}`, holderKey: 'k', claims, own: true },
  digest: randomBytes(32).toString('base64url'),
})

const holder = (id: string, proof: ProvenCredential, author?: Caller): HolderCaller => ({
  ...{ kind: 'holder', id: proof.holder, actor: proof.holder, principal: proof.holder, mandates: [] },
  ...{ credentials: [proof], matched: { [id]: proof }, proof: 'presentation' },
  ...(author && { author }),
})

const competences = ['licence', 'issue', 'attest', 'orders', 'redeem'].map(each => `stablecoin:${each}`)
const officer = (officerNumber: string, author?: Caller): HolderCaller =>
  holder('officer', credential('PublicOfficer', { officerNumber, competences }), author)
/** As the gate brings the approval of the second of two. */
export const both = (): HolderCaller => officer('2', officer('1'))
export const one = (): HolderCaller => officer('1')
export const customer = (pseudonym: string, domain = 'cbdc:hbr'): HolderCaller =>
  holder('kyc', credential('KycAttestation', { pseudonym: { domain, value: pseudonym } }))

export type Answered = Record<string, unknown>

export type House = Awaited<ReturnType<typeof openHouses>>

/** @param number of the currency: one for each token that stands on this chain. */
export const openHouses = async (chain: Ground, number: number, place: Databases['place']) => {
  const { client, contracts, embedded, clock } = chain
  const coin = coinOf(number)
  clock.ahead = 0
  const opened: { close(): Promise<unknown> }[] = []
  const state = {
    known: new Map<string, string>(),
    licence: { verified: true, holder: '', issuer: 'did:ethr:0x01', licenceClass: 'electronic-money-institution' },
  }
  const agency = async (name: string, account: ChainAccount) => {
    const store = await openStore({ ...(await place()), migrations: agencyMigrations, entities: [] })
    const { mine, persist } = embedded
    const outbox: Outbox = openOutbox({ store, client, clock, account, contracts, confirmations: 0, mine, persist })
    opened.push(store, outbox)
    const send = async (...writes: Omit<ChainWrite, 'account'>[]) => {
      const all = writes.map(write => ({ ...write, account: account.address }))
      const id = await store.transaction(tx => outbox.enqueue(tx, all))
      await outbox.poke()
      await outbox.settled(10_000)
      return (await outbox.state(id))?.state
    }
    return { name, account, store, outbox, send, house: { store, journal, idempotency: openIdempotency(clock), clock } }
  }
  const funded = async (name: string) => {
    const account = newAccount()
    await embedded.faucet(account.address)
    return agency(name, account)
  }
  const root = await agency('root', embedded.deployer)
  const [issuer, attestor] = [await funded('issuer'), await funded('attestor')]
  const roles = {
    ...{ root: root.account.address, issuer: issuer.account.address, attestor: attestor.account.address },
    operator: root.account.address,
  }
  await root.send(makeWrite({ client, contracts }, coin, roles))
  await issuer.send(...(await termsOfIssuer({ client, contracts }, coin, { issuer: roles.issuer, now: clock.now() })))
  await root.send(await openWrite({ client, contracts }, coin, roles))

  const standing = (wallet: string, domain: string): WalletStanding => {
    const pseudonym = state.known.get(`${domain}/${wallet}`)
    if (pseudonym === undefined) return { valid: false, reason: 'unbound' }
    const bound = { wallet, domain, pseudonym, issuer: '0xb1', level: 2, jurisdiction: 'XN', list: 1, index: 1 }
    return { valid: true, ...bound, expiry: clock.now() + 1_000_000 }
  }
  const did = `did:ethr:0x7a69:${roles.issuer}`
  state.licence.holder = did
  const verify = async (): Promise<Verdict> => {
    const { verified, holder: of, issuer: by, licenceClass } = state.licence
    const refusal = { kind: 'rejected' as const, code: 'credential_revoked', detail: 'It is revoked.' }
    return {
      ...{ verified, checks: [], type: 'BusinessLicence', issuer: by, holder: of, at: clock.now() },
      ...{ claims: { id: of, licenceClass, licenceNumber: 'BL-1' }, ...(verified ? {} : { refusal }) },
    }
  }
  const needsOf = async (of: typeof issuer, role: 'issuer' | 'attestor'): Promise<StablecoinNeeds> => {
    const port = await openStablecoin({ client, contracts }, { account: of.account.address, currency: coin.number })
    const base = { number: coin.number, chain: port }
    const mine = role === 'issuer' ? { ...base, role, code: coin.code, decimals: coin.decimals } : { ...base, role }
    return {
      ...{ house: of.house, outbox: of.outbox, wallets: { standing } as never, verify, did, coins: [mine] },
      newId: () => timeId(clock.now()),
    }
  }
  const doorOf = (needs: StablecoinNeeds) => {
    const edge = openEdge(stablecoin.routes(needs))
    return async (operation: string, body?: unknown, how: Call = {}): Promise<Answered> =>
      (await edge(operation, body, { ...how, params: { currency: String(number), ...how.params } })).body
  }
  const [issuing, attesting] = [await needsOf(issuer, 'issuer'), await needsOf(attestor, 'attestor')]
  const [call, asAttestor] = [doorOf(issuing), doorOf(attesting)]
  /** Everything that was sent has come to its end, and so has what follows from it. */
  const follow = async () => {
    for (const [each, needs] of [
      [issuer, issuing],
      [attestor, attesting],
    ] as const) {
      do {
        await each.outbox.poke()
        await each.outbox.settled(10_000)
      } while ((await followCoins(needs)) > 0)
    }
  }
  const attest = (reserveMinor: string, over: Answered = {}) => {
    // The chain takes no two attestations of one second.
    clock.ahead += 1_000
    const now = clock.now()
    const body = {
      ...{ reserveMinor, asOf: new Date(now).toISOString(), validUntil: new Date(now + 30 * 86_400_000).toISOString() },
      ...{ reportDigest: randomBytes(32).toString('hex'), ...over },
    }
    return asAttestor('attestReserve', body, { caller: both() })
  }
  /** A wallet behind which somebody stands. */
  const wallet = (pseudonym?: string) => {
    const key = Wallet.createRandom()
    const address = key.address.toLowerCase()
    if (pseudonym !== undefined) state.known.set(`cbdc:hbr/${address}`, pseudonym)
    return { key, address, account: keyAccount(key.privateKey) }
  }
  const port = issuing.coins[0]?.chain
  if (port === undefined) throw new Error('no token')
  const { address: token } = await port.standing()
  const balance = async (of: string): Promise<bigint> => {
    const data = contracts.SovereignMoney.interface.encodeFunctionData('balanceOf', [of])
    return BigInt(await client.rpc<string>('eth_call', [{ to: token, data }, 'latest']))
  }
  const onToken = (method: string, ...args: unknown[]) => ({ contract: `SovereignMoney@${token}`, method, args })
  const authorize = async (of: ReturnType<typeof wallet>, amount: bigint, over: Answered = {}) => {
    const message = {
      ...{ from: of.address, to: roles.issuer, value: amount, validAfter: 0 },
      ...{
        validBefore: Math.floor(clock.now() / 1_000) + 3_600,
        nonce: `0x${randomBytes(32).toString('hex')}`,
        ...over,
      },
    }
    const types = ['address from', 'address to', 'uint256 value', 'uint256 validAfter', 'uint256 validBefore']
    const fields = [...types, 'bytes32 nonce'].map(each => {
      const [type = '', name = ''] = each.split(' ')
      return { type, name }
    })
    const domain = { name: coin.name, version: '1', chainId: client.chainId, verifyingContract: token }
    const signature = await of.key.signTypedData(domain, { ReceiveWithAuthorization: fields }, message)
    const { validAfter, validBefore, nonce } = message
    return { validAfter, validBefore, nonce, signature }
  }
  return {
    ...{ chain, state, roles, root, issuer, attestor, issuing, call, asAttestor, follow, attest, wallet, balance },
    ...{ authorize, onToken, clock, store: issuer.store as Store, standing: () => port.standing() },
    async close() {
      for (const each of opened.reverse()) await each.close()
    },
  }
}

/** The code with which something is refused. */
export const refusalOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'nothing was refused'
}
