import fc from 'fast-check'
import type { ProvenCredential } from '../../src/kernel/gate.ts'
import {
  assertChain,
  assertNarrower,
  judgeMandate,
  type MandateAncestor,
  type MandatedAct,
  type MandateLimit,
  type MandateLink,
  type MandateTerms,
  termsOf,
} from '../../src/kernel/mandate.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'

const registry = 'did:ethr:0x7a69:0x1111111111111111111111111111111111111111'
const now = Date.parse('2026-06-15T10:00:00Z')

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'passed'
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `${error.kind} ${error.code}`
  }
}

const links = {
  director: {
    credentialId: 'urn:uuid:1',
    holder: 'did:key:director',
    operations: ['createTransfer', 'applyToRegister', 'issueSubMandate'],
    limits: [] as MandateLimit[],
    jointly: 1,
    mayDelegate: true,
    startsOn: '2026-01-01',
    endsOn: '2027-12-31',
  },
  employee: {
    credentialId: 'urn:uuid:2',
    holder: 'did:key:employee',
    operations: ['createTransfer'],
    limits: [{ currency: 'XNC', perActMinor: 50_000n }],
    jointly: 1,
    mayDelegate: false,
    startsOn: '2026-02-01',
    endsOn: '2026-12-31',
  },
} satisfies Record<string, MandateLink>

const plain = (link: MandateLink) => ({
  ...link,
  limits: link.limits.map(({ currency, perActMinor }) => ({ currency, perActMinor: String(perActMinor) })),
})

const credentialOf = (
  link: MandateLink,
  above: readonly MandateAncestor[] = [],
  changes: Record<string, unknown> = {},
): ProvenCredential => {
  const { credentialId, holder, jointly, ...terms } = plain(link)
  return {
    type: 'CompanyMandate',
    issuer: registry,
    holder,
    holderKey: 'thumbprint',
    digest: 'digest',
    credentialId,
    claims: {
      id: holder,
      company: { legalName: 'Northwind Ltd', registrationNumber: 'C-1/7' },
      office: 'director',
      signing: { jointly },
      ...terms,
      ancestors: above.map((link, index) => ({ ...plain(link), level: link.level, statusList: 0, statusIndex: index })),
      jurisdiction: 'XN',
      ...changes,
    },
  }
}

const director: MandateAncestor = { ...links.director, level: 1 }
const employee = (changes: Partial<MandateLink> = {}, above: MandateAncestor[] = [director]): MandateTerms =>
  termsOf(credentialOf({ ...links.employee, ...changes }, above))

