import type { AgencyOnChain } from '../agency.ts'
import type { CurrencyConfig } from '../config/agency.ts'
import { rawPublicKey } from '../identity/key-material.ts'
import { type OwnerKey, schemes } from '../kernel/ledger-entry.ts'
import { openLedgerRecords } from '../ledger-record.ts'
import { ledgerDomain } from '../money.ts'
import { appoint, attestCustomers, placeOf } from './attestations.ts'
import { actAs, actTogether, type Call, openInstitution } from './doors.ts'
import { type Economy, newEconomy, openEconomyFile, type Person, signerOf } from './people.ts'
import { awayPolicy, bankLimitMinor, firstPayments, issuedToBankMinor, names, policy } from './plan.ts'

/** The institutions that make the economy, where all of them run in this process. */
export type Nation = {
  root: AgencyOnChain
  centralBank: AgencyOnChain
  banks: readonly AgencyOnChain[]
  currency: CurrencyConfig
  /** Currencies of others, at home on the chain, that its ledger keeps as well. */
  away: readonly CurrencyConfig[]
}

type Settings = { production: boolean; rpcUrls: readonly string[] }

/** The demo nation, on the chain that it brings along; undefined for every other deployment. */
export const demoNation = (
  agencies: readonly AgencyOnChain[],
  { production, rpcUrls }: Settings,
): Nation | undefined => {
  const named = (name: string) => agencies.find(({ config }) => config.name === name)
  const [root, centralBank] = [named(names.root), named(names.centralBank)]
  const banks = names.banks.flatMap(name => named(name) ?? [])
  const currency = centralBank?.config.currencies[0]
  const isWhole = banks.length === names.banks.length && !production && rpcUrls.length === 0
  if (!isWhole || root?.oprf === undefined || centralBank === undefined || currency === undefined) return undefined
  const { carries } = centralBank.config
  const away = agencies.flatMap(({ config }) => config.currencies).filter(({ number }) => carries.includes(number))
  return { root, centralBank, banks, currency, away }
}

type Work = { nation: Nation; call: Call; economy: Economy }

const officersOf = ({ people }: Economy): Person[] => people.filter(({ kind }) => kind === 'officer')

const customersOf = ({ people }: Economy, { config }: AgencyOnChain): Person[] =>
  people.filter(({ kind, agency }) => kind !== 'officer' && agency === config.name)

const ownerKeyOf = (publicKey: Buffer): OwnerKey => ({
  ...{ scheme: schemes['P-256'], prefix: publicKey[0] ?? 0, x: publicKey.toString('hex', 1) },
})

const personKey = ({ key }: Person): OwnerKey => ownerKeyOf(rawPublicKey({ kind: 'P-256', jwk: key }))

const reserveKey = ({ keys }: AgencyOnChain) => keys.obtain({ kind: 'P-256', alias: 'ledger' })

const listed = async (call: Call, { centralBank }: Nation, operation: string, params: Record<string, string> = {}) =>
  ((await call(centralBank.config.name, operation, { params })).body as { items: Record<string, unknown>[] }).items

const isOpen = async (call: Call, nation: Nation, { number } = nation.currency): Promise<boolean> =>
  (await listed(call, nation, 'listCurrencies')).some(each => each['currency'] === number)

const establishCurrency = async ({ nation, call, economy }: Work, currency = nation.currency): Promise<void> => {
  if (await isOpen(call, nation, currency)) return
  const { number, code, decimals, home } = currency
  const terms = home === 'ledger' ? policy : awayPolicy
  const asked = { body: { number, code, decimals, home, policy: terms } }
  await actTogether(call, nation.centralBank, { officers: officersOf(economy), operation: 'openCurrency', asked })
}

/** @returns the banks with the numbers of their reserve accounts. One after the other, so that every demo has the same. */
const admitBanks = async ({ nation, call, economy }: Work) => {
  const { banks, centralBank, currency } = nation
  const params = { currency: String(currency.number) }
  const known = await listed(call, nation, 'listParticipants', params)
  const [person] = officersOf(economy) as [Person]
  const reserves: { bank: AgencyOnChain; account: number }[] = []
  for (const bank of banks) {
    const did = bank.did.toLowerCase()
    const key = ownerKeyOf(Buffer.from((await reserveKey(bank)).publicKeyHex, 'hex'))
    const body = { did, name: bank.config.title, issuanceLimitMinor: bankLimitMinor, ...key }
    const admitted =
      known.find(each => each['did'] === did) ??
      (await actAs(call, centralBank, { person, operation: 'admitParticipant', asked: { params, body } }))
    reserves.push({ bank, account: Number(admitted['account']) })
  }
  return reserves
}

type Reserve = Awaited<ReturnType<typeof admitBanks>>[number]

/** Balance and nonce of a bank's reserve account, as the bank reads them. */
const readReserve = async ({ nation, call }: Work, { bank, account }: Reserve) => {
  const ask = await openInstitution(call, bank, nation.centralBank)
  const path = `/cbdc/views/institution/accounts/${account}`
  const params = { reader: 'institution', account: String(account) }
  const shown = await ask({ operation: 'getAccount', method: 'GET', path }, { params })
  return { balance: BigInt(String(shown['balanceMinor'])), nonce: Number(shown['nonce']) }
}

/** Before its first payment a bank holds what was issued to it, so one that has paid or holds was funded. */
const issueTo = async (work: Work, reserve: Reserve): Promise<void> => {
  const { nation, call, economy } = work
  const { balance, nonce } = await readReserve(work, reserve)
  if (balance > 0n || nonce > 0) return
  const { config, did } = reserve.bank
  const body = {
    ...{ participant: did.toLowerCase(), amountMinor: issuedToBankMinor, reference: `OPENING/${config.name}` },
    legalBasis: 'Central Bank Act, s. 12',
  }
  const asked = { params: { currency: String(nation.currency.number) }, body }
  await actTogether(call, nation.centralBank, { officers: officersOf(economy), operation: 'issueMoney', asked })
}

