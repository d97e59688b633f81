import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openAgencyBase, openAgencyStore } from '../src/agency.ts'
import { retention, tablesOf } from '../src/commands/records.ts'
import { runCommand } from '../src/commands/run.ts'
import { openKeys } from '../src/identity/keys.ts'
import { parseMasterKey } from '../src/identity/seal.ts'
import type { Store } from '../src/kernel/ports.ts'
import { stopPostgres, withPostgres } from './postgres.ts'
import {
  caller,
  exampleOf,
  inherited,
  killNode,
  newHolder,
  root,
  type Started,
  startService,
  temporaryFolder,
} from './service.ts'

const agency = 'root-authority'
const folder = temporaryFolder()
const dataDir = join(folder.path, 'data')
const backupFile = join(folder.path, 'keys.backup')
const passphrase = 'a passphrase that people keep'
const otherMasterKey = '5b'.repeat(32)
const day = 24 * 60 * 60_000

type Ran = { code: number; out: string[]; notes: string[]; refusal: string | undefined }

/** Runs a command as an operator would, in this process; `later` moves its clock. */
const run = async (args: string[], env: Record<string, string> = {}, later = 0): Promise<Ran> => {
  const out: string[] = []
  const notes: string[] = []
  const code = await runCommand(args, {
    env: { DATA_DIR: dataDir, ...env },
    agentsFolder: join(root, 'agents'),
    clock: { now: () => Date.now() + later },
    out: line => out.push(line),
    note: line => notes.push(line),
  })
  return { code, out, notes, refusal: /^refused \((\w+)\)/m.exec(notes.join('\n'))?.[1] }
}

const masterKeyHere = () => parseMasterKey(readFileSync(join(dataDir, 'master.key'), 'utf8'))

const keysHere = async (masterKey = masterKeyHere()) => {
  const keys = await openKeys({ agency, directory: join(dataDir, agency), masterKey, clock: Date })
  const all = await keys.list()
  await keys.close()
  return all.map(({ keyId, state, thumbprint }) => `${keyId} ${state} ${thumbprint}`)
}

const withStore = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
  const store = await openAgencyStore(agency, { dataDir, databaseUrl: undefined })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const lists = () =>
  withStore(store => store.read<{ list: number; next: number }>('SELECT list, next FROM status_lists ORDER BY list'))

/** The service for as long as the work takes. */
const during = async <T>(work: (call: ReturnType<typeof caller>) => Promise<T>, env = {}): Promise<T> => {
  const service: Started = await startService({ dataDir, agencies: [`agents/${agency}.yml`], env })
  try {
    return await work(caller(service, agency))
  } finally {
    await service.stop()
  }
}

const issue = async (call: ReturnType<typeof caller>) => {
  const credential = {
    type: ['VerifiableCredential', 'NationalIdentity'],
    credentialSubject: { id: newHolder().did, ...exampleOf('national-identity') },
  }
  const answer = await call('POST', '/credentials/issue', { credential, options: { format: 'vc+jwt' } })
  expect(answer.status).toBe(201)
  const secured = answer.body['verifiableCredential'] as unknown as { id: string }
  const payload = JSON.parse(Buffer.from(String(secured.id.split('.')[1]), 'base64url').toString())
  const header = JSON.parse(Buffer.from(String(secured.id.split(',')[1]?.split('.')[0]), 'base64url').toString())
  const evm = payload.credentialStatus.find((entry: { type: string }) => entry.type === 'EvmStatusEntry')
  return { secured, kid: String(header.kid), place: `${evm.list}/${evm.index}` }
}

const verifies = async (call: ReturnType<typeof caller>, secured: unknown): Promise<unknown> =>
  (await call('POST', '/credentials/verify', { verifiableCredential: secured })).body['verified']

let first: Awaited<ReturnType<typeof issue>>

beforeAll(async () => {
  first = await during(issue)
}, 90_000)

afterAll(() => {
  killNode(dataDir)
  folder.remove()
})

