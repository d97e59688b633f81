import type { Verdict } from '../kernel/identity.ts'
import type { AccreditationVerdict, Clock, StatusReader, TrustReader } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { DidKeys, VerificationKey } from './did-keys.ts'
import { openCredential } from './formats/detect.ts'
import type { Opened } from './formats/format.ts'
import { keyUrl, signatureHolds } from './formats/jose.ts'
import type { CredentialTypes } from './types.ts'
import { Checks } from './verdict.ts'

export type VerifyNeeds = {
  types: CredentialTypes
  dids: DidKeys
  status: StatusReader
  trust: TrustReader
  clock: Clock
  /** CAIP-2 chain whose did:ethr identities count, for example eip155:31337. */
  chain: string
}

export type VerifyOptions = {
  /** Judge as of this past time (ms). */
  at?: number | undefined
}

/** How far two clocks may stand apart. */
export const clockSkewMs = 60_000

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/** The chain address behind an agency's did:ethr of our own chain. */
export const issuerAddress = (did: string, chain: string): string => {
  const match = /^did:ethr:0x([0-9a-f]{1,16}):(0x[0-9a-f]{40})$/.exec(did)
  if (match === null || `eip155:${Number.parseInt(match[1] ?? '', 16)}` !== chain) {
    throw rejected('issuer_unaccredited', 'The issuer is not a did:ethr of the chain that carries the trust registry.')
  }
  return match[2] ?? ''
}

/** What must stand before anything else is looked at: who signed, and whether it is the issuer's key. */
const signatureOf = async (opened: Opened, needs: VerifyNeeds, now: number): Promise<VerificationKey> => {
  const { kid, alg } = opened.signed.header
  const signedAt = Math.min(opened.issuedAt ?? now, now)
  const pending = needs.dids.key(keyUrl(kid, opened.issuer), 'assertionMethod', signedAt)
  const key = pending instanceof Promise ? await pending : pending
  if (key.algorithm !== alg)
    throw rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
  const issuer = needs.dids.subjectOf(opened.issuer)
  if (key.did !== (issuer instanceof Promise ? await issuer : issuer)) {
    throw rejected('key_of_another', 'The credential is signed by a key that is not its issuer’s.')
  }
  if (!(await signatureHolds(opened.signed, key))) {
    throw rejected('signature_invalid', 'The signature does not fit the credential.')
  }
  return key
}

/** @param now the time that is asked about; `today` is the time it is. */
const judgeDates = (opened: Opened, now: number, today: number): void => {
  const { issuedAt, validFrom, validUntil } = opened
  // Written so that a time which is not a number does not pass either.
  if (!(now <= today + clockSkewMs)) throw rejected('time_not_come', 'Nothing is judged as of a time to come.')
  if (issuedAt === undefined) throw rejected('issue_time_missing', 'The credential does not say when it was issued.')
  if (issuedAt > now + clockSkewMs)
    throw rejected('credential_not_yet_valid', 'The credential was issued in the future.')
  if (validFrom !== undefined && validFrom > now + clockSkewMs) {
    throw rejected('credential_not_yet_valid', 'The credential is not valid yet.')
  }
  if (validUntil !== undefined && validUntil <= now) throw rejected('credential_expired', 'The credential has expired.')
}

const judgeSchema = (opened: Opened, needs: VerifyNeeds): void => {
  const { type, claims, partial } = opened
  const problem = partial ? type.checkDisclosed(claims) : type.check(claims)
  if (problem !== undefined) throw rejected('schema_violated', `The claims do not fit ${type.schemaId}: ${problem}.`)
  if (!needs.trust.schemaAdmitted(type.id, type.schemaDigest)) {
    throw rejected('schema_not_admitted', `The root of trust has not admitted ${type.schemaId}.`)
  }
}

const accreditationRefusal = (verdict: AccreditationVerdict & { accredited: false }, type: string): Refusal => {
  if (verdict.reason === 'void') {
    return rejected(
      'accreditation_void',
      `The issuer’s accreditation for ${type} is void; nothing issued under it counts.`,
    )
  }
  return rejected('issuer_unaccredited', `The issuer is not accredited for ${type} (${verdict.reason}).`)
}

/** Accredited when it was issued, and not declared void since. @returns when the accreditation ended, if it has. */
const judgeAccreditation = (opened: Opened, issuer: string, needs: VerifyNeeds, now: number): number | undefined => {
  const then = needs.trust.accreditation(issuer, opened.type.id, Math.min(opened.issuedAt ?? now, now))
  if (!then.accredited) throw accreditationRefusal(then, opened.type.id)
  const today = needs.trust.accreditation(issuer, opened.type.id, now)
  if (today.accredited) return undefined
  if (today.reason === 'void') throw accreditationRefusal(today, opened.type.id)
  return today.since ?? then.validUntil
}

