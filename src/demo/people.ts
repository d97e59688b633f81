import { createPrivateKey, generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { didJwkOf } from '../identity/did-local.ts'
import type { HolderKey } from '../identity/present.ts'
import type { Signer } from '../kernel/ports.ts'
import { type Planned, people as planned } from './plan.ts'

/** The people of the demo with their keys, and how far they have come. */
export type Person = Planned & {
  did: string
  /** Private, P-256: it signs what they present and what moves their money. */
  key: JsonWebKey
  /** Their attestation, as an SD-JWT. */
  credential?: string
  /** What they call their account, and the number that the ledger gave it. */
  accountId: string
  account?: number
}

export type Economy = {
  /** When the first start began it: what is attested is dated from here, so that a later start asks for the very same. */
  begun: string
  funded: boolean
  people: Person[]
}

const newPerson = (plan: Planned): Person => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const did = didJwkOf({ jwk: publicKey.export({ format: 'jwk' }) })
  return { ...plan, did, key: privateKey.export({ format: 'jwk' }), accountId: randomUUID() }
}

export const newEconomy = (now: number): Economy => ({
  ...{ begun: new Date(now).toISOString(), funded: false, people: planned.map(newPerson) },
})

const fileName = 'economy.json'

/** Kept in a file that only the operator reads: a tour of the demo acts for its people with their keys. */
export const openEconomyFile = (dataDir: string) => {
  const folder = join(dataDir, 'demo')
  const file = join(folder, fileName)
  return {
    async read(): Promise<Economy | undefined> {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      return text === undefined ? undefined : (JSON.parse(text) as Economy)
    },
    /** All of it or nothing of it, whenever the process is killed. */
    async write(economy: Economy): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const draft = `${file}.draft`
      const handle = await open(draft, 'w', 0o600)
      try {
        await handle.writeFile(`${JSON.stringify(economy, null, 2)}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(draft, file)
    },
  }
}

/** Whoever has a key of their own. */
export type KeyHolder = Pick<Person, 'did' | 'key'>

export const holderKey = ({ did }: KeyHolder): HolderKey => ({ did, kid: `${did}#0`, keyId: did, algorithm: 'ES256' })

/** Signs with the one key of a person. */
export const signerOf = (person: KeyHolder): Signer => {
  const key = createPrivateKey({ key: person.key, format: 'jwk' })
  return { sign: async (_keyId, _algorithm, data) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }) }
}