describe('the commands of an operator', () => {
  it.each([
    [[], /Name a command/],
    [['destroy', agency], /no such command/],
    [['constructor', agency], /no such command/],
    [['backup'], /needs the name of an agency/],
    [['backup', agency], /takes 2 arguments/],
    [['erase', agency, '--force'], /no command has/],
    [['erase', agency, '--scopes', 'a'], /has no options/],
    [['api-key', 'steal', agency], /no such command/],
  ])('answer %j with the usage text and exit 1', async (args, said) => {
    const { code, out, notes } = await run(args)
    expect([code, out]).toEqual([1, []])
    expect(notes.join('\n')).toMatch(said)
    expect(notes.join('\n')).toMatch(/npm run agency -- <command> <agency>/)
  })

  it('never repeat what was given as an argument too many, for it may be a passphrase', async () => {
    const { code, notes } = await run(['backup', agency, backupFile, passphrase])
    expect(code).toBe(1)
    expect(notes.join('\n')).not.toContain(passphrase)
    expect(existsSync(backupFile)).toBe(false)
  })

  it.each(['backup x', 'rekey', 'rotate-key', 'erase', 'api-key list'])(
    'refuse to %s an agency that nobody knows',
    async words => {
      const [command = '', ...rest] = words.split(' ')
      const args =
        command === 'api-key' ? ['api-key', 'list', 'ministry-of-nothing'] : [command, 'ministry-of-nothing', ...rest]
      expect((await run(args)).refusal).toBe('agency_unknown')
    },
  )

  it.each(['backup', 'rekey', 'rotate-key', 'erase', 'api-key'])(
    'refuse to %s an agency that was never started, and make nothing of it',
    async command => {
      const args = command === 'api-key' ? ['api-key', 'list', 'central-bank'] : [command, 'central-bank']
      if (command === 'backup') args.push(join(folder.path, 'none'))
      const env = { BACKUP_PASSPHRASE: passphrase, NEW_MASTER_KEY: otherMasterKey }
      expect((await run(args, env)).refusal).toBe('agency_not_started')
      expect(existsSync(join(dataDir, 'central-bank'))).toBe(false)
    },
  )

  it('run as an npm script', async () => {
    const child = spawn(process.execPath, ['src/commands.ts', 'rekey', agency], {
      cwd: root,
      env: { DATA_DIR: dataDir },
    })
    let text = ''
    child.stderr.on('data', chunk => {
      text += chunk
    })
    expect(await new Promise(done => child.once('exit', done))).toBe(1)
    expect(text).toMatch(/^refused \(new_master_key_missing\)/)
    const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts
    expect(scripts.agency).toBe('node src/commands.ts')
  })
})