describe('the terms of a mandate', () => {
  it('are read from a company mandate, with the company as principal', () => {
    expect(employee()).toEqual({
      ...links.employee,
      issuer: registry,
      principal: `urn:chancery:company:${registry}:C-1%2F7`,
      ancestors: [director],
    })
    const company = { id: 'did:web:northwind.example', legalName: 'Northwind Ltd', registrationNumber: 'C-1/7' }
    expect(termsOf(credentialOf(links.director, [], { company })).principal).toBe('did:web:northwind.example')
  })

  it('are read from a guardian mandate, with the minor as principal', () => {
    const claims = {
      id: 'did:key:guardian',
      principal: { id: 'did:key:minor' },
      operations: ['openAccount'],
      mayDelegate: false,
      startsOn: '2026-01-01',
      endsOn: '2026-12-31',
    }
    const credential = { ...credentialOf(links.director), type: 'GuardianMandate', claims }
    const terms = termsOf(credential)
    expect(terms).toMatchObject({ principal: 'did:key:minor', jointly: 1, limits: [], ancestors: [] })
    expect(codeOf(() => judgeMandate(terms, { operation: 'openAccount', now }))).toBe('passed')
    expect(codeOf(() => judgeMandate(terms, { operation: 'createTransfer', now }))).toBe('forbidden mandate_operation')
  })

  const ancestor = { ...plain(links.director), level: 1, statusList: 0, statusIndex: 1 }
  it.each<[string, Record<string, unknown>]>([
    ['no company', { company: undefined }],
    ['a company without a number', { company: { legalName: 'Northwind Ltd' } }],
    ['a company whose DID is a number', { company: { id: 7, registrationNumber: 'C-1' } }],
    ['no operations', { operations: undefined }],
    ['an empty list of operations', { operations: [] }],
    ['operations that are no names', { operations: [1] }],
    ['more operations than a mandate may have', { operations: Array.from({ length: 65 }, (_, n) => `op${n}`) }],
    ['no limits, which is not the same as none set', { limits: undefined }],
    ['a limit as a number', { limits: [{ currency: 'XNC', perActMinor: 100 }] }],
    ['a limit below zero', { limits: [{ currency: 'XNC', perActMinor: '-1' }] }],
    ['a limit with a fraction', { limits: [{ currency: 'XNC', perActMinor: '10.5' }] }],
    ['a limit beyond 64 bits', { limits: [{ currency: 'XNC', perActMinor: '1'.repeat(20) }] }],
    ['a limit without a currency', { limits: [{ perActMinor: '1' }] }],
    [
      'two limits in one currency',
      {
        limits: [
          { currency: 'XNC', perActMinor: '1' },
          { currency: 'XNC', perActMinor: '9' },
        ],
      },
    ],
    ['no number of joint signatories', { signing: {} }],
    ['nobody signing', { signing: { jointly: 0 } }],
    ['half a signatory', { signing: { jointly: 1.5 } }],
    ['more joint signatories than can be', { signing: { jointly: 6 } }],
    ['no word on delegation', { mayDelegate: undefined }],
    ['delegation as text', { mayDelegate: 'false' }],
    ['no start', { startsOn: undefined }],
    ['an end that is no date', { endsOn: 'never' }],
    ['no ancestors, which is not the same as none', { ancestors: undefined }],
    ['an ancestor without an id', { ancestors: [{ ...ancestor, credentialId: undefined }] }],
    ['an ancestor without a holder', { ancestors: [{ ...ancestor, holder: '' }] }],
    ['an ancestor without limits', { ancestors: [{ ...ancestor, limits: undefined }] }],
    ['an ancestor without a level', { ancestors: [{ ...ancestor, level: undefined }] }],
    ['a level below the first', { ancestors: [{ ...ancestor, level: 0 }] }],
    ['a level left out', { ancestors: [{ ...ancestor, level: 2 }] }],
    ['one ancestor twice', { ancestors: [ancestor, ancestor] }],
    ['itself as its ancestor', { ancestors: [{ ...ancestor, credentialId: links.employee.credentialId }] }],
    [
      'more ancestors than a chain has',
      { ancestors: Array.from({ length: 16 }, (_, n) => ({ ...ancestor, credentialId: `urn:${n}` })) },
    ],
  ])('are refused with %s', (_what, changes) => {
    expect(codeOf(() => termsOf(credentialOf(links.employee, [], changes)))).toBe('malformed mandate_malformed')
  })

  it('are refused for a credential that is no mandate, or has no id', () => {
    const licence = { ...credentialOf(links.director), type: 'BusinessLicence' }
    const { credentialId: _none, ...nameless } = credentialOf(links.director)
    expect([licence, nameless].map(credential => codeOf(() => termsOf(credential)))).toEqual([
      'malformed mandate_malformed',
      'malformed mandate_malformed',
    ])
  })
})

