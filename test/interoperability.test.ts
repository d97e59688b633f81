import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cellName, directions, type Group, tableOf, titleOf } from './interoperability/cells.ts'
import { cose } from './interoperability/cose.ts'
import { dataIntegrity } from './interoperability/data-integrity.ts'
import { dids } from './interoperability/dids.ts'
import { jose } from './interoperability/jose.ts'
import { ldpVc } from './interoperability/ldp-vc.ts'
import { mdoc } from './interoperability/mdoc.ts'
import { sdJwt } from './interoperability/sd-jwt.ts'
import { vcJwt } from './interoperability/vc-jwt.ts'
import { vcSdJwt } from './interoperability/vc-sd-jwt.ts'
import { root } from './service.ts'

/** Every format with the libraries of others, each direction by itself; the README's table is what passed here. */

const groups: Group[] = [dataIntegrity, ldpVc, jose, vcSdJwt, cose, vcJwt, sdJwt, mdoc, dids]
const rows = groups.flatMap(group => group.rows)
const passed = new Set<string>()

afterAll(async () => {
  for (const { close } of groups) await close?.()
})

describe.each(rows.map(row => ({ title: titleOf(row), row })))('$title', ({ row }) => {
  const cells = directions.flatMap(direction => {
    const run = row.cells[direction]
    return run === undefined ? [] : [{ direction, run }]
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
    const all = rows.flatMap(row => directions.flatMap(each => (row.cells[each] ? [cellName(row, each)] : [])))
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
