import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { openJson, sealJson } from '../../kernel/sealed.ts'
import { openHeld } from './held.ts'
import type { Openid4vpNeeds } from './needs.ts'
import { openSweep } from './sweep.ts'
import { openWrites } from './writes.ts'

const keyed = (key: KeyObject, text: string): string => createHmac('sha256', key).update(text).digest('base64url')

export const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** What every operation of the verifier has at hand. */
export const openDesk = (needs: Openid4vpNeeds) => {
  const held = openHeld()
  const sealing = createSecretKey(needs.derive('openid4vp requests'))
  const naming = createSecretKey(needs.derive('openid4vp names'))
  return {
    ...needs,
    held,
    sweep: openSweep(needs, held),
    writes: openWrites(needs),
    /** Where our own origin and those that are configured may be returned to. */
    origins: [new URL(needs.publicUrl).origin, ...needs.returnOrigins],
    seal: (value: unknown, context: string): Buffer => sealJson(sealing, value, context),
    open<T>(sealed: Uint8Array, context: string): T {
      const value = openJson<T>(sealing, sealed, context)
      if (value === undefined) throw new Error('a sealed presentation request does not open')
      return value
    },
    /** Of each request, by a key that stays here, so that no table and no evidence holds them. 256 bits each. */
    names: {
      secret: (id: string): string => keyed(naming, `secret|${id}`),
      state: (id: string): string => keyed(naming, `state|${id}`),
      responseCode: (id: string): string => keyed(naming, `response code|${id}`),
      browser: (id: string): string => keyed(naming, `browser|${id}`),
    },
  }
}

export type Desk = ReturnType<typeof openDesk>
