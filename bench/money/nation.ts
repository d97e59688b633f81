import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCreateAddress } from 'ethers'
import { DataSource } from 'typeorm'
import type { TypedDomain } from '../../src/kernel/typed-domain.ts'
import { type Key, newWalletHolder, type Session } from '../../test/holder.ts'
import { exampleOf } from '../../test/service.ts'
import { freePort, launch, measure, type Running } from '../child.ts'
import type { Place } from './ledger.ts'
import type { Seeded, SeedRun } from './seed.ts'

/**
 * The demo nation as an operator starts it, with a million more customers on the ledger of its central bank: they are filled
 * in by SQL while it is stopped. What is measured starts root authority and central bank again; the bank's part the load
 * plays itself, with the bank's own keys.
 */

const bank = 'commercial-bank'
const centralBank = 'central-bank'
const measured = ['root-authority', centralBank]
const all = [...measured, bank, 'savings-bank']
const configs = (names: readonly string[]): string[] => names.map(name => `agents/${name}.yml`)

/** A citizen who pays by themselves: their key signs proofs and payments. */
export type Wallet = { account: number; jwk: JsonWebKey; did: string; kid: string; credential: string }
type JsonWebKey = Record<string, unknown>

export type Nation = {
  url: string
  place: Place
  domain: TypedDomain
  /** Whose signature the bank's requests carry; `directory` has its keys. */
  bank: { did: string; kid: string; directory: string }
  masterKey: string
  /** Customers that are filled in, from this number on. */
  first: number
  wallets: Wallet[]
  start(): Promise<Running>
  close(): Promise<void>
}

type Options = { customers: number; transfers: number; wallets: number; flags?: readonly string[] }

const kyc = (domain: string) => ({
  ...exampleOf('kyc-attestation'),
  ...{ level: 2, customerDueDiligence: 'standard', jurisdiction: 'XN' },
  expiryDate: new Date(Date.now() + 300 * 86_400_000).toISOString().slice(0, 10),
  pseudonym: { domain, value: randomBytes(32).toString('base64url') },
})

const ownerKeyOf = ({ jwk }: Key) => {
  const { x, y } = jwk as { x: string; y: string }
  const prefix = 2 + ((Buffer.from(y, 'base64url').at(-1) ?? 0) & 1)
  return { scheme: 2, prefix, x: Buffer.from(x, 'base64url').toString('hex') }
}

/** Attested by the bank, with an account at the central bank, opened over HTTP as anybody's is. */
const newWallet = async (service: { url: string; dataDir: string }): Promise<Wallet> => {
  const holder = newWalletHolder(service)
  const held = await holder.receive(bank, 'KycAttestation', kyc('cbdc:crd'))
  const session: Session = await holder.openSession(centralBank)
  const body = { id: crypto.randomUUID(), currency: 1, class: 'person', ...ownerKeyOf(holder.key) }
  const opened = await session.call('POST', '/cbdc/accounts', body)
  if (opened.status !== 201) throw new Error(`no account: ${JSON.stringify(opened.body)}`)
  const { did, kid, privateKey } = holder.key
  const jwk = privateKey.export({ format: 'jwk' }) as JsonWebKey
  return { account: Number(opened.body['account']), jwk, did, kid, credential: held.compact }
}

/** Money for those who pay by themselves, issued as all is. */
const fund = async (file: string, wallets: readonly Wallet[]): Promise<void> => {
  const source = new DataSource({ type: 'sqlite', database: file })
  await source.initialize()
  const [each, accounts] = [1_000_000, wallets.map(({ account }) => account)]
  await source.query(
    `UPDATE cbdc_accounts SET credits_posted = credits_posted + ${each}, held = held + ${each} WHERE number IN (${accounts})`,
  )
  await source.query(
    `UPDATE cbdc_accounts SET debits_posted = debits_posted + ${each * accounts.length}
     WHERE number = (SELECT issuance FROM cbdc_currencies WHERE number = 1)`,
  )
  await source.destroy()
}

type Deployment = { deployer: string; nonces: Record<string, number> }

const domainOf = (dataDir: string): TypedDomain => {
  const text = readFileSync(join(dataDir, 'chain', 'deployment.json'), 'utf8')
  const { deployer, nonces } = JSON.parse(text) as Deployment
  const verifyingContract = getCreateAddress({ from: deployer, nonce: nonces['RailGate'] ?? 0 }).toLowerCase()
  return { name: 'Chancery Ledger', version: '1', chainId: 31_337, verifyingContract }
}

type DidDocument = { alsoKnownAs: string[]; verificationMethod: { id: string; publicKeyJwk?: { kty: string } }[] }

/** The key that the bank signs with, as its DID document names it. */
const readBank = async (url: string): Promise<{ did: string; kid: string }> => {
  const document = (await (await fetch(`${url}/${bank}/did.json`)).json()) as DidDocument
  const did = document.alsoKnownAs.find(name => name.startsWith('did:ethr:')) ?? ''
  const method = document.verificationMethod.find(({ publicKeyJwk }) => publicKeyJwk?.kty === 'EC')
  return { did, kid: `${did}#${method?.id.split('#')[1] ?? ''}` }
}

export const openMoneyNation = async ({
  customers,
  transfers,
  wallets: count,
  flags = [],
}: Options): Promise<Nation> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'chancery-bench-nation-'))
  const port = await freePort()
  const masterKey = randomBytes(32).toString('hex')
  const env = {
    ...{ DATA_DIR: dataDir, PORT: String(port), LOG_LEVEL: 'warn', NODE_ENV: '', DATABASE_URL: '', CHAIN_RPC_URL: '' },
    ...{ MASTER_KEY: masterKey },
  }
  const url = `http://localhost:${port}`
  const starting = (names: readonly string[]) => launch([...flags, 'src/main.ts', ...configs(names)], env)
  let running: Running | undefined = await starting(all)
  const close = async (): Promise<void> => {
    await running?.stop()
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const wallets: Wallet[] = []
    for (let at = 0; at < count; at += 1) wallets.push(await newWallet({ url, dataDir }))
    const signing = await readBank(url)
    await running.stop()
    running = undefined
    const place = { file: join(dataDir, centralBank, 'agency.sqlite') }
    const beside = wallets[0]?.account ?? 0
    await fund(place.file, wallets)
    const { first } = await measure<Seeded>('./money/seed.ts', {
      place,
      customers,
      transfers,
      beside,
    } satisfies SeedRun)
    return {
      ...{ url: `${url}/${centralBank}`, place, masterKey, first, wallets, close },
      ...{ domain: domainOf(dataDir), bank: { ...signing, directory: join(dataDir, bank) } },
      async start() {
        running = await starting(measured)
        return running
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
