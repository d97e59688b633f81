import { EntitySchema } from 'typeorm'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const
const optionalText = { ...text, nullable: true } as const

/**
 * What staff prepared for somebody. The claims, the offer with its codes and who is to be identified stand in `sealed`, which is
 * erased when the offer has ended.
 */
export const issuanceEntity = new EntitySchema({
  name: 'oid4vci_issuances',
  columns: {
    id: { ...text, primary: true },
    /** SHA-256 of the secret in the offer's URI. */
    locator: text,
    /** JSON: configuration ids, in order. */
    configurations: text,
    /** JSON: how often each configuration was collected. */
    collected: text,
    times: integer,
    /** Keyed digest of the claims by which the person is told apart. */
    person: optionalText,
    /** `offered`, `collected`, `withdrawn`, `denied`, `expired`. */
    state: text,
    /** Null where no officer has to release it; else `asked` or `given`. */
    release: optionalText,
    sealed: { type: 'blob', nullable: true },
    created: integer,
    expires: integer,
    collect_by: integer,
  },
})

/** What one request collected, or waits for. */
export const deliveryEntity = new EntitySchema({
  name: 'oid4vci_deliveries',
  columns: {
    /** SHA-256 of what was asked for, with its proofs: the same request gets the same answer. */
    id: { ...text, primary: true },
    issuance: text,
    configuration: text,
    /** `waiting` or `delivered`. */
    state: text,
    /** JSON: the DIDs that waiting credentials are to be bound to. */
    holders: optionalText,
    /** JSON: ids of the credentials. */
    credentials: optionalText,
    transaction_sha256: optionalText,
    notification_sha256: text,
    event: optionalText,
    at: integer,
  },
})

export const issuerEntities = [issuanceEntity, deliveryEntity]

const day = 24 * 60 * 60_000

/** How long rows are kept, in the words of the store's retention rules. */
export const issuerRetention = [
  {
    table: 'oid4vci_deliveries',
    keepMs: 500 * day,
    why: 'For as long as its offer can be collected; then a quarter of a year, in which questions come.',
    key: 'id',
    age: { column: 'at', kind: 'ms' },
  },
  {
    table: 'oid4vci_issuances',
    keepMs: 90 * day,
    why: 'Whether an offer was collected is asked for a quarter of a year; its claims are erased when it ends.',
    key: 'id',
    age: { column: 'collect_by', kind: 'ms' },
  },
] as const
