import { id } from 'ethers'
import type { ChainWrite } from '../kernel/ports.ts'
import type { Chain } from './chain.ts'
import { openView } from './view.ts'

/** A currency as it is made on the chain. */
export type CurrencyOpening = {
  number: number
  code: string
  name: string
  decimals: number
  home: 'ledger' | 'chain'
  /** Minor units that its issuer may mint and burn a day; of a currency whose home is the chain. */
  limits?: { minting: bigint; burning: bigint } | undefined
}

/** Chain accounts, lower case. */
export type CurrencyRoles = {
  root: string
  issuer: string
  /** Attests the reserve of a currency whose home is the chain. */
  attestor?: string | undefined
  /** Of the ledger that keeps it. @default the issuer */
  operator?: string | undefined
}

/** As the gate numbers them, which has none as well, and as the money does. */
const gateHomes = { ledger: 1, chain: 2 } as const
const moneyHomes = { ledger: 0, chain: 1 } as const
const zeroAddress = `0x${'0'.repeat(40)}`
/** 2^63 − 1: no limit but what an account can hold. */
const most = 0x7fffffffffffffffn

/** What a holder of each KYC level may hold and pay in a day on the chain; minor units. */
const tiers = [
  [100_000n, 100_000n],
  [1_000_000n, 500_000n],
  [100_000_000n, 50_000_000n],
] as const

/** Contracts that hold bound money for others. */
const institutions = ['RailGate', 'Settlement', 'PurposeMoney'] as const

type Parts = Pick<Chain, 'client' | 'contracts'>

const reads = ({ client, contracts }: Parts) => {
  const view = openView(client)
  return {
    moneyOf: async (number: number) =>
      String((await view(contracts.MoneyFactory, 'moneyOf', [number]))[0]).toLowerCase(),
    isOpen: (money: string) =>
      view(contracts.RailGate, 'currencyOf', [money]).then(
        () => true,
        () => false,
      ),
  }
}

export type CurrencyStage = 'missing' | 'made' | 'open'

/** How far a currency has come on the chain: made by the root, given its terms by the issuer, opened by the root. */
export const stageOf = async (parts: Parts, number: number): Promise<CurrencyStage> => {
  const { moneyOf, isOpen } = reads(parts)
  const money = await moneyOf(number)
  if (money === zeroAddress) return 'missing'
  return (await isOpen(money)) ? 'open' : 'made'
}

/** Makes the money of a currency. */
export const makeWrite = (
  { contracts }: Parts,
  { number, code, name, decimals, home }: CurrencyOpening,
  { root, issuer, attestor }: CurrencyRoles,
): ChainWrite => {
  const engine = home === 'ledger' ? contracts.PolicyEngine.address : zeroAddress
  // Only money whose reserve lies elsewhere has somebody who attests it, and an issuer would attest to itself.
  if (home === 'chain' && (attestor === undefined || attestor === issuer)) {
    throw new Error(`the reserve of ${code} is attested by somebody else than its issuer`)
  }
  const attests = home === 'ledger' ? zeroAddress : attestor
  const opening = [number, code, name, decimals, moneyHomes[home], engine, issuer, attests]
  return { contract: 'MoneyFactory', method: 'createCurrency', args: [opening], account: root }
}

/** Lets it move between the rails: the last step. */
export const openWrite = async (
  parts: Parts,
  { number, home }: CurrencyOpening,
  { root, issuer, operator = issuer }: CurrencyRoles,
): Promise<ChainWrite> => {
  const money = await reads(parts).moneyOf(number)
  return { contract: 'RailGate', method: 'openCurrency', args: [money, gateHomes[home], operator, most], account: root }
}

/**
 * For so long an account that was asked about pays without `WalletRegistry` being asked again: a third of a payment's gas, at the price
 * that the end of a binding is felt that much later. A freeze is felt at once.
 */
const recallSeconds = 3_600

/** What the issuer says of its money once, when the root has made it. */
export const termsOfIssuer = async (
  parts: Parts,
  currency: CurrencyOpening,
  { issuer, now }: { issuer: string; now: number },
): Promise<ChainWrite[]> => {
  const { contracts } = parts
  const money = await reads(parts).moneyOf(currency.number)
  const write = (contract: string, method: string, args: unknown[]): ChainWrite => ({
    ...{ contract, method, args, account: issuer },
  })
  if (currency.home === 'chain') {
    const { minting = 0n, burning = 0n } = currency.limits ?? {}
    return [write(`SovereignMoney@${money}`, 'setMinterLimits', [issuer, minting, burning])]
  }
  return [
    write(`SovereignMoney@${money}`, 'setLimits', [contracts.RailGate.address, most, most]),
    write('PolicyEngine', 'setPolicy', [money, tiers, Math.floor(now / 1_000)]),
    write('PolicyEngine', 'setRecall', [money, recallSeconds]),
    ...institutions.map(name =>
      write('PolicyEngine', 'setInstitution', [money, contracts[name].address, id(`chancery:${name}`)]),
    ),
  ]
}
