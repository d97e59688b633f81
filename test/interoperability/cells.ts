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

/** A cell passes, or throws. */
export type Cells = Partial<Record<Direction, () => Promise<void>>>

/** What is exchanged, by which specification, with whose library. */
export type Row = { format: string; protocol: string; libraries: readonly string[]; cells: Cells }

/** Rows of one kind, and how to leave what they opened. */
export type Group = { rows: readonly Row[]; close?(): Promise<void> }

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

/** The table of the README: a mark for each cell that passed, nothing where a library has no such part. */
export const tableOf = (rows: readonly Row[], passed: ReadonlySet<string>): string => {
  const titles = ['format', 'specification', 'library of others', ...directions]
  const body = rows.map(row =>
    line([
      ...[row.format, row.protocol, row.libraries.map(named).join(', ')],
      ...directions.map(direction => (passed.has(cellName(row, direction)) ? '✓' : '')),
    ]),
  )
  return [line(titles), line(titles.map((_title, at) => (at < 3 ? '---' : ':-:'))), ...body].join('\n')
}
