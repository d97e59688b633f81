import { createHmac } from 'node:crypto'

/**
 * Labels that say nothing about what a holder leaves out: canonical labels (`c14n0`, …) count the blank nodes of the
 * whole document, so an HMAC under a key of the one proof takes their place.
 */

/** Blank node → canonical label, without `_:` as in the maps of proof values. */
export const canonicalLabels = (issued: ReadonlyMap<string, string>): Map<string, string> =>
  new Map([...issued].map(([input, label]) => [input, label.slice(2)]))

/** Canonical label → label that is signed; both without `_:`. */
export type Relabel = (canonical: readonly string[]) => Map<string, string>

/** HMAC-SHA-256 keys are as long as the digest (RFC 2104). */
export const hmacKeyLength = 32

const digestLabel = (key: Uint8Array, label: string): string =>
  `u${createHmac('sha256', key).update(label).digest('base64url')}`

/** `createHmacIdLabelMapFunction` (vc-di-ecdsa, section 3.4.4). */
export const hmacLabels =
  (key: Uint8Array): Relabel =>
  canonical =>
    new Map(canonical.map(label => [label, digestLabel(key, label)]))

/** `createShuffledIdLabelMapFunction` (vc-di-bbs, section 3.2.1): numbers in the order of the HMACs. */
export const shuffledLabels =
  (key: Uint8Array): Relabel =>
  canonical => {
    const digests = new Map(canonical.map(label => [label, digestLabel(key, label)]))
    const order = new Map([...digests.values()].sort().map((digest, at) => [digest, `b${at}`]))
    return new Map(canonical.map(label => [label, order.get(digests.get(label) as string) as string]))
  }
