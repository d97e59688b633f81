/**
 * Coverage of `src/` by the tests; exits 1 below the thresholds.
 *
 *   node contracts/coverage.ts
 */
import { run } from './forge.ts'

const LOWEST = { lines: 99, statements: 99, branches: 98, functions: 99 } as const

// Coverage switches the optimizer off, and then OpenZeppelin's P256 needs more stack than there is: only by way of IR it
// compiles, which takes minutes. Costs are others then, so that what measures them stays out.
const options = ['--ir-minimum', '--no-match-contract', 'GasTest', '--no-match-coverage', '^test/']
const report = run('forge', ['coverage', '--report', 'summary', ...options], true)
const total = report.output.split('\n').find(line => line.startsWith('| Total '))
const [lines, statements, branches, functions] = [...(total ?? '').matchAll(/([\d.]+)%/g)].map(match =>
  Number(match[1]),
)
const measured = { lines, statements, branches, functions }

const short = Object.entries(LOWEST).filter(
  ([kind, lowest]) => !((measured[kind as keyof typeof LOWEST] ?? 0) >= lowest),
)
for (const [kind, lowest] of short) console.error(`contracts: coverage of ${kind} is below ${lowest} %`)
for (const line of report.output.split('\n').filter(line => line.startsWith('|'))) console.log(line)
process.exitCode = report.ok && short.length === 0 ? 0 : 1