describe('a mandate', () => {
  const transfer: MandatedAct = { operation: 'createTransfer', now, amount: { minor: 50_000n, currency: 'XNC' } }

  it.each<[string, Partial<MandatedAct>, string]>([
    ['up to its limit', {}, 'passed'],
    ['where there is no amount', { amount: undefined }, 'passed'],
    ['on its first day', { now: Date.parse('2026-02-01T00:00:00Z') }, 'passed'],
    ['on its last day', { now: Date.parse('2026-12-31T23:59:59Z') }, 'passed'],
    ['before its first day', { now: Date.parse('2026-01-31T23:59:59Z') }, 'forbidden mandate_period'],
    ['after its last day', { now: Date.parse('2027-01-01T00:00:00Z') }, 'forbidden mandate_period'],
    ['for another operation', { operation: 'closeAccount' }, 'forbidden mandate_operation'],
    ['for an operation in other letters', { operation: 'CREATETRANSFER' }, 'forbidden mandate_operation'],
    ['one above its limit', { amount: { minor: 50_001n, currency: 'XNC' } }, 'forbidden mandate_limit'],
    ['in a currency it has no limit in', { amount: { minor: 1n, currency: 'EUR' } }, 'forbidden mandate_limit'],
    ['for less than nothing', { amount: { minor: -1n, currency: 'XNC' } }, 'forbidden mandate_limit'],
  ])('is judged %s', (_when, changes, expected) => {
    expect(codeOf(() => judgeMandate(employee(), { ...transfer, ...changes }))).toBe(expected)
  })

  it('without limits bounds no amount', () => {
    const terms = termsOf(credentialOf(links.director))
    const amount = { minor: 10n ** 18n, currency: 'EUR' }
    expect(codeOf(() => judgeMandate(terms, { ...transfer, amount }))).toBe('passed')
  })

  it('is refused however good the act when a link of its chain is wider than the one above', () => {
    const judge = (terms: MandateTerms) => codeOf(() => judgeMandate(terms, transfer))
    const kept: MandateAncestor = { ...director, mayDelegate: false }
    expect(judge(employee({ endsOn: '2028-01-01' }))).toBe('forbidden mandate_wider')
    expect(judge(employee({}, [kept]))).toBe('forbidden mandate_wider')
    // Judged once, refused for good: a refusal is not remembered as a chain that was found sound.
    const terms = employee({ operations: ['createTransfer', 'closeCompany'] })
    expect([judge(terms), judge(terms)]).toEqual(['forbidden mandate_wider', 'forbidden mandate_wider'])
  })

  it('given by one of two directors who sign only jointly is refused, given by both it stands', () => {
    const first: MandateAncestor = { ...director, jointly: 2 }
    const second: MandateAncestor = { ...first, credentialId: 'urn:uuid:9', holder: 'did:key:second' }
    const again: MandateAncestor = { ...first, credentialId: 'urn:uuid:8' }
    const judge = (above: MandateAncestor[]) => codeOf(() => judgeMandate(employee({}, above), transfer))
    expect(judge([first])).toBe('forbidden mandate_wider')
    expect(judge([first, again])).toBe('forbidden mandate_wider')
    expect(judge([first, second])).toBe('passed')
    expect(judge([first, { ...second, operations: ['applyToRegister'] }])).toBe('forbidden mandate_wider')
  })
})

const currencies = ['XNC', 'EUR', 'USD']
const dayAt = (offset: number): string => new Date(now + offset * 86_400_000).toISOString().slice(0, 10)

const rootLink = fc
  .record({
    operations: fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1 }),
    limits: fc.uniqueArray(
      fc.record({ currency: fc.constantFrom(...currencies), perActMinor: fc.bigInt(0n, 2n ** 62n) }),
      { selector: limit => limit.currency },
    ),
    before: fc.nat(400),
    after: fc.nat(400),
  })
  .map(({ operations, limits, before, after }): MandateLink => {
    const period = { startsOn: dayAt(-before), endsOn: dayAt(after) }
    return { credentialId: 'urn:0', holder: 'did:key:0', operations, limits, jointly: 1, mayDelegate: true, ...period }
  })

/** What one step of narrowing does: a number in each dimension. */
const step = fc.record({ drop: fc.nat(), cut: fc.bigInt(0n, 10n ** 6n), late: fc.nat(50), early: fc.nat(50) })
type Step = { drop: number; cut: bigint; late: number; early: number }

const narrowed = (parent: MandateLink, by: Step, level: number): MandateLink => {
  const kept = parent.operations.filter((_, index) => index !== by.drop % parent.operations.length)
  const limits = parent.limits.map(({ currency, perActMinor }) => ({
    currency,
    perActMinor: perActMinor > by.cut ? perActMinor - by.cut : 0n,
  }))
  const later = dayAt((Date.parse(parent.startsOn) - now) / 86_400_000 + by.late)
  const startsOn = later < parent.endsOn ? later : parent.startsOn
  const sooner = dayAt((Date.parse(parent.endsOn) - now) / 86_400_000 - by.early)
  return {
    ...parent,
    credentialId: `urn:${level}`,
    holder: `did:key:${level}`,
    operations: kept.length === 0 ? parent.operations : kept,
    limits: limits.length > 1 ? limits.slice(by.drop % 2) : limits,
    startsOn,
    endsOn: sooner > startsOn ? sooner : parent.endsOn,
  }
}

