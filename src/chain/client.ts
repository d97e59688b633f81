import { FetchRequest, JsonRpcProvider, Network } from 'ethers'
import { Refusal } from '../kernel/refusal.ts'

export type Header = {
  number: number
  hash: string
  parentHash: string
  /** Seconds. */
  timestamp: number
  baseFeePerGas: bigint | undefined
}

/** Addresses, topics and data in lower-case hex. */
export type LogEntry = {
  address: string
  topics: string[]
  data: string
  blockNumber: number
  blockHash: string
  logIndex: number
}

/** By block hash the answer is exact: a node that lacks that block declines, one that lags behind cannot leave events out. */
export type LogQuery = { addresses: string[] } & ({ fromBlock: number; toBlock: number } | { blockHash: string })

export type Receipt = { hash: string; blockNumber: number; blockHash: string; succeeded: boolean; gasUsed: bigint }

export type BlockTag = number | 'latest' | 'pending'

/** The node understood the request and declined it. `data` is the revert data, if there is any. */
export class RpcError extends Error {
  readonly code: number
  readonly data: string | undefined

  constructor(code: number, message: string, data: string | undefined) {
    super(message)
    this.name = 'RpcError'
    this.code = code
    this.data = data
  }
}

/** Read through every configured source, which must agree; writes go to all of them. */
export type ChainClient = {
  readonly chainId: number
  /** CAIP-2. */
  readonly chain: string
  /** For libraries that bring their own calls; first source only. */
  readonly provider: JsonRpcProvider
  /** One call to the first source. @throws RpcError when the node declines. */
  rpc<T>(method: string, params: unknown[]): Promise<T>
  /** The newest block that every source has. */
  head(): Promise<Header>
  header(number: number): Promise<Header | undefined>
  logs(query: LogQuery): Promise<LogEntry[]>
  receipt(hash: string): Promise<Receipt | undefined>
  /** The next nonce of an account. Of several sources the lowest counts. */
  transactionCount(address: string, block?: BlockTag): Promise<number>
  /** Hands a signed transaction to every source; one that takes it is enough. @throws RpcError */
  broadcast(raw: string): Promise<void>
  close(): void
}

export type ConnectOptions = {
  /** How long one call may take. @default 10000 */
  timeoutMs?: number
  /** Several urls must agree on every block and event. @default true when there is more than one url */
  requireAgreement?: boolean
  /** Refuses development nodes, whose blocks anybody can rewrite. @default false */
  production?: boolean
  /** The chain that the configuration names; another one is refused. */
  chainId?: number
}

type Rpc = <T>(method: string, params: unknown[]) => Promise<T>
type Source = { provider: JsonRpcProvider; rpc: Rpc }

type RawBlock = { number: string; hash: string; parentHash: string; timestamp: string; baseFeePerGas?: string | null }
type RawLog = {
  address: string
  topics: string[]
  data: string
  blockNumber: string
  blockHash: string
  logIndex: string
}
type RawReceipt = { transactionHash: string; blockNumber: string; blockHash: string; status: string; gasUsed: string }

const quantity = (value: number): string => `0x${value.toString(16)}`
const tag = (block: BlockTag): string => (typeof block === 'number' ? quantity(block) : block)

const headerOf = (block: RawBlock): Header => ({
  number: Number(block.number),
  hash: block.hash,
  parentHash: block.parentHash,
  timestamp: Number(block.timestamp),
  baseFeePerGas: block.baseFeePerGas == null ? undefined : BigInt(block.baseFeePerGas),
})

const logOf = (log: RawLog): LogEntry => ({
  address: log.address.toLowerCase(),
  topics: log.topics.map(topic => topic.toLowerCase()),
  data: log.data.toLowerCase(),
  blockNumber: Number(log.blockNumber),
  blockHash: log.blockHash,
  logIndex: Number(log.logIndex),
})

const disagreement = (what: string): Refusal =>
  new Refusal('unavailable', 'chain_disagreement', `The sources of the chain do not agree on ${what}. Try again later.`)

const rpcOf =
  (provider: JsonRpcProvider): Rpc =>
  async <T>(method: string, params: unknown[]): Promise<T> => {
    const [answer] = await provider._send({ id: 1, jsonrpc: '2.0', method, params })
    if (answer === undefined) throw new Error(`The node did not answer ${method}.`)
    if ('error' in answer && answer.error !== undefined) {
      const { code, message = 'declined', data } = answer.error as { code: number; message?: string; data?: unknown }
      throw new RpcError(code, message, typeof data === 'string' ? data : undefined)
    }
    return (answer as { result: T }).result
  }

const mostBytes = 256 * 1024 * 1024

