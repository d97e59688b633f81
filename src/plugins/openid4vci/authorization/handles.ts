import { createHmac, createSecretKey, hash, timingSafeEqual } from 'node:crypto'
import { randomBytes } from '../../../kernel/entropy.ts'
import { handleBytes } from './policy.ts'

/** A new code, token or state that nobody guesses. */
export const newHandle = (): string => randomBytes(handleBytes).toString('base64url')

/** Under what a handle is kept. */
export const digestOfHandle = (handle: string): string => hash('sha256', handle, 'base64url')

/** In a time that says nothing of where they differ. */
export const sameText = (a: string, b: string): boolean =>
  timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))

export type TxCodeForm = { length: number; inputMode: 'numeric' | 'text' }

/** Without letters and digits that people take for others. */
const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'

const charactersOf = (bytes: Buffer, { length, inputMode }: TxCodeForm): string => {
  if (inputMode === 'text')
    return Array.from({ length }, (_, at) => letters[(bytes[at] ?? 0) % letters.length]).join('')
  // 256 bits against at most 12 digits: every code is as likely as any other but for one part in 10^65.
  return (BigInt(`0x${bytes.toString('hex')}`) % 10n ** BigInt(length)).toString().padStart(length, '0')
}

export type GrantSecrets = { preAuthorizedCode: string; issuerState: string; txCode(form: TxCodeForm): string }

/** The secrets of one issuance, made of its id and a key of the agency: no table has to hold them. */
export const openGrantSecrets = (secret: Uint8Array): ((issuance: string) => GrantSecrets) => {
  const key = createSecretKey(secret)
  const make = (what: string, issuance: string): Buffer =>
    createHmac('sha256', key).update(`${what}\0${issuance}`).digest()
  return issuance => ({
    preAuthorizedCode: make('pre-authorized_code', issuance).toString('base64url'),
    issuerState: make('issuer_state', issuance).toString('base64url'),
    txCode: form => charactersOf(make(`tx_code ${form.inputMode}`, issuance), form),
  })
}
