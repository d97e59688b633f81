import type { Answer } from './plugin.ts'

/** A QR code as whoever asks wants it: `png`, or else SVG. */
export const pictureAnswer = ({ svg, png }: { svg: string; png: Uint8Array }, format: string | undefined): Answer =>
  format === 'png'
    ? { status: 200, contentType: 'image/png', body: png }
    : { status: 200, contentType: 'image/svg+xml', body: svg }
