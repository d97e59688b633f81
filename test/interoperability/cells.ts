import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../service.ts'

/** Who makes what, and who takes it: the columns of the table. */
export const directions = [
  'our issuer, their verifier',
  'their issuer, our verifier',
  'our issuer, their wallet',
  'their issuer, our wallet',
  'our wallet, their verifier',
  'their wallet, our verifier',
] as const
export type Direction = (typeof directions)[number]

/** A cell passes, or throws; or it says why there can be none. */
export type Cells = Partial<Record<Direction, (() => Promise<void>) | string>>

/** What is exchanged, by which specification, with whose library. */
export type Row = {
  format: string
  protocol: string
  libraries: readonly string[]
  /** Which library had no part in it, and why. */
  lacks?: string
  cells: Cells
}

/** Rows of one kind, what takes its time before the first of them, and how to leave what they opened. */
export type Group = { rows: readonly Row[]; open?(): Promise<unknown>; close?(): Promise<void> }

const json = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'))
const { dependencies, devDependencies } = json('package.json') as Record<string, Record<string, string>>
const { packages } = json('package-lock.json') as { packages: Record<string, { version: string }> }
const versions: Record<string, string | undefined> = { ...dependencies, ...devDependencies }

/** What a library of ours brings along has its version in the lock file. */
const named = (library: string): string => {
  const version = versions[library] ?? packages[`node_modules/${library}`]?.version
  if (version === undefined) throw new Error(`${library} is no dependency`)
  return `\`${library}\` ${version}`
}

export const titleOf = ({ format, protocol, libraries }: Row): string =>
  `${format}, ${protocol}, ${libraries.join(' and ')}`

export const cellName = (row: Row, direction: Direction): string => `${titleOf(row)}: ${direction}`

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

/**
 * The table of the README: a mark for each cell that passed, the number of a note where there can be none, and nothing where the
 * specification has no such part.
 */
export const tableOf = (rows: readonly Row[], passed: ReadonlySet<string>): string => {
  const notes: string[] = []
  const noteOf = (why: string): string => {
    if (!notes.includes(why)) notes.push(why)
    return `(${notes.indexOf(why) + 1})`
  }
  const titles = ['format', 'specification', 'library of others', ...directions]
  const body = rows.map(row =>
    line([
      ...[row.format, row.protocol],
      row.libraries.map(named).join(', ') + (row.lacks === undefined ? '' : ` ${noteOf(row.lacks)}`),
      ...directions.map(direction => {
        const cell = row.cells[direction]
        if (typeof cell === 'string') return noteOf(cell)
        return passed.has(cellName(row, direction)) ? '✓' : ''
      }),
    ]),
  )
  const rules = line(titles.map((_title, at) => (at < 3 ? '---' : ':-:')))
  const empty = 'An empty cell: the specification, or what the row is about, has no such part.'
  const told = notes.map((why, at) => `- (${at + 1}) ${why}`)
  return [line(titles), rules, ...body, '', empty, '', ...told].join('\n')
}
