import { generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto'
import { sealJws } from '../../../../src/identity/formats/jose.ts'
import type { Caller, HolderCaller } from '../../../../src/kernel/gate.ts'
import { isRefusal } from '../../../../src/kernel/refusal.ts'
import { instructionRoutes } from '../../../../src/plugins/cbdc/actions/instructions/routes.ts'
import { readRoutes } from '../../../../src/plugins/cbdc/actions/reads/routes.ts'
import { receiptType } from '../../../../src/plugins/cbdc/ledger/receipt.ts'
import { type Body, type Call, openEdge, presenting, proven } from '../../edge.ts'
import { bankDid, type Ground, type Owner } from '../ground.ts'

export const customer = (pseudonym: string, domain = 'cbdc:crd'): HolderCaller =>
  presenting('kyc', proven('KycAttestation', { level: 2, pseudonym: { domain, value: pseudonym } }))
export const officer = (): HolderCaller =>
  presenting('officer', proven('PublicOfficer', { officerNumber: 'CB-1', competences: ['cbdc:read'] }))
export const institution = (did = bankDid): Caller => ({ kind: 'agency', id: did })
/** Whoever holds an order with these claims, as the gate brings them once every check of the credential has passed. */
export const ordered = (claims: Record<string, unknown>, spend?: HolderCaller['spend']): HolderCaller => ({
  ...presenting('order', proven('CourtOrder', claims)),
  proof: 'presentation',
  ...(spend && { spend }),
})

export type { Body }

/** The reading operations of a ledger, as the HTTP edge calls them. */
export const openReading = (ground: Ground) => {
  const edge = openEdge({ ...readRoutes(ground.desk), ...instructionRoutes(ground.desk) })
  const call = async (operation: string, how: Call = {}, body?: unknown): Promise<Body> =>
    (await edge(operation, body, how)).body
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
