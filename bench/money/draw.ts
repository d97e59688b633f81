/** Who pays whom. */

export type Draw = {
  /** `hot`: nine in ten payments are between the hundredth part of the accounts. */
  spread: 'uniform' | 'hot'
  /** Whose keys the payers have: keys alternate between the schemes from account to account. */
  keys: 'both' | 'secp256k1' | 'P-256'
  /** Of two processes each has payers of its own. */
  share?: 0 | 1
}

/** Nobody pays twice among so many payments, so that what is in flight at once may come in any order. */
export const apartOf = (customers: number): number => Math.floor(customers / 125)

/** xorshift32: the same draws in every run of a seed. */
const randomFrom = (seed: number): ((below: number) => number) => {
  let state = seed
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** @param customers numbered from 0, a multiple of 400. @returns what gives the next payer with a payee. */
export const openDraw = (draw: Draw, customers: number, seed: number): (() => { from: number; to: number }) => {
  const random = randomFrom(seed)
  const recent = new Set<number>()
  const apart = apartOf(customers)
  const isHot = (): boolean => draw.spread === 'hot' && random(10) !== 0
  /** The first of four neighbours, two with each kind of key; the hot ones are spread over the whole table. */
  const four = (): number => (isHot() ? random(customers / 400) * 400 : random(customers / 4) * 4)
  const bits = { both: undefined, secp256k1: 0, 'P-256': 1 }
  const payer = (): number => {
    for (;;) {
      const picked = four() + 2 * (draw.share ?? random(2)) + (bits[draw.keys] ?? random(2))
      if (!recent.has(picked)) return picked
    }
  }
  return () => {
    const from = payer()
    recent.add(from)
    const [oldest] = recent
    if (recent.size > apart && oldest !== undefined) recent.delete(oldest)
    let to = four() + random(4)
    while (to === from) to = random(customers)
    return { from, to }
  }
}
