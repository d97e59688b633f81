import { verifyMessage } from 'ethers'

/**
 * The account that signed a text as wallets do (EIP-191, `personal_sign`), lower case; undefined if the signature is none. One
 * signature has one form: s in the lower half of the order.
 */
export const recoverWallet = (text: string, signature: string): string | undefined => {
  if (!/^0x[0-9a-f]{130}$/i.test(signature)) return undefined
  try {
    return verifyMessage(text, signature).toLowerCase()
  } catch {
    return undefined
  }
}
