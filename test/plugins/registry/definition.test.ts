import fc from 'fast-check'
import { DefinitionInvalid, parseDefinition } from '../../../src/plugins/registry/definition.ts'
import { officerRequirement, queryIds } from '../../../src/plugins/registry/policy.ts'
import { openRegister } from '../../../src/plugins/registry/soundness.ts'
import { knowledge, registerFrom, shipped, sourceOf } from './world.ts'

type Source = Record<string, unknown>

/** The sentence of the refusal; a definition that is taken fails the test. */
const reasonOf = (change: (source: Source) => void, name = 'business-licences', known = knowledge): string => {
  const source = structuredClone(sourceOf(name))
  change(source)
  try {
    openRegister(parseDefinition(source), known)
  } catch (error) {
    if (error instanceof DefinitionInvalid) return error.message
    throw error
  }
  return 'it was taken'
}

/** Sets what stands at a dotted path. */
const at = (path: string, value: unknown) => (source: Source) => {
  const steps = path.split('.')
  const last = steps.pop() ?? ''
  let place: Source = source
  for (const step of steps) place = place[step] as Source
  if (value === undefined) delete place[last]
  else place[last] = value
}

describe('a register’s definition', () => {
  it('is found sound for every register that is shipped', () => {
    for (const source of shipped()) expect(registerFrom(source).name).toBe((source as Source)['name'])
  })

  it('makes the competence of its officers a requirement', () => {
    const of = officerRequirement(registerFrom(sourceOf('business-licences'))).of
    expect(of).toMatchObject({
      ...{ id: queryIds.officer, type: 'PublicOfficer', issuers: ['self'] },
      where: [{ path: ['competences'], includes: 'registry:business-licences:decide' }],
    })
  })

  it.each<[string, unknown, string]>([
    ['colour', 'red', 'unknown key "colour" in a register'],
    ['apply.requires.colour', 'red', 'unknown key "colour" in apply.requires'],
    ['name', 'Business Licences', 'name must be kebab-case, 2 to 41 characters'],
    ['title', { fr: 'Licences' }, 'title needs a title in English (en)'],
    ['kind', 'castle', 'kind is one of licence, land, quantity'],
    ['tokens', 'title', 'tokens of a register of kind licence are one of none, licence'],
    [
      'number',
      'BL-{sequence}-{year}',
      'number is made of letters, digits, {year} at most once, and {sequence:digits} at its end',
    ],
    ['fee.amountMinor', 12500, 'fee.amountMinor must be a text'],
    ['fee.amountMinor', '12.50', 'fee.amountMinor is a decimal text of minor units'],
    ['validity.days', 0, 'validity.days is a whole number from 1 to 36525'],
    ['search', ['legalName', 'legalName'], 'search names one field twice'],
    ['quantity', { unit: { en: 't' } }, 'quantity is what registers of kind quantity have, and no others'],
    ['walletTransfers', { domain: 'x' }, 'walletTransfers is for registers whose tokens are titles'],
    ['apply.requires', { all: [] }, 'apply.requires.joined must be a mapping'],
    [
      'apply.requires',
      { id: 'a', type: 'Residence', where: [{ path: 'x' }] },
      'apply.requires.where[0] has a path and one condition',
    ],
  ])('is refused where %s is %j', (path, value, reason) => {
    expect(reasonOf(at(path, value))).toBe(reason)
  })

  it.each<[string, string, unknown, string]>([
    [
      'an unknown credential type',
      'credential.type',
      'FishingLicence',
      'credential.type names the credential type FishingLicence, which schemas/ does not have',
    ],
    [
      'a type it is not accredited for',
      'credential.type',
      'DrivingLicence',
      'credential.type is DrivingLicence, which the agency is not accredited for',
    ],
    [
      'an unknown type to present',
      'apply.requires.type',
      'FishingLicence',
      'apply.requires names the credential type FishingLicence, which schemas/ does not have',
    ],
    [
      'a competence of another register',
      'decide.competence',
      'registry:land-titles:decide',
      'decide.competence begins with registry:business-licences:, so that it is for this register alone',
    ],
    [
      'a claim that the type lacks',
      'apply.fromClaims.legalName.path',
      'company.motto',
      'apply.fromClaims.legalName reads company.motto, which a CompanyMandate does not have',
    ],
    [
      'a credential that nobody is asked for',
      'apply.fromClaims.legalName.credential',
      'passport',
      'apply.fromClaims.legalName reads the credential passport, which nobody is asked for',
    ],
    [
      'a field that credentials fill and that is not there',
      'apply.fromClaims.motto',
      { credential: 'mandate', path: 'company.legalName' },
      'apply.fromClaims.motto fills a field that fields does not have',
    ],
    [
      'a claim of another type than its field',
      'apply.fromClaims.legalName.path',
      'mayDelegate',
      'apply.fromClaims.legalName can never fit: the claim is boolean, the field string',
    ],
    [
      'a required field that is not there',
      'fields.required',
      ['legalName', 'motto'],
      'no entry can ever fit: fields.motto is required, and there is no such field',
    ],
    [
      'bounds that cross',
      'fields.properties.legalName',
      { type: 'string', minLength: 9, maxLength: 3 },
      'no entry can ever fit: fields.legalName: minLength is above maxLength',
    ],
    [
      'an enum whose values do not fit',
      'fields.properties.legalName',
      { type: 'string', enum: [1, 2] },
      'no entry can ever fit: fields.legalName: none of its fixed values fits the rest of it',
    ],
    ...(
      [
        ['a field that nothing can be', { not: {} }, 'not rules out everything'],
        [
          'a whole number between two',
          { type: 'integer', minimum: 1.2, maximum: 1.8 },
          'no whole number lies between minimum and maximum',
        ],
        [
          'a multiple between two',
          { type: 'integer', minimum: 1, maximum: 9, multipleOf: 10 },
          'no whole number lies between minimum and maximum',
        ],
        [
          'types that nothing has together',
          { allOf: [{ type: 'string' }, { type: 'integer' }] },
          'no value has all of its types',
        ],
        [
          'too few values',
          { type: 'array', minItems: 3, maxItems: 3, uniqueItems: true, items: { enum: ['a', 'b'] } },
          'there are fewer values than minItems',
        ],
        [
          'too few members',
          { type: 'object', additionalProperties: false, properties: { a: { type: 'string' } }, minProperties: 2 },
          'it has fewer properties than minProperties',
        ],
      ] as const
    ).map(([what, schema, problem]): [string, string, unknown, string] => [
      what,
      'fields.properties.legalName',
      schema,
      `no entry can ever fit: fields.legalName: ${problem}`,
    ]),
    [
      'more fields than there may be',
      'fields.maxProperties',
      2,
      'no entry can ever fit: fields: more is required than maxProperties',
    ],
    [
      'names that are ruled out',
      'fields.propertyNames',
      { maxLength: 3 },
      'no entry can ever fit: fields: propertyNames rules out legalName, which is required',
    ],
    [
      'what a required field needs',
      'fields.dependentRequired',
      { legalName: ['motto'] },
      'no entry can ever fit: fields.motto is required with legalName, and there is no such field',
    ],
    [
      'a legal basis that nobody can name',
      'legalBases',
      ['x'.repeat(513)],
      'legalBases has one of more than 512 characters',
    ],
    [
      'a claim that is never so short',
      'fields.properties.legalName',
      { type: 'string', maxLength: 0 },
      'apply.fromClaims.legalName can never fit: minLength of one is above maxLength of the other',
    ],
    [
      'a field that allows nothing',
      'fields.properties.legalName',
      false,
      'no entry can ever fit: fields.legalName allows nothing',
    ],
    [
      'fields that are open',
      'fields.additionalProperties',
      true,
      'fields is a schema of type object with additionalProperties: false',
    ],
    ['a public field that is not there', 'public', ['motto'], 'public names motto, which fields does not have'],
    [
      'a search field that is not there',
      'search',
      ['registeredAddress.motto'],
      'search names registeredAddress.motto, which fields does not have',
    ],
    [
      'a search field that is no plain value',
      'search',
      ['activities'],
      'search names activities, which is not a plain value',
    ],
    [
      'a validity that its type does not allow',
      'validity.days',
      5000,
      'validity is 5000 days, but a BusinessLicence is in force for at most 1826',
    ],
    [
      'a renewal that outlives its type',
      'validity.days',
      1800,
      'an entry renewed early would be in force for longer than the 1826 days of a BusinessLicence',
    ],
    [
      'a search field that every register has',
      'search',
      ['number'],
      'search names number, by which every entry is found anyway',
    ],
    [
      'a window longer than the validity',
      'renewal.windowDays',
      400,
      'renewal.windowDays is longer than an entry is in force',
    ],
    ['a renewal of what never ends', 'validity', undefined, 'renewal is never possible: entries have no end'],
    ['no legal basis at all', 'legalBases', [], 'legalBases is empty, so nothing could ever be decided'],
    ['a fee that nobody is asked for', 'apply', undefined, 'fee is never due: nobody applies to this register'],
    [
      'a required claim that nothing fills',
      'credential.claims.licenceNumber',
      undefined,
      'no entry can be issued: nothing fills the claim licenceNumber, which every BusinessLicence has',
    ],
    [
      'a fixed claim that the type does not take',
      'credential.claims.jurisdiction',
      { value: 'Nowhere' },
      'credential.claims.jurisdiction can never be issued: / must NOT have more than 6 characters',
    ],
    [
      'an attachment in no media type',
      'apply.attachments',
      [{ name: 'plan', title: { en: 'Plan' }, mediaTypes: [] }],
      'apply.attachments[0] can never be handed in: it allows no media type',
    ],
    [
      'a query id with a meaning of its own',
      'apply.requires.id',
      'officer',
      'apply.requires: the id officer has a meaning here',
    ],
    [
      'an officers’ field that is not there',
      'decide.fields',
      ['motto'],
      'decide.fields names motto, which fields does not have',
    ],
    [
      'an officers’ field that credentials fill',
      'decide.fields',
      ['legalName'],
      'decide.fields names legalName, which credentials fill',
    ],
  ])('is refused with %s', (_, path, value, reason) => {
    expect(reasonOf(at(path, value))).toBe(reason)
  })

  it('is refused with a requirement that the gate cannot judge', () => {
    const twice = {
      any: [
        { id: 'mandate', type: 'CompanyMandate' },
        { id: 'mandate', type: 'Residence' },
      ],
    }
    expect(reasonOf(at('apply.requires', twice))).toBe('apply.requires: two queries have the id "mandate"')
    const impossible = { id: 'mandate', type: 'CompanyMandate', where: [{ path: 'office', equals: 'king' }] }
    expect(reasonOf(at('apply.requires', impossible))).toMatch(/^apply.requires: /)
  })

  it('is refused where the agency cannot have officers', () => {
    const alone = { ...knowledge, issues: ['BusinessLicence'] }
    expect(reasonOf(() => undefined, 'business-licences', alone)).toBe(
      'nobody can ever decide: the agency is not accredited for PublicOfficer',
    )
  })

  it('is refused where land is applied for', () => {
    const apply = { requires: { id: 'identity', type: 'NationalIdentity' } }
    expect(reasonOf(at('apply', apply), 'land-titles')).toMatch(/^apply is for licences/)
  })

  it('is read or refused with a sentence, whatever it is', () => {
    const sources = fc.record({
      name: fc.constantFrom('a-b', 'X', 3),
      title: fc.oneof(fc.constant({ en: 'T' }), fc.jsonValue()),
      kind: fc.constantFrom('licence', 'land', 'quantity', 'x'),
      tokens: fc.constantFrom('none', 'licence', 'title', undefined),
      credential: fc.oneof(fc.constant({ type: 'BusinessLicence' }), fc.jsonValue()),
      fields: fc.oneof(fc.constant({ type: 'object', additionalProperties: false }), fc.jsonValue()),
      number: fc.constantFrom('{sequence}', '', 'x'),
      apply: fc.oneof(fc.constant(undefined), fc.jsonValue()),
      decide: fc.oneof(fc.constant(undefined), fc.jsonValue()),
      public: fc.jsonValue(),
      search: fc.jsonValue(),
    })
    fc.assert(
      fc.property(sources, source => {
        try {
          openRegister(parseDefinition(source), knowledge)
        } catch (error) {
          if (!(error instanceof DefinitionInvalid)) throw error
          expect(error.message).not.toBe('')
        }
      }),
      { numRuns: 500 },
    )
  })
})
