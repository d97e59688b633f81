import { createSecretKey, hkdfSync } from 'node:crypto'

/** A key for what only the holder of a secret can open. */
export const subkey = (secret: Uint8Array, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', createSecretKey(secret), '', `chancery gate v1 ${purpose}`, 32))
