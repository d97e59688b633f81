import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { leafHash, nodeHash } from '../../src/kernel/merkle.ts'
import { itemIds, onBothDatabases, type Place } from './backends.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Lets a process act until it has been answered so many times, kills it there, and says what it was answered. */
const killedAfter = async (place: Place, name: string, answers: number): Promise<string[]> => {
  const script = join(import.meta.dirname, 'killed.ts')
  const child = spawn(process.execPath, ['--no-warnings', script, JSON.stringify(place), name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let said = ''
  let wrong = ''
  child.stderr.on('data', chunk => {
    wrong += chunk
  })
  child.stdout.on('data', chunk => {
    said += chunk
    if (said.split('\n').length > answers) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`the process ended by itself: ${wrong}`)
  // The last line may have been cut off by the kill.
  return said.split('\n').slice(0, -1)
}

const rootOf = (hashes: Buffer[]): Buffer => {
  const [only] = hashes
  if (hashes.length === 1 && only !== undefined) return only
  let half = 1
  while (half * 2 < hashes.length) half *= 2
  return nodeHash(rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half)))
}

onBothDatabases(({ place, again }) => {
  test('kill -9 in the middle of commits loses nothing that was answered, and leaves no half act', async () => {
    const where = await place()
    await (await again(where)).close()
    const answered: string[] = []
    for (const [round, answers] of [150, 900, 2000].entries()) {
      answered.push(...(await killedAfter(where, `r${round}`, answers)))
    }
    const store = await again(where)
    const ids = await itemIds(store)
    const there = new Set(ids)
    expect(answered.length).toBeGreaterThan(3000)
    expect(answered.filter(id => !there.has(id))).toEqual([])
    const details = await store.read<{ record: string }>('SELECT record FROM journal_details')
    expect(details.map(row => JSON.parse(row.record).operation).sort()).toEqual(ids)
    const counts = `SELECT (SELECT count(*) FROM journal) AS journal, (SELECT count(*) FROM journal_pending) AS pending,
      (SELECT count(*) FROM journal_positions) AS placed, (SELECT size FROM log_head) AS size`
    const [found] = await store.read<Record<'journal' | 'pending' | 'placed' | 'size', number>>(counts)
    expect(found?.journal).toBe(ids.length)
    expect((found?.placed ?? 0) + (found?.pending ?? 0)).toBe(ids.length)
    expect(found?.size).toBe(found?.placed)
    const leaves = await store.read<{ commitment: Buffer }>(
      'SELECT j.commitment FROM journal_positions p JOIN journal j ON j.id = p.id ORDER BY p.position',
    )
    const [head] = await store.read<{ root: Buffer }>('SELECT root FROM log_head')
    expect(rootOf(leaves.map(row => leafHash(row.commitment)))).toEqual(head?.root)
  })
})