describe('backup and restore', () => {
  it('refuse without a passphrase, or with a weak one', async () => {
    expect((await run(['backup', agency, backupFile])).refusal).toBe('backup_passphrase_missing')
    expect((await run(['backup', agency, backupFile], { BACKUP_PASSPHRASE: 'short' })).refusal).toBe('passphrase_weak')
    expect(existsSync(backupFile)).toBe(false)
  })

  it('write one file that only its owner reads, and never over another', async () => {
    const env = { BACKUP_PASSPHRASE: passphrase }
    expect((await run(['backup', agency, backupFile], env)).code).toBe(0)
    expect(statSync(backupFile).mode & 0o777).toBe(0o600)
    const before = readFileSync(backupFile)
    expect(before.toString()).not.toContain(passphrase)
    expect((await run(['backup', agency, backupFile], env)).refusal).toBe('backup_file_exists')
    expect(readFileSync(backupFile).equals(before)).toBe(true)
  })

  it('refuse to restore over keys that are there', async () => {
    const before = [await keysHere(), await lists()]
    expect((await run(['restore', agency, backupFile], { BACKUP_PASSPHRASE: passphrase })).refusal).toBe(
      'key_store_not_empty',
    )
    expect([await keysHere(), await lists()]).toEqual(before)
  })

  it('bring a wiped key store back: the same keys sign, under status indices that were never given out', async () => {
    const keys = await keysHere()
    for (const tail of ['', '-wal', '-shm']) rmSync(join(dataDir, agency, `veramo.sqlite${tail}`), { force: true })
    const before = await lists()
    const wrong = await run(['restore', agency, backupFile], { BACKUP_PASSPHRASE: 'another passphrase' })
    expect([wrong.code, wrong.refusal]).toEqual([1, 'backup_locked'])
    expect(wrong.notes.join()).not.toContain('another passphrase')
    writeFileSync(join(folder.path, 'junk'), '{"manifest":{}}')
    const junk = await run(['restore', agency, join(folder.path, 'junk')], { BACKUP_PASSPHRASE: passphrase })
    expect(junk.refusal).toBe('backup_malformed')
    const foreign = await run(['restore', 'tax-authority', backupFile], { BACKUP_PASSPHRASE: passphrase })
    expect(foreign.refusal).toBe('backup_foreign')
    expect([await keysHere(), await lists()]).toEqual([[], before])

    expect((await run(['restore', agency, backupFile], { BACKUP_PASSPHRASE: passphrase })).code).toBe(0)
    expect(await keysHere()).toEqual(keys)
    await during(async call => {
      const second = await issue(call)
      expect(second.kid).toBe(first.kid)
      expect(second.place.split('/')[0]).not.toBe(first.place.split('/')[0])
      expect([await verifies(call, first.secured), await verifies(call, second.secured)]).toEqual([true, true])
    })
  }, 60_000)
})

describe('rekey', () => {
  const env = { NEW_MASTER_KEY: otherMasterKey }

  it('refuses while the agency runs, with a malformed key, and with the key in use', async () => {
    const before = await lists()
    const inUse = masterKeyHere().bytes.toString('hex')
    expect((await run(['rekey', agency], { NEW_MASTER_KEY: 'too short' })).refusal).toBe('master_key_malformed')
    expect((await run(['rekey', agency], { NEW_MASTER_KEY: inUse })).refusal).toBe('master_key_same')
    expect((await run(['rekey', agency], { ...env, MASTER_KEY: 'ee'.repeat(32) })).refusal).toBe('master_key_wrong')
    expect(await lists()).toEqual(before)
    await during(async () => {
      expect((await run(['rekey', agency], env)).refusal).toBe('agency_running')
    })
    expect((await keysHere()).length).toBeGreaterThan(1)
  }, 60_000)

  it('moves every key, so that the old master key is refused, and goes on with fresh status lists', async () => {
    const keys = await keysHere()
    const old = masterKeyHere()
    const { code, out, notes } = await run(['rekey', agency], env)
    expect(code).toBe(0)
    expect([...out, ...notes].join()).not.toContain(otherMasterKey)
    await expect(keysHere(old)).rejects.toMatchObject({ code: 'master_key_wrong' })
    expect((await run(['rekey', agency], env)).refusal).toBe('master_key_wrong')
    expect(await keysHere(parseMasterKey(otherMasterKey))).toEqual(keys)
    await during(
      async call => {
        const after = await issue(call)
        expect(after.kid).toBe(first.kid)
        expect(Number(after.place.split('/')[0])).toBeGreaterThan(Number(first.place.split('/')[0]))
        expect(await verifies(call, after.secured)).toBe(true)
      },
      { MASTER_KEY: otherMasterKey },
    )
    const back = await run(['rekey', agency], { MASTER_KEY: otherMasterKey, NEW_MASTER_KEY: old.bytes.toString('hex') })
    expect(back.code).toBe(0)
  }, 60_000)
})

