import { createHash, generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { checkAnswer, checkBody, compileContract, type OpenApiDocument } from '../../../../src/http/contract.ts'
import { sealJws } from '../../../../src/identity/formats/jose.ts'
import { anonymous, type Caller, type HolderCaller, type ProvenCredential } from '../../../../src/kernel/gate.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import { instructionRoutes } from '../../../../src/plugins/cbdc/actions/instructions/routes.ts'
import { readRoutes } from '../../../../src/plugins/cbdc/actions/reads/routes.ts'
import { receiptType } from '../../../../src/plugins/cbdc/ledger/receipt.ts'
import { bankDid, type Ground, type Owner } from '../ground.ts'

/** What went through is held against openapi.yaml, both ways. */
const contract = compileContract(
  parse(readFileSync(join(import.meta.dirname, '../../../../openapi.yaml'), 'utf8')) as OpenApiDocument,
)

const credential = (type: string, claims: Record<string, unknown>): ProvenCredential => ({
  ...{ type, issuer: 'did:ethr:0x7a69:0xcb', holder: `did:key:${randomUUID()}`, holderKey: 'thumbprint', claims },
  digest: createHash('sha256').update(JSON.stringify(claims)).digest('base64url'),
})

const holder = (id: string, proof: ProvenCredential): HolderCaller => ({
  ...{ kind: 'holder', id: proof.holder, actor: proof.holder, principal: proof.holder, mandates: [] },
  ...{ credentials: [proof], matched: { [id]: proof }, proof: 'session', session: randomUUID() },
})

export const customer = (pseudonym: string, domain = 'cbdc:crd'): HolderCaller =>
  holder('kyc', credential('KycAttestation', { level: 2, pseudonym: { domain, value: pseudonym } }))
export const officer = (): HolderCaller =>
  holder('officer', credential('PublicOfficer', { officerNumber: 'CB-1', competences: ['cbdc:read'] }))
export const institution = (did = bankDid): Caller => ({ kind: 'agency', id: did })
/** Whoever holds an order with these claims, as the gate brings them once every check of the credential has passed. */
export const ordered = (claims: Record<string, unknown>, spend?: HolderCaller['spend']): HolderCaller => ({
  ...holder('order', credential('CourtOrder', claims)),
  proof: 'presentation',
  ...(spend && { spend }),
})

export type Body = Record<string, unknown>
type Call = { caller?: Caller; params?: Record<string, string>; query?: Record<string, string> }

/** The reading operations of a ledger, as the HTTP edge calls them. */
export const openReading = (ground: Ground) => {
  const routes = { ...readRoutes(ground.desk), ...instructionRoutes(ground.desk) }
  const call = async (operation: string, how: Call = {}, body?: unknown): Promise<Body> => {
    const route = routes[operation]
    const agreed = contract.get(operation)
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    if (agreed === undefined) throw new Error(`openapi.yaml has no operation ${operation}`)
    if (agreed.body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run({
      ...{ caller: how.caller ?? anonymous, params: how.params ?? {}, query: how.query ?? {}, body },
      ...{ headers: {}, publicUrl: 'https://central-bank.example' },
    })
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return answer.body as Body
  }
  const as =
    (reader: string, caller: Caller) =>
    (operation: string, params: Record<string, string | number>, query: Record<string, string> = {}): Promise<Body> => {
      const texts = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]))
      return call(operation, { caller, params: { reader, ...texts }, query })
    }
  /** An account of a person whose pseudonym is known, as `openAccount` leaves it. */
  const person = async (pseudonym: string, funds = 0n, owner?: Owner) => {
    const opened = await ground.customer(owner, {}, funds)
    await ground.store.transaction(async tx =>
      tx.insert('cbdc_persons', [{ currency: 1, pseudonym, lead: opened.number }]),
    )
    let nonce = 0
    const pay = async (to: number, amount: bigint) => {
      const record = ground.signed(opened.owner, ground.transfer(opened.number, to, amount, { nonce: nonce++ }))
      const [written] = await ground.submit(record)
      return { id: record.id, written }
    }
    return { ...opened, pay, read: as('customer', customer(pseudonym)) }
  }
  return {
    ...{ call, person },
    asOfficer: as('officer', officer()),
    asBank: as('institution', institution()),
    asOther: as('institution', institution('did:ethr:0x7a69:0xb2')),
    as,
    /** What the evidence holds of an operation. */
    journalled: async (operation: string): Promise<number> => {
      const rows = await ground.store.read<{ record: string }>('SELECT record FROM journal_details')
      return rows.filter(({ record }) => (JSON.parse(record) as { operation: string }).operation === operation).length
    },
  }
}

export const refusalOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (error === undefined) return undefined
  if (!isRefusal(error)) throw error
  return error.code
}

/** A signing key, and what the root makes of it for the ledger. */
export const signingKey = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signBytes = async (_algorithm: string, data: Uint8Array) =>
    sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return {
    jwk: publicKey.export({ format: 'jwk' }) as JsonWebKey,
    seal: (payload: Record<string, unknown>, header: Record<string, unknown> = {}) =>
      sealJws(
        { alg: 'ES256', kid: 'did:ethr:0x7a69:0xcb#delegate-1', typ: receiptType, ...header },
        payload,
        signBytes,
      ),
  }
}
