import type { CheckName, PresentationVerdict, Verdict } from '../../../kernel/identity.ts'
import { isRecord } from '../../../kernel/record.ts'

/** `results` of a verification by the properties of the data model (VCALM 1.0, VerifyCredentialResult and VerifyPresentationResult). */

/** Absent where nothing was looked at. `input` is what was, where the document has it. */
type Result = { verified: boolean; input?: unknown; value?: number }

type Members = Record<string, unknown>

const listOf = (value: unknown): unknown[] => (value === undefined ? [] : [value].flat())

/** @returns undefined for what was not looked at */
const outcomeOf = ({ checks }: Verdict, name: CheckName): { verified: boolean; code?: string } | undefined => {
  const found = checks.find(({ check, outcome }) => check === name && outcome !== 'not_applicable')
  if (found === undefined) return undefined
  return { verified: found.outcome === 'passed', ...(found.code === undefined ? {} : { code: found.code }) }
}

/** A period is judged as one: what failed says which end of it. */
const endOf = (verdict: Verdict, names: readonly string[], fails: string): Result | undefined => {
  const name = names.find(each => verdict.document?.[each] !== undefined)
  const outcome = outcomeOf(verdict, 'dates')
  if (name === undefined || outcome === undefined) return undefined
  const others = ['credential_not_yet_valid', 'credential_expired']
  const isOther = outcome.code !== fails && others.includes(outcome.code ?? '')
  return { verified: outcome.verified || isOther, input: verdict.document?.[name] }
}

const purposes: Readonly<Record<string, string>> = {
  credential_revoked: 'revocation',
  credential_suspended: 'suspension',
}

/** Statuses are looked at one after the other until one fails; those behind it are not. */
const statusesOf = (verdict: Verdict): Result[] => {
  const entries = listOf(verdict.document?.['credentialStatus'])
  const outcome = outcomeOf(verdict, 'status')
  if (outcome === undefined) return []
  const { statuses = [] } = verdict
  const valueAt = (index: number): number => statuses[index]?.value ?? 0
  if (outcome.verified) return entries.map((input, index) => ({ value: valueAt(index), verified: true, input }))
  const purpose = purposes[outcome.code ?? '']
  const named = entries.findIndex(entry => isRecord(entry) && entry['statusPurpose'] === purpose)
  const at = Math.max(0, named)
  return entries.slice(0, at + 1).map((input, index) => {
    if (index < at) return { value: valueAt(index), verified: true, input }
    return { ...(purpose === undefined ? {} : { value: 1 }), verified: false, input }
  })
}

/** Of several proofs each bears what all of them came to. What secures the whole document from outside has no object to show. */
const proofsOf = (verdict: Verdict): Result[] => {
  const outcome = outcomeOf(verdict, 'signature')
  if (outcome === undefined) return []
  const proofs = listOf(verdict.document?.['proof'])
  const { verified } = outcome
  return proofs.length === 0 ? [{ verified }] : proofs.map(input => ({ verified, input }))
}

const schemasOf = (verdict: Verdict): Result[] => {
  const outcome = outcomeOf(verdict, 'schema')
  if (outcome === undefined) return []
  return listOf(verdict.document?.['credentialSchema']).map(input => ({ verified: outcome.verified, input }))
}

const present = (results: Record<string, Result | undefined>): Members =>
  Object.fromEntries(Object.entries(results).filter(([, result]) => result !== undefined))

/** Of one credential. */
export const resultsOf = (verdict: Verdict): Members => ({
  ...present({
    validFrom: endOf(verdict, ['validFrom', 'issuanceDate'], 'credential_not_yet_valid'),
    validUntil: endOf(verdict, ['validUntil', 'expirationDate'], 'credential_expired'),
  }),
  credentialSchema: schemasOf(verdict),
  credentialStatus: statusesOf(verdict),
  proof: proofsOf(verdict),
})

/**
 * Of a presentation, and of each credential in it.
 * @param asked what it had to answer, where anything was said.
 * @param reportOf a credential's own answer, beside its results.
 */
export const resultsOfPresentation = (
  verdict: PresentationVerdict,
  asked: { challenge?: string; domain?: string },
  reportOf: (inner: Verdict) => Members,
): Members => {
  const code = verdict.refusal?.code
  const signed = outcomeOf(verdict, 'signature')
  const challenged = outcomeOf(verdict, 'challenge')
  const said = (input: string | undefined, mismatch: readonly string[]): Result | undefined => {
    if (input === undefined || (signed ?? challenged) === undefined) return undefined
    const isOther = code !== undefined && !mismatch.includes(code)
    const good = (signed?.verified ?? true) && (challenged?.verified ?? true)
    // What fails otherwise leaves open whether this was right: nothing unproven is called verified.
    return good || !isOther ? { verified: good, input } : undefined
  }
  return {
    presentation: {
      ...present({
        challenge: said(asked.challenge, ['challenge_mismatch', 'challenge_replayed', 'challenge_expired']),
        domain: said(asked.domain, ['audience_mismatch']),
        holder:
          verdict.holder === undefined || signed === undefined
            ? undefined
            : { verified: signed.verified, input: verdict.holder },
      }),
      proof: signed === undefined ? [] : [{ verified: signed.verified }],
    },
    credentials: verdict.credentials.map(inner => ({
      ...reportOf(inner),
      ...{ credential: inner.document, results: resultsOf(inner), checks: inner.checks },
    })),
  }
}
