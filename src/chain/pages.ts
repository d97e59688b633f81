import type { ChainClient, Header, LogEntry } from './client.ts'
import { inParallel } from './coalesce.ts'
import { decodeEvent, type SourceName } from './events.ts'
import type { Page, StoredBlock } from './history.ts'

/** The chain changed under our hands; looking again will tell how. */
export class Reorganised extends Error {}

/** The newest blocks are followed one by one, by hash; what is older comes in ranges. */
export const tail = 16

export type PageReader = {
  /** A range deep enough not to change while it is read: at most `span` blocks, not beyond `last`. @throws Reorganised */
  range(from: number, last: number): Promise<Page>
  /** The newest blocks up to the head, one by one, linked to the block below. @throws Reorganised */
  blocks(from: number, head: Header, below: StoredBlock | undefined): Promise<Page>
}

/** @param addresses lower case */
export const pageReader = (client: ChainClient, addresses: Record<SourceName, string>, span: number): PageReader => {
  const names = new Map(Object.entries(addresses).map(([name, address]) => [address, name as SourceName]))
  const all = Object.values(addresses)

  const headerAt = async (number: number): Promise<Header> => {
    const header = await client.header(number)
    if (header === undefined) throw new Reorganised(`block ${number} is gone`)
    return header
  }

  const pageOf = (headers: Header[], logs: LogEntry[]): Page => {
    const known = new Map(headers.map(header => [header.number, header]))
    const events = logs.flatMap(log => {
      const header = known.get(log.blockNumber)
      if (header?.hash !== log.blockHash) throw new Reorganised(`block ${log.blockNumber} was replaced`)
      const source = names.get(log.address)
      const event = source && decodeEvent(source, log, header.timestamp)
      return event ? [{ log, source, event }] : []
    })
    return { headers, events }
  }

  return {
    range: async (from, last) => {
      const to = Math.min(last, from + span - 1)
      const before = await headerAt(to)
      const logs = await client.logs({ addresses: all, fromBlock: from, toBlock: to })
      const numbers = [...new Set([...logs.map(entry => entry.blockNumber), to])].sort((a, b) => a - b)
      const headers = await inParallel(numbers, tail, headerAt)
      if (headers.at(-1)?.hash !== before.hash) throw new Reorganised(`block ${to} was replaced`)
      return pageOf(headers, logs)
    },
    blocks: async (from, head, below) => {
      const numbers = Array.from({ length: Math.max(0, head.number - from + 1) }, (_, i) => from + i)
      const headers = await inParallel(numbers, tail, async n => (n === head.number ? head : headerAt(n)))
      let parent = below?.number === from - 1 ? below.hash : undefined
      for (const header of headers) {
        if (parent !== undefined && header.parentHash !== parent) throw new Reorganised(`block ${header.number}`)
        parent = header.hash
      }
      const logs = await inParallel(headers, tail, ({ hash }) => client.logs({ addresses: all, blockHash: hash }))
      return pageOf(headers, logs.flat())
    },
  }
}
