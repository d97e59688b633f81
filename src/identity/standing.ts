import type { Standing } from '../kernel/identity.ts'
import type {
  AccreditationVerdict,
  BlockRef,
  Clock,
  StatusPointer,
  StatusReader,
  TrustReader,
} from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { DidKeys, VerificationKey } from './did-keys.ts'

/** What judging whether a credential still stands asks of the chain. */
export type StandingNeeds = {
  dids: DidKeys
  status: StatusReader
  trust: TrustReader
  clock: Clock
}

/** How far two clocks may stand apart. */
export const clockSkewMs = 60_000

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

type Dated = { issuedAt?: number | undefined; validFrom?: number | undefined; validUntil?: number | undefined }

/** @param now the time that is asked about; `today` is the time it is. */
export const judgeDates = ({ issuedAt, validFrom, validUntil }: Dated, now: number, today: number): void => {
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

type TypeFacts = { id: string; schemaId: string; schemaDigest: string }

export const judgeAdmission = (type: TypeFacts, trust: Pick<TrustReader, 'schemaAdmitted'>): void => {
  if (trust.schemaAdmitted(type.id, type.schemaDigest)) return
  throw rejected('schema_not_admitted', `The root of trust has not admitted ${type.schemaId}.`)
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
export const judgeAccreditation = (
  stated: { typeId: string; issuedAt: number | undefined },
  issuer: string,
  trust: TrustReader,
  now: number,
): number | undefined => {
  const then = trust.accreditation(issuer, stated.typeId, Math.min(stated.issuedAt ?? now, now))
  if (!then.accredited) throw accreditationRefusal(then, stated.typeId)
  const today = trust.accreditation(issuer, stated.typeId, now)
  if (today.accredited) return undefined
  if (today.reason === 'void') throw accreditationRefusal(today, stated.typeId)
  return today.since ?? then.validUntil
}

/**
 * A date that the signer writes proves nothing against that signer: a distrusted key counts for nothing, and a
 * credential that names a status list opened after its issuer's accreditation or key had ended is backdated.
 */
export const judgeKey = (
  pointer: StatusPointer | undefined,
  key: Pick<VerificationKey, 'thumbprint' | 'validUntil'>,
  ended: number | undefined,
  issuer: string,
  needs: Pick<StandingNeeds, 'trust' | 'status'>,
): void => {
  const distrusted = needs.trust.distrustedSince(issuer, key.thumbprint)
  if (distrusted !== undefined) throw rejected('key_distrusted', 'The key that signed this credential is distrusted.')
  const limit = Math.min(ended ?? Number.POSITIVE_INFINITY, key.validUntil ?? Number.POSITIVE_INFINITY)
  if (limit === Number.POSITIVE_INFINITY || pointer === undefined) return
  const openedAt = needs.status.openedAt(pointer.issuer, pointer.list)
  if (openedAt === undefined || openedAt > limit) {
    throw rejected(
      'credential_backdated',
      'The credential names a status list that is younger than its issuer’s right to sign.',
    )
  }
}

export const statusRefusals = {
  revoked: rejected('credential_revoked', 'The issuer has revoked this credential.'),
  suspended: rejected('credential_suspended', 'The issuer has suspended this credential.'),
}

const mandateEnded = (cause?: unknown): Refusal =>
  new Refusal('forbidden', 'mandate_ended', 'A mandate that this one was given under has ended; ask for a new one.', {
    cause,
  })

/** A mandate lasts as long as every mandate above it. What cannot be known stays unavailable. */
export const judgeAncestors = (standing: Pick<Standing, 'ancestors'>, status: StatusReader): void => {
  for (const pointer of standing.ancestors ?? []) {
    let value: string
    try {
      value = status.status(pointer)
    } catch (error) {
      if (error instanceof Refusal && error.kind !== 'unavailable') throw mandateEnded(error)
      throw error
    }
    if (value !== 'valid') throw mandateEnded()
  }
}

const rest = (standing: Standing, key: VerificationKey, needs: StandingNeeds, now: number): BlockRef => {
  if (key.thumbprint !== standing.thumbprint) {
    throw rejected('key_unknown', 'The key that signed this credential is no longer its issuer’s.')
  }
  const { type, issuedAt, issuer } = standing
  judgeDates(standing, now, now)
  judgeAdmission({ id: type, schemaId: standing.schemaId, schemaDigest: standing.schemaDigest }, needs.trust)
  const ended = judgeAccreditation({ typeId: type, issuedAt }, issuer, needs.trust, now)
  judgeKey(standing.status, key, ended, issuer, needs)
  const value = needs.status.status(standing.status)
  if (value !== 'valid') throw statusRefusals[value]
  judgeAncestors(standing, needs.status)
  return needs.status.head()
}

/**
 * Judges a proven credential again as things stand now: dates, schema, accreditation, the issuer's key, status, and the
 * mandates above it. In memory, except for an issuer whose key was named through a did:web.
 * @throws Refusal of the first check that fails.
 */
export const recheckStanding = (standing: Standing, needs: StandingNeeds): BlockRef | Promise<BlockRef> => {
  const now = needs.clock.now()
  const key = needs.dids.key(standing.kid, 'assertionMethod', Math.min(standing.issuedAt, now))
  return key instanceof Promise ? key.then(found => rest(standing, found, needs, now)) : rest(standing, key, needs, now)
}