describe('rotate-key', () => {
  /** Runs the command in a process that gets SIGKILL the moment it says this. */
  const killedAfter = async (said: RegExp): Promise<string> => {
    const code = `import { runCommand } from './src/commands/run.ts'
      await runCommand(['rotate-key', '${agency}'], {
        env: process.env, agentsFolder: 'agents', clock: Date, out: console.log,
        note: line => { console.error(line); if (${said}.test(line)) process.kill(process.pid, 'SIGKILL') },
      })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: root,
      env: { ...inherited(), DATA_DIR: dataDir },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let text = ''
    child.stderr.on('data', chunk => {
      text += chunk
    })
    const signal = await new Promise(done => child.once('close', (_code, by) => done(by)))
    expect([text, signal]).toEqual([expect.stringMatching(said), 'SIGKILL'])
    return text
  }
  const signing = async () =>
    (await keysHere()).filter(key => key.startsWith('signing.')).map(key => key.split(' ', 2).join(' '))

  it('refuses under another master key and while another process has the chain, and changes nothing', async () => {
    expect((await run(['rotate-key', agency], { MASTER_KEY: otherMasterKey })).refusal).toBe('master_key_wrong')
    await during(async () => {
      const busy = await run(['rotate-key', agency])
      expect(busy.code).toBe(1)
      expect(busy.notes.join('\n')).toMatch(/belongs to process/)
    })
    expect(await signing()).toEqual(['signing.1 active'])
  }, 60_000)

  it('makes one new key of a rotation that was killed after each of its steps', async () => {
    expect(await killedAfter(/signing\.2 is prepared/)).not.toMatch(/registered/)
    expect(await signing()).toEqual(['signing.1 active', 'signing.2 next'])
    expect(await killedAfter(/signing\.2 is registered/)).toMatch(/signing\.2 is prepared/)
    const finished = await run(['rotate-key', agency])
    expect(finished.notes.join('\n')).not.toMatch(/refused|failed/)
    expect(finished.code).toBe(0)
    expect(await signing()).toEqual(['signing.1 retired', 'signing.2 active'])
  }, 90_000)

  it('signs with the new key from then on, and what the old one signed still verifies', async () => {
    await during(async call => {
      const document = await call('GET', '/did.json')
      const second = await issue(call)
      expect(second.kid).not.toBe(first.kid)
      const names = (document.body['assertionMethod'] as unknown as string[]).filter(name => name.includes('delegate'))
      expect(names).toHaveLength(2)
      expect([await verifies(call, first.secured), await verifies(call, second.secured)]).toEqual([true, true])
    })
  }, 60_000)
})

describe('erase', () => {
  const challenges = () =>
    withStore(async store => Number((await store.read('SELECT count(*) AS n FROM challenges'))[0]?.['n']))

  it('has a stated period for every table of an agency', async () => {
    const tables = await withStore(tablesOf)
    expect(tables.filter(table => !retention.some(rule => rule.table === table))).toEqual([])
    expect(retention.map(rule => rule.table).filter(table => !tables.includes(table))).toEqual([])
  })

  it('keeps what is not due and everything that is kept for ever', async () => {
    await during(async call => {
      expect((await call('POST', '/challenges')).status).toBe(201)
    })
    expect((await run(['erase', agency])).code).toBe(0)
    expect(await challenges()).toBe(1)
  }, 60_000)

  it('erases what is due, and only that', async () => {
    const { code, out } = await run(['erase', agency], {}, 2 * day)
    expect([code, out.find(line => line.startsWith('challenges'))]).toEqual([0, 'challenges 1'])
    expect(await challenges()).toBe(0)
    const kept = await withStore(store => store.read('SELECT id FROM credentials'))
    const details = await withStore(store => store.read('SELECT id FROM journal_details'))
    expect([kept.length > 0, details.length > 0]).toEqual([true, true])
  })
})

describe('api-key', () => {
  it.each([
    [[], 'scopes_missing'],
    [['--scopes', 'credentials:isue'], 'scope_unknown'],
    [['--scopes', 'credentials:read', '--expires', 'tomorrow'], 'expiry_malformed'],
    [['--scopes', 'credentials:read', '--expires', '2027-01-01'], 'expiry_malformed'],
    [['--scopes', 'credentials:read', '--expires', '2020-01-01T00:00:00Z'], 'expiry_past'],
  ])('create refuses %j', async (options, code) => {
    const { refusal, out } = await run(['api-key', 'create', agency, ...options])
    expect([refusal, out]).toEqual([code, []])
  })

  it('lives from create over list to revoke, and is shown once', async () => {
    const created = await run(['api-key', 'create', agency, '--scopes', 'credentials:read'])
    const [key = ''] = created.out
    expect([created.code, created.out.length]).toEqual([0, 1])
    expect(key).toMatch(/^ck_[0-9a-f]{16}_/)
    expect(created.notes.join()).not.toContain(key)
    const id = key.split('_')[1] as string
    const listed = (await run(['api-key', 'list', agency])).out
    expect(listed.find(line => line.startsWith(id))).toMatch(/credentials:read .*valid$/)
    expect(listed.join()).not.toContain(key.split('_').slice(2).join('_'))
    await during(async call => {
      const headers = { authorization: `Bearer ${key}` }
      expect((await call('GET', '/credentials', undefined, headers)).status).toBe(200)
      const refused = await call('POST', '/challenges', undefined, headers)
      expect([refused.status, refused.body['code']]).toEqual([403, 'scope_missing'])
    })
    expect((await run(['api-key', 'revoke', agency, '0'.repeat(16)])).refusal).toBe('api_key_unknown')
    expect((await run(['api-key', 'revoke', agency, id])).code).toBe(0)
    expect((await run(['api-key', 'revoke', agency, id])).refusal).toBe('api_key_revoked')
    await during(async call => {
      expect((await call('GET', '/credentials', undefined, { authorization: `Bearer ${key}` })).status).toBe(401)
    })
  }, 60_000)
})

describe('the commands over PostgreSQL', () => {
  const place = { DATA_DIR: join(folder.path, 'elsewhere'), MASTER_KEY: 'ab'.repeat(32), BACKUP_PASSPHRASE: passphrase }
  const file = join(folder.path, 'postgres.backup')

  afterAll(stopPostgres)

  it('refuse an agency without keys; back up, restore, rekey, erase and give out keys as on SQLite', async () => {
    const databaseUrl = await withPostgres()
    const here = (args: string[], more: Record<string, string> = {}) =>
      run(args, { ...place, DATABASE_URL: databaseUrl, ...more })
    expect((await here(['backup', agency, file])).refusal).toBe('agency_not_started')
    const masterKey = parseMasterKey(place.MASTER_KEY)
    const settings = { dataDir: place.DATA_DIR, databaseUrl, masterKey, clock: Date, publicUrl: 'http://localhost/x' }
    const base = await openAgencyBase({ name: agency, plugins: ['credentials'] } as never, settings)
    const { thumbprint } = base.signing
    await base.store.close()
    expect((await here(['backup', agency, file])).code).toBe(0)
    expect((await here(['restore', agency, file])).refusal).toBe('key_store_not_empty')
    await base.keys.store.dataSource.query('TRUNCATE "private-key", key, identifier, service CASCADE')
    expect((await here(['restore', agency, file])).code).toBe(0)
    expect((await base.keys.list()).find(key => key.keyId === 'signing.1')?.thumbprint).toBe(thumbprint)
    await base.keys.close()
    expect((await here(['rekey', agency], { NEW_MASTER_KEY: otherMasterKey })).code).toBe(0)
    expect((await here(['backup', agency, `${file}.2`])).refusal).toBe('master_key_wrong')
    expect((await here(['erase', agency])).notes.join()).toMatch(/are erased/)
    const [key = ''] = (await here(['api-key', 'create', agency, '--scopes', 'credentials:read,*'])).out
    expect((await here(['api-key', 'list', agency])).out.join()).toContain(key.split('_')[1])
  }, 60_000)

  it('keep the password of the database out of what they say', async () => {
    const DATABASE_URL = 'postgres://chancery:hunter2-secret@127.0.0.1:1/none'
    const { code, notes } = await run(['erase', agency], { ...place, DATABASE_URL })
    expect([code, notes.length]).toEqual([1, 1])
    expect(notes.join()).not.toContain('hunter2-secret')
  })
})
