import { issueCredential } from '../../src/identity/issue.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import type { IssueRequest } from '../../src/kernel/identity.ts'
import { isRefusal, Refusal } from '../../src/kernel/refusal.ts'
import { addressOf, chain, day, holderParty, openWorld, partsOf, registry, type World } from './world.ts'

const refusalOf = async (work: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await work
  } catch (error) {
    if (isRefusal(error)) return error
    throw error
  }
  return undefined
}

const request = (world: World, more: Partial<IssueRequest> = {}): IssueRequest => ({
  ...{ type: 'DrivingLicence', subject: world.subjectOf('DrivingLicence') },
  ...more,
})

describe('issuing', () => {
  it('makes every type of this house in every format it has, and each verifies', async () => {
    const world = openWorld()
    for (const type of world.types.all) {
      const issuer = type.id === 'TaxRegistration' ? world.taxes : world.transport
      for (const format of type.formats) {
        const { compact } = await world.issue({ type: type.id, format }, issuer)
        const verdict = await verifyCredential(compact, world.verify)
        expect({ type: type.id, format, refusal: verdict.refusal }).toEqual({
          type: type.id,
          format,
          refusal: undefined,
        })
        expect(verdict.claims).toEqual(world.subjectOf(type.id))
      }
    }
  })

  it('gives people an SD-JWT and organisations a vc+jwt when no format is asked for', async () => {
    const world = openWorld()
    expect((await world.issue()).format).toBe('dc+sd-jwt')
    const subject = world.subjectOf('BusinessLicence', world.stranger)
    expect((await world.issue({ type: 'BusinessLicence', subject })).format).toBe('vc+jwt')
  })

  it.each(['vc+jwt', 'jwt_vc', 'dc+sd-jwt'] as const)('names schema, status and issue time in a %s', async format => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format })
    const { payload } = partsOf(compact)
    expect(payload['iat']).toBe(world.clock.now() / 1_000)
    expect(draft.status).toMatchObject({ chain, registry, issuer: addressOf(world.transport), list: 0 })
    const text = JSON.stringify(payload)
    expect(text).toContain(
      format === 'dc+sd-jwt' ? 'urn:chancery:vct:driving-licence:1' : 'urn:chancery:schema:driving-licence:1',
    )
    expect(text).toContain(`"index":"${draft.status.index}"`)
  })

  it('names one purpose a status entry, and only those of the type', async () => {
    const world = openWorld()
    const purposes = async (type: string) => {
      const { compact } = await world.issue({ type, format: 'vc+jwt' })
      const entries = partsOf(compact).payload['credentialStatus'] as Record<string, string>[]
      return entries.map(({ type, statusPurpose }) => statusPurpose ?? type)
    }
    expect(await purposes('DrivingLicence')).toEqual(['revocation', 'suspension', 'EvmStatusEntry'])
    expect(await purposes('Residence')).toEqual(['revocation', 'EvmStatusEntry'])
  })

  it('binds an SD-JWT to the public key of its holder and shows nothing else of it', async () => {
    const world = openWorld()
    const { compact } = await world.issue({ format: 'dc+sd-jwt' })
    expect(partsOf(compact).payload['cnf']).toEqual({ jwk: world.holder.jwk })
  })

  it('lasts as long as its type says unless it is told otherwise', async () => {
    const world = openWorld()
    const now = world.clock.now()
    expect((await world.issue()).draft).toMatchObject({ validFrom: now, validUntil: now + 3_650 * day })
    const { draft } = await world.issue({ validFrom: now - 1_500, validUntil: now + day + 999 })
    expect(draft).toMatchObject({ validFrom: now - 2_000, validUntil: now + day, issuedAt: now })
  })

  it.each<[string, string, (world: World) => Partial<IssueRequest>]>([
    ['an unknown type', 'type_unknown', () => ({ type: 'Diploma' })],
    ['an unknown version', 'type_unknown', () => ({ version: 9 })],
    ['a format that the type does not have', 'format_unsupported', () => ({ format: 'mdoc' as never })],
    ['no claims', 'schema_violated', world => ({ subject: { id: world.holder.did } })],
    ['no holder', 'schema_violated', world => ({ subject: { ...world.types.byId('DrivingLicence').example } })],
    [
      'a claim too many',
      'schema_violated',
      world => ({ subject: { ...world.subjectOf('DrivingLicence'), isAdmin: true } }),
    ],
    [
      'a claim of the wrong kind',
      'schema_violated',
      world => ({ subject: { ...world.subjectOf('DrivingLicence'), birthDate: 7 } }),
    ],
    [
      'a date that does not exist',
      'schema_violated',
      w => ({ subject: { ...w.subjectOf('DrivingLicence'), birthDate: '2026-02-30' } }),
    ],
    [
      'half a surrogate pair',
      'credential_malformed',
      w => ({ subject: { ...w.subjectOf('DrivingLicence'), familyName: 'x\ud800' } }),
    ],
    [
      'a holder whose key is unknown',
      'key_unknown',
      w => ({ subject: { ...w.subjectOf('DrivingLicence'), id: 'did:example:nobody' } }),
    ],
    ['a year that no format can write', 'date_malformed', () => ({ validFrom: Date.UTC(270_000, 0, 1) })],
    ['a time before the year 1000', 'date_malformed', () => ({ validFrom: Date.UTC(-100_000, 0, 1) })],
    ['an end before its beginning', 'validity_empty', w => ({ validUntil: w.clock.now() - 1 })],
    ['a period of no length', 'validity_empty', w => ({ validFrom: w.clock.now(), validUntil: w.clock.now() + 999 })],
    ['a longer period than the type allows', 'validity_too_long', w => ({ validUntil: w.clock.now() + 5_476 * day })],
  ])('refuses %s (%s)', async (_title, code, more) => {
    const world = openWorld()
    expect(await refusalOf(issueCredential(request(world), world.issueNeeds(world.transport)))).toBeUndefined()
    const refusal = await refusalOf(issueCredential(request(world, more(world)), world.issueNeeds(world.transport)))
    expect(refusal?.code).toBe(code)
  })

  it('signs nothing when there is no status index', async () => {
    const world = openWorld()
    let signed = 0
    const needs = {
      ...world.issueNeeds(world.transport),
      allot: () => Promise.reject(new Refusal('unavailable', 'status_list_unavailable', 'No list is ready.')),
      signer: { sign: async () => Buffer.alloc(64, signed++) },
    }
    expect((await refusalOf(issueCredential(request(world), needs)))?.code).toBe('status_list_unavailable')
    expect(signed).toBe(0)
  })

  it('allots no status index to what it refuses', async () => {
    const world = openWorld()
    let allotted = 0
    const needs = {
      ...world.issueNeeds(world.transport),
      allot: async () => Promise.reject(new Error(String(allotted++))),
    }
    const nobody = { subject: { ...world.subjectOf('DrivingLicence'), id: holderParty().did, isAdmin: 1 } }
    expect((await refusalOf(issueCredential(request(world, nobody), needs)))?.code).toBe('schema_violated')
    expect(allotted).toBe(0)
  })

  it('gives two copies of one credential two ids, two indices and other salts', async () => {
    const world = openWorld()
    const [first, second] = await Promise.all([world.issue(), world.issue()])
    expect(first.draft.id).not.toBe(second.draft.id)
    expect(first.draft.status.index).not.toBe(second.draft.status.index)
    const salted = (compact: string) => compact.split('~').slice(1, -1)
    expect(salted(first.compact).filter(segment => salted(second.compact).includes(segment))).toEqual([])
    const salts = salted(first.compact).map(segment => JSON.parse(Buffer.from(segment, 'base64url').toString())[0])
    expect(new Set(salts).size).toBe(salts.length)
    expect(salts.every(salt => Buffer.from(salt, 'base64url').length === 16)).toBe(true)
  })
})
