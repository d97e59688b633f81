/**
 * Everything a change of the contracts must pass, except coverage (coverage.ts): committed build, format, lint, proofs,
 * tests, what upgrades rely on, gas.
 * The last line is `contracts: <n> passed, <n> failed`; the exit code is 1 when anything failed.
 *
 *   node contracts/check.ts
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { here, run } from './forge.ts'
import { layoutProblems, sharedSelectors } from './layout.ts'

/** A change within one per cent is the compiler's; a greater one is ours, and is committed with `forge snapshot`. */
const GAS_TOLERANCE_PERCENT = '1'

const SHIPPED = [
  'Governance',
  'StatusRegistry',
  'TrustRegistry',
  'WalletRegistry',
  'TitleRegistry',
  'LicenceRegistry',
  'AssetRegistry',
  'PolicyEngine',
  'SovereignMoney',
  'MoneyFactory',
  'RailGate',
  'Settlement',
  'PurposeMoney',
]

const failures: string[] = []

function expect(name: string, ok: boolean): void {
  if (!ok) failures.push(name)
}

/** What forge tested is what is shipped. */
function isShipped(name: string): boolean {
  const shipped = JSON.parse(readFileSync(join(here, 'build', `${name}.json`), 'utf8')) as { bytecode: string }
  const tested = JSON.parse(readFileSync(join(here, 'out', `${name}.sol`, `${name}.json`), 'utf8')) as {
    bytecode: { object: string }
  }
  return shipped.bytecode === tested.bytecode.object
}

/** From the last line of forge: `Ran 6 test suites in 2.39s (4.73s CPU time): 243 tests passed, 0 failed, 0 skipped (...)`. */
function sums(output: string): { passed: number; failed: number } {
  const line = output.match(/^Ran \d+ test suites? in .*: (\d+) tests passed, (\d+) failed/m)
  return { passed: Number(line?.[1] ?? 0), failed: Number(line?.[2] ?? 0) }
}

expect('contracts/build is not current', run('node', ['build.ts', '--check']).ok)
expect('format: forge fmt', run('forge', ['fmt', '--check']).ok)
expect('lint: solhint', run('solhint', ['-c', '.solhint.json', '--max-warnings', '0', 'src/**/*.sol'], true).ok)

expect('proofs: the mint cap', run('node', ['prove.ts']).ok)

const tests = run('forge', ['test'])
const { passed, failed } = sums(tests.output)
expect('forge test', tests.ok && passed > 0 && failed === 0)
expect('bytecode tested differs from contracts/build', tests.ok && SHIPPED.every(isShipped))

// Both read what forge compiled, so they come after the tests.
for (const problem of tests.ok ? layoutProblems() : []) failures.push(`storage layout: ${problem}`)
for (const selector of tests.ok ? sharedSelectors('MoneyProxy', 'SovereignMoney') : []) {
  failures.push(`the proxy hides a function of SovereignMoney: ${selector}`)
}

const gas = [
  'snapshot',
  '--match-contract',
  'GasTest',
  '--check',
  '.gas-snapshot',
  '--tolerance',
  GAS_TOLERANCE_PERCENT,
]
expect('gas: forge snapshot', run('forge', gas, true).ok)

for (const failure of failures) console.error(`contracts: ${failure}`)
console.log(`contracts: ${passed} passed, ${failed} failed`)
process.exitCode = failures.length === 0 ? 0 : 1
