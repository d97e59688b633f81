import type { QueriedType } from '../../src/kernel/dcql.ts'
import type { CredentialQuery, HolderRequirement, Requirement } from '../../src/kernel/requirement.ts'
import { assertSound, RequirementUnsound } from '../../src/kernel/sound.ts'

const schema = {
  type: 'object',
  properties: {
    level: { type: 'integer', enum: [0, 1, 2, 3] },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    city: { type: 'string', minLength: 1, maxLength: 10, pattern: '^[A-Z]' },
    flag: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string', enum: ['x', 'y'] } },
    inner: { type: 'object', properties: { name: { type: 'string' } } },
  },
}
const typeNamed = (id: string): QueriedType => ({ id, version: 1, vct: `urn:${id}`, formats: ['dc+sd-jwt'], schema })
const types = ['A', 'B', 'CompanyMandate'].map(typeNamed)

const query = (more: Partial<CredentialQuery> = {}): CredentialQuery => ({ id: 'one', type: 'A', ...more })
const holder = (of: HolderRequirement['of'], more: Partial<HolderRequirement> = {}): Requirement => ({
  by: 'holder',
  of,
  ...more,
})
const where = (constraint: NonNullable<CredentialQuery['where']>[number]): Requirement =>
  holder(query({ where: [constraint] }))

const problemOf = (requirement: Requirement): string => {
  try {
    assertSound(requirement, types)
    return ''
  } catch (error) {
    if (error instanceof RequirementUnsound) return error.message
    throw error
  }
}

