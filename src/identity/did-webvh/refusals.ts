import { Refusal } from '../../kernel/refusal.ts'

/** Refusals of did:webvh logs, by the rule of did:webvh 1.0 that a log breaks. */

const rejected = (code: string, detail: string, cause?: unknown): Refusal =>
  new Refusal('rejected', code, detail, { cause })

/** Not JSON Lines of log entries, or larger than is read. */
export const logMalformed = (detail: string, cause?: unknown): Refusal => rejected('did_log_malformed', detail, cause)

/** Read (Resolve), step 5: the SCID is not the hash of how the log began. */
export const scidMismatch = (detail: string): Refusal => rejected('did_log_scid', detail)

/** Read (Resolve), step 3: a number out of turn, or a hash that does not fit its entry. */
export const versionBroken = (detail: string): Refusal => rejected('did_log_version', detail)

/** Read (Resolve), step 4. */
export const timeRefused = (detail: string): Refusal => rejected('did_log_time', detail)

/** did:webvh DID Method Parameters. */
export const parametersRefused = (detail: string): Refusal => rejected('did_log_parameters', detail)

/** A version of the method that is not known here: never taken for another. */
export const methodUnknown = (): Refusal =>
  rejected('did_log_method', 'The log is not of did:webvh:1.0, the version of the method that is read here.')

/** Read (Resolve), step 2. */
export const proofRefused = (detail: string, cause?: unknown): Refusal => rejected('did_log_proof', detail, cause)

/** Authorized Keys. */
export const keyUnauthorised = (): Refusal =>
  rejected('did_log_key', 'An entry of the log is signed by a key that its updateKeys do not name.')

/** Pre-Rotation Key Hash Generation and Verification. */
export const rotationBroken = (detail: string): Refusal => rejected('did_log_rotation', detail)

/** Read (Resolve), step 6, and DID Portability. */
export const subjectRefused = (detail: string): Refusal => rejected('did_log_subject', detail)

/** Deactivate (Revoke): no entry follows. */
export const alreadyEnded = (): Refusal =>
  rejected('did_log_ended', 'The log goes on after the entry that deactivated its DID.')

/** DID Witnesses. */
export const witnessesMissing = (detail: string, cause?: unknown): Refusal => rejected('did_log_witness', detail, cause)
