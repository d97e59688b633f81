import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { inWords } from './requirement-words.ts'
import { root, type Started, startService, temporaryFolder } from './service.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

const sourcesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sourcesUnder(path) : entry.name.endsWith('.ts') ? [readFileSync(path, 'utf8')] : []
  })

const sectionOf = (title: string): string => readme.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? ''

describe('the README', () => {
  it('lists exactly the refusal codes that the source can give, each under its kind', () => {
    const given = new Set<string>()
    for (const text of sourcesUnder(join(root, 'src'))) {
      for (const [, kind, code] of text.matchAll(/Refusal\(\s*'(\w+)',\s*'([a-z0-9_]+)'/g)) given.add(`${kind} ${code}`)
      for (const [, kind, code] of text.matchAll(/\b(rejected|unavailable)\(\s*'([a-z0-9_]+)'/g))
        given.add(`${kind} ${code}`)
    }
    const listed = sectionOf('Refusals')
      .split('\n')
      .flatMap(line => {
        const [, kind, , codes] = line.split('|').map(cell => cell.trim())
        return [...(codes ?? '').matchAll(/`([a-z0-9_]+)`/g)].map(match => `${kind} ${match[1]}`)
      })
    expect([...listed].sort()).toEqual([...given].sort())
  })

  it('says of every operation of openapi.yaml who may call it, as its requirement says', () => {
    const document = parse(readFileSync(join(root, 'openapi.yaml'), 'utf8')) as {
      paths: Record<string, Record<string, { operationId: string; 'x-requires': Parameters<typeof inWords>[0] }>>
    }
    const wanted = Object.entries(document.paths).flatMap(([path, item]) =>
      ['get', 'post', 'put', 'delete'].flatMap(method => {
        const operation = item[method]
        if (operation === undefined) return []
        const who = inWords(operation['x-requires'])
        return [`| \`${operation.operationId}\` | \`${method.toUpperCase()} ${path}\` | ${who} |`]
      }),
    )
    const rows = sectionOf('Operations and who may call them')
      .split('\n')
      .filter(line => /^\| `\w+` \|/.test(line))
    expect(rows).toEqual(wanted)
  })

  describe('pasted into a shell', () => {
    const folder = temporaryFolder()
    const dataDir = join(folder.path, 'data')
    let service: Started

    beforeAll(async () => {
      service = await startService({ dataDir })
    }, 90_000)

    afterAll(async () => {
      await service.stop()
      folder.remove()
    })

    const blocksOf = (title: string, kind: string): string[] => {
      const section = sectionOf(title)
        .replaceAll('http://localhost:3000', service.url)
        .replaceAll('localhost:3000', new URL(service.url).host)
        .replaceAll('cat data/', `cat ${dataDir}/`)
      return [...section.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
        .filter(([, named]) => named === kind)
        .map(([, , text]) => text ?? '')
    }

    const paste = (script: readonly string[]) =>
      spawnSync('bash', ['-e', '-c', script.join('\n')], {
        ...{ cwd: root, encoding: 'utf8', env: { ...process.env, DATA_DIR: dataDir } },
      })

    const tour = 'A tour of five minutes'

    it('has a tour that works', () => {
      const { stdout, stderr } = paste(blocksOf(tour, 'sh'))
      expect({ stdout, stderr }).toEqual({ stdout: blocksOf(tour, 'text').join(''), stderr: '' })
    }, 90_000)

    it('has commands for wallets, verifiers and issuers of others that nobody refuses', () => {
      const words = blocksOf(tour, 'sh').slice(0, 2)
      const { status, stdout } = paste([...words, ...blocksOf('Wallets, verifiers and issuers of others', 'sh')])
      expect({ status, refusals: /urn:chancery:refusal:\w+|undefined/.exec(stdout) }).toEqual({
        status: 0,
        refusals: null,
      })
      for (const shown of ["[ 'kept', 'kept' ]", 'answered\nOkafor', 'did:webvh:']) expect(stdout).toContain(shown)
    }, 90_000)
  })
})
