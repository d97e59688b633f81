import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Group, runGroups } from '../bench/harness.ts'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(join(tmpdir(), 'chancery-bench-test-'))

const goodGroup = `export const group = {
  name: 'good',
  open: ({ quick }) => ({
    figures: [
      { name: 'good.rate', unit: '/s', better: 'more', goal: { atLeast: 100, timesPeer: 2 },
        run: async () => ({ value: quick ? 250 : 300, peer: { name: 'Veramo', value: 100 }, note: 'a note' }) },
      { name: 'good.time', unit: 's', better: 'less', goal: { atMost: 1 },
        run: async () => ({ value: 4, peer: { name: 'Veramo', value: 2 } }) },
      { name: 'good.alone', unit: 'bytes', better: 'less', run: async () => ({ value: 0.25 }) },
    ],
    close: async () => {},
  }),
}`

const badGroup = `export const group = {
  name: 'bad',
  open: () => ({
    figures: [
      { name: 'bad.broken', unit: '/s', better: 'more', run: async () => { throw new Error('the load was refused') } },
      { name: 'bad.endless', unit: '/s', better: 'more', run: async () => ({ value: 1 / 0 }) },
      { name: 'bad.whole', unit: '/s', better: 'more', run: async () => ({ value: 1 }) },
    ],
    close: async () => {},
  }),
}`

const bench = (...args: string[]) => {
  const node = [join(root, 'bench/main.ts'), '--groups', folder, ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', ...node], { encoding: 'utf8' })
  return { status, stdout, stderr, lines: stdout.split('\n').filter(line => line !== '') }
}

beforeAll(() => {
  writeFileSync(join(folder, 'good.ts'), goodGroup)
  writeFileSync(join(folder, 'bad.ts'), badGroup)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('npm run bench', () => {
  it('prints one JSON line a figure, and nothing else on stdout', () => {
    const { status, lines } = bench('good', '--json')
    expect(lines.map(line => Object.keys(JSON.parse(line)))).toEqual(
      Array(3).fill(['name', 'value', 'unit', 'peer', 'peerValue', 'ratio', 'seconds']),
    )
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ...{ name: 'good.rate', value: 300, unit: '/s', peer: 'Veramo', peerValue: 100, ratio: 3 },
    })
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ value: 0.25, peer: null, peerValue: null, ratio: null })
    expect(status).toBe(0)
  })

  it('says how many times better than the peer, also where less is better', () => {
    const { lines } = bench('good', '--json')
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ name: 'good.time', value: 4, peerValue: 2, ratio: 0.5 })
  })

  it('prints a table with goals for people, and a missed goal is no failure', () => {
    const { status, stdout } = bench('good')
    expect(stdout).toMatch(/figure +value +unit +goal +peer +peer value +ratio +seconds/)
    expect(stdout).toMatch(/good\.rate +300 +\/s +≥ 100, ≥ 2× +met +Veramo +100 +3×/)
    expect(stdout).toMatch(/good\.time +4 +s +≤ 1 +missed +Veramo +2 +0\.5×/)
    expect(stdout).toContain('good.rate: a note')
    expect(status).toBe(0)
  })

  it('hands --quick on to the figures', () => {
    expect(JSON.parse(bench('good', '--json', '--quick').lines[0] ?? '')).toMatchObject({ value: 250 })
  })

  it('names a figure that fails, measures the others, and ends with 1', () => {
    const { status, stdout, stderr } = bench('bad')
    expect(stdout).toMatch(/bad\.broken +failed/)
    expect(stdout).toContain('bad.broken failed: the load was refused')
    expect(stdout).toContain('bad.endless failed: it measured Infinity')
    expect(stdout).toMatch(/bad\.whole +1 /)
    expect(stderr).toContain('failed: bad.broken, bad.endless')
    expect(status).toBe(1)
  })

  it('gives a failed figure its JSON line too', () => {
    const { status, lines } = bench('bad', '--json')
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ name: 'bad.broken', value: null, error: 'the load was refused' })
    expect(lines).toHaveLength(3)
    expect(status).toBe(1)
  })

  it('runs every group of the folder, and refuses one that is not there', () => {
    expect(bench('--json').lines.map(line => JSON.parse(line).name)).toEqual(
      expect.arrayContaining(['bad.whole', 'good.rate']),
    )
    const { status, stderr } = bench('nonesuch')
    expect(stderr).toContain('there is no bench nonesuch; there are: bad, good')
    expect(status).toBe(1)
  })

  it('closes a group whatever its figures did', async () => {
    const closed: string[] = []
    const figure = { name: 'broken', unit: '/s', better: 'more' as const, run: () => Promise.reject(new Error('no')) }
    const group: Group = {
      name: 'one',
      open: () => ({ figures: [figure], close: async () => void closed.push('one') }),
    }
    const quiet = { quick: true, json: true, print: () => undefined, say: () => undefined }
    expect(await runGroups([group], quiet)).toEqual(['broken'])
    expect(closed).toEqual(['one'])
  })
})
