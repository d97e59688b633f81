import { createHash, randomBytes } from 'node:crypto'
import { admit } from '../../../kernel/gate.ts'
import type { PresentationVerdict, Verdict } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { isRefusal, type Refusal } from '../../../kernel/refusal.ts'
import { challengeExpired, challengeMissing, challengeReplayed, dateMalformed } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'
import { challengeLifeMs, requires } from '../policy.ts'
import { resultsOf, resultsOfPresentation } from './results.ts'

/** What the answer shall hold as well (VCALM 1.0, Verify Credential and Verify Presentation). */
type Wanted = {
  returnCredential?: boolean
  returnPresentation?: boolean
  returnProblemDetails?: boolean
  returnResults?: boolean
}
type VerifyBody = { verifiableCredential?: unknown; options?: { at?: string } & Wanted }
type PresentationBody = {
  verifiablePresentation?: unknown
  options?: { challenge?: string; domain?: string; at?: string } & Wanted
}

const pastTime = (at: string | undefined): number | undefined => {
  if (at === undefined) return undefined
  const time = Date.parse(at)
  if (Number.isNaN(time) || !at.includes('T')) throw dateMalformed('options.at')
  return time
}

/** The VC API's answer about a verdict: `verified`, `errors`, `warnings`, `results`, and what was looked at. */
export const reportOf = (verdict: Verdict): Record<string, unknown> => {
  const { refusal, block, at, checks, document: _document, validUntil, ...rest } = verdict
  const report: Record<string, unknown> = {
    ...rest,
    errors: refusal === undefined ? [] : [{ type: `urn:chancery:refusal:${refusal.code}`, ...refusal }],
    warnings: [],
    results: checks,
    at: new Date(at).toISOString(),
  }
  if (block !== undefined) report['block'] = block
  if (validUntil !== undefined) report['validUntil'] = new Date(validUntil).toISOString()
  return report
}

const problemsOf = ({ refusal }: Verdict): Record<string, unknown>[] =>
  refusal === undefined
    ? []
    : [
        {
          type: `urn:chancery:refusal:${refusal.code}`,
          title: refusal.code.replaceAll('_', ' '),
          detail: refusal.detail,
        },
      ]

/** Whoever asks for results gets those of VCALM, an object by property; our own list of checks then stands under its own name. */
const lookedAt = (verdict: Verdict | PresentationVerdict, { options = {} }: PresentationBody) => ({
  results:
    'credentials' in verdict
      ? resultsOfPresentation(verdict, options, inner => ({ ...reportOf(inner), problemDetails: problemsOf(inner) }))
      : resultsOf(verdict),
  checks: verdict.checks,
})

const wantedOf = (
  verdict: Verdict | PresentationVerdict,
  body: VerifyBody & PresentationBody,
): Record<string, unknown> => {
  const { returnCredential, returnPresentation, returnProblemDetails, returnResults } = body.options ?? {}
  const { verifiableCredential, verifiablePresentation } = body
  return {
    ...(returnResults === true ? lookedAt(verdict, body) : {}),
    ...(returnCredential === true && verifiableCredential !== undefined ? { credential: verifiableCredential } : {}),
    ...(returnPresentation === true && verifiablePresentation !== undefined ? { verifiablePresentation } : {}),
    ...(returnProblemDetails === true ? { problemDetails: problemsOf(verdict) } : {}),
  }
}

const statusOf = (verdict: Verdict, vcalm: boolean): number => {
  if (verdict.verified) return 200
  if (verdict.refusal?.kind === 'malformed') return 400
  if (verdict.refusal?.kind === 'unavailable') return 503
  return vcalm ? 200 : 422
}

/** Judges one credential; nothing is written. */
export const verifyCredential = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.verify)
  const body = context.body as VerifyBody
  const verdict = await needs.identity.verify(body.verifiableCredential, { at: pastTime(body.options?.at) })
  return { status: statusOf(verdict, needs.vcalm), body: { ...reportOf(verdict), ...wantedOf(verdict, body) } }
}

const inFlight = 256

