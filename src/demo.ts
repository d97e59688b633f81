import { runTerminal } from './demo/terminal.ts'

/** The people of the demo nation at a terminal: `npm run demo -- <command>`. */

const code = await runTerminal(process.argv.slice(2), {
  origin: process.env['NATION'] ?? `http://localhost:${process.env['PORT'] ?? '3000'}`,
  dataDir: process.env['DATA_DIR'] ?? 'data',
  clock: { now: () => Date.now() },
  out: line => console.log(line),
  note: line => console.error(line),
})
process.exit(code)
