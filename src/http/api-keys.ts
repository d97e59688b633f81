import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import type { Clock, Row, Store, Tx } from '../kernel/ports.ts'

/** The scope that stands for every scope of the agency, also those that later versions bring. */
export const everyScope = '*'

const form = /^ck_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/
const cacheMs = 5_000
const cacheSize = 10_000

type Stored = {
  secretSha256: Uint8Array
  scopes: readonly string[]
  expires: number | undefined
  revoked: number | undefined
}

export type NewKey = { id: string; key: string }

export type KeyOptions = { scopes: readonly string[]; expires?: number }

export type KeySummary = {
  id: string
  scopes: readonly string[]
  created: number
  expires: number | undefined
  revoked: number | undefined
}

export type ApiKeys = {
  /** The scopes of a key that is known, neither revoked nor expired, and whose secret is right. */
  find(key: string): Promise<{ id: string; scopes: readonly string[] } | undefined>
  /** Whether the key of this id is neither revoked nor expired. */
  stands(id: string): Promise<boolean>
  /** @returns the key itself, which is nowhere stored and cannot be shown again. */
  create(options: KeyOptions): Promise<NewKey>
  /** Other processes of the agency follow within five seconds. */
  revoke(id: string): Promise<void>
  /** Every key there ever was, oldest first, without secrets. */
  list(): Promise<KeySummary[]>
}

// The text of the secret is hashed, not its bytes: base64url has several spellings of the same bytes.
const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

const nobody: Stored = { secretSha256: Buffer.alloc(32), scopes: [], expires: undefined, revoked: 0 }

const generate = (): NewKey & { secretSha256: Buffer } => {
  const id = randomBytes(8).toString('hex')
  const secret = randomBytes(32).toString('base64url')
  return { id, key: `ck_${id}_${secret}`, secretSha256: sha256(secret) }
}

const rowOf = (id: string, secretSha256: Buffer, options: KeyOptions, created: number): Row => ({
  id,
  secret_sha256: secretSha256,
  scopes: JSON.stringify(options.scopes),
  created,
  expires: options.expires ?? null,
  revoked: null,
})

const numberOrNone = (value: string | null): number | undefined => (value === null ? undefined : Number(value))

type KeyRow = { secret_sha256: Uint8Array; scopes: string; expires: string | null; revoked: string | null }

const readKey = async (store: Store, id: string): Promise<Stored | undefined> => {
  const [row] = await store.read<KeyRow>(
    `SELECT secret_sha256, scopes, cast(expires AS text) AS expires, cast(revoked AS text) AS revoked
     FROM api_keys WHERE id = ?`,
    [id],
  )
  if (row === undefined) return undefined
  return {
    secretSha256: row.secret_sha256,
    scopes: JSON.parse(row.scopes) as string[],
    expires: numberOrNone(row.expires),
    revoked: numberOrNone(row.revoked),
  }
}

type SummaryRow = { id: string; scopes: string; created: string; expires: string | null; revoked: string | null }

const listKeys = async (store: Store): Promise<KeySummary[]> => {
  const rows = await store.read<SummaryRow>(
    `SELECT id, scopes, cast(created AS text) AS created, cast(expires AS text) AS expires,
       cast(revoked AS text) AS revoked FROM api_keys ORDER BY api_keys.created, id`,
  )
  return rows.map(({ id, scopes, created, expires, revoked }) => ({
    ...{ id, scopes: JSON.parse(scopes) as string[], created: Number(created) },
    ...{ expires: numberOrNone(expires), revoked: numberOrNone(revoked) },
  }))
}

/** API keys over the table `api_keys`, with what was read lately kept in memory for five seconds. */
export const createApiKeys = (store: Store, clock: Clock): ApiKeys => {
  const cache = new Map<string, { until: number; stored: Promise<Stored | undefined> }>()

  const lookUp = (id: string): Promise<Stored | undefined> => {
    const now = clock.now()
    const kept = cache.get(id)
    if (kept !== undefined && now < kept.until) return kept.stored
    const stored = readKey(store, id)
    if (cache.size >= cacheSize) cache.clear()
    cache.set(id, { until: now + cacheMs, stored })
    const forget = (): void => {
      if (cache.get(id)?.stored === stored) cache.delete(id)
    }
    // Neither an unknown id nor a failed read is remembered.
    stored.then(found => found === undefined && forget(), forget)
    return stored
  }

  const isGood = ({ revoked, expires }: Stored): boolean =>
    revoked === undefined && (expires === undefined || clock.now() < expires)

  return {
    async find(key) {
      const [, id, secret] = form.exec(key) ?? []
      if (id === undefined || secret === undefined) return undefined
      const stored = (await lookUp(id)) ?? nobody
      const right = timingSafeEqual(sha256(secret), stored.secretSha256)
      return right && isGood(stored) ? { id, scopes: stored.scopes } : undefined
    },
    stands: async id => isGood((await lookUp(id)) ?? nobody),
    async create(options) {
      const { id, key, secretSha256 } = generate()
      await store.transaction(async tx => tx.insert('api_keys', [rowOf(id, secretSha256, options, clock.now())]))
      return { id, key }
    },
    async revoke(id) {
      await store.transaction(async tx => {
        await tx.query('UPDATE api_keys SET revoked = ? WHERE id = ? AND revoked IS NULL', [clock.now(), id])
      })
      cache.delete(id)
    },
    list: () => listKeys(store),
  }
}

const writePrivately = async (file: string, text: string): Promise<void> => {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const anyKey = async (tx: Tx): Promise<boolean> => (await tx.query('SELECT id FROM api_keys LIMIT 1')).length > 0

/** Finishes what a kill between commit and rename left behind: a draft whose key is in the table becomes the file. */
const adoptDraft = async (store: Store, draft: string, file: string): Promise<void> => {
  const text = await readFile(draft, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const [, id] = form.exec(text.trim()) ?? []
  if (id !== undefined && (await readKey(store, id)) !== undefined) await rename(draft, file)
  else await rm(draft)
}

/**
 * Writes the agency's first API key, for all scopes, to `file` with mode 0600; does nothing if a key exists. Safe to
 * kill at any step: the file is complete before the key counts.
 * @returns whether a key was created.
 */
export const createFirstKey = async (store: Store, file: string, clock: Clock): Promise<boolean> => {
  const draft = `${file}.draft`
  await adoptDraft(store, draft, file)
  if ((await store.read('SELECT id FROM api_keys LIMIT 1')).length > 0) return false
  const { id, key, secretSha256 } = generate()
  await writePrivately(draft, `${key}\n`)
  const created = await store.transaction(async tx => {
    if (await anyKey(tx)) return false
    tx.insert('api_keys', [rowOf(id, secretSha256, { scopes: [everyScope] }, clock.now())])
    return true
  })
  if (created) await rename(draft, file)
  else await rm(draft)
  return created
}
