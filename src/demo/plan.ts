/** The economy that a first start of the demo nation brings into being. Amounts are minor units. */

export const names = { root: 'root-authority', centralBank: 'central-bank', banks: ['commercial-bank', 'savings-bank'] }

/** What two officers of the central bank decide together. */
export const competences = ['policy', 'participants', 'issue', 'orders', 'rail', 'read'].map(each => `cbdc:${each}`)

const tier = (level: number, perPayment: number, perDay: number, holding: number) => ({
  ...{ level, perPaymentMinor: String(perPayment), perDayMinor: String(perDay), holdingMinor: String(holding) },
})

export const policy = {
  tiers: [
    tier(0, 50_00, 100_00, 200_00),
    tier(1, 200_00, 500_00, 1_000_00),
    tier(2, 5_000_00, 10_000_00, 20_000_00),
    tier(3, 500_000_00, 1_000_000_00, 1_000_000_00),
  ],
  ...{ merchantsKeepMinor: String(1_000_00), keyOrderDelaySeconds: 7 * 86_400, reservationMostSeconds: 90 * 86_400 },
  ...{ interest: null, dormancy: { dormantAfterDays: 1_826, escheatAfterDays: 5_479 } },
  offline: { capMinor: String(200_00), certificateSeconds: 3 * 86_400, graceSeconds: 7 * 86_400, vouchersMost: 32 },
}

/** Of currencies that others issue on the chain: their money is nobody's to take for having lain idle. */
export const awayPolicy = { ...policy, dormancy: null }

export const issuedToBankMinor = String(5_000_000_00)
export const bankLimitMinor = String(10_000_000_00)

/** What a citizen's bank pays them first, by their KYC level. */
export const firstPayments: Readonly<Record<number, bigint>> = { 1: 500_00n, 2: 2_500_00n, 3: 400_000_00n }

export type Planned = {
  name: string
  kind: 'officer' | 'citizen' | 'merchant'
  givenName: string
  familyName: string
  /** The institution that attests to them. */
  agency: string
  /** Of a customer's KYC. */
  level: number
  /** Personal administrative number; the ledger never learns it. */
  nationalId: string
}

const givenNames = ['Ada', 'Bram', 'Chloe', 'Daan', 'Elif', 'Femi', 'Greta', 'Hugo', 'Ines', 'Jonas'] as const
const familyNames = ['Abel', 'Okafor'] as const
const levels = [1, 2, 3, 1, 2, 3, 1, 2, 1, 2] as const

const two = (number: number): string => String(number).padStart(2, '0')

const citizens = names.banks.flatMap((agency, bank) =>
  givenNames.map((givenName, at): Planned => {
    const number = two(10 * bank + at + 1)
    const familyName = familyNames[bank] ?? ''
    const level = levels[at] ?? 1
    return {
      name: `citizen-${number}`,
      kind: 'citizen',
      givenName,
      familyName,
      agency,
      level,
      nationalId: `XN-19${number}`,
    }
  }),
)

const trades = ['Baker', 'Chandler', 'Draper', 'Farrier'] as const

/** Of trades that one person runs: a merchant's KYC is theirs. */
const merchants = trades.map((familyName, at): Planned => {
  const agency = names.banks[at % names.banks.length] ?? ''
  const named = { name: `merchant-${two(at + 1)}`, givenName: 'Mara', familyName }
  return { ...named, kind: 'merchant', agency, level: 2, nationalId: `XN-29${two(at + 1)}` }
})

const officers = ['Ilse', 'Tomas'].map((givenName, at): Planned => {
  const named = { name: `officer-${two(at + 1)}`, givenName, familyName: 'Reyes' }
  return { ...named, kind: 'officer', agency: names.centralBank, level: 0, nationalId: `XN-39${two(at + 1)}` }
})

export const people: readonly Planned[] = [...officers, ...citizens, ...merchants]

export const standing = `the demo economy is funded: CRD of the central bank, ${names.banks.length} banks, ${citizens.length} citizens, ${merchants.length} merchants`
