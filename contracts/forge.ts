/** Runs a program of package-lock.json over the contracts, offline. */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'

export interface Run {
  readonly ok: boolean
  readonly output: string
}

export const here = import.meta.dirname
const modules = join(here, '..', 'node_modules')
const programs = join(modules, '.bin')

/** The output goes to the terminal too, unless it is `quiet` and all went well. */
export function run(program: string, args: readonly string[], quiet = false): Run {
  const done = spawnSync(program === 'forge' ? forge() : join(programs, program), args, {
    cwd: here,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: {
      ...process.env,
      PATH: `${programs}${delimiter}${process.env['PATH'] ?? ''}`,
      // With a path relative to this folder, forge names each library file in two ways and coverage cannot join them.
      FOUNDRY_REMAPPINGS: `@openzeppelin/contracts/=${join(modules, '@openzeppelin/contracts')}/`,
    },
  })
  const ok = done.status === 0
  const output = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error === undefined ? '' : String(done.error)}`
  if (!quiet || !ok) process.stdout.write(output)
  return { ok, output }
}

/** The binary itself: the launcher in node_modules/.bin ends with 0 whatever forge says. */
function forge(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const { resolve } = createRequire(join(modules, '@foundry-rs/forge/package.json'))
  return resolve(`@foundry-rs/forge-${process.platform}-${architecture}/bin/forge`)
}
