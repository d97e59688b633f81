/**
 * What an upgrade of SovereignMoney relies on: everything that currencies keep stays where it is, and the proxy has no
 * function that would hide one of the implementation. Both are read from what forge compiled into out/.
 *
 *   node contracts/layout.ts           exits 1 when something has moved, or layout.json does not show all there is
 *   node contracts/layout.ts --write   adds what is new to layout.json; refuses when something has moved
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { here } from './forge.ts'

interface Member {
  readonly label: string
  readonly slot: string
  readonly offset: number
  readonly type: string
}

interface Type {
  readonly label: string
  readonly numberOfBytes: string
  readonly members?: readonly Member[]
}

interface Compiled {
  readonly methodIdentifiers: Readonly<Record<string, string>>
  readonly storageLayout: { readonly storage: readonly Member[]; readonly types: Readonly<Record<string, Type>> }
}

const UPGRADED = 'SovereignMoney'
const file = join(here, 'layout.json')

const compiled = (name: string): Compiled =>
  JSON.parse(readFileSync(join(here, 'out', `${name}.sol`, `${name}.json`), 'utf8')) as Compiled

/** One line for each place: `slot 3 + 0: _name (ShortString, 32 bytes)`; those of structs follow, by their names. */
const layoutOf = (name: string): string[] => {
  const { storage, types } = compiled(name).storageLayout
  const line = (at: string, { label, slot, offset, type }: Member): string => {
    const of = types[type]
    return `${at} ${slot} + ${offset}: ${label} (${of?.label}, ${of?.numberOfBytes} bytes)`
  }
  const structs = Object.values(types)
    .filter(type => type.members !== undefined)
    .sort((a, b) => a.label.localeCompare(b.label))
  return [
    ...storage.map(member => line('slot', member)),
    ...structs.flatMap(struct => (struct.members ?? []).map(member => line(struct.label, member))),
  ]
}

const committed = (): string[] => JSON.parse(readFileSync(file, 'utf8')) as string[]

/** What stood at a place and stands there no more. */
const moved = (): string[] => {
  const now = new Set(layoutOf(UPGRADED))
  return committed().filter(line => !now.has(line))
}

/** Why an upgrade to what is compiled now would not find what a currency keeps; empty when it would. */
export const layoutProblems = (): string[] => {
  const known = new Set(committed())
  const fresh = layoutOf(UPGRADED).filter(line => !known.has(line))
  return [
    ...moved().map(line => `moved: ${line}`),
    ...fresh.map(line => `not in layout.json (node contracts/layout.ts --write): ${line}`),
  ]
}

/** The functions that both contracts have, by their selectors. */
export const sharedSelectors = (one: string, other: string): string[] => {
  const taken = new Set(Object.values(compiled(one).methodIdentifiers))
  return Object.entries(compiled(other).methodIdentifiers)
    .filter(([, selector]) => taken.has(selector))
    .map(([signature]) => signature)
}

if (import.meta.main) {
  if (process.argv.includes('--write')) {
    const gone = moved()
    if (gone.length === 0) writeFileSync(file, `${JSON.stringify(layoutOf(UPGRADED), null, 2)}\n`)
    else console.error(`These would move, so nothing is written:\n${gone.join('\n')}`)
    process.exitCode = gone.length === 0 ? 0 : 1
  } else {
    const problems = layoutProblems()
    for (const problem of problems) console.error(problem)
    process.exitCode = problems.length === 0 ? 0 : 1
  }
}
