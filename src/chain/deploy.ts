import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCreateAddress, Interface } from 'ethers'
import { type ChainAccount, signTransaction } from './account.ts'
import { type ChainClient, RpcError } from './client.ts'
import { inParallel } from './coalesce.ts'
import { type Addresses, type Artifacts, type ContractName, contractNames } from './contracts.ts'
import { atomicWrite } from './dump.ts'
import { currentFees, type Fees, feeFields } from './fees.ts'

/** One transaction of the deployer after the deployments. `id` is remembered: a call is made once under one id. */
export type DeployCall = { id: string; contract: ContractName; method: string; args: (at: Addresses) => unknown[] }

export type DeployOptions = {
  client: ChainClient
  /** Pays, and administers Governance unless `admin` names another. Nobody else may send from it meanwhile. */
  account: ChainAccount
  artifacts: Artifacts
  /** JSON file that remembers which nonce belongs to which step. */
  file: string
  /** Who administers Governance; another than the deployer gives the root its functions itself. @default the deployer */
  admin?: string
  calls?: DeployCall[]
  /** After how many seconds a block of this network is final; Settlement keeps two legs further apart. @default 60 */
  finalitySeconds?: number
  mine?: () => Promise<void>
  persist?: () => Promise<void>
  /** @default 120000 */
  timeoutMs?: number
  /** @default 500 gwei */
  maxFeePerGas?: bigint
}

export type Deployment = {
  chainId: number
  deployer: string
  /** Block from which a follower has to read. */
  fromBlock: number
  addresses: Addresses
}

/** `anchor` is the hash of block `fromBlock`: block 0 is made anew whenever a development node loads its state. */
type Plan = { chainId: number; anchor: string; deployer: string; fromBlock: number; nonces: Record<string, number> }
type Step = { id: string; nonce: number; to: string | null; data: string; gasLimit: number; address: string | null }

const rootRole = 1
/** What each contract names in `rootFunctions()`; a test keeps them in step. */
export const rootFunctions: Partial<Record<ContractName, readonly string[]>> = {
  TrustRegistry: ['accredit', 'endAccreditation', 'voidAccreditation', 'distrustKey', 'admitSchema', 'withdrawSchema'],
  WalletRegistry: ['admitIssuerKey', 'withdrawIssuerKey', 'setWalletsMost', 'unbind'],
  MoneyFactory: ['createCurrency'],
  PolicyEngine: ['setPolicy', 'setRecall', 'setInstitution'],
  RailGate: ['openCurrency', 'setOperator', 'setCeiling'],
}
const callGas = 1_000_000

/** Until the functions belong to the root role only the administrator may call them. */
const rootCalls = (artifacts: Artifacts): DeployCall[] =>
  contractNames.flatMap(contract => {
    const functions = rootFunctions[contract]
    if (functions === undefined) return []
    const { abi } = artifacts[contract]
    const selectors = functions.map(name => new Interface(abi).getFunction(name)?.selector)
    return [
      {
        id: `${contract}: functions of the root`,
        contract: 'Governance',
        method: 'setTargetFunctionRole',
        args: at => [at[contract], selectors, rootRole],
      },
    ]
  })

const constructorArgs = (name: ContractName, at: Addresses, admin: string, finalitySeconds: number): unknown[] => {
  const governed = [at.EthereumDIDRegistry, at.Governance]
  switch (name) {
    case 'EthereumDIDRegistry':
      return []
    case 'Governance':
      return [admin]
    case 'StatusRegistry':
    case 'TrustRegistry':
      return governed
    case 'WalletRegistry':
      return [...governed, at.TrustRegistry, at.StatusRegistry]
    case 'TitleRegistry':
    case 'LicenceRegistry':
    case 'AssetRegistry':
      return [...governed, at.TrustRegistry, at.WalletRegistry]
    case 'SovereignMoney':
      return []
    case 'PolicyEngine':
      return [at.Governance, at.WalletRegistry]
    case 'MoneyFactory':
      return [at.Governance, at.SovereignMoney]
    case 'RailGate':
    case 'PurposeMoney':
      return governed
    case 'Settlement':
      return [...governed, finalitySeconds]
  }
}

/** Creation costs 200 gas a byte of code and 16 a byte of calldata; the constructor gets the rest. */
const creationGas = (data: string): number => 2_000_000 + 220 * ((data.length - 2) / 2)

const newPlan = async ({ client, mine, persist }: DeployOptions, deployer: string): Promise<Plan> => {
  await mine?.()
  await persist?.()
  const head = await client.head()
  return { chainId: client.chainId, anchor: head.hash, deployer, fromBlock: head.number, nonces: {} }
}

