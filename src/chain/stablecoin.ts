import type { Result } from 'ethers'
import type { ChainWrite } from '../kernel/ports.ts'
import type { Chain } from './chain.ts'
import type { Binding } from './contracts.ts'
import { toSeconds } from './contracts.ts'
import { errorText, isRevert } from './revert.ts'
import { orderIdOf } from './tokens.ts'
import { askingChain, chainUnavailable } from './unavailable.ts'
import { openView } from './view.ts'

/** A wallet lets the account take an amount from it, once (EIP-3009); seconds, and bytes in 0x hex. */
type Authorization = {
  from: string
  amount: bigint
  validAfter: number
  validBefore: number
  nonce: string
  signature: string
}

const zeroOrder = `0x${'0'.repeat(64)}`

/** The money of one currency whose home is the chain, for one account: its issuer's or its attestor's. */
export const openStablecoin = async (
  { client, contracts }: Pick<Chain, 'client' | 'contracts'>,
  { account, currency }: { account: string; currency: number },
) => {
  const gate = contracts.RailGate
  const ask = openView(client)
  const call = (of: Binding, method: string, args: unknown[] = []): Promise<Result> =>
    askingChain(() => ask(of, method, args))
  // Where the factory put it, or will: known before it stands.
  const [found] = await call(contracts.MoneyFactory, 'addressOf', [currency])
  const address = String(found).toLowerCase()
  const money = { address, interface: contracts.SovereignMoney.interface }
  const view = (method: string, ...args: unknown[]): Promise<Result> => call(money, method, args)
  const write = (method: string, ...args: unknown[]): ChainWrite => ({
    ...{ contract: `SovereignMoney@${address}`, method, args, account },
  })
  const standing = async () => {
    const [issuer, attestor, supply, paused, reserve, locked] = await Promise.all([
      ...[view('issuer'), view('attestor'), view('totalSupply'), view('isPaused'), view('reserve')],
      call(gate, 'lockedOf', [address]),
    ])
    const minter = String(issuer?.[0]).toLowerCase()
    const limits = await view('minterLimitsOf', minter)
    const [mintingLimit, mintingLeft, burningLimit, burningLeft] = limits as unknown as bigint[]
    const [amount, attestedAt, validUntil] = reserve as unknown as bigint[]
    const of = (value: unknown): bigint => BigInt(value as bigint)
    return {
      ...{ address, issuer: minter, attestor: String(attestor?.[0]).toLowerCase() },
      ...{ supply: of(supply?.[0]), locked: of(locked?.[0]), paused: paused?.[0] === true },
      reserve:
        of(validUntil) === 0n
          ? undefined
          : { amount: of(amount), attestedAt: Number(attestedAt) * 1_000, validUntil: Number(validUntil) * 1_000 },
      minting: { limit: of(mintingLimit), left: of(mintingLeft) },
      burning: { limit: of(burningLimit), left: of(burningLeft) },
    }
  }
  return {
    standing,
    async refusalOf({ method, args }: ChainWrite): Promise<string | undefined> {
      const data = money.interface.encodeFunctionData(method, args)
      try {
        await client.rpc('eth_call', [{ from: account, to: address, data }, 'latest'])
        return undefined
      } catch (error) {
        if (isRevert(error)) return errorText(error.data, money.interface)
        throw chainUnavailable(error)
      }
    },
    mint: (to: string, amount: bigint) => write('mint', to, amount),
    burn: (amount: bigint) => write('burn', account, amount),
    receive({ from, amount, validAfter, validBefore, nonce, signature }: Authorization): ChainWrite {
      const named = 'receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)'
      return write(named, from, account, amount, validAfter, validBefore, nonce, signature)
    },
    limit: (minter: string, { minting, burning }: { minting: bigint; burning: bigint }) =>
      write('setMinterLimits', minter, minting, burning),
    attest: ({ amount, asOf, validUntil }: { amount: bigint; asOf: number; validUntil: number }) =>
      write('attestReserve', amount, toSeconds(asOf), toSeconds(validUntil)),
    freeze: (wallet: string, amount: bigint | undefined, order: string) =>
      amount === undefined
        ? write('freeze', wallet, orderIdOf(order))
        : write('freezeAmount', wallet, amount, orderIdOf(order)),
    unfreeze: (wallet: string, amount: bigint | undefined, order: string) =>
      write(amount === undefined ? 'unfreeze' : 'unfreezeAmount', wallet, orderIdOf(order)),
    force(transfer: {
      from: string
      to: string
      amount: bigint
      order: string
      freeze: string | undefined
    }): ChainWrite {
      const { from, to, amount, order, freeze } = transfer
      const under = freeze === undefined ? zeroOrder : orderIdOf(freeze)
      return write('forcedTransfer', from, to, amount, orderIdOf(order), under)
    },
  }
}
