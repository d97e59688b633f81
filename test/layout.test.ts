import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder)).flatMap(name => {
    const path = join(folder, name)
    return statSync(join(root, path)).isDirectory() ? filesUnder(path) : path.endsWith('.ts') ? [path] : []
  })

const importsOf = (file: string): string[] =>
  [
    ...readFileSync(join(root, file), 'utf8').matchAll(/(?:^|\n)(?:import|export)[^'"\n]*?(?:[^'"]*?from )?'([^']+)'/g),
  ].map(match => match[1] ?? '')

/** The part of the house a file under src/ stands in: `kernel`, `http`, `plugins/wallet`, or `main`, `server`, `config`. */
const partOf = (file: string): string => {
  const [first = '', second = ''] = relative('src', file).split('/')
  if (first === 'plugins') return `plugins/${second}`
  return first.replace(/\.ts$/, '')
}

const sources = filesUnder('src')
const edges = sources.flatMap(file =>
  importsOf(file).map(name => ({
    file,
    name,
    part: partOf(file),
    target: name.startsWith('.') ? partOf(relative(root, resolve(root, dirname(file), name))) : undefined,
  })),
)

const top = new Set([
  'main',
  'server',
  'config',
  'agency',
  'plugins',
  'commands',
  'environment',
  'mount',
  'mounting',
  'register',
  'registers',
  'lists',
  'institutions',
  'wallet-bindings',
  'wallet-collecting',
  'money',
  'rounds',
  'ledger-funds',
  'ledger-record',
  'conformance',
  'conformance-suites',
  'instances',
  'known-issuers',
  'openid4vci',
  'certificates',
  'did-log',
  'didcomm',
  'verifier',
  'demo',
  'verifiers',
  'trusts',
  'federation',
])
const shown = (edge: { file: string; name: string }) => `${edge.file} imports ${edge.name}`

const fences: { library: RegExp; allowed: RegExp }[] = [
  { library: /^(@veramo\/|did-resolver$|ethr-did|web-did|@sd-jwt\/|did-jwt)/, allowed: /^src\/identity\// },
  { library: /^jose$/, allowed: /^src\/(identity\/|http\/auth\.ts)/ },
  { library: /^ethers$/, allowed: /^src\/chain\// },
  { library: /^hash-wasm$/, allowed: /^src\/chain\// },
  { library: /^(express|helmet|express-|prom-client|pino)/, allowed: /^src\/http\// },
  { library: /^ajv/, allowed: /^src\/(identity\/types\.ts|http\/)/ },
  { library: /^yaml$/, allowed: /^src\/(config\/agency|server|main)\.ts/ },
  { library: /^@noble\//, allowed: /^src\/identity\/oprf/ },
  { library: /^cbor2$/, allowed: /^src\/identity\/cbor\.ts/ },
  { library: /^@digitalbazaar\/bbs-signatures$/, allowed: /^src\/identity\/bbs/ },
  { library: /^(@peculiar\/x509|reflect-metadata)$/, allowed: /^src\/identity\/x509\/make\.ts/ },
  { library: /^(xml-crypto|@xmldom\/)/, allowed: /^src\/identity\/trusted-lists\// },
  { library: /^qrcode$/, allowed: /^src\/http\/qr\.ts/ },
  { library: /-context$/, allowed: /^src\/identity\/linked-data\/contexts\.ts/ },
  { library: /^polygon-clipping$/, allowed: /^src\/plugins\/registry\/land\// },
  {
    library: /^typeorm$/,
    allowed:
      /^src\/(store\/|kernel\/plugin\.ts|chain\/entities\.ts|identity\/veramo-store\.ts|plugins\/[^/]+\/(?:\w+\/)?(entities\.ts|actions))/,
  },
  { library: /^secp256k1$/, allowed: /^src\/(identity|chain)\// },
]

describe('the layout of the source', () => {
  it('lets imports point inward only: main → server → { http, plugins, identity, chain, store } → kernel', () => {
    const outward = edges.filter(({ part, target }) => {
      if (target === undefined || target === part || target === 'kernel') return false
      return !top.has(part)
    })
    expect(outward.map(shown)).toEqual([])
  })

  it('keeps the kernel free of everything of ours', () => {
    const strays = edges.filter(({ part, target }) => part === 'kernel' && target !== undefined && target !== 'kernel')
    expect(strays.map(shown)).toEqual([])
  })

  it.each(fences)('fences $library into its folder', ({ library, allowed }) => {
    const strays = edges.filter(({ file, name }) => library.test(name) && !allowed.test(file))
    expect(strays.map(shown)).toEqual([])
  })

  it('sees the imports at all', () => {
    expect(edges.length).toBeGreaterThan(100)
  })

  it('has the process and its environment in main.ts only', () => {
    const users = sources.filter(
      file =>
        !/^src\/(main|commands|demo)\.ts$/.test(file) &&
        /\bprocess\.(env|argv|exit)\b/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(users).toEqual([])
  })

  it('keeps files to about 400 lines and free of left-overs', () => {
    const long = sources.filter(file => readFileSync(join(root, file), 'utf8').split('\n').length > 450)
    const left = sources.filter(file => /\b(TODO|FIXME|XXX)\b/.test(readFileSync(join(root, file), 'utf8')))
    expect({ long, left }).toEqual({ long: [], left: [] })
  })
})
