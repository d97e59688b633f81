import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeEntities } from '../../src/store/entities.ts'
import { openStore } from '../../src/store/store.ts'
import { migrations } from './backends.ts'

const folder = mkdtempSync(join(tmpdir(), 'chancery-checkpoints-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('what is committed on SQLite', () => {
  it('comes into the file beside the writer, and a stop leaves one file that has it all', async () => {
    const file = join(folder, 'busy.sqlite')
    const open = () => openStore({ file, migrations, entities: storeEntities })
    const store = await open()
    const empty = statSync(file).size
    const until = performance.now() + 5_000
    let written = 0
    // Nobody stops writing, and yet the file grows: the WAL alone does not have it all.
    while (performance.now() < until && statSync(file).size === empty) {
      const rows = Array.from({ length: 100 }, () => ({ id: `item-${written++}`, amount: 1, note: 'n'.repeat(500) }))
      await store.transaction(async tx => tx.insert('items', rows))
    }
    expect(statSync(file).size).toBeGreaterThan(empty)
    await store.close()
    expect([`${file}-wal`, `${file}-shm`].filter(existsSync)).toEqual([])
    const again = await open()
    expect(await again.read('SELECT count(*) AS n FROM items')).toEqual([{ n: written }])
    await again.close()
  })
})
