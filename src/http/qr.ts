import { toBuffer, toString as toText } from 'qrcode'
import { Refusal } from '../kernel/refusal.ts'

/** Bytes of a text that a camera still reads off a screen (VCALM 1.0, Interaction QR Code Format). */
const textMost = 1_000

/** ISO/IEC 18004: error correction for 15 % of the symbol, a quiet zone of four modules. */
const symbol = { errorCorrectionLevel: 'M', margin: 4 } as const
const modulePixels = 8

/** A text as a QR code. @throws Refusal rejected/qr_excessive */
export const qr = async (text: string): Promise<{ svg: string; png: Uint8Array }> => {
  if (Buffer.byteLength(text) > textMost) {
    throw new Refusal('rejected', 'qr_excessive', `A QR code holds ${textMost} bytes at most.`)
  }
  const [svg, png] = await Promise.all([
    toText(text, { ...symbol, type: 'svg' }),
    toBuffer(text, { ...symbol, type: 'png', scale: modulePixels }),
  ])
  return { svg, png }
}
