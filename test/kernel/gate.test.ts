import { admit, anonymous, authorityOf, type Caller } from '../../src/kernel/gate.ts'
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
