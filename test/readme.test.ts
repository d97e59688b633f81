import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { agencyMembers } from '../src/config/agency.ts'
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

  it('tells of every member of an agency file', () => {
    const told = sectionOf('Running one agency')
      .split('\n')
      .filter(line => /^\| `[a-zA-Z0-9]+`/.test(line))
      .flatMap(line => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? ''))
    for (const member of agencyMembers) expect(told).toContain(member)
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

    it('has a tour that works, and commands for wallets, verifiers and issuers of others that nobody refuses', () => {
      const others = blocksOf('Wallets, verifiers and issuers of others', 'sh')
      const { stdout, stderr, status } = paste([...blocksOf(tour, 'sh'), 'echo ===', ...others])
      const [toured, gone = ''] = stdout.split('===\n')
      expect({ toured, stderr }).toEqual({ toured: blocksOf(tour, 'text').join(''), stderr: '' })
      expect({ status, refusals: /urn:chancery:refusal:\w+|undefined/.exec(gone) }).toEqual({
        status: 0,
        refusals: null,
      })
      for (const shown of ["[ 'kept', 'kept' ]", 'answered\nOkafor', 'did:webvh:']) expect(gone).toContain(shown)
    }, 120_000)
  })
})