const chainOf = (root: MandateLink, steps: readonly Step[]): MandateLink[] => {
  const chain = [root]
  for (const by of steps) chain.push(narrowed(chain.at(-1) ?? root, by, chain.length))
  return chain
}

const termsOfChain = (chain: readonly MandateLink[]): MandateTerms => {
  const last = chain.at(-1) ?? links.director
  return termsOf(
    credentialOf(
      last,
      chain.slice(0, -1).map((link, index) => ({ ...link, level: index + 1 })),
    ),
  )
}

const widenings: Record<
  string,
  (parent: MandateLink, child: MandateLink) => { parent?: MandateLink; child: MandateLink }
> = {
  operations: (_parent, child) => ({ child: { ...child, operations: [...child.operations, 'other'] } }),
  start: (parent, child) => ({
    child: { ...child, startsOn: dayAt((Date.parse(parent.startsOn) - now) / 86_400_000 - 1) },
  }),
  end: (parent, child) => ({ child: { ...child, endsOn: dayAt((Date.parse(parent.endsOn) - now) / 86_400_000 + 1) } }),
  limit: (parent, child) => {
    const [first = { currency: 'XNC', perActMinor: 5n }, ...others] = parent.limits
    const higher = { ...first, perActMinor: first.perActMinor + 1n }
    return { parent: { ...parent, limits: [first, ...others] }, child: { ...child, limits: [higher] } }
  },
  currency: (parent, child) => ({
    parent: { ...parent, limits: [{ currency: 'XNC', perActMinor: 5n }] },
    child: { ...child, limits: [{ currency: 'EUR', perActMinor: 1n }] },
  }),
  'no limit': (parent, child) => ({
    parent: { ...parent, limits: [{ currency: 'XNC', perActMinor: 5n }] },
    child: { ...child, limits: [] },
  }),
  delegation: (parent, child) => ({ parent: { ...parent, mayDelegate: false }, child }),
}

describe('a chain of mandates', () => {
  it('that only ever narrows passes, whichever way it narrows, down to the fourth', () => {
    fc.assert(
      fc.property(rootLink, fc.array(step, { maxLength: 3 }), (root, steps) => {
        const chain = chainOf(root, steps)
        const [last] = chain.slice(-1)
        const terms = termsOfChain(chain)
        assertChain(terms)
        judgeMandate(terms, { operation: last?.operations[0] ?? '', now: Date.parse(last?.startsOn ?? '') })
      }),
    )
  })

  it.each(Object.keys(widenings))('that is widened anywhere in %s is refused', dimension => {
    fc.assert(
      fc.property(rootLink, fc.array(step, { minLength: 1, maxLength: 3 }), fc.nat(), (root, steps, where) => {
        const chain = chainOf(root, steps)
        const at = 1 + (where % steps.length)
        const wide = widenings[dimension]?.(chain[at - 1] ?? root, chain[at] ?? root)
        if (wide === undefined) throw new Error('no such dimension')
        chain[at] = wide.child
        if (wide.parent !== undefined) chain[at - 1] = wide.parent
        expect(codeOf(() => assertNarrower(chain[at - 1] ?? root, chain[at] ?? root))).toBe('forbidden mandate_wider')
        expect(codeOf(() => assertChain(termsOfChain(chain)))).toBe('forbidden mandate_wider')
      }),
    )
  })

  it('of five is refused, though each is within the one above', () => {
    fc.assert(
      fc.property(rootLink, fc.array(step, { minLength: 4, maxLength: 6 }), (root, steps) => {
        expect(codeOf(() => assertChain(termsOfChain(chainOf(root, steps))))).toBe('forbidden mandate_depth')
      }),
    )
  })
})
