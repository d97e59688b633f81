import { canonical } from '../../kernel/canonical.ts'
import type { FederationNeeds } from './needs.ts'
import { statementAgainMs, statementLifeMs } from './policy.ts'

/** What every operation of the federation has at hand. */
export type Desk = FederationNeeds & {
  /** An Entity Statement about an entity, signed at most once in a while for what it says. */
  statement(subject: string, claims: Readonly<Record<string, unknown>>): Promise<string>
}

export const statementType = 'entity-statement+jwt'
const keptMost = 2_000

export const openDesk = (needs: FederationNeeds): Desk => {
  const { clock } = needs.house
  const kept = new Map<string, { until: number; signed: Promise<string> }>()

  const sign = (subject: string, claims: Readonly<Record<string, unknown>>, now: number): Promise<string> => {
    const iat = Math.floor(now / 1_000)
    const exp = iat + statementLifeMs / 1_000
    return needs.sign(statementType, { iss: needs.entity, sub: subject, iat, exp, ...claims })
  }

  return {
    ...needs,
    statement(subject, claims) {
      const now = clock.now()
      const name = canonical([subject, claims])
      const known = kept.get(name)
      if (known !== undefined && now < known.until) return known.signed
      if (kept.size >= keptMost) kept.clear()
      const signed = sign(subject, claims, now)
      kept.set(name, { until: now + statementAgainMs, signed })
      signed.catch(() => kept.delete(name))
      return signed
    },
  }
}
