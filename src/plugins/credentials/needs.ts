import type { Identity } from '../../kernel/identity.ts'
import type { House } from '../../kernel/perform.ts'
import type { ChainOutbox, ChainWrite, LogProof, Tx } from '../../kernel/ports.ts'

/** Methods that are handed through to Veramo; each reads, and reads nothing secret. */
export type VeramoMethod =
  | 'didManagerFind'
  | 'didManagerGet'
  | 'didManagerGetProviders'
  | 'getDIDComponentById'
  | 'keyManagerGetKeyManagementSystems'

/** What the composition root hands to this plugin. */
export type CredentialsNeeds = {
  house: House
  identity: Identity
  outbox: ChainOutbox
  /** Chain writes that set or clear status bits, within the gas limit of a transaction each. */
  statusWrites(changes: { list: number; index: number }[], set: boolean): ChainWrite[]
  /**
   * What else follows from a decision about credentials, within its act: further bits of this agency's lists, which are set on
   * chain by the same transaction as its own.
   */
  onStatusChange?(
    tx: Tx,
    credentialIds: readonly string[],
    change: { purpose: 'revocation' | 'suspension'; set: boolean },
  ): Promise<{ list: number; index: number }[]>
  /** The published side of the agency's log. */
  log: {
    origin: string
    /** C2SP signed-note verifier key. */
    verifierKey: string
    checkpoint(): Promise<string | undefined>
    tile(path: string): Promise<Uint8Array | undefined>
    /** @throws Refusal not_found/not_logged for an index that no published checkpoint covers. */
    proofAt(index: number): Promise<LogProof>
  }
  /** Where this agency's status bits live on chain. */
  statusAuthority: { chain: string; registry: string; issuer: string }
  /** The agency's Veramo agent, for those who know it by Veramo's words. */
  veramo: {
    call(method: VeramoMethod, args: Record<string, unknown>): Promise<unknown>
    /** A credential as Veramo's users know it: an object with a JwtProof2020. */
    show(compact: string): Record<string, unknown>
  }
  /** A fresh id, ordered by time. */
  newId(): string
  publicUrl: string
  /** VCALM: a credential that is well-formed but not verified answers 200. */
  vcalm: boolean
  /** Presentations answer a challenge, once. A conformance profile judges those that answer none, and any number of times. */
  challenges: boolean
}
