import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../kernel/ports.ts'
import type { TypedDomain } from '../kernel/typed-domain.ts'
import { openLedgerRecords } from '../ledger-record.ts'
import { shownOfKyc } from './doors.ts'
import { sellParcel } from './parcel.ts'
import { openEconomyFile, type Person, signerOf } from './people.ts'
import { names } from './plan.ts'
import { openSession } from './wallet.ts'
import { ask } from './wire.ts'

/**
 * The demo's people at a terminal. Each command acts with a person's own key and credential, over HTTP, as the wallet on their phone
 * would; what it may not do the nation refuses.
 */

export type Terminal = {
  /** Where the nation listens. */
  origin: string
  dataDir: string
  clock: Clock
  out(line: string): void
  note(line: string): void
}

export const usage = `npm run demo -- <command> …

  people                                 who there is, their bank, and what they have
  pay <payer> <payee> <amount>           pays at once, say: pay citizen-02 merchant-01 12.50
  sell-parcel <seller> <buyer> <price>   enters a parcel of the seller's, and sells it: the buyer reserves the price on the ledger,
                                         seller, buyer and a notary sign the deed, the title passes, the seller is paid

  NATION is the nation's origin (http://localhost:3000), DATA_DIR its folder (data).`

class UsageError extends Error {}

/** What the ledger says of an account to its owner. */
export type Account = { balance: bigint; nonce: number }

export type Desk = Awaited<ReturnType<typeof openDesk>>

const kyc = (person: Person) => ({ ...person, credential: person.credential ?? '' })

/** Everything a command works with. */
export const openDesk = async ({ origin, dataDir, clock, out }: Terminal) => {
  const economy = await openEconomyFile(dataDir).read()
  if (economy === undefined) throw new UsageError(`There is no demo economy under ${dataDir}; start the nation first.`)
  const bank = `${origin}/${names.centralBank}`
  const { body: ledger } = await ask(bank, { path: '/cbdc/ledger', method: 'GET' })
  const { items } = (await ask(bank, { path: '/cbdc/currencies', method: 'GET' })).body as {
    items: { currency: number; code: string; decimals: number }[]
  }
  const currency = items[0]
  if (currency === undefined) throw new UsageError('The ledger has no currency yet.')
  const seal = await openLedgerRecords(ledger['domain'] as TypedDomain, clock)
  const account = async (person: Person): Promise<Account> => {
    const session = await openSession(bank, kyc(person), shownOfKyc, clock)
    const path = `/cbdc/views/customer/accounts/${person.account}`
    const { body } = await session({ path, method: 'GET' })
    return { balance: BigInt(String(body['balanceMinor'])), nonce: Number(body['nonce']) }
  }
  return {
    ...{ origin, clock, out, bank, currency, account, people: economy.people },
    /** With the key of the person who speaks. */
    sign: (person: Person, entry: Parameters<typeof seal>[0]) =>
      seal(entry, { signer: signerOf(person), keyId: person.did }),
    session: (person: Person) => openSession(bank, kyc(person), shownOfKyc, clock),
    /** By name. */
    person(name: string): Person {
      const found = economy.people.find(each => each.name === name && each.kind !== 'officer')
      if (found?.account === undefined) throw new UsageError(`There is nobody called ${name}; see: people.`)
      return found
    },
    /** Has the staff of an agency issue a credential. */
    async issue(agency: string, type: string, claimed: Record<string, unknown>): Promise<string> {
      const key = (await readFile(join(dataDir, agency, 'api-key'), 'utf8')).trim()
      const credential = { type: ['VerifiableCredential', type], credentialSubject: claimed }
      const headers = { authorization: `Bearer ${key}` }
      const asked = { path: '/credentials/issue', body: { credential }, headers }
      const { id } = (await ask(`${origin}/${agency}`, asked)).body['verifiableCredential'] as { id: string }
      return id.slice(id.indexOf(',') + 1)
    },
    money(minor: bigint): string {
      const digits = String(minor).padStart(currency.decimals + 1, '0')
      const whole = digits.slice(0, digits.length - currency.decimals).replace(/\B(?=(\d{3})+$)/g, ',')
      return `${whole}.${digits.slice(-currency.decimals)} ${currency.code}`
    },
    minor(text: string): bigint {
      const [, whole = '', part = ''] = /^(\d{1,12})(?:\.(\d+))?$/.exec(text) ?? []
      if (whole === '' || part.length > currency.decimals) throw new UsageError(`${text} is no amount.`)
      return BigInt(whole + part.padEnd(currency.decimals, '0'))
    },
  }
}

/** Seconds for which the ledger takes what was signed. */
export const recordSeconds = 600

const showPeople = async ({ people, account, money, out }: Desk): Promise<void> => {
  for (const person of people.filter(({ kind }) => kind !== 'officer')) {
    const { balance } = await account(person)
    const who = `${person.name.padEnd(13)}${person.givenName} ${person.familyName}`.padEnd(29)
    const where = `account ${person.account} at ${person.agency}`.padEnd(34)
    out(`${who}${where}KYC level ${person.level}  ${money(balance).padStart(16)}`)
  }
}

const pay = async (desk: Desk, payerName: string, payeeName: string, text: string): Promise<void> => {
  const [payer, payee, amount] = [desk.person(payerName), desk.person(payeeName), desk.minor(text)]
  const { nonce } = await desk.account(payer)
  const validUntil = Math.floor(desk.clock.now() / 1_000) + recordSeconds
  const record = await desk.sign(payer, {
    ...{ kind: 'transfer', from: payer.account ?? 0, to: payee.account ?? 0, currency: desk.currency.currency },
    ...{ amount, fee: 0, nonce, validUntil },
  })
  const session = await desk.session(payer)
  const { body } = await session({ path: '/cbdc/records', body: { records: [record] } })
  const [entered] = body['entries'] as { balanceMinor: string }[]
  desk.out(`${payee.name} was paid ${desk.money(amount)}; ${payer.name} has ${desk.money(minorOf(entered))}`)
}
const minorOf = (entered: { balanceMinor: string } | undefined): bigint => BigInt(entered?.balanceMinor ?? '0')

const commands: Record<string, { takes: number; run(desk: Desk, rest: string[]): Promise<void> }> = {
  people: { takes: 0, run: showPeople },
  pay: { takes: 3, run: (desk, [payer = '', payee = '', amount = '']) => pay(desk, payer, payee, amount) },
  'sell-parcel': {
    takes: 3,
    run: (desk, [seller = '', buyer = '', price = '']) =>
      sellParcel(desk, { seller: desk.person(seller), buyer: desk.person(buyer), price: desk.minor(price) }),
  },
}

/** @returns the exit code: 0 done, 1 refused or failed, 2 not understood */
export const runTerminal = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  const [name = '', ...rest] = args
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined || rest.length !== command.takes) {
    terminal.note(usage)
    return name === 'help' ? 0 : 2
  }
  try {
    await command.run(await openDesk(terminal), rest)
    return 0
  } catch (error) {
    terminal.note((error as Error).message)
    return error instanceof UsageError ? 2 : 1
  }
}
