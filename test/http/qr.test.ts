import { create } from 'qrcode'
import { qr } from '../../src/http/qr.ts'
import { readQr } from '../qr-reader.ts'

const url = 'https://localhost:8443/conformance/interactions/Zel8XWWsvR-imgpY7Ms79w?iuv=1'

describe('a QR code (VCALM 1.0, Interaction QR Code Format)', () => {
  const mixed = 'https://localhost:8443/conformance/interactions/oxgDX1U59LJQBLDBHUWbvg?iuv=1'
  it.each(['https://a.example?iuv=1', url, mixed, 'a.example/0123456789012345678901234567890123456'])(
    'as PNG says %s to a reader',
    async text => {
      const { png } = await qr(text)
      expect(readQr(Buffer.from(png))).toEqual({ text, modulePixels: 8, quietModules: 4, level: 'M' })
    },
  )

  it('as SVG has the same modules, by a path of lines, with a quiet zone of four', async () => {
    const { svg } = await qr(url)
    const { size, data } = create(url, { errorCorrectionLevel: 'M' }).modules
    expect(svg).toContain(`viewBox="0 0 ${size + 8} ${size + 8}"`)
    const path = /stroke="#000000" d="([^"]+)"/.exec(svg)?.[1] ?? ''
    const dark = new Set<string>()
    let [x, y] = [0, 0]
    for (const [, command, first, second] of path.matchAll(/([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
      const [dx, dy] = [Number(first), Number(second ?? 0)]
      if (command === 'M') [x, y] = [dx, dy]
      else if (command === 'm') [x, y] = [x + dx, y + dy]
      else for (let end = x + dx; x < end; x++) dark.add(`${x - 4} ${Math.floor(y) - 4}`)
    }
    const expected = [...data].flatMap((bit, at) => (bit ? [`${at % size} ${Math.floor(at / size)}`] : []))
    expect([...dark].sort()).toEqual(expected.sort())
  })

  it('of more than a camera reads off a screen is refused', async () => {
    await expect(qr('x'.repeat(1_001))).rejects.toMatchObject({ code: 'qr_excessive' })
  })
})
