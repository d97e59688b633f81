import type { AccreditationVerdict } from '../kernel/ports.ts'
import type { TrustEvent } from './events.ts'

/** One accreditation, newest facts included. Times in milliseconds. */
type Accreditation = {
  parent: string | null
  /** Which of the parent's accreditations gave it; undefined at the top. */
  above: Accreditation | undefined
  recordedAt: number
  validFrom: number
  validUntil: number
  endedAt: number | undefined
  voidSince: number | undefined
}

export type TrustState = {
  accreditation(issuer: string, typeId: string, at: number): AccreditationVerdict
  distrustedSince(issuer: string, thumbprint: string): number | undefined
  schemaAdmitted(typeId: string, digest: string): boolean
}

const key = (a: string, b: string): string => `${a}:${b}`
const earlier = (a: number | undefined, b: number): number => (a === undefined || b < a ? b : a)

/** From when on a link gives nothing to those below it, and why. */
const closing = (link: Accreditation): { at: number; reason: 'expired' | 'ended' | 'void' } => {
  let closed: { at: number; reason: 'expired' | 'ended' | 'void' } = { at: link.validUntil, reason: 'expired' }
  if (link.endedAt !== undefined && link.endedAt < closed.at) closed = { at: link.endedAt, reason: 'ended' }
  if (link.voidSince !== undefined && link.voidSince < closed.at) closed = { at: link.voidSince, reason: 'void' }
  return closed
}

const judge = (link: Accreditation, at: number): AccreditationVerdict => {
  // What a void accreditation dates itself proves nothing, so no time is good; `since` is for those with other proof.
  if (link.voidSince !== undefined) return { accredited: false, reason: 'void', since: link.voidSince }
  if (at < link.validFrom) return { accredited: false, reason: 'not_yet', since: link.validFrom }
  let closed = closing(link)
  let below = link
  for (let above = link.above; above !== undefined; above = above.above) {
    if (at < above.validFrom) return { accredited: false, reason: 'not_yet', since: above.validFrom }
    const end = closing(above)
    if (above.voidSince !== undefined && below.recordedAt >= above.voidSince) {
      // Given when the parent's word was worth nothing any more: it never was.
      return { accredited: false, reason: 'void', since: above.voidSince }
    }
    // Given before: it ends there, and what its own issuer signed earlier stays good.
    const reason = end.reason === 'void' ? 'ended' : end.reason
    if (end.at < closed.at) closed = { at: end.at, reason }
    below = above
  }
  if (at >= closed.at) return { accredited: false, reason: closed.reason, since: closed.at }
  return { accredited: true, parent: link.parent, validFrom: link.validFrom, validUntil: closed.at }
}

/** What the registry of trust says after these events, in their order. */
export const trustState = (events: readonly TrustEvent[]): TrustState => {
  const links = new Map<string, Accreditation[]>()
  const distrusted = new Map<string, number>()
  const schemas = new Set<string>()
  const newest = (issuer: string, typeId: string): Accreditation | undefined => links.get(key(issuer, typeId))?.at(-1)
  for (const event of events) {
    switch (event.kind) {
      case 'Accredited': {
        const { parent, issuer, typeId, validFrom, validUntil } = event
        const above = parent === null ? undefined : newest(parent, typeId)
        const recordedAt = event.time * 1_000
        const known = links.get(key(issuer, typeId)) ?? []
        known.push({ parent, above, recordedAt, validFrom, validUntil, endedAt: undefined, voidSince: undefined })
        links.set(key(issuer, typeId), known)
        break
      }
      case 'AccreditationEnded': {
        const link = newest(event.issuer, event.typeId)
        if (link) link.endedAt = earlier(link.endedAt, event.at)
        break
      }
      case 'AccreditationVoided': {
        const link = newest(event.issuer, event.typeId)
        if (link) link.voidSince = earlier(link.voidSince, event.since)
        break
      }
      case 'KeyDistrusted': {
        const place = key(event.issuer, event.thumbprint)
        distrusted.set(place, earlier(distrusted.get(place), event.since))
        break
      }
      case 'SchemaAdmitted':
        schemas.add(key(event.typeId, event.digest))
        break
      case 'SchemaWithdrawn':
        schemas.delete(key(event.typeId, event.digest))
    }
  }
  const judged = (issuer: string, typeId: string, at: number): AccreditationVerdict => {
    const known = links.get(key(issuer, typeId)) ?? []
    for (let newer = known.length - 1; newer >= 0; newer -= 1) {
      const verdict = judge(known[newer] as Accreditation, at)
      if (verdict.accredited) return verdict
    }
    // Without a good one, the reason is that of the accreditation which was the newest at that time.
    const told = known.findLast(({ validFrom }) => validFrom <= at) ?? known[0]
    return told === undefined ? { accredited: false, reason: 'unknown' } : judge(told, at)
  }
  /** The last that was asked: of thousands of customers whom one bank attests it is asked again and again at one time. */
  let last: { issuer: string; typeId: string; at: number; verdict: AccreditationVerdict } | undefined
  return {
    accreditation: (issuer, typeId, at) => {
      if (last === undefined || last.at !== at || last.issuer !== issuer || last.typeId !== typeId) {
        last = { issuer, typeId, at, verdict: judged(issuer, typeId, at) }
      }
      return last.verdict
    },
    distrustedSince: (issuer, thumbprint) => distrusted.get(key(issuer, thumbprint)),
    schemaAdmitted: (typeId, digest) => schemas.has(key(typeId, digest)),
  }
}
