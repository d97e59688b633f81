import { readdirSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Group, runGroups } from './harness.ts'

/**
 * npm run bench [-- group …] [--json] [--quick] [--only start]
 *
 * A bench joins by a file in bench/groups/ that exports `group`. Exit code 1 when a figure could not be measured; a
 * missed goal is only shown. To see where the time goes: NODE_OPTIONS="--cpu-prof --cpu-prof-dir=profiles".
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    /** Only figures whose names start so. */
    only: { type: 'string', default: '' },
    /** Another folder of groups. */
    groups: { type: 'string', default: join(import.meta.dirname, 'groups') },
  },
})

const folder = resolve(values.groups)
const known = readdirSync(folder)
  .filter(name => name.endsWith('.ts'))
  .map(name => name.slice(0, -3))
  .sort()

const load = async (name: string): Promise<Group> => {
  const loaded = (await import(pathToFileURL(join(folder, `${name}.ts`)).href)) as { group: Group }
  return loaded.group
}

const strange = positionals.filter(name => !known.includes(name))
if (strange.length > 0) {
  console.error(`there is no bench ${strange.join(', ')}; there are: ${known.join(', ')}`)
  process.exit(1)
}

const groups: Group[] = []
for (const name of positionals.length > 0 ? positionals : known) groups.push(await load(name))
const [load1 = 0] = loadavg()
if (load1 > 0.5) console.error(`the machine is not idle (load ${load1.toFixed(1)} on ${availableParallelism()} cores)`)

const failures = await runGroups(groups, {
  json: values.json,
  quick: values.quick,
  only: values.only,
  print: line => console.log(line),
  // Apart from the figures, so that --json can be piped on.
  say: line => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`),
})
if (failures.length > 0) console.error(`failed: ${failures.join(', ')}`)
process.exitCode = failures.length > 0 ? 1 : 0
