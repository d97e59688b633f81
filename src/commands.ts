import { resolve } from 'node:path'
import { runCommand } from './commands/run.ts'

/** What an operator does to an agency from a shell: `npm run agency -- <command> <agency>`. */

const code = await runCommand(process.argv.slice(2), {
  env: process.env,
  agentsFolder: resolve(import.meta.dirname, '../agents'),
  clock: { now: () => Date.now() },
  out: line => console.log(line),
  note: line => console.error(line),
})
process.exit(code)
