import { expect, it } from '@jest/globals'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { DidLog1763900001280 } from '../../../migrations/agency/1280-did-log.ts'
import { addEntry, readEntries } from '../../../src/plugins/dids/actions/entries.ts'
import { entities } from '../../../src/plugins/dids/entities.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openStore } from '../../../src/store/store.ts'
import { onEachDatabase } from '../../databases.ts'

const migrations = [Store1760000000100, DidLog1763900001280]

onEachDatabase(migrations, databases => {
  it('keeps the log in the order of its entries, and of two with one number the first', async () => {
    const place = await databases.place()
    const store = await databases.closing(
      await openStore({ ...place, migrations, entities: [...storeEntities, ...entities] }),
    )
    expect(await readEntries(store)).toBe('')
    for (let version = 1; version <= 11; version++) await addEntry(store, version, `{"n":${version}}`)
    await Promise.all(['a', 'b', 'c'].map(each => addEntry(store, 12, each)))
    await addEntry(store, 2, 'another')
    const lines = (await readEntries(store)).split('\n')
    expect(lines.slice(0, 3)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
    expect([lines.length, lines[10], lines[12]]).toEqual([13, '{"n":11}', ''])
    expect(['a', 'b', 'c']).toContain(lines[11])
  })
})
