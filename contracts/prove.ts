/**
 * Proves what proofs/ asserts, with the compiler's model checker (SMTChecker, CHC engine). The compiler of
 * package-lock.json brings its solver (z3) along; a compiler without one says so, and nothing counts as proved.
 *
 *   node contracts/prove.ts   exits 1 unless every assertion is proved
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

interface Proofs {
  readonly proved: number
  /** What the checker says about each assertion that is not proved, and about whatever else is wrong. */
  readonly unproved: readonly string[]
}

interface Output {
  readonly errors?: readonly {
    readonly severity: string
    readonly message: string
    readonly formattedMessage: string
  }[]
}

interface Solc {
  compile(input: string, callbacks: { import(path: string): { contents: string } }): string
}

const here = import.meta.dirname
/** As many as the proofs assert: one that is no longer looked at must not pass for proved. */
const ASSERTIONS = 8
const SAFE = /^CHC: Assertion violation check is safe!/

export const prove = (): Proofs => {
  const solc = createRequire(import.meta.url)('solc') as Solc
  const name = 'proofs/MintCap.sol'
  const modelChecker = {
    engine: 'chc',
    solvers: ['z3'],
    targets: ['assert'],
    // No timeout: the solver would start a thread for it, and has none. Its own limit of work is the same everywhere.

    showProvedSafe: true,
    showUnproved: true,
  }
  const input = {
    language: 'Solidity',
    sources: { [name]: { content: readFileSync(join(here, name), 'utf8') } },
    settings: { outputSelection: { '*': { '*': ['abi'] } }, modelChecker },
  }
  const readImport = (path: string) => ({ contents: readFileSync(join(here, path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as Output
  const said = output.errors ?? []
  const proved = said.filter(({ message }) => SAFE.test(message)).length
  const rest = said.filter(({ message }) => !SAFE.test(message)).map(({ formattedMessage }) => formattedMessage)
  return { proved, unproved: proved < ASSERTIONS && rest.length === 0 ? ['The checker said nothing.'] : rest }
}

if (import.meta.main) {
  const { proved, unproved } = prove()
  for (const text of unproved) console.error(text)
  console.log(`contracts: ${proved} of ${ASSERTIONS} assertions proved`)
  process.exitCode = unproved.length === 0 && proved === ASSERTIONS ? 0 : 1
}
