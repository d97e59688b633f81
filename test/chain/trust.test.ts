import { describe, expect, it } from '@jest/globals'
import type { TrustEvent } from '../../src/chain/events.ts'
import { trustState } from '../../src/chain/trust.ts'

const typeId = `0x${'11'.repeat(32)}`
const [root, agency, office, desk] = [null, '0xa', '0xb', '0xc']
let log = 0

/** Events at seconds of a clock; times of the registry in the same seconds. */
const accredited = (time: number, parent: string | null, issuer: string, from = time, until = 1_000): TrustEvent => ({
  ...{ kind: 'Accredited', block: time, log: log++, time, parent, issuer, typeId, depth: 2 },
  validFrom: from * 1_000,
  validUntil: until * 1_000,
})
const ended = (time: number, parent: string | null, issuer: string): TrustEvent => ({
  ...{ kind: 'AccreditationEnded', block: time, log: log++, time, parent, issuer, typeId },
  at: time * 1_000,
})
const voided = (time: number, parent: string | null, issuer: string, since: number): TrustEvent => ({
  ...{ kind: 'AccreditationVoided', block: time, log: log++, time, parent, issuer, typeId },
  since: since * 1_000,
})

const three = [accredited(10, root, agency), accredited(20, agency, office), accredited(30, office, desk)]

describe('an accreditation', () => {
  it.each<[string, TrustEvent[], string, number, string]>([
    ['never given is unknown', [], agency, 50, 'unknown'],
    ['in force counts', three, agency, 50, 'yes'],
    ['counts down the chain', three, desk, 50, 'yes'],
    ['does not count before it begins', three, desk, 29, 'not_yet'],
    ['does not count after it expired', [accredited(10, root, agency, 10, 40)], agency, 40, 'expired'],
    [
      'expires with the one above',
      [accredited(10, root, agency, 10, 40), accredited(20, agency, office)],
      office,
      40,
      'expired',
    ],
    ['that ended keeps what was issued before', [...three, ended(60, root, agency)], agency, 59, 'yes'],
    ['that ended gives nothing from then on', [...three, ended(60, root, agency)], agency, 60, 'ended'],
    ['ends with the one above', [...three, ended(60, root, agency)], desk, 60, 'ended'],
    [
      'that is void counts at no time that its issuer claims',
      [...three, voided(60, root, agency, 40)],
      agency,
      15,
      'void',
    ],
    [
      'given before the one above was void keeps what was issued before that',
      [...three, voided(60, root, agency, 40)],
      desk,
      39,
      'yes',
    ],
    ['given before the one above was void ends there', [...three, voided(60, root, agency, 40)], desk, 40, 'ended'],
    ['given since the one above was void never was', [...three, voided(60, root, agency, 20)], office, 22, 'void'],
    ['below one that never was never was', [...three, voided(60, root, agency, 20)], desk, 35, 'void'],
    [
      'does not come back with a new one above',
      [...three, ended(60, root, agency), accredited(70, root, agency)],
      office,
      80,
      'ended',
    ],
    [
      'given anew counts from then on',
      [...three, ended(60, root, agency), accredited(70, root, agency)],
      agency,
      80,
      'yes',
    ],
    [
      'given anew leaves the gap',
      [...three, ended(60, root, agency), accredited(70, root, agency)],
      agency,
      65,
      'ended',
    ],
    [
      'given anew keeps what was issued under the first',
      [...three, ended(60, root, agency), accredited(70, root, agency)],
      agency,
      30,
      'yes',
    ],
    [
      'given anew does not heal a void one',
      [...three, voided(60, root, agency, 40), accredited(70, root, agency)],
      agency,
      30,
      'void',
    ],
  ])('%s', (_, events, issuer, at, expected) => {
    const verdict = trustState(events).accreditation(issuer, typeId, at * 1_000)
    expect(verdict.accredited ? 'yes' : verdict.reason).toBe(expected)
  })

  it('names its parent and the time left by all above it', () => {
    const events = [accredited(10, root, agency, 10, 90), accredited(20, agency, office)]
    expect(trustState(events).accreditation(office, typeId, 50_000)).toEqual({
      ...{ accredited: true, parent: agency, validFrom: 20_000, validUntil: 90_000 },
    })
  })

  it('that is void tells since when, and an earlier time replaces a later one', () => {
    const events = [...three, voided(60, root, agency, 50), voided(61, root, agency, 45)]
    expect(trustState(events).accreditation(agency, typeId, 15_000)).toMatchObject({ reason: 'void', since: 45_000 })
  })
})

it('A key is distrusted since the earliest time named.', () => {
  const distrust = (since: number): TrustEvent => ({
    ...{ kind: 'KeyDistrusted', block: 1, log: log++, time: 1, issuer: agency, thumbprint: '0x12', since },
  })
  const state = trustState([distrust(50), distrust(40)])
  expect(state.distrustedSince(agency, '0x12')).toBe(40)
  expect(state.distrustedSince(office, '0x12')).toBeUndefined()
})

it('A schema counts while it is admitted.', () => {
  const admitted: TrustEvent = { kind: 'SchemaAdmitted', block: 1, log: 1, time: 1, typeId, digest: '0x1' }
  const withdrawn: TrustEvent = { kind: 'SchemaWithdrawn', block: 2, log: 1, time: 2, typeId, digest: '0x1', at: 2_000 }
  expect(trustState([admitted]).schemaAdmitted(typeId, '0x1')).toBe(true)
  expect(trustState([admitted, withdrawn]).schemaAdmitted(typeId, '0x1')).toBe(false)
  expect(trustState([admitted, withdrawn, admitted]).schemaAdmitted(typeId, '0x1')).toBe(true)
})
