import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cellName, directions, type Group, tableOf, titleOf } from './interoperability/cells.ts'
import { cose } from './interoperability/cose.ts'
import { dataIntegrity } from './interoperability/data-integrity.ts'
import { didcomm } from './interoperability/didcomm.ts'
import { dids } from './interoperability/dids.ts'
import { exchanges } from './interoperability/exchanges.ts'
import { jose } from './interoperability/jose.ts'
import { ldpVc } from './interoperability/ldp-vc.ts'
import { mdoc } from './interoperability/mdoc.ts'
import { openid } from './interoperability/openid.ts'
import { sdJwt } from './interoperability/sd-jwt.ts'
import { trust } from './interoperability/trust.ts'
import { vcJwt } from './interoperability/vc-jwt.ts'
import { vcSdJwt } from './interoperability/vc-sd-jwt.ts'
import { root } from './service.ts'

/** Every format with the libraries of others, each direction by itself; the README's table is what passed here. */

const formats: Group[] = [dataIntegrity, ldpVc, jose, vcSdJwt, cose, vcJwt, sdJwt, mdoc]
const groups: Group[] = [...formats, openid, didcomm, exchanges, dids, trust]
const rows = groups.flatMap(group => group.rows)
const passed = new Set<string>()

beforeAll(async () => {
  for (const { open } of groups) await open?.()
}, 120_000)
afterAll(async () => {
  for (const { close } of groups) await close?.()
}, 120_000)

describe.each(rows.map(row => ({ title: titleOf(row), row })))('$title', ({ row }) => {
  const cells = directions.flatMap(direction => {
    const run = row.cells[direction]
    return typeof run === 'function' ? [{ direction, run }] : []
  })
  it.each(cells)('$direction', async ({ direction, run }) => {
    await run()
    passed.add(cellName(row, direction))
  })
})

const readmeFile = join(root, 'README.md')
const [opening, closing] = ['<!-- interoperability -->', '<!-- /interoperability -->']
const block = new RegExp(`${opening}[\\s\\S]*?${closing}`)

describe('the table of the README', () => {
  it('shows the cells that passed; UPDATE_README=1 npm test -- test/interoperability.test.ts writes it', () => {
    const all = rows.flatMap(row =>
      directions.flatMap(each => (typeof row.cells[each] === 'function' ? [cellName(row, each)] : [])),
    )
    expect([...passed].sort()).toEqual(all.sort())
    const wanted = `${opening}\n\n${tableOf(rows, passed)}\n\n${closing}`
    const readme = readFileSync(readmeFile, 'utf8')
    if (process.env['UPDATE_README'] === '1')
      writeFileSync(
        readmeFile,
        readme.replace(block, () => wanted),
      )
    expect(readFileSync(readmeFile, 'utf8').match(block)?.[0]).toBe(wanted)
  })
})
