import type { Check, Verdict } from '../../../src/kernel/identity.ts'
import { resultsOf, resultsOfPresentation } from '../../../src/plugins/credentials/actions/results.ts'
import { verifyBatch } from '../../../src/plugins/credentials/actions/verify.ts'

type Members = Record<string, unknown>

const passed = (check: Check['check']): Check => ({ check, outcome: 'passed' })
const failed = (check: Check['check'], code: string): Check => ({ check, outcome: 'failed', code, detail: 'd' })

const document = {
  validFrom: '2026-01-01T00:00:00Z',
  validUntil: '2027-01-01T00:00:00Z',
  credentialSchema: { id: 'https://schema.example', type: 'JsonSchema' },
  credentialStatus: [{ statusPurpose: 'revocation' }, { statusPurpose: 'suspension' }],
  proof: [{ proofValue: 'z1' }, { proofValue: 'z2' }],
}

const verdictOf = (checks: Check[], more: Partial<Verdict> = {}): Verdict => {
  const first = checks.find(({ code }) => code !== undefined)
  const refusal = first && { kind: 'rejected' as const, code: first.code ?? '', detail: '' }
  return { verified: first === undefined, checks, at: 0, document, ...(refusal && { refusal }), ...more }
}
const of = (...checks: Check[]) => resultsOf(verdictOf(checks)) as Record<string, Members | Members[]>

describe('results by property (VCALM 1.0, VerifyCredentialResult)', () => {
  it('show what was looked at beside what came of it', () => {
    const names = ['signature', 'dates', 'schema', 'status'] as const
    expect(of(...names.map(passed))).toEqual({
      validFrom: { verified: true, input: document.validFrom },
      validUntil: { verified: true, input: document.validUntil },
      credentialSchema: [{ verified: true, input: document.credentialSchema }],
      credentialStatus: document.credentialStatus.map(input => ({ value: 0, verified: true, input })),
      proof: document.proof.map(input => ({ verified: true, input })),
    })
  })

  it('show the value of a status that takes nothing away', () => {
    const statuses = [
      { purpose: 'refresh', value: 1 },
      { purpose: 'message', value: 2, message: 'rejected' },
    ]
    const { credentialStatus } = resultsOf(verdictOf([passed('status')], { statuses }))
    expect(credentialStatus).toMatchObject([
      { value: 1, verified: true },
      { value: 2, verified: true },
    ])
  })

  it('are silent about what was not looked at', () => {
    const nothing = { credentialSchema: [], credentialStatus: [], proof: [] }
    expect(of()).toEqual(nothing)
    expect(of({ check: 'schema', outcome: 'not_applicable' })).toEqual(nothing)
    expect(resultsOf({ verified: false, checks: [failed('format', 'x')], at: 0 })).toEqual(nothing)
  })

  it.each([
    ['credential_not_yet_valid', false, true],
    ['credential_expired', true, false],
    ['time_not_come', false, false],
  ])('say of which end of the period %s speaks', (code, from, until) => {
    const { validFrom, validUntil } = of(failed('dates', code))
    expect([validFrom, validUntil]).toMatchObject([{ verified: from }, { verified: until }])
  })

  it('are those of VC Data Model 1.1 in its words', () => {
    const old = { issuanceDate: '2020-01-01T00:00:00Z' }
    expect(resultsOf(verdictOf([passed('dates')], { document: old }))).toMatchObject({
      validFrom: { verified: true, input: old.issuanceDate },
    })
  })

  it.each([
    ['credential_revoked', [{ verified: false, value: 1 }]],
    [
      'credential_suspended',
      [
        { verified: true, value: 0 },
        { verified: false, value: 1 },
      ],
    ],
    ['status_unavailable', [{ verified: false }]],
  ])('end with the status that failed: %s', (code, expected) => {
    const { credentialStatus } = of(failed('status', code))
    expect((credentialStatus as Members[]).map(({ input: _input, ...rest }) => rest)).toEqual(expected)
  })

  it('have no object to show for what is secured from outside', () => {
    const { proof: _proof, ...enveloped } = document
    expect(resultsOf(verdictOf([failed('signature', 'signature_invalid')], { document: enveloped }))).toMatchObject({
      proof: [{ verified: false }],
    })
  })
})

describe('many credentials', () => {
  it('are answered each with what its own line asks for', async () => {
    const needs = { identity: { verify: async () => verdictOf([passed('signature')]) } }
    const context = { caller: { kind: 'apiKey', id: 'k', scopes: ['credentials:verify'] } }
    const lines = async function* () {
      yield { verifiableCredential: 'a', options: { returnResults: true, returnCredential: true } }
      yield { verifiableCredential: 'b' }
    }
    const answers: unknown[] = []
    for await (const answer of verifyBatch(needs as never, context as never, lines())) answers.push(answer)
    const checks = [passed('signature')]
    expect(answers).toMatchObject([
      { line: 1, credential: 'a', results: { proof: [{ verified: true }, { verified: true }] }, checks },
      { line: 2, results: checks },
    ])
    expect(answers[1]).not.toHaveProperty('checks')
  })
})

describe('results of a presentation (VCALM 1.0, VerifyPresentationResult)', () => {
  const asked = { challenge: 'c', domain: 'd' }
  const shown = (checks: Check[], inner: Verdict[] = [], more: Partial<Verdict> = {}) =>
    resultsOfPresentation({ ...verdictOf(checks, more), credentials: inner }, asked, () => ({ verified: true }))
  const own = (...parts: Parameters<typeof shown>) => shown(...parts)['presentation'] as Members

  it('say what was asked and who answered', () => {
    expect(own([passed('signature')], [], { holder: 'did:example:holder' })).toEqual({
      challenge: { verified: true, input: 'c' },
      domain: { verified: true, input: 'd' },
      holder: { verified: true, input: 'did:example:holder' },
      proof: [{ verified: true }],
    })
  })

  it.each([
    ['signature', 'challenge_mismatch', { challenge: { verified: false, input: 'c' } }],
    ['signature', 'audience_mismatch', { domain: { verified: false, input: 'd' } }],
    ['signature', 'signature_invalid', {}],
    ['challenge', 'challenge_replayed', { challenge: { verified: false, input: 'c' } }],
  ] as const)('call nothing verified that %s left open: %s', (check, code, expected) => {
    const { proof: _proof, ...rest } = own([failed(check, code)])
    expect(rest).toEqual(expected)
  })

  it('hold those of each credential', () => {
    const inner = verdictOf([failed('signature', 'signature_invalid')])
    expect(shown([passed('signature')], [inner])['credentials']).toMatchObject([
      { credential: document, results: { proof: [{ verified: false }, { verified: false }] }, checks: inner.checks },
    ])
  })
})
