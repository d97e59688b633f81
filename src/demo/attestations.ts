import type { AgencyOnChain } from '../agency.ts'
import { openJws } from '../identity/formats/jose.ts'
import { publishedOprfKey } from '../identity/oprf.ts'
import { openPseudonyms } from '../identity/pseudonyms.ts'
import { pseudonymDomain } from '../plugins/cbdc/actions/owner.ts'
import { type Call, openInstitution, openStaff } from './doors.ts'
import type { Economy, Person } from './people.ts'
import { competences } from './plan.ts'

/** What the institutions of the demo attest of its people: offices, and due diligence under a pseudonym. */

const dayMs = 86_400_000
const kycDays = 1_095
const officeDays = 1_825

const after = (begun: string, days: number): string => new Date(Date.parse(begun) + days * dayMs).toISOString()
const dateOf = (time: string): string => time.slice(0, 10)

const officeOf = ({ name, givenName, familyName }: Person, bank: AgencyOnChain, { begun }: Economy) => ({
  ...{ givenName, familyName, officerNumber: `CB-${name}`, office: 'Officer', competences, jurisdiction: 'XN' },
  ...{ authority: { name: bank.config.title }, startsOn: dateOf(begun), legalBasis: 'Central Bank Act, s. 4' },
})

const kycOf = ({ level }: Person, bank: AgencyOnChain, { begun }: Economy, pseudonym: string, domain: string) => ({
  ...{ level, customerDueDiligence: level === 1 ? 'simplified' : level === 2 ? 'standard' : 'enhanced' },
  ...{ method: 'eID', levelOfAssurance: 'high', politicallyExposed: false, riskRating: 'low' },
  screened: [{ list: 'UN-SC', screenedAt: begun, result: 'no-match' }],
  ...{ countryOfResidence: 'XN', jurisdiction: 'XN', institution: { name: bank.config.title } },
  ...{ reliancePermitted: true, legalBasis: 'Anti-Money Laundering Act, s. 14', verifiedAt: begun },
  ...{ nextReviewOn: dateOf(after(begun, 365)), expiryDate: dateOf(after(begun, kycDays)) },
  pseudonym: { domain, value: pseudonym },
})

type Issuing = { type: string; person: Person; claims: Record<string, unknown>; validUntil: string }

const openIssuing = async (call: Call, agency: AgencyOnChain) => {
  const staff = await openStaff(call, agency)
  return async ({ type, person, claims, validUntil }: Issuing): Promise<void> => {
    const credentialSubject = { id: person.did, ...claims }
    const credential = { type: ['VerifiableCredential', type], credentialSubject, validUntil }
    const idempotencyKey = `demo economy ${type} ${person.name}`
    const issued = await staff('issueCredential', { body: { credential }, idempotencyKey })
    const { id } = issued['verifiableCredential'] as { id: string }
    person.credential = id.slice(id.indexOf(',') + 1)
  }
}

/** Appoints those who have no office yet. @throws Refusal */
export const appoint = async (call: Call, bank: AgencyOnChain, economy: Economy, officers: readonly Person[]) => {
  const waiting = officers.filter(({ credential }) => credential === undefined)
  if (waiting.length === 0) return
  const issue = await openIssuing(call, bank)
  const validUntil = after(economy.begun, officeDays)
  await Promise.all(
    waiting.map(person =>
      issue({ type: 'PublicOfficer', person, claims: officeOf(person, bank, economy), validUntil }),
    ),
  )
}

/** As a bank derives them: blinded, evaluated by the root authority, unblinded. */
const pseudonymsOf = async (call: Call, root: AgencyOnChain, bank: AgencyOnChain) => {
  const { chain, address, settings } = root
  const publicKey = publishedOprfKey(chain.follower.didEvents(address), settings.clock.now())
  if (publicKey === undefined) throw new Error(`${root.config.name} names no key for pseudonyms on chain`)
  const ask = await openInstitution(call, bank, root)
  return openPseudonyms({
    authority: async () => ({
      publicKey,
      async post(path, body) {
        const operation = { operation: 'evaluatePseudonyms', method: 'POST', path }
        const answer = await ask(operation, { body: body as Record<string, unknown> })
        return { status: 200, body: Buffer.from(JSON.stringify(answer)) }
      },
    }),
  })
}

/** Attests due diligence of those customers of a bank of whom it has not yet. @throws Refusal */
export const attestCustomers = async (
  call: Call,
  { root, bank, code }: { root: AgencyOnChain; bank: AgencyOnChain; code: string },
  economy: Economy,
): Promise<void> => {
  const waiting = economy.people.filter(
    ({ kind, agency, credential }) => kind !== 'officer' && agency === bank.config.name && credential === undefined,
  )
  if (waiting.length === 0) return
  const domain = pseudonymDomain(code)
  const [derive, issue] = await Promise.all([pseudonymsOf(call, root, bank), openIssuing(call, bank)])
  const numbers = waiting.map(({ nationalId }) => nationalId)
  const pseudonyms = await derive.ofMany(numbers, domain)
  const validUntil = after(economy.begun, kycDays)
  await Promise.all(
    waiting.map((person, at) => {
      const claims = kycOf(person, bank, economy, pseudonyms[at] ?? '', domain)
      return issue({ type: 'KycAttestation', person, claims, validUntil })
    }),
  )
}

type Stated = { exp: number; status: { evm_status: { list: string; index: string } } }

/** Where the status of an attestation stands, and until when it is valid, as it says itself. */
export const placeOf = (compact: string): { list: number; index: number; until: string } => {
  const { exp, status } = openJws(compact.split('~')[0] ?? '').payload as Stated
  const { list, index } = status.evm_status
  return { list: Number(list), index: Number(index), until: new Date(exp * 1_000).toISOString() }
}