/** In the order of the plan, so that every demo numbers them alike. */
const openAccounts = async ({ nation, call, economy }: Work): Promise<void> => {
  const { centralBank, currency } = nation
  for (const person of economy.people) {
    if (person.kind === 'officer' || person.account !== undefined) continue
    const body = { id: person.accountId, currency: currency.number, class: 'person', ...personKey(person) }
    const asked = { body, idempotencyKey: `demo economy ${person.accountId}` }
    const opened = await actAs(call, centralBank, { person, operation: 'openAccount', asked })
    person.account = Number(opened['account'])
  }
}

/** A merchant's account is one by the word of their bank, which attested to them. */
const nameMerchants = async ({ nation, call, economy }: Work, bank: AgencyOnChain): Promise<void> => {
  const ask = await openInstitution(call, bank, nation.centralBank)
  const merchants = customersOf(economy, bank).filter(({ kind }) => kind === 'merchant')
  await Promise.all(
    merchants.map(async ({ account, accountId, level, credential }) => {
      const body = { level, class: 'merchant', attestation: placeOf(credential ?? '') }
      const operation = { operation: 'setAccountLevel', method: 'POST', path: `/cbdc/accounts/${account}/level` }
      const params = { account: String(account) }
      await ask(operation, { params, body, idempotencyKey: `demo economy merchant ${accountId}` })
    }),
  )
}

const recordSeconds = 3_600

type Submitted = { chains: { outcome: string; code?: string }[][] }

/**
 * A bank's customers link their accounts to it, and each citizen gets their first payment: a chain a citizen, and that of
 * the first brings the links of the merchants. The nonce of the reserve account says how many of them stand.
 * @throws Error naming the code of what the ledger refuses
 */
const payCitizens = async (work: Work, reserve: Reserve): Promise<void> => {
  const { nation, call, economy } = work
  const { bank, account: from } = reserve
  const customers = customersOf(economy, bank)
  const [citizens, merchants] = ['citizen', 'merchant'].map(kind => customers.filter(each => each.kind === kind))
  const { nonce: paid } = await readReserve(work, reserve)
  const [seal, { keyId }] = await Promise.all([
    openLedgerRecords(ledgerDomain(nation.centralBank), nation.centralBank.settings.clock),
    reserveKey(bank),
  ])
  const validUntil = Math.floor(bank.settings.clock.now() / 1_000) + recordSeconds
  const linking = (person: Person) =>
    seal(
      { kind: 'link', account: person.account ?? 0, linked: from, nonce: 0, validUntil },
      { signer: signerOf(person), keyId: person.did },
    )
  const paying = ({ account: to = 0, level }: Person, nonce: number) =>
    seal(
      {
        ...{ kind: 'transfer', from, to, currency: nation.currency.number },
        ...{ amount: firstPayments[level] ?? 0n, fee: 0, nonce, validUntil },
      },
      { signer: bank.keys.signer, keyId },
    )
  const waiting = (citizens ?? []).map((person, nonce) => ({ person, nonce })).slice(paid)
  if (waiting.length === 0) return
  const chains = await Promise.all(
    waiting.map(({ person, nonce }) => {
      const linked = nonce === 0 ? [...(merchants ?? []), person] : [person]
      return Promise.all([...linked.map(linking), paying(person, nonce)])
    }),
  )
  const ask = await openInstitution(call, bank, nation.centralBank)
  const batches = { operation: 'submitBatch', method: 'POST', path: '/cbdc/batches' }
  const answer = (await ask(batches, { body: { chains } })) as unknown as Submitted
  const refused = answer.chains.flat().find(({ outcome }) => outcome !== 'entered')
  if (refused !== undefined)
    throw new Error(`the ledger refuses a first payment of ${bank.config.name}: ${refused.code}`)
}

/** After everything else, so that the accounts of the economy have the numbers they had before others issued money too. */
const openAway = async (work: Work): Promise<void> => {
  for (const currency of work.nation.away) await establishCurrency(work, currency)
}

/**
 * Brings the economy into being, once. Killed at any step and started again it goes on where it was; a ledger on which
 * somebody else has opened the currency is left as it is.
 * @throws Refusal of the operation that was refused
 */
export const fundEconomy = async (nation: Nation, call: Call, dataDir: string): Promise<void> => {
  const file = openEconomyFile(dataDir)
  const known = await file.read()
  if (known?.funded) return openAway({ nation, call, economy: known })
  if (known === undefined && (await isOpen(call, nation))) return
  const { root, centralBank, banks, currency } = nation
  const economy = known ?? newEconomy(centralBank.settings.clock.now())
  const work = { nation, call, economy }
  // Before anything is asked for: whoever it is given to has to be known again.
  await file.write(economy)
  const attesting = banks.map(bank => attestCustomers(call, { root, bank, code: currency.code }, economy))
  const admitting = appoint(call, centralBank, economy, officersOf(economy))
    .then(() => establishCurrency(work))
    .then(() => admitBanks(work))
  const [reserves] = await Promise.all([admitting, ...attesting])
  await file.write(economy)
  await Promise.all([openAccounts(work), ...reserves.map(reserve => issueTo(work, reserve))])
  await file.write(economy)
  await Promise.all(banks.map(bank => nameMerchants(work, bank)))
  await Promise.all(reserves.map(reserve => payCitizens(work, reserve)))
  await openAway(work)
  await file.write({ ...economy, funded: true })
}