describe('a requirement', () => {
  it.each<[string, Requirement]>([
    ['of anyone', { by: 'anyone' }],
    ['of one credential', holder(query())],
    ['of a claim that can be so', where({ path: ['level'], atLeast: 3 })],
    ['of a value that is listed', where({ path: ['level'], oneOf: [1, 2] })],
    ['of a text that fits', where({ path: ['city'], equals: 'Verity' })],
    ['of a member of a list', where({ path: ['tags'], includes: 'x' })],
    ['of a claim inside another', where({ path: ['inner', 'name'], present: true })],
    [
      'of two constraints that agree',
      holder(
        query({
          where: [
            { path: ['age'], atLeast: 18 },
            { path: ['age'], oneOf: [17, 18] },
          ],
        }),
      ),
    ],
    ['of two joined by key', holder({ all: [query(), query({ id: 'two', type: 'B' })], joined: { by: 'key' } })],
    [
      'with an amount for its mandate',
      holder(query({ type: 'CompanyMandate', mandate: true }), { amount: { amount: ['a'], currency: ['c'] } }),
    ],
    [
      'with officers told apart',
      holder(query({ reads: [['city']] }), {
        fourEyes: { lifeSeconds: 60, distinctBy: { credential: 'one', path: ['city'] } },
      }),
    ],
    [
      'with a case for each register',
      { by: 'cases', param: 'register', cases: { a: { by: 'anyone' }, b: holder(query()) } },
    ],
  ])('%s is sound', (_what, requirement) => {
    expect(problemOf(requirement)).toBe('')
  })

  const all = (claims?: Record<string, string[]>): Requirement =>
    holder({
      all: [query(), query({ id: 'two', type: 'B' })],
      joined: claims === undefined ? (undefined as never) : { by: 'claim', claims },
    })

  it.each<[string, Requirement, RegExp]>([
    ['of an unknown type', holder(query({ type: 'Z' })), /names the credential type Z, which schemas\/ lacks/],
    ['of an unknown claim', where({ path: ['none'], present: true }), /has no claim none/],
    ['of an inherited claim', where({ path: ['constructor'], present: true }), /has no claim constructor/],
    ['of no claim', where({ path: [], present: true }), /no claim \(empty path\)/],
    ['that reads an unknown claim', holder(query({ reads: [['inner', 'none']] })), /has no claim inner\.none/],
    ['of a value outside the list', where({ path: ['level'], equals: 4 }), /can never be 4/],
    ['of a value of another type', where({ path: ['level'], equals: '2' }), /can never be "2"/],
    ['of one impossible value among others', where({ path: ['level'], oneOf: [1, 9] }), /can never be 9/],
    ['of one of nothing', where({ path: ['level'], oneOf: [] }), /one of nothing/],
    ['of more than the list has', where({ path: ['level'], atLeast: 4 }), /never be at least 4/],
    ['of more than the maximum', where({ path: ['age'], atLeast: 151 }), /never be at least 151/],
    ['of at least a text', where({ path: ['city'], atLeast: 1 }), /never be at least 1/],
    ['of at least not a number', where({ path: ['age'], atLeast: Number.NaN }), /never be at least NaN/],
    ['of a text that is too long', where({ path: ['city'], equals: 'Verylongname' }), /can never be/],
    ['of a text that breaks the pattern', where({ path: ['city'], equals: 'verity' }), /can never be/],
    ['of a member that no list has', where({ path: ['tags'], includes: 'z' }), /can never include "z"/],
    ['of a member of what is no list', where({ path: ['city'], includes: 'V' }), /can never include/],
    [
      'of constraints that exclude one another',
      holder(
        query({
          where: [
            { path: ['level'], equals: 1 },
            { path: ['level'], atLeast: 2 },
          ],
        }),
      ),
      /exclude one another/,
    ],
    [
      'of two different values',
      holder(
        query({
          where: [
            { path: ['level'], equals: 1 },
            { path: ['level'], oneOf: [2, 3] },
          ],
        }),
      ),
      /exclude one another/,
    ],
    ['of no issuer', holder(query({ issuers: [] })), /accepts no issuer/],
    ['of an issuer without a DID', holder(query({ issuers: ['the bank'] })), /neither a DID nor "self"/],
    ['of a status from the future', holder(query({ statusMaxAgeSeconds: 0 })), /younger than nothing/],
    ['of no alternative', holder({ any: [] }), /without alternatives/],
    ['of no member', holder({ all: [], joined: { by: 'key' } }), /without members/],
    ['of two that are not joined', all(), /known to be one person/],
    ['of a join that leaves one out', all({ one: ['city'] }), /names no claim of the query "two"/],
    ['of a join with a stranger', all({ one: ['city'], two: ['city'], three: ['city'] }), /which it does not join/],
    ['of a join by an unknown claim', all({ one: ['city'], two: ['none'] }), /has no claim none/],
    ['of one id twice', holder({ any: [query(), query({ type: 'B' })] }), /two queries have the id "one"/],
    ['of an id that DCQL has no word for', holder(query({ id: 'one two' })), /not an id/],
    ['of a mandate that is none', holder(query({ mandate: true })), /takes A for a mandate/],
    [
      'of an amount without a mandate',
      holder(query(), { amount: { amount: ['a'], currency: ['c'] } }),
      /no mandate that limits it/,
    ],
    ['of a second officer at once', holder(query(), { fourEyes: { lifeSeconds: 0 } }), /whole number of seconds/],
    [
      'of officers told apart by what nobody shows',
      holder(query(), { fourEyes: { lifeSeconds: 60, distinctBy: { credential: 'one', path: ['city'] } } }),
      /has to read it/,
    ],
    [
      'of officers told apart by no query',
      holder(query(), { fourEyes: { lifeSeconds: 60, distinctBy: { credential: 'two', path: ['city'] } } }),
      /which is no query/,
    ],
    ['of nobody’s joint act', { by: 'parties', parties: {} }, /has parties/],
    ['without cases', { by: 'cases', param: 'register', cases: {} }, /a parameter and a case/],
    [
      'with a case that is unsound',
      { by: 'cases', param: 'r', cases: { a: holder({ any: [] }) } },
      /without alternatives/,
    ],
    [
      'that can be met in seventeen ways',
      holder({ any: Array.from({ length: 17 }, (_, at) => query({ id: `q${at}` })) }),
      /more than 16 ways/,
    ],
  ])('%s is refused before the process starts', (_what, requirement, sentence) => {
    expect(problemOf(requirement)).toMatch(sentence)
  })
})