/**
 * A date that the signer writes proves nothing against that signer: a distrusted key counts for nothing, and a
 * credential that names a status list opened after its issuer's accreditation or key had ended is backdated.
 */
const judgeKey = (
  opened: Opened,
  key: VerificationKey,
  ended: number | undefined,
  issuer: string,
  needs: VerifyNeeds,
): void => {
  const distrusted = needs.trust.distrustedSince(issuer, key.thumbprint)
  if (distrusted !== undefined) throw rejected('key_distrusted', 'The key that signed this credential is distrusted.')
  const limit = Math.min(ended ?? Number.POSITIVE_INFINITY, key.validUntil ?? Number.POSITIVE_INFINITY)
  if (limit === Number.POSITIVE_INFINITY || opened.status === undefined) return
  const openedAt = needs.status.openedAt(opened.status.issuer, opened.status.list)
  if (openedAt === undefined || openedAt > limit) {
    throw rejected(
      'credential_backdated',
      'The credential names a status list that is younger than its issuer’s right to sign.',
    )
  }
}

const statusRefusals = {
  revoked: rejected('credential_revoked', 'The issuer has revoked this credential.'),
  suspended: rejected('credential_suspended', 'The issuer has suspended this credential.'),
}

const judgeStatus = async (opened: Opened, issuer: string, needs: VerifyNeeds, at: number | undefined) => {
  const pointer = opened.status
  if (pointer === undefined) {
    throw rejected('status_missing', 'The credential carries no status although its type demands one.')
  }
  if (pointer.issuer !== issuer) {
    throw rejected('status_of_another', 'The credential points to the status list of another issuer.')
  }
  const result =
    at === undefined
      ? { status: needs.status.status(pointer), block: needs.status.head() }
      : await needs.status.statusAt(pointer, at)
  if (result.status !== 'valid') throw statusRefusals[result.status]
  return result.block
}

const about = (verdict: Verdict, opened: Opened): Verdict => {
  verdict.format = opened.format
  verdict.issuer = opened.issuer
  verdict.type = opened.type.id
  verdict.claims = opened.claims
  verdict.document = opened.document
  if (opened.subjectId !== undefined) verdict.holder = opened.subjectId
  if (opened.id !== undefined) verdict.credentialId = opened.id
  return verdict
}

export type HolderCheck = (opened: Opened, checks: Checks) => Promise<void>

const holderNotAsked: HolderCheck = async (_opened, checks) => {
  checks.skip('holderBinding')
  checks.skip('challenge')
}

/**
 * Judges one credential of any format: every check by name, what it looked at, at which block, and the first reason
 * for refusal. Never throws a Refusal; a verdict that is `unavailable` is not a good one.
 * @param input a compact credential, an EnvelopedVerifiableCredential, or an object with a JWT proof.
 */
export const verifyCredential = async (
  input: unknown,
  needs: VerifyNeeds,
  options: VerifyOptions = {},
  judgeHolder: HolderCheck = holderNotAsked,
): Promise<Verdict> => {
  const now = options.at ?? needs.clock.now()
  const checks = new Checks()
  let opened: Opened | undefined
  checks.run('format', () => {
    opened = openCredential(input, needs.types)
  })
  if (opened === undefined) return checks.verdict(now)
  const credential: Opened = opened
  const key = await checks.runAsync('signature', () => signatureOf(credential, needs, now))
  if (key === undefined) return about(checks.verdict(now), credential)
  await judgeHolder(credential, checks)
  checks.run('dates', () => judgeDates(credential, now, needs.clock.now()))
  checks.run('schema', () => judgeSchema(credential, needs))
  let issuer = ''
  let ended: number | undefined
  checks.run('accreditation', () => {
    issuer = issuerAddress(key.did, needs.chain)
    ended = judgeAccreditation(credential, issuer, needs, now)
  })
  if (issuer === '') return about(checks.verdict(now), credential)
  checks.run('key', () => judgeKey(credential, key, ended, issuer, needs))
  const block = await checks.runAsync('status', () => judgeStatus(credential, issuer, needs, options.at))
  const verdict = about(checks.verdict(now), credential)
  if (block !== undefined) verdict.block = block
  return verdict
}