const verifyLine = async (needs: CredentialsNeeds, body: unknown, line: number): Promise<unknown> => {
  try {
    if (isRefusal(body)) throw body
    const asked = (body ?? {}) as VerifyBody
    const { verifiableCredential, options } = asked
    const verdict = await needs.identity.verify(verifiableCredential, { at: pastTime(options?.at) })
    const { claims: _claims, ...report } = reportOf(verdict)
    return { line, ...report, ...wantedOf(verdict, asked) }
  } catch (error) {
    if (!isRefusal(error)) throw error
    const failed = { kind: error.kind, code: error.code, detail: error.message }
    return { line, verified: false, errors: [failed], warnings: [], results: [] }
  }
}

/** Many credentials, a line each, answered in order; at most 256 under way at once. */
export async function* verifyBatch(
  needs: CredentialsNeeds,
  context: Context,
  lines: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  admit(context.caller, requires.verify)
  const pending: Promise<unknown>[] = []
  let line = 0
  for await (const body of lines) {
    line += 1
    const answer = verifyLine(needs, body, line)
    // A defect in one line is thrown when its turn comes; until then nobody waits for it, which would end the process.
    answer.catch(() => undefined)
    pending.push(answer)
    if (pending.length >= inFlight) yield await pending.shift()
  }
  for (const answer of pending) yield await answer
}

const digestOfChallenge = (challenge: string): Buffer => createHash('sha256').update(challenge).digest()

/** Gives out a nonce that can be answered once, for ten minutes. */
export const createChallenge = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const challenge = randomBytes(32).toString('base64url')
  const expires = needs.house.clock.now() + challengeLifeMs
  await perform(needs.house, {
    operation: 'createChallenge',
    requires: requires.verify,
    caller: context.caller,
    input: {},
    act: async tx => tx.insert('challenges', [{ digest: digestOfChallenge(challenge), expires, used: null }]),
  })
  return { status: 201, body: { challenge, domain: needs.publicUrl, expires: new Date(expires).toISOString() } }
}

/** Uses a challenge up. One that the caller made up itself is remembered, so that it cannot be answered twice either. */
const consume = (needs: CredentialsNeeds, context: Context, challenge: string): Promise<void> =>
  perform(needs.house, {
    operation: 'verifyPresentation',
    requires: requires.verify,
    caller: context.caller,
    input: { challenge },
    act: async tx => {
      const now = needs.house.clock.now()
      const digest = digestOfChallenge(challenge)
      // One statement decides, whichever process asks: the row is ours, or somebody was here before.
      const [row] = await tx.query(
        `INSERT INTO challenges (digest, expires, used) VALUES (?, ?, ?)
         ON CONFLICT (digest) DO UPDATE SET used = excluded.used WHERE challenges.used IS NULL RETURNING expires`,
        [digest, now + challengeLifeMs, now],
      )
      if (row === undefined) throw challengeReplayed()
      if (Number(row['expires']) <= now) throw challengeExpired()
    },
  })

const refused = (verdict: PresentationVerdict, refusal: Refusal): PresentationVerdict => {
  verdict.verified = false
  verdict.refusal = { kind: refusal.kind, code: refusal.code, detail: refusal.message }
  verdict.checks.push({ check: 'challenge', outcome: 'failed', code: refusal.code, detail: refusal.message })
  return verdict
}

/** Judges a presentation; a good one uses its challenge up. */
export const verifyPresentation = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.verify)
  const asked = context.body as PresentationBody
  const { verifiablePresentation, options = {} } = asked
  const { challenge, domain } = options
  if (needs.challenges && (challenge === undefined || challenge === '')) throw challengeMissing()
  const audience = domain === undefined ? [needs.publicUrl, needs.identity.did] : [domain]
  // VCALM 1.0 has the domain judged where it is given; outside of a conformance profile it is always ours.
  const anyAudience = domain === undefined && !needs.challenges
  const expected = { challenge, audience, anyAudience, at: pastTime(options.at) }
  let verdict = await needs.identity.verifyPresentation(verifiablePresentation, expected)
  if (verdict.verified && needs.challenges) {
    try {
      await consume(needs, context, challenge as string)
    } catch (error) {
      if (!isRefusal(error) || error.kind !== 'rejected') throw error
      verdict = refused(verdict, error)
    }
  }
  const credentials = verdict.credentials.map(reportOf)
  const body = { ...reportOf(verdict), ...wantedOf(verdict, asked), credentials }
  return { status: statusOf(verdict, needs.vcalm), body }
}
