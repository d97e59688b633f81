import {
  admit,
  anonymous,
  authorityOf,
  type Caller,
  casesOf,
  type HolderCaller,
  type ProvenCredential,
  resolveCases,
  withoutFourEyes,
} from '../../src/kernel/gate.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import type { Requirement } from '../../src/kernel/requirement.ts'

const officer: Caller = { kind: 'apiKey', id: 'k1', scopes: ['credentials:issue'] }
const clerk: Caller = { kind: 'oidc', id: 'sub-1', scopes: ['credentials:read'] }
const citizen: Caller = { kind: 'citizen', id: 'c1', session: 's1' }
const issue: Requirement = { by: 'staff', scope: 'credentials:issue' }

const codeOf = (caller: Caller, requirement: Requirement): string => {
  try {
    admit(caller, requirement)
    return 'admitted'
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `${error.kind} ${error.code}`
  }
}

describe('the gate', () => {
  it.each<[string, Caller, Requirement, string]>([
    ['nobody, where anyone may', anonymous, { by: 'anyone' }, 'admitted'],
    ['nobody, where staff is asked for', anonymous, issue, 'unauthenticated unauthenticated'],
    ['nobody, where a citizen is asked for', anonymous, { by: 'citizen' }, 'unauthenticated unauthenticated'],
    ['a key with the scope', officer, issue, 'admitted'],
    ['a token without the scope', clerk, issue, 'forbidden scope_missing'],
    ['a key, where a citizen is asked for', officer, { by: 'citizen' }, 'forbidden citizen_only'],
    ['a citizen, where staff is asked for', citizen, issue, 'forbidden staff_only'],
    ['a citizen, where a citizen is asked for', citizen, { by: 'citizen' }, 'admitted'],
  ])('answers %s', (_who, caller, requirement, expected) => {
    expect(codeOf(caller, requirement)).toBe(expected)
  })

  it('names the authority of an act by what was required', () => {
    expect([authorityOf(issue), authorityOf({ by: 'citizen' })]).toEqual(['scope credentials:issue', 'citizen'])
  })
})

const licence: ProvenCredential = {
  ...{ type: 'A', issuer: 'did:ethr:0x1:0xa', holder: 'did:key:h', holderKey: 'k', claims: { level: 2 }, digest: 'd' },
}
const holder = (more: Partial<HolderCaller> = {}): HolderCaller => ({
  ...{ kind: 'holder', id: 'did:key:h', actor: 'did:key:h', principal: 'did:key:h', mandates: [], proof: 'session' },
  ...{ credentials: [licence], matched: { one: licence }, ...more },
})
const one = { by: 'holder', of: { id: 'one', type: 'A', where: [{ path: ['level'], atLeast: 2 }] } } as const
const waits = { ...one, fourEyes: { lifeSeconds: 60 } } as const
const joint = { by: 'parties', parties: { seller: one, buyer: one } } as const
const institution: Caller = { kind: 'agency', id: 'did:ethr:0x1:0xb' }

describe('the gate, of holders', () => {
  it.each<[string, Caller, Requirement, string]>([
    ['nobody', anonymous, one, 'unauthenticated unauthenticated'],
    ['nobody, at a joint act', anonymous, joint, 'unauthenticated unauthenticated'],
    ['a key', officer, one, 'forbidden holder_only'],
    ['an institution', institution, one, 'forbidden holder_only'],
    ['a citizen', citizen, one, 'forbidden holder_only'],
    ['a holder whose credential was matched', holder(), one, 'admitted'],
    ['a holder of whom nothing was matched', holder({ matched: {} }), one, 'forbidden credential_missing'],
    ['a holder matched by another name', holder({ matched: { two: licence } }), one, 'forbidden credential_missing'],
    [
      'a holder with another type under the name',
      holder({ matched: { one: { ...licence, type: 'B' } } }),
      one,
      'forbidden credential_missing',
    ],
    [
      'a holder whose claims do not do',
      holder({ matched: { one: { ...licence, claims: { level: 1 } } } }),
      one,
      'forbidden credential_missing',
    ],
    ['a holder, where staff is asked for', holder(), issue, 'forbidden staff_only'],
    ['a holder, where anybody known may', holder({ matched: {} }), { by: 'known' }, 'admitted'],
    ['a holder alone at a joint act', holder(), joint, 'forbidden credential_missing'],
    ['one party of two', holder({ parties: { seller: holder() } }), joint, 'forbidden credential_missing'],
    ['both parties', holder({ matched: {}, parties: { seller: holder(), buyer: holder() } }), joint, 'admitted'],
    ['an officer alone, where two are needed', holder(), waits, 'forbidden approval_missing'],
    ['an officer with an author', holder({ author: holder() }), waits, 'admitted'],
    ['an institution, where one is asked for', institution, { by: 'agency' }, 'admitted'],
    ['a holder, where an institution is asked for', holder(), { by: 'agency' }, 'forbidden agency_only'],
    [
      'a key alone, where two are needed',
      officer,
      { ...issue, fourEyes: { lifeSeconds: 1 } },
      'forbidden approval_missing',
    ],
  ])('answers %s', (_who, caller, requirement, expected) => {
    expect(codeOf(caller, requirement)).toBe(expected)
  })

  it('is not asked before it is known which case counts', () => {
    const cases: Requirement = { by: 'cases', param: 'register', cases: { a: one, b: { by: 'anyone' } } }
    expect(() => admit(holder(), cases)).toThrow(/resolve the cases/)
    expect(resolveCases(cases, { register: 'a' })).toBe(one)
    expect(casesOf(cases)).toEqual([one, { by: 'anyone' }])
    for (const register of ['c', 'constructor', undefined]) {
      expect(() => resolveCases(cases, { register })).toThrow(expect.objectContaining({ code: 'case_unknown' }))
    }
  })

  it('asks each of two officers for everything but the other', () => {
    expect(withoutFourEyes(waits)).toEqual(one)
    expect(withoutFourEyes(joint)).toBe(joint)
  })

  it('names by which credentials, for whom and by which mandates an act is done', () => {
    const mandate = { credentialId: 'urn:uuid:m', digest: 'd', issuer: 'i', principal: 'urn:company' }
    expect(authorityOf(one, holder())).toBe('holder A')
    expect(authorityOf(one, holder({ principal: 'urn:company', mandates: [mandate] }))).toBe(
      'holder A for urn:company by mandate urn:uuid:m',
    )
    expect(authorityOf(issue, officer)).toBe('scope credentials:issue')
  })

  it('tells nobody what is missing, where to get it and where to read on', () => {
    let refusal: unknown
    try {
      admit(anonymous, { by: 'holder', of: { ...one.of, obtain: 'Ask A.' } }, 'https://office.example/requirements/x')
    } catch (error) {
      refusal = error
    }
    expect(refusal).toMatchObject({
      message: expect.stringContaining('A (Ask A.)'),
      facts: {
        requirement: 'https://office.example/requirements/x',
        missing: [{ id: 'one', type: 'A', obtain: 'Ask A.' }],
      },
    })
  })
})
