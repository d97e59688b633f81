/**
 * Compiles the contracts with the solc of package-lock.json and writes `build/<Name>.json`: name, abi, creation
 * bytecode and compiler. The output is committed, so that a start needs no compiler, and depends on nothing but the
 * sources.
 *
 *   node contracts/build.ts           writes the output
 *   node contracts/build.ts --check   exits 1 when the committed output is not what the sources give
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

interface Artifact {
  readonly name: string
  readonly abi: readonly unknown[]
  readonly bytecode: string
  readonly compiler: Readonly<Record<string, unknown>>
}

interface SolcOutput {
  readonly errors?: readonly { readonly formattedMessage: string; readonly errorCode: string }[]
  readonly contracts: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly abi: readonly unknown[]; readonly evm: { readonly bytecode: { readonly object: string } } }
        >
      >
    >
  >
}

interface Solc {
  version(): string
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string
}

const CONTRACTS = [
  'Governance',
  'StatusRegistry',
  'TrustRegistry',
  'WalletRegistry',
  'TitleRegistry',
  'LicenceRegistry',
  'AssetRegistry',
  'SovereignMoney',
  'PolicyEngine',
  'MoneyFactory',
  'RailGate',
  'Settlement',
  'PurposeMoney',
] as const

// No metadata at the end of the bytecode: it would hold a hash of every comment. foundry.toml says the same.
const SETTINGS = {
  evmVersion: 'cancun',
  optimizer: { enabled: true, runs: 1000 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
} as const

// `at` is the name of a time in our events, and part of the ABI. A later language that reserves it calls for another
// name.
const AT_WILL_BE_A_KEYWORD = '6335'

const here = import.meta.dirname
const output = join(here, 'build')
const resolve = createRequire(import.meta.url)

function compileOurs(): Artifact[] {
  const solc = resolve('solc') as Solc
  const sources = Object.fromEntries(
    CONTRACTS.map(name => [`src/${name}.sol`, { content: readFileSync(join(here, 'src', `${name}.sol`), 'utf8') }]),
  )
  const outputSelection = { '*': { '*': ['abi', 'evm.bytecode.object'] } }
  const input = { language: 'Solidity', sources, settings: { ...SETTINGS, outputSelection } }
  const compiled = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as SolcOutput
  // Warnings count: a contract that warns is not released.
  const errors = (compiled.errors ?? []).filter(error => error.errorCode !== AT_WILL_BE_A_KEYWORD)
  if (errors.length > 0) throw new Error(errors.map(error => error.formattedMessage).join('\n'))
  return CONTRACTS.map(name => {
    const contract = compiled.contracts[`src/${name}.sol`]?.[name]
    if (contract === undefined) throw new Error(`src/${name}.sol holds no contract ${name}`)
    const compiler = { solc: shortVersion(solc.version()), ...SETTINGS }
    return { name, abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}`, compiler }
  })
}

/** The registry of DIDs is used as its authors shipped it, not compiled again. */
function takeDidRegistry(): Artifact {
  const name = 'EthereumDIDRegistry'
  // Its package.json exports only the entry point, which is dist/index.js.
  const home = join(resolve.resolve('ethr-did-registry'), '../..')
  const shipped = resolve(join(home, `artifacts/contracts/${name}.sol/${name}.json`)) as Artifact
  const { version } = resolve(join(home, 'package.json')) as { version: string }
  return { name, abi: shipped.abi, bytecode: shipped.bytecode, compiler: { package: `ethr-did-registry@${version}` } }
}

function readImport(path: string): { contents: string } | { error: string } {
  try {
    const file = path.startsWith('src/') ? join(here, path) : resolve.resolve(path)
    return { contents: readFileSync(file, 'utf8') }
  } catch (cause) {
    return { error: `${path}: ${String(cause)}` }
  }
}

/** Without the platform: the same compiler gives the same code on each. */
function shortVersion(version: string): string {
  return version.split('.').slice(0, 4).join('.')
}

function isCurrent(file: string, text: string): boolean {
  try {
    return readFileSync(join(output, file), 'utf8') === text
  } catch {
    return false
  }
}

const files = new Map(
  [...compileOurs(), takeDidRegistry()].map(artifact => [
    `${artifact.name}.json`,
    `${JSON.stringify(artifact, null, 2)}\n`,
  ]),
)
mkdirSync(output, { recursive: true })
const surplus = readdirSync(output).filter(file => !files.has(file))
const stale = [...files].filter(([file, text]) => !isCurrent(file, text)).map(([file]) => file)

if (process.argv.includes('--check')) {
  const wrong = [...stale, ...surplus]
  if (wrong.length > 0) {
    console.error(`contracts/build is not what contracts/src gives: ${wrong.join(', ')}. Run: node contracts/build.ts`)
    process.exitCode = 1
  }
} else {
  for (const file of surplus) rmSync(join(output, file))
  for (const [file, text] of files) writeFileSync(join(output, file), text)
  console.log(`contracts/build: ${stale.length} of ${files.size} files changed`)
}