/** The plan is on disk before anything is sent, so a start after a kill signs the same steps under the same nonces. */
const planFor = async (options: DeployOptions, ids: string[]): Promise<Plan> => {
  const { client, account, file } = options
  const deployer = account.address.toLowerCase()
  const next = await client.transactionCount(deployer)
  const text = await readFile(file, 'utf8').catch(() => undefined)
  const known = text === undefined ? undefined : (JSON.parse(text) as Plan)
  const anchor = known === undefined ? undefined : (await client.header(known.fromBlock))?.hash
  const same = known?.chainId === client.chainId && known.anchor === anchor && known.deployer === deployer
  const plan = known && same ? known : await newPlan(options, deployer)
  const missing = ids.filter(id => plan.nonces[id] === undefined)
  let nonce = Math.max(next, ...Object.values(plan.nonces).map(used => used + 1))
  for (const id of missing) plan.nonces[id] = nonce++
  if (missing.length > 0) await atomicWrite(file, `${JSON.stringify(plan, null, 2)}\n`)
  return plan
}

const nonceOf = (plan: Plan, id: string): number => {
  const nonce = plan.nonces[id]
  if (nonce === undefined) throw new Error(`The deployment plan lacks the step ${id}.`)
  return nonce
}

const addressesOf = (plan: Plan): Addresses =>
  Object.fromEntries(
    contractNames.map(name => [
      name,
      getCreateAddress({ from: plan.deployer, nonce: nonceOf(plan, name) }).toLowerCase(),
    ]),
  ) as Addresses

const stepsOf = (plan: Plan, options: DeployOptions, calls: DeployCall[], at: Addresses): Step[] => {
  const { admin = plan.deployer, finalitySeconds = 60 } = options
  const creations = contractNames.map((name): Step => {
    const { abi, bytecode } = options.artifacts[name]
    const args = new Interface(abi).encodeDeploy(constructorArgs(name, at, admin, finalitySeconds))
    const data = `${bytecode.startsWith('0x') ? '' : '0x'}${bytecode}${args.slice(2)}`
    return { id: name, nonce: nonceOf(plan, name), to: null, data, gasLimit: creationGas(data), address: at[name] }
  })
  const calling = calls.map((call): Step => {
    const data = new Interface(options.artifacts[call.contract].abi).encodeFunctionData(call.method, call.args(at))
    const nonce = nonceOf(plan, call.id)
    return { id: call.id, nonce, to: at[call.contract], data, gasLimit: callGas, address: null }
  })
  return [...creations, ...calling].sort((a, b) => a.nonce - b.nonce)
}

/** A step that an earlier start sent is known to the node already, or mined; both are what we want. */
const sendStep = async (options: DeployOptions, fees: Fees, step: Step): Promise<{ step: Step; hash: string }> => {
  const { client, account } = options
  const { nonce, to, data, gasLimit } = step
  const fields = { chainId: client.chainId, nonce, to, data, gasLimit, value: 0n, ...feeFields(fees) }
  const { raw, hash } = await signTransaction(account, fields)
  await client.broadcast(raw).catch(error => {
    if (error instanceof RpcError && /known|imported|underpriced|nonce too low/i.test(error.message)) return
    throw error
  })
  return { step, hash }
}

const awaitNonce = async (options: DeployOptions, nonce: number): Promise<void> => {
  const { client, account, mine, timeoutMs = 120_000 } = options
  const until = performance.now() + timeoutMs
  for (;;) {
    await mine?.()
    if ((await client.transactionCount(account.address)) >= nonce) return
    if (performance.now() > until) throw new Error('The deployment was not mined in time. Start again to continue it.')
    await sleep(mine ? 10 : 1_000)
  }
}

const requireCode = async (client: ChainClient, name: string, address: string): Promise<void> => {
  const code = await client.rpc<string>('eth_getCode', [address, 'latest'])
  if (code === '0x') throw new Error(`No code stands at ${address}, where ${name} was deployed.`)
}

/**
 * Deploys the contracts, all steps in one wave under nonces of their own. Killed at any moment and started again, it
 * goes on where it was; started once more after that, it only checks.
 */
export const deployContracts = async (options: DeployOptions): Promise<Deployment> => {
  const { client, account, maxFeePerGas = 500_000_000_000n } = options
  const ownAdmin = (options.admin ?? account.address).toLowerCase() === account.address.toLowerCase()
  const calls = [...(ownAdmin ? rootCalls(options.artifacts) : []), ...(options.calls ?? [])]
  const plan = await planFor(options, [...contractNames, ...calls.map(call => call.id)])
  const addresses = addressesOf(plan)
  const steps = stepsOf(plan, options, calls, addresses)
  const next = await client.transactionCount(account.address)
  const waiting = steps.filter(step => step.nonce >= next)
  if (waiting.length > 0) {
    const fees = await currentFees(client, maxFeePerGas)
    const sent = await inParallel(waiting, 16, step => sendStep(options, fees, step))
    await awaitNonce(options, Math.max(...waiting.map(step => step.nonce)) + 1)
    for (const { step, hash } of sent) {
      const receipt = await client.receipt(hash)
      if (receipt && !receipt.succeeded) throw new Error(`The deployment step "${step.id}" was reverted.`)
    }
    await options.persist?.()
  }
  await Promise.all(contractNames.map(name => requireCode(client, name, addresses[name])))
  return { chainId: client.chainId, deployer: plan.deployer, fromBlock: plan.fromBlock, addresses }
}
