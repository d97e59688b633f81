import type { OwnerKey } from '../../../kernel/ledger-entry.ts'

/** Keys of accounts in memory. Numbers of accounts are dense, so a key takes the bytes it has and no more. */
export type OwnerKeys = {
  get(account: number): OwnerKey | undefined
  set(account: number, key: OwnerKey): void
}

/** Scheme, then the compressed point. A scheme of 0: no key is known. */
const keyBytes = 34
const pageKeys = 1_024

/** @param most keys, by whole pages; beyond that the pages that came first are forgotten. */
export const openOwnerKeys = (most: number): OwnerKeys => {
  const pages = new Map<number, Buffer>()
  const pageOf = (account: number): Buffer => {
    const number = Math.floor(account / pageKeys)
    const known = pages.get(number)
    if (known !== undefined) return known
    const [oldest] = pages.keys()
    if (pages.size >= Math.ceil(most / pageKeys) && oldest !== undefined) pages.delete(oldest)
    const page = Buffer.alloc(pageKeys * keyBytes)
    pages.set(number, page)
    return page
  }
  return {
    get(account) {
      const at = (account % pageKeys) * keyBytes
      const page = pages.get(Math.floor(account / pageKeys))
      const scheme = page?.[at] ?? 0
      if (page === undefined || scheme === 0) return undefined
      return { scheme, prefix: page[at + 1] ?? 0, x: page.toString('hex', at + 2, at + keyBytes) }
    },
    set(account, { scheme, prefix, x }) {
      const page = pageOf(account)
      const at = (account % pageKeys) * keyBytes
      page[at] = scheme
      page[at + 1] = prefix
      page.write(x, at + 2, 'hex')
    },
  }
}
