/** What every bench shares: figures, how they run, and how they are printed. */

/** What a figure is held against in the table for people. Never asserted: a timed test fails on a busy machine. */
export type Goal = { atLeast?: number; atMost?: number; timesPeer?: number }

export type Measured = {
  value: number
  /** Plain Veramo (or whatever the figure stands beside) at the same work, in this run. */
  peer?: { name: string; value: number }
  /** One line about what was measured. */
  note?: string
}

export type Figure = {
  /** Unique over all groups. */
  name: string
  unit: string
  better: 'more' | 'less'
  goal?: Goal
  /** @throws whatever makes the figure worthless; the others still run. */
  run(): Promise<Measured>
}

export type BenchOptions = {
  /** Shorter runs for a look; the figures are coarser. */
  quick: boolean
  /** Says what is being done, a line a step. */
  say(line: string): void
}

/** A named list of figures. They run in order, so that a later one may use what an earlier one left. */
export type Group = {
  name: string
  open(options: BenchOptions): { figures: Figure[]; close(): Promise<void> }
}

export type Result = {
  name: string
  value: number | null
  unit: string
  peer: string | null
  peerValue: number | null
  /** How many times better than the peer: above 1 is better, also where less is better. */
  ratio: number | null
  /** How long measuring took. */
  seconds: number
  error?: string
}

type Row = Result & { goal: Goal | undefined; better: Figure['better']; note: string | undefined }

const rounded = (value: number): number => (value >= 1_000 ? Math.round(value) : Number(value.toPrecision(4)))

const ratioOf = (better: Figure['better'], value: number, peer: number): number | null => {
  const [over, under] = better === 'more' ? [value, peer] : [peer, value]
  return under === 0 ? null : rounded(over / under)
}

const failed = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const runFigure = async (figure: Figure): Promise<Row> => {
  const { name, unit, better, goal } = figure
  const from = performance.now()
  const seconds = (): number => Number(((performance.now() - from) / 1_000).toFixed(1))
  try {
    const { value, peer, note } = await figure.run()
    if (!Number.isFinite(value)) throw new Error(`it measured ${value}`)
    const ratio = peer === undefined ? null : ratioOf(better, value, peer.value)
    const beside = { peer: peer?.name ?? null, peerValue: peer === undefined ? null : rounded(peer.value), ratio }
    return { name, value: rounded(value), unit, ...beside, seconds: seconds(), goal, better, note }
  } catch (error) {
    const nothing = { value: null, peer: null, peerValue: null, ratio: null }
    return { name, unit, ...nothing, seconds: seconds(), error: failed(error), goal, better, note: undefined }
  }
}

export const jsonLine = ({ name, value, unit, peer, peerValue, ratio, seconds, error }: Result): string =>
  JSON.stringify({ name, value, unit, peer, peerValue, ratio, seconds, ...(error === undefined ? {} : { error }) })

const shown = (value: number | null): string =>
  value === null ? '–' : value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 3 : 1 })

const goalText = ({ atLeast, atMost, timesPeer }: Goal): string =>
  [
    atLeast === undefined ? '' : `≥ ${shown(atLeast)}`,
    atMost === undefined ? '' : `≤ ${shown(atMost)}`,
    timesPeer === undefined ? '' : `≥ ${shown(timesPeer)}×`,
  ]
    .filter(part => part !== '')
    .join(', ')

const isMissed = ({ value, ratio, goal }: Row): boolean => {
  if (goal === undefined || value === null) return false
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY, timesPeer = 0 } = goal
  return value < atLeast || value > atMost || (ratio ?? Number.POSITIVE_INFINITY) < timesPeer
}

const columns = ['figure', 'value', 'unit', 'goal', '', 'peer', 'peer value', 'ratio', 'seconds'] as const
const alignedRight = new Set(['value', 'peer value', 'ratio', 'seconds'])

const cellsOf = (row: Row): string[] => [
  row.name,
  row.error === undefined ? shown(row.value) : 'failed',
  row.unit,
  row.goal === undefined ? '' : goalText(row.goal),
  row.goal === undefined || row.value === null ? '' : isMissed(row) ? 'missed' : 'met',
  row.peer ?? '',
  row.peerValue === null ? '' : shown(row.peerValue),
  row.ratio === null ? '' : `${shown(row.ratio)}×`,
  row.seconds.toFixed(1),
]

/** The table for people, with a line below for each note and each failure. */
export const table = (rows: Row[]): string => {
  const cells = rows.map(cellsOf)
  const widths = columns.map((title, at) => Math.max(title.length, ...cells.map(row => row[at]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0
        return alignedRight.has(columns[at] ?? '') ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const remarks = rows.flatMap(row => {
    if (row.error !== undefined) return [`${row.name} failed: ${row.error}`]
    return row.note === undefined ? [] : [`${row.name}: ${row.note}`]
  })
  const rule = widths.map(width => '-'.repeat(width)).join('  ')
  return [line(columns), rule, ...cells.map(line), ...(remarks.length === 0 ? [] : ['', ...remarks])].join('\n')
}

export type RunOptions = BenchOptions & {
  json: boolean
  /** Only figures whose names start so. */
  only?: string
  /** Where the table or the lines go. */
  print(line: string): void
}

/**
 * Runs groups one after the other. As JSON a figure is printed as soon as it is measured.
 * @returns the names of the figures that failed.
 */
export const runGroups = async (groups: readonly Group[], options: RunOptions): Promise<string[]> => {
  const { json, only = '', print, say } = options
  const failures: string[] = []
  for (const group of groups) {
    const { figures, close } = group.open(options)
    const rows: Row[] = []
    try {
      for (const figure of figures.filter(({ name }) => name.startsWith(only))) {
        say(`${group.name}: ${figure.name}`)
        const row = await runFigure(figure)
        rows.push(row)
        if (row.error !== undefined) failures.push(row.name)
        if (json) print(jsonLine(row))
      }
    } finally {
      await close()
    }
    if (!json && rows.length > 0) print(`${group.name}\n${table(rows)}`)
  }
  return failures
}