const readBounded = async (response: Response): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > mostBytes) throw new Error('The node answers with more than anyone asked for.')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Ethers' own transport has only an idle timeout, and leaves the socket open: here the whole call has a limit. */
const requestTo = (url: string, timeoutMs: number): FetchRequest => {
  const request = new FetchRequest(url)
  request.setThrottleParams({ maxAttempts: 3 })
  request.getUrlFunc = async asked => {
    const response = await fetch(asked.url, {
      method: asked.method,
      headers: asked.headers,
      body: asked.body ? Buffer.from(asked.body) : null,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    return {
      statusCode: response.status,
      statusMessage: response.statusText,
      headers: Object.fromEntries(response.headers),
      body: await readBounded(response),
    }
  }
  return request
}

/** The chain's id is asked once, before ethers sees the node: its own detection retries for ever without a word. */
const openSource = async (url: string, timeoutMs: number): Promise<Source & { chainId: number }> => {
  const probe = requestTo(url, timeoutMs)
  probe.body = { id: 1, jsonrpc: '2.0', method: 'eth_chainId', params: [] }
  const response = await probe.send()
  response.assertOk()
  const chainId = Number(response.bodyJson.result)
  if (!Number.isSafeInteger(chainId) || chainId <= 0) throw new Error('The node does not tell its chain id.')
  const network = Network.from(chainId)
  const provider = new JsonRpcProvider(requestTo(url, timeoutMs), network, {
    staticNetwork: network,
    batchMaxCount: 1,
    cacheTimeout: -1,
  })
  return { provider, rpc: rpcOf(provider), chainId }
}

const refuseDevelopmentNode = async (source: Source): Promise<void> => {
  const version = await source.rpc<string>('web3_clientVersion', [])
  if (/anvil|hardhat|ganache/i.test(version)) {
    throw new Error(`Production needs a real network; this node says it is ${version}.`)
  }
}

const agreed = async <T>(sources: Source[], what: string, ask: (source: Source) => Promise<T>): Promise<T> => {
  const [only, second] = sources
  if (only !== undefined && second === undefined) return ask(only)
  const answers = await Promise.all(sources.map(ask))
  const texts = new Set(answers.map(answer => JSON.stringify(answer, (_, v) => (typeof v === 'bigint' ? `${v}` : v))))
  if (texts.size !== 1) throw disagreement(what)
  return answers[0] as T
}

const blockOf = async (source: Source, block: BlockTag): Promise<Header | undefined> => {
  const raw = await source.rpc<RawBlock | null>('eth_getBlockByNumber', [tag(block), false]).catch(error => {
    if (error instanceof RpcError && typeof block === 'number') return null
    throw error
  })
  return raw === null ? undefined : headerOf(raw)
}

const latestOf = async (source: Source): Promise<Header> => {
  const header = await blockOf(source, 'latest')
  if (header === undefined) throw new Error('The node has no blocks.')
  return header
}

const commonHead = async (sources: Source[]): Promise<Header> => {
  const heads = await Promise.all(sources.map(latestOf))
  const lowest = heads.reduce((a, b) => (b.number < a.number ? b : a))
  if (heads.every(head => head.hash === lowest.hash)) return lowest
  const header = await agreed(sources, `block ${lowest.number}`, source => blockOf(source, lowest.number))
  if (header === undefined) throw disagreement(`block ${lowest.number}`)
  return header
}

const logsOf = async (source: Source, query: LogQuery): Promise<LogEntry[]> => {
  const where =
    'blockHash' in query
      ? { blockHash: query.blockHash }
      : { fromBlock: quantity(query.fromBlock), toBlock: quantity(query.toBlock) }
  const logs = await source.rpc<RawLog[]>('eth_getLogs', [{ address: query.addresses, ...where }])
  return logs.map(logOf).sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex)
}

const receiptOf = async (source: Source, hash: string): Promise<Receipt | undefined> => {
  const raw = await source.rpc<RawReceipt | null>('eth_getTransactionReceipt', [hash])
  if (raw === null || raw.blockHash === null) return undefined
  return {
    hash: raw.transactionHash,
    blockNumber: Number(raw.blockNumber),
    blockHash: raw.blockHash,
    succeeded: Number(raw.status) === 1,
    gasUsed: BigInt(raw.gasUsed),
  }
}

const broadcastTo = async (sources: Source[], raw: string): Promise<void> => {
  const results = await Promise.allSettled(sources.map(source => source.rpc('eth_sendRawTransaction', [raw])))
  if (results.some(result => result.status === 'fulfilled')) return
  const [first] = results
  if (first?.status === 'rejected') throw first.reason
}

/**
 * Connects to one or several RPC sources of one chain.
 * @throws Error when a source cannot be reached, is of another chain or, in production, is a development node.
 */
export const connect = async (urls: string | string[], options: ConnectOptions = {}): Promise<ChainClient> => {
  const { timeoutMs = 10_000, production = false } = options
  const opened = await Promise.all([urls].flat().map(url => openSource(url, timeoutMs)))
  const [first] = opened
  if (first === undefined) throw new Error('Name at least one RPC source of the chain.')
  const close = (): void => {
    for (const { provider } of opened) provider.destroy()
  }
  try {
    const expected = options.chainId ?? first.chainId
    const other = opened.find(source => source.chainId !== expected)
    if (other) throw new Error(`Chain ${expected} was expected; a source is of chain ${other.chainId}.`)
    if (production) await Promise.all(opened.map(refuseDevelopmentNode))
  } catch (error) {
    close()
    throw error
  }
  const readers = (options.requireAgreement ?? true) ? opened : [first]
  return {
    chainId: first.chainId,
    chain: `eip155:${first.chainId}`,
    provider: first.provider,
    rpc: first.rpc,
    head: () => commonHead(readers),
    header: number => agreed(readers, `block ${number}`, source => blockOf(source, number)),
    logs: query => agreed(readers, 'events', source => logsOf(source, query)),
    receipt: async hash => {
      const receipts = await Promise.all(readers.map(source => receiptOf(source, hash)))
      return receipts.every(receipt => receipt?.blockHash === receipts[0]?.blockHash) ? receipts[0] : undefined
    },
    transactionCount: async (address, block = 'latest') => {
      const ask = (source: Source) => source.rpc<string>('eth_getTransactionCount', [address, tag(block)])
      return Math.min(...(await Promise.all(readers.map(ask))).map(Number))
    },
    broadcast: raw => broadcastTo(opened, raw),
    close,
  }
}
