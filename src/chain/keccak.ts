import { getBytes, keccak256 } from 'ethers'
import { createKeccak } from 'hash-wasm'
import type { Keccak } from '../kernel/typed-domain.ts'

/** Keccak-256 where a few are needed now and then. */
export const keccak: Keccak = bytes => getBytes(keccak256(bytes))

/** Keccak-256 in WebAssembly, ten times as fast: one instance, used again and again. */
export const openKeccak = async (): Promise<Keccak> => {
  const hasher = await createKeccak(256)
  return bytes => {
    hasher.init()
    hasher.update(bytes)
    return hasher.digest('binary')
  }
}
