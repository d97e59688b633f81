import { normalizeCredential } from 'did-jwt-vc'
import fc from 'fast-check'
import { formats, openCredential } from '../../src/identity/formats/detect.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import type { FormatId } from '../../src/kernel/identity.ts'
import { checkNames, type Verdict } from '../../src/kernel/identity.ts'
import {
  addressOf,
  agencyParty,
  chain,
  day,
  encode,
  jws,
  openWorld,
  type Party,
  partsOf,
  put,
  resigned,
  sha256,
  signBytes,
  type World,
} from './world.ts'

const formatIds: FormatId[] = ['vc+jwt', 'jwt_vc', 'dc+sd-jwt']
type Claims = Record<string, unknown>

/** A good credential, a bad one next to it, and what changes in the world between the two. */
type Case = { good: unknown; bad: unknown; change?: () => void }
type Row = [title: string, code: string, make: (world: World, format: FormatId) => Promise<Case>]

const good = async (world: World, format: FormatId) => (await world.issue({ format })).compact
/** The credential issued well, and once more by the same issuer with something changed. */
const changed =
  (change: (payload: Claims, header: Claims, world: World) => void): Row[2] =>
  async (world, format) => {
    const compact = await good(world, format)
    return { good: compact, bad: resigned(compact, world.transport, (p, h) => change(p, h, world)) }
  }
/** The same credential, judged again after the world has changed. */
const later =
  (change: (world: World, status: Awaited<ReturnType<World['issue']>>['draft']['status']) => void): Row[2] =>
  async (world, format) => {
    const { compact, draft } = await world.issue({ format })
    return { good: compact, bad: compact, change: () => change(world, draft.status) }
  }

const seconds = (world: World) => world.clock.now() / 1_000
const setDate = (payload: Claims, name: 'iat' | 'nbf' | 'exp', at: number) => {
  payload[name] = at
  const member = { iat: undefined, nbf: 'validFrom', exp: 'validUntil' }[name]
  if (member !== undefined && payload['credentialSubject'] !== undefined) {
    payload[member] = new Date(at * 1_000).toISOString()
  }
}
const vcOf = (payload: Claims): Claims => (payload['vc'] ?? payload) as Claims
/** The entry on our chain, wherever the format has it. */
const evmStatus = (payload: Claims): Claims => {
  const entries = vcOf(payload)['credentialStatus'] as Claims[] | undefined
  const found = entries?.find(entry => entry['type'] === 'EvmStatusEntry')
  return found ?? ((payload['status'] as Claims)['evm_status'] as Claims)
}
const setIndex = (payload: Claims, index: number) => {
  for (const entry of (vcOf(payload)['credentialStatus'] as Claims[] | undefined) ?? []) {
    entry[entry['type'] === 'EvmStatusEntry' ? 'index' : 'statusListIndex'] = String(index)
  }
  if (payload['status'] === undefined) return
  const { status_list: list, evm_status: entry } = payload['status'] as Record<string, Claims>
  if (list !== undefined && entry !== undefined) [list['idx'], entry['index']] = [index, String(index)]
}
const setIssuer = (payload: Claims, did: string) => {
  if (payload['iss'] === undefined) payload['issuer'] = did
  else payload['iss'] = did
}

const swapped = (compact: string, header: Claims, signature = 'A'.repeat(86)): string => {
  const [jwt = '', ...rest] = compact.split('~')
  const [, payload] = jwt.split('.')
  return [`${encode(header)}.${payload}.${signature}`, ...rest].join('~')
}

const signatureRows: Row[] = [
  [
    'alg none with an empty signature',
    'algorithm_refused',
    async (world, format) => {
      const compact = await good(world, format)
      const { header } = partsOf(compact)
      return { good: compact, bad: swapped(compact, { ...header, alg: 'none' }, '') }
    },
  ],
  ...['None', 'HS256', 'RS256', 'PS512', ''].map(
    (alg): Row => [
      `the algorithm ${JSON.stringify(alg)}`,
      'algorithm_refused',
      async (world, format) => {
        const compact = await good(world, format)
        return { good: compact, bad: swapped(compact, { ...partsOf(compact).header, alg }) }
      },
    ],
  ),
  ...['EdDSA', 'ES256K'].map(
    (alg): Row => [
      `the algorithm swapped to ${alg}`,
      'algorithm_mismatch',
      async (world, format) => {
        const compact = await good(world, format)
        return { good: compact, bad: swapped(compact, { ...partsOf(compact).header, alg }) }
      },
    ],
  ),
  [
    'the key of another DID, itself accredited',
    'key_of_another',
    async (world, format) => {
      const compact = await good(world, format)
      return {
        good: compact,
        bad: resigned(compact, world.taxes, (_p, header) => put(header, 'kid', world.taxes.kid)),
      }
    },
  ],
  [
    'a signature by another key under the kid of the issuer',
    'signature_invalid',
    async (world, format) => {
      const compact = await good(world, format)
      return { good: compact, bad: resigned(compact, world.taxes, () => undefined) }
    },
  ],
  [
    'an edited payload',
    'signature_invalid',
    async (world, format) => {
      const compact = await good(world, format)
      const [jwt = '', ...rest] = compact.split('~')
      const [header, , signature] = jwt.split('.')
      const { payload } = partsOf(compact)
      setDate(payload, 'exp', seconds(world) + 4_000 * 86_400)
      return { good: compact, bad: [`${header}.${encode(payload)}.${signature}`, ...rest].join('~') }
    },
  ],
  ['a kid that the DID does not have', 'key_unknown', changed((_p, header) => put(header, 'kid', `${header['kid']}0`))],
  ['no kid where the DID has many keys', 'key_unknown', changed((_p, header) => void delete header['kid'])],
  [
    'a key that is not for assertions',
    'key_purpose',
    later(world => world.dids.add(world.transport, { purposes: ['authentication'] })),
  ],
  [
    'a key that had expired when it signed',
    'key_expired',
    later(world =>
      world.dids.add(world.transport, { purposes: ['assertionMethod'], validUntil: world.clock.now() - day }),
    ),
  ],
  ['a header with critical extensions', 'credential_malformed', changed((_p, header) => put(header, 'crit', ['exp']))],
  ['an unencoded payload', 'credential_malformed', changed((_p, header) => put(header, 'b64', false))],
]

const dateRows: Row[] = [
  ['expired', 'credential_expired', changed((p, _h, world) => setDate(p, 'exp', seconds(world) - 1))],
  ['expired this very second', 'credential_expired', changed((p, _h, world) => setDate(p, 'exp', seconds(world)))],
  [
    'expired while it was held',
    'credential_expired',
    later(world => {
      world.clock.time += 3_651 * day
      for (const held of world.trust.accreditations.values()) held.validUntil += 3_650 * day
    }),
  ],
  ['not yet valid', 'credential_not_yet_valid', changed((p, _h, world) => setDate(p, 'nbf', seconds(world) + 3_600))],
  [
    'issued in the future',
    'credential_not_yet_valid',
    changed((p, _h, world) => setDate(p, 'iat', seconds(world) + 3_600)),
  ],
  [
    'without any date',
    'issue_time_missing',
    changed(payload => {
      for (const name of ['iat', 'nbf', 'validFrom']) delete payload[name]
    }),
  ],
  ['with a date that is a word', 'credential_malformed', changed(p => put(p, 'iat', 'yesterday'))],
  ['with a date beyond reason', 'credential_malformed', changed(p => put(p, 'exp', 1e300))],
]

const trustRows: Row[] = [
  [
    'of an issuer who is not accredited',
    'issuer_unaccredited',
    async (world, format) => ({
      good: await good(world, format),
      bad: (await world.issue({ format }, world.stranger)).compact,
    }),
  ],
  [
    'of an issuer who is accredited for another type',
    'issuer_unaccredited',
    async (world, format) => ({
      good: (await world.issue({ format, type: 'TaxRegistration' }, world.taxes)).compact,
      bad: (await world.issue({ format }, world.taxes)).compact,
    }),
  ],
  [
    'issued before the accreditation began',
    'issuer_unaccredited',
    changed((p, _h, world) => {
      setDate(p, 'iat', (world.period.validFrom - day) / 1_000)
      setDate(p, 'nbf', (world.period.validFrom - day) / 1_000)
    }),
  ],
  [
    'issued after the accreditation had ended',
    'issuer_unaccredited',
    later(world =>
      world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, endedAt: world.clock.now() - day }),
    ),
  ],
  [
    'under an accreditation that is void since later',
    'accreditation_void',
    later(world => {
      world.clock.time += 30 * day
      world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, voidSince: world.clock.now() })
    }),
  ],
  [
    'backdated under an accreditation that is void',
    'accreditation_void',
    async (world, format) => {
      const compact = await good(world, format)
      const backdate = (payload: Claims) => {
        for (const name of ['iat', 'nbf'] as const) setDate(payload, name, seconds(world) - 200 * 86_400)
      }
      const change = () =>
        world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, voidSince: world.clock.now() - day })
      return { good: compact, bad: resigned(compact, world.transport, backdate), change }
    },
  ],
  [
    'by a distrusted key',
    'key_distrusted',
    later(world => {
      const { transport, trust, clock } = world
      trust.distrusted.set(`${addressOf(transport)}:${transport.thumbprint}`, clock.now())
    }),
  ],
  [
    'backdated by a distrusted key',
    'key_distrusted',
    async (world, format) => {
      const { transport, trust, clock } = world
      const compact = await good(world, format)
      const backdate = (payload: Claims) => {
        for (const name of ['iat', 'nbf'] as const) setDate(payload, name, seconds(world) - 200 * 86_400)
      }
      const change = () =>
        void trust.distrusted.set(`${addressOf(transport)}:${transport.thumbprint}`, clock.now() - day)
      return { good: compact, bad: resigned(compact, transport, backdate), change }
    },
  ],
  [
    'backdated by a retired key, on a list that is younger than its retirement',
    'credential_backdated',
    async (world, format) => {
      const { transport, status, dids, clock } = world
      const compact = await good(world, format)
      const retired = clock.now() - 10 * day
      dids.add(transport, { purposes: ['assertionMethod'], validUntil: retired })
      const backdated = (openedAt: number) => {
        status.open(addressOf(transport), 4, openedAt)
        return resigned(compact, transport, payload => {
          for (const name of ['iat', 'nbf'] as const) setDate(payload, name, (retired - day) / 1_000)
          evmStatus(payload)['list'] = '4'
        })
      }
      const before = backdated(retired - 2 * day)
      return { good: before, bad: before, change: () => status.open(addressOf(transport), 4, retired + day) }
    },
  ],
  [
    'backdated by an issuer whose accreditation has ended, on a younger list',
    'credential_backdated',
    async (world, format) => {
      const { transport, status, trust, clock } = world
      const ended = clock.now() - 10 * day
      trust.accredit(transport, 'DrivingLicence', { ...world.period, endedAt: ended })
      const backdated = resigned(await good(world, format), transport, payload => {
        for (const name of ['iat', 'nbf'] as const) setDate(payload, name, (ended - day) / 1_000)
      })
      return { good: backdated, bad: backdated, change: () => status.open(addressOf(transport), 0, ended + day) }
    },
  ],
  [
    'of a schema that the root does not admit',
    'schema_not_admitted',
    later(w => void w.trust.withdrawn.add('DrivingLicence')),
  ],
  [
    'of an agency on another chain',
    'issuer_unaccredited',
    async (world, format) => {
      const foreign: Party = { ...agencyParty(`0x${'44'.repeat(20)}`) }
      foreign.did = foreign.did.replace('0x7a69', '0x1')
      foreign.kid = `${foreign.did}#delegate-1`
      foreign.keyId = foreign.kid
      world.enrol(foreign)
      return { good: await good(world, format), bad: (await world.issue({ format }, foreign)).compact }
    },
  ],
  [
    'that a citizen signed with a key of their own',
    'issuer_unaccredited',
    async (world, format) => ({
      good: await good(world, format),
      bad: (await world.issue({ format }, world.holder)).compact,
    }),
  ],
]

const statusRows: Row[] = [
  ['revoked', 'credential_revoked', later((world, status) => world.status.set(status, 'revoked'))],
  ['suspended', 'credential_suspended', later((world, status) => world.status.set(status, 'suspended'))],
  [
    'revoked after it had been suspended',
    'credential_revoked',
    later((world, status) => {
      world.status.set(status, 'suspended')
      world.status.set(status, 'revoked')
    }),
  ],
  [
    'without status',
    'status_missing',
    changed(payload => {
      delete payload['status']
      delete vcOf(payload)['credentialStatus']
    }),
  ],
  [
    'that points to the list of another issuer',
    'status_of_another',
    changed((p, _h, w) => put(evmStatus(p), 'issuer', addressOf(w.taxes))),
  ],
  [
    'that names another registry',
    'status_foreign_registry',
    changed(p => put(evmStatus(p), 'registry', `0x${'66'.repeat(20)}`)),
  ],
  ['that names another chain', 'status_foreign_registry', changed(p => put(evmStatus(p), 'chain', 'eip155:1'))],
  ['that names a list which was never opened', 'status_list_unknown', changed(p => put(evmStatus(p), 'list', '8'))],
  ['with an index beyond its list', 'status_index_out_of_range', changed(p => setIndex(p, 131_072))],
  ['whose status entries name two indices', 'credential_malformed', changed(p => put(evmStatus(p), 'index', '99'))],
  ['with a negative index', 'credential_malformed', changed(p => put(evmStatus(p), 'index', '-1'))],
  ['with an index that is no whole number', 'credential_malformed', changed(p => put(evmStatus(p), 'index', 1.5))],
  ['with an index written in another way', 'credential_malformed', changed(p => put(evmStatus(p), 'index', '0x1'))],
  [
    'with a status of an unknown type',
    'status_type_unknown',
    changed(payload => {
      if (payload['status'] === undefined) evmStatus(payload)['type'] = 'RevocationList2020Status'
      else payload['status'] = { revocation_list_2020: { index: 1 } }
    }),
  ],
  [
    'with one more status of an unknown type',
    'status_type_unknown',
    changed(payload => {
      if (payload['status'] !== undefined) (payload['status'] as Claims)['crl'] = {}
      else (vcOf(payload)['credentialStatus'] as Claims[]).push({ type: 'CrlStatus' })
    }),
  ],
]

const shapeRows: Row[] = [
  [
    'of an unknown schema',
    'schema_unknown',
    changed(payload => {
      if (payload['vct'] !== undefined) payload['vct'] = 'urn:chancery:vct:driving-licence:2'
      else vcOf(payload)['credentialSchema'] = { id: 'https://elsewhere.example/schema', type: 'JsonSchema' }
    }),
  ],
  [
    'that names no schema',
    'schema_unknown',
    changed(payload => {
      delete payload['vct']
      delete vcOf(payload)['credentialSchema']
    }),
  ],
  [
    'with a claim that its schema does not have',
    'schema_violated',
    changed(payload => {
      const claims = payload['vct'] === undefined ? (vcOf(payload)['credentialSubject'] as Claims) : payload
      claims['isAdmin'] = true
    }),
  ],
  [
    'without a claim that its schema demands',
    'schema_violated',
    changed(payload => {
      const claims = payload['vct'] === undefined ? (vcOf(payload)['credentialSubject'] as Claims) : payload
      delete claims['issuingCountry']
    }),
  ],
  [
    'of no issuer',
    'credential_malformed',
    changed(payload => {
      for (const name of ['iss', 'issuer']) delete payload[name]
    }),
  ],
  [
    'with a member named __proto__',
    'credential_malformed',
    async (world, format) => {
      const compact = await good(world, format)
      const { header, payload } = partsOf(compact)
      const [, ...rest] = compact.split('~')
      const text = JSON.stringify(payload).replace('{', '{"__proto__":{"issuingCountry":"XN"},')
      const bad = [jws(header, text, world.transport), ...rest].join('~')
      return { good: compact, bad }
    },
  ],
  [
    'with one name twice',
    'credential_malformed',
    async (world, format) => {
      const compact = await good(world, format)
      const { header, payload } = partsOf(compact)
      const [, ...rest] = compact.split('~')
      const text = JSON.stringify(payload).replace('{', '{"exp" : 1,"exp":9999999999,')
      return { good: compact, bad: [jws(header, text, world.transport), ...rest].join('~') }
    },
  ],
  [
    'with half a surrogate pair',
    'credential_malformed',
    async (world, format) => {
      const compact = await good(world, format)
      const { header, payload } = partsOf(compact)
      const [, ...rest] = compact.split('~')
      const text = JSON.stringify(payload).replace('"XN"', '"\\ud800"')
      return { good: compact, bad: [jws(header, text, world.transport), ...rest].join('~') }
    },
  ],
  [
    'nested a thousand levels deep',
    'credential_malformed',
    async (world, format) => {
      const compact = await good(world, format)
      const { header, payload } = partsOf(compact)
      const [, ...rest] = compact.split('~')
      const text = JSON.stringify(payload).replace('{', `{"deep":${'['.repeat(1_000)}${']'.repeat(1_000)},`)
      return { good: compact, bad: [jws(header, text, world.transport), ...rest].join('~') }
    },
  ],
  [
    'that is not UTF-8',
    'credential_malformed',
    async (world, format) => {
      const compact = await good(world, format)
      const [jwt = '', ...rest] = compact.split('~')
      const [header = '', payload = ''] = jwt.split('.')
      const bytes = Buffer.from(
        Buffer.from(payload, 'base64url').toString('latin1').replace('XN', '\xff\xfe'),
        'latin1',
      )
      const input = `${header}.${bytes.toString('base64url')}`
      const signature = signBytes(world.transport, Buffer.from(input)).toString('base64url')
      return { good: compact, bad: [`${input}.${signature}`, ...rest].join('~') }
    },
  ],
]

const tables: [string, Row[]][] = [
  ['who signed', signatureRows],
  ['dates', dateRows],
  ['trust', trustRows],
  ['status', statusRows],
  ['shape', shapeRows],
]

/** The letter after the last one: of the six bits of that one, four say nothing. */
const nextLetter = (signature: string): string => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return letters[letters.indexOf(signature.slice(-1)) ^ 1] ?? ''
}

const refused = (verdict: Verdict): string => {
  // A verdict that is not good says so everywhere at once.
  const failed = verdict.checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'unavailable')
  expect(verdict.verified).toBe(false)
  expect(failed[0]?.code).toBe(verdict.refusal?.code)
  return verdict.refusal?.code ?? ''
}

describe.each(formatIds)('a %s credential', format => {
  describe.each(tables)('is judged by %s', (_name, rows) => {
    it.each(rows)('and refused: %s (%s)', async (_title, code, make) => {
      const world = openWorld()
      const { good: fine, bad, change } = await make(world, format)
      const before = await verifyCredential(fine, world.verify)
      expect(before.refusal).toBeUndefined()
      expect(before.verified).toBe(true)
      change?.()
      expect(refused(await verifyCredential(bad, world.verify))).toBe(code)
    })
  })

  it('passes every check by name, in order, at a block', async () => {
    const world = openWorld()
    const verdict = await verifyCredential(await good(world, format), world.verify)
    expect(verdict.checks.map(({ check, outcome }) => [check, outcome])).toEqual(
      checkNames.map(name => [name, ['holderBinding', 'challenge'].includes(name) ? 'not_applicable' : 'passed']),
    )
    expect(verdict).toMatchObject({
      issuer: world.transport.did,
      block: { chain, number: 1_000 },
      at: world.clock.now(),
    })
    expect(verdict.claims).toEqual(world.subjectOf('DrivingLicence'))
  })

  it('is good for the same in an envelope, in a data: URL, and beside an object that repeats it', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    const media = format === 'jwt_vc' ? 'jwt' : format
    const id = `data:application/${media},${compact}`
    const shown = formats[format].show(openCredential(compact, world.types))
    const forms = [
      id,
      { '@context': 'https://www.w3.org/ns/credentials/v2', type: 'EnvelopedVerifiableCredential', id },
      { proof: { jwt: compact } },
      { ...shown, proof: { type: 'JwtProof2020', jwt: compact } },
    ]
    for (const form of forms) expect((await verifyCredential(form, world.verify)).refusal).toBeUndefined()
  })

  it.each(['revoked', 'suspended'] as const)('is refused when %s, whichever form it comes in', async value => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format })
    world.status.set(draft.status, value)
    const media = format === 'jwt_vc' ? 'jwt' : format
    const shown = formats[format].show(openCredential(compact, world.types))
    const envelope = { type: 'EnvelopedVerifiableCredential', id: `data:application/${media},${compact}` }
    for (const form of [compact, envelope, { ...shown, proof: { jwt: compact } }]) {
      expect(refused(await verifyCredential(form, world.verify))).toBe(`credential_${value}`)
    }
  })

  it.each([
    ['a changed claim', (shown: Claims) => put(shown['credentialSubject'] as Claims, 'familyName', 'Adeyemi')],
    ['an added claim', (shown: Claims) => put(shown['credentialSubject'] as Claims, 'isAdmin', true)],
    [
      'another issuer',
      (shown: Claims) => put(shown, 'issuer', 'did:ethr:0x7a69:0x2222222222222222222222222222222222222222'),
    ],
    ['another type', (shown: Claims) => put(shown, 'type', ['VerifiableCredential', 'NationalIdentity'])],
    ['an added member', (shown: Claims) => put(shown, 'evidence', { checked: true })],
    ['no subject', (shown: Claims) => void delete shown['credentialSubject']],
    [
      'a later end',
      (shown: Claims) => {
        for (const name of ['validUntil', 'expirationDate'])
          if (shown[name] !== undefined) shown[name] = '2099-01-01T00:00:00Z'
      },
    ],
  ])('is refused beside an object that was edited: %s', async (_title, edit) => {
    const world = openWorld()
    const compact = await good(world, format)
    const shown = structuredClone(formats[format].show(openCredential(compact, world.types)))
    edit(shown)
    expect(refused(await verifyCredential({ ...shown, proof: { jwt: compact } }, world.verify))).toBe('payload_edited')
  })

  it.each<[string, (signature: string) => string]>([
    ['longer', signature => `${signature.slice(0, -1)}AAAA`],
    ['shorter', signature => signature.slice(0, -4)],
    ['spelled with other spare bits', signature => signature.slice(0, -1) + nextLetter(signature)],
    ['padded', signature => `${signature}==`],
    ['empty', () => ''],
  ])('is malformed when its signature is %s', async (_title, change) => {
    const world = openWorld()
    const [jwt = '', ...rest] = (await good(world, format)).split('~')
    const [header, payload, signature = ''] = jwt.split('.')
    const odd = [`${header}.${payload}.${change(signature)}`, ...rest].join('~')
    expect(refused(await verifyCredential(odd, world.verify))).toBe('credential_malformed')
  })

  it('is refused when its payload is spelled with other letters that would be signed alike', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    const start = compact.indexOf('.') + 1
    // Moved up by 256, four letters are the same bytes in Latin-1, and nothing at all in base64url.
    for (const at of [start, start + 400, start + 800]) {
      const moved = [...compact.slice(at, at + 4)]
        .map(letter => String.fromCharCode(letter.charCodeAt(0) + 256))
        .join('')
      const forged = compact.slice(0, at) + moved + compact.slice(at + 4)
      expect(refused(await verifyCredential(forged, world.verify))).toBe('credential_malformed')
    }
  })

  it('is refused in an envelope that carries claims of its own', async () => {
    const world = openWorld()
    const id = `data:application/${format === 'jwt_vc' ? 'jwt' : format},${await good(world, format)}`
    const input = { type: 'EnvelopedVerifiableCredential', id, credentialSubject: { isAdmin: true } }
    expect(refused(await verifyCredential(input, world.verify))).toBe('payload_edited')
  })

  it('is not good while status, trust or keys cannot be known, and says so', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    world.status.stale = true
    const verdict = await verifyCredential(compact, world.verify)
    expect(refused(verdict)).toBe('status_unavailable')
    expect(verdict.refusal?.kind).toBe('unavailable')
    expect(verdict.checks.at(-1)).toMatchObject({ check: 'status', outcome: 'unavailable' })
    world.dids.unavailable = true
    expect((await verifyCredential(compact, world.verify)).refusal).toMatchObject({
      kind: 'unavailable',
      code: 'did_unavailable',
    })
  })

  it('tells of an expiry and a revocation both, and refuses for the first', async () => {
    const world = openWorld()
    const { compact, draft } = await world.issue({ format })
    world.status.set(draft.status, 'revoked')
    const expired = resigned(compact, world.transport, payload => setDate(payload, 'exp', seconds(world) - 1))
    const verdict = await verifyCredential(expired, world.verify)
    expect(refused(verdict)).toBe('credential_expired')
    expect(verdict.checks.flatMap(({ code }) => code ?? [])).toEqual(['credential_expired', 'credential_revoked'])
  })

  it('stays good when the accreditation ended after it was issued', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    world.clock.time += 10 * day
    world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, endedAt: world.clock.now() - day })
    expect((await verifyCredential(compact, world.verify)).refusal).toBeUndefined()
  })

  it('is refused when the accreditation it was issued under has been replaced by one that is void', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    const { trust, clock } = world
    const since = clock.now() + day
    const before = trust.accreditation.bind(trust)
    trust.accreditation = (issuer, type, at) =>
      at < since ? before(issuer, type, at) : { accredited: false, reason: 'void', since }
    expect((await verifyCredential(compact, world.verify)).refusal).toBeUndefined()
    clock.time += 2 * day
    expect(refused(await verifyCredential(compact, world.verify))).toBe('accreditation_void')
  })

  it('stays good when its key was retired after it was issued', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    world.clock.time += 10 * day
    world.dids.add(world.transport, { purposes: ['assertionMethod'], validUntil: world.clock.now() - day })
    expect((await verifyCredential(compact, world.verify)).refusal).toBeUndefined()
  })

  it('may be signed under a did:web that is linked to its issuer', async () => {
    const world = openWorld()
    const compact = await good(world, format)
    const web = resigned(compact, world.transport, payload => setIssuer(payload, 'did:web:transport.example'))
    expect(refused(await verifyCredential(web, world.verify))).toBe('did_unresolvable')
    world.dids.links.set('did:web:transport.example', world.transport.did)
    expect((await verifyCredential(web, world.verify)).refusal).toBeUndefined()
  })

  it('may have a kid relative to its issuer', async () => {
    const world = openWorld()
    const relative = resigned(await good(world, format), world.transport, (_p, header) =>
      put(header, 'kid', '#delegate-1'),
    )
    expect((await verifyCredential(relative, world.verify)).refusal).toBeUndefined()
  })

  describe('as of a past time', () => {
    it('was good before it was revoked, and the verdict names the block', async () => {
      const world = openWorld()
      const { compact, draft } = await world.issue({ format })
      const then = world.clock.now() + day
      world.clock.time += 30 * day
      world.status.set(draft.status, 'revoked')
      expect(refused(await verifyCredential(compact, world.verify))).toBe('credential_revoked')
      const verdict = await verifyCredential(compact, world.verify, { at: then })
      expect(verdict).toMatchObject({ verified: true, at: then, block: { number: 900, timestamp: then } })
    })

    it.each<[string, string, (world: World) => number]>([
      ['before it was issued', 'credential_not_yet_valid', world => world.clock.now() - day],
      [
        'after its end',
        'credential_expired',
        world => {
          world.clock.time += 3_700 * day
          return world.clock.now() - day
        },
      ],
      ['in a time to come', 'time_not_come', world => world.clock.now() + day],
      ['at a time that is none', 'time_not_come', () => Number.NaN],
    ])('is refused %s (%s)', async (_title, code, at) => {
      const world = openWorld()
      const compact = await good(world, format)
      expect(refused(await verifyCredential(compact, world.verify, { at: at(world) }))).toBe(code)
    })

    it('is refused although it was revoked only later when its accreditation is void', async () => {
      const world = openWorld()
      const compact = await good(world, format)
      world.clock.time += 30 * day
      world.trust.accredit(world.transport, 'DrivingLicence', { ...world.period, voidSince: world.clock.now() })
      const at = world.clock.now() - 29 * day
      expect(refused(await verifyCredential(compact, world.verify, { at }))).toBe('accreditation_void')
    })
  })
})

describe('a W3C credential', () => {
  it.each<FormatId>(['vc+jwt', 'jwt_vc'])(
    'is refused as %s when its type names two types of this house',
    async format => {
      const world = openWorld()
      const twofold = resigned(await good(world, format), world.transport, payload => {
        vcOf(payload)['type'] = ['VerifiableCredential', 'DrivingLicence', 'NationalIdentity']
      })
      expect(refused(await verifyCredential(twofold, world.verify))).toBe('credential_malformed')
      const known = resigned(twofold, world.transport, payload => {
        vcOf(payload)['type'] = ['VerifiableCredential', 'DrivingLicence', 'SomethingElse']
      })
      expect((await verifyCredential(known, world.verify)).refusal).toBeUndefined()
    },
  )

  it.each<[string, FormatId, (payload: Claims, header: Claims) => void]>([
    ['vc+jwt with a vc member', 'vc+jwt', payload => put(payload, 'vc', {})],
    [
      'vc+jwt with the context of 1.1',
      'vc+jwt',
      payload => put(payload, '@context', ['https://www.w3.org/2018/credentials/v1']),
    ],
    ['vc+jwt whose iss is another', 'vc+jwt', payload => put(payload, 'iss', 'did:ethr:0x7a69:0x00')],
    ['vc+jwt whose sub is another', 'vc+jwt', payload => put(payload, 'sub', 'did:example:x')],
    ['vc+jwt whose jti is another', 'vc+jwt', payload => put(payload, 'jti', 'urn:x')],
    [
      'vc+jwt with several subjects',
      'vc+jwt',
      payload => put(payload, 'credentialSubject', [{ id: 'a' }, { id: 'b' }]),
    ],
    ['vc+jwt with no VerifiableCredential type', 'vc+jwt', payload => put(payload, 'type', ['DrivingLicence'])],
    ['vc+jwt with a date that has no zone', 'vc+jwt', payload => put(payload, 'validUntil', '2036-01-01T00:00:00')],
    ['jwt_vc that says it is a presentation', 'jwt_vc', (_p, header) => put(header, 'typ', 'vp+jwt')],
    ['jwt_vc that says it is a key binding', 'jwt_vc', (_p, header) => put(header, 'typ', 'kb+jwt')],
    ['jwt_vc without vc', 'jwt_vc', payload => void delete payload['vc']],
    [
      'jwt_vc with the context of 2.0',
      'jwt_vc',
      payload => put(vcOf(payload), '@context', ['https://www.w3.org/ns/credentials/v2']),
    ],
    [
      'jwt_vc whose subject is another than sub',
      'jwt_vc',
      payload => put(vcOf(payload)['credentialSubject'] as Claims, 'id', 'did:x:y'),
    ],
    ['jwt_vc whose issuer is another than iss', 'jwt_vc', payload => put(vcOf(payload), 'issuer', 'did:x:y')],
  ])('is malformed: %s', async (_title, format, change) => {
    const world = openWorld()
    const bad = resigned(await good(world, format), world.transport, change)
    expect(refused(await verifyCredential(bad, world.verify))).toBe('credential_malformed')
  })

  it('counts the later of two beginnings and the earlier of two ends', async () => {
    const world = openWorld()
    const compact = await good(world, 'vc+jwt')
    const ended = resigned(compact, world.transport, payload => put(payload, 'exp', seconds(world) - 1))
    expect(refused(await verifyCredential(ended, world.verify))).toBe('credential_expired')
    const early = resigned(compact, world.transport, payload => put(payload, 'nbf', seconds(world) + 3_600))
    expect(refused(await verifyCredential(early, world.verify))).toBe('credential_not_yet_valid')
  })

  it('of version 1.1 counts them from its vc as well', async () => {
    const world = openWorld()
    const compact = await good(world, 'jwt_vc')
    const dated = (name: string, at: number) =>
      resigned(compact, world.transport, p => put(vcOf(p), name, new Date(world.clock.now() + at).toISOString()))
    expect(refused(await verifyCredential(dated('expirationDate', -1_000), world.verify))).toBe('credential_expired')
    expect(refused(await verifyCredential(dated('issuanceDate', day), world.verify))).toBe('credential_not_yet_valid')
    expect((await verifyCredential(dated('expirationDate', 9_999 * day), world.verify)).refusal).toBeUndefined()
  })

  it.each<FormatId>(['vc+jwt', 'jwt_vc'])('has at most eight status entries as %s', async format => {
    const world = openWorld()
    const compact = await good(world, format)
    const withEntries = (count: number) =>
      resigned(compact, world.transport, payload => {
        const [first, ...others] = vcOf(payload)['credentialStatus'] as Claims[]
        put(vcOf(payload), 'credentialStatus', [
          ...Array.from({ length: count - others.length }, () => first),
          ...others,
        ])
      })
    expect((await verifyCredential(withEntries(8), world.verify)).refusal).toBeUndefined()
    expect(refused(await verifyCredential(withEntries(9), world.verify))).toBe('credential_malformed')
  })

  it('that Veramo shows as an object is refused when a part of it was edited', async () => {
    const world = openWorld()
    const shown = normalizeCredential(await good(world, 'jwt_vc'))
    expect((await verifyCredential(shown, world.verify)).refusal).toBeUndefined()
    const edited = { ...shown, expirationDate: '2099-01-01T00:00:00.000Z' }
    expect(refused(await verifyCredential(edited, world.verify))).toBe('payload_edited')
    const { credentialStatus: _status, ...stripped } = shown
    expect(refused(await verifyCredential(stripped, world.verify))).toBe('payload_edited')
  })
})

describe('the disclosures of an SD-JWT', () => {
  const disclosure = (name: unknown, value: unknown) => encode(['c2FsdA', name, value])
  /** An SD-JWT whose issuer put these disclosures into the payload at a place. */
  const withDisclosures = async (
    world: World,
    added: string[],
    place?: (payload: Claims, digests: string[]) => void,
  ) => {
    const compact = await good(world, 'dc+sd-jwt')
    const bad = resigned(compact, world.transport, payload => {
      const digests = added.map(sha256)
      if (place === undefined) payload['_sd'] = [...(payload['_sd'] as string[]), ...digests]
      else place(payload, digests)
    })
    return `${bad}${added.map(segment => `${segment}~`).join('')}`
  }
  const codeOf = async (world: World, input: string) => refused(await verifyCredential(input, world.verify))

  it('are good when the issuer put them there', async () => {
    const world = openWorld()
    const more = await withDisclosures(world, [disclosure('administrativeNumber', 'A-1')])
    const verdict = await verifyCredential(more, world.verify)
    expect(verdict.refusal).toBeUndefined()
    expect(verdict.claims).toHaveProperty('administrativeNumber', 'A-1')
  })

  it('are refused when one is unused', async () => {
    const world = openWorld()
    expect(await codeOf(world, `${await good(world, 'dc+sd-jwt')}${disclosure('isAdmin', true)}~`)).toBe(
      'credential_malformed',
    )
  })

  it('are refused when one is presented twice', async () => {
    const world = openWorld()
    const compact = await good(world, 'dc+sd-jwt')
    expect(await codeOf(world, `${compact}${compact.split('~')[1]}~`)).toBe('credential_malformed')
  })

  it('are refused when their digest stands twice in the payload', async () => {
    const world = openWorld()
    const segment = disclosure('administrativeNumber', 'A-1')
    const twice = await withDisclosures(world, [segment], (payload, [digest = '']) => {
      payload['_sd'] = [...(payload['_sd'] as string[]), digest, digest]
    })
    expect(await codeOf(world, twice)).toBe('credential_malformed')
  })

  it.each(['iss', 'nbf', 'exp', 'cnf', 'vct', 'status', 'iat', 'sub', 'jti', 'id', '_sd', '...'])(
    'are refused when one carries %s',
    async name => {
      const world = openWorld()
      expect(await codeOf(world, await withDisclosures(world, [disclosure(name, 'x')]))).toBe('credential_malformed')
    },
  )

  it.each(['nbf', 'exp', 'aud', 'cnf', 'vct#integrity', 'aka_vcts'])(
    'are refused when one carries %s, which is never disclosable (SD-JWT VC section 2.2.2.3)',
    async name => {
      const world = openWorld()
      const hidden = await withDisclosures(world, [disclosure(name, 'x')], (payload, digests) => {
        delete payload[name]
        payload['_sd'] = [...(payload['_sd'] as string[]), ...digests]
      })
      expect(await codeOf(world, hidden)).toBe('credential_malformed')
    },
  )

  it('are refused when a digest stands twice that nobody discloses', async () => {
    const world = openWorld()
    const compact = await good(world, 'dc+sd-jwt')
    const decoy = sha256('decoy')
    const withDecoys = (digests: string[]) =>
      resigned(compact, world.transport, payload => put(payload, '_sd', [...(payload['_sd'] as string[]), ...digests]))
    expect((await verifyCredential(withDecoys([decoy]), world.verify)).refusal).toBeUndefined()
    expect(await codeOf(world, withDecoys([decoy, decoy]))).toBe('credential_malformed')
  })

  it.each<[string, string]>([
    ['a name of __proto__ in its value', encode('["c2FsdA","birthPlace",{"country":"XN","__proto__":{"region":"y"}}]')],
    ['two elements', encode(['c2FsdA', 'x'])],
    ['four elements', encode(['c2FsdA', 'administrativeNumber', 'A-1', 1])],
    ['a name that is a number', disclosure(7, 'x')],
    ['a salt that is a number', encode([7, 'administrativeNumber', 'A-1'])],
    ['no JSON', encode('[')],
    ['an object', encode({ salt: 'c2FsdA' })],
  ])('are refused when one has %s', async (_title, segment) => {
    const world = openWorld()
    expect(await codeOf(world, await withDisclosures(world, [segment]))).toBe('credential_malformed')
  })

  it('are refused when one is named __proto__, which no claim may be', async () => {
    const world = openWorld()
    const polluting = await withDisclosures(world, [encode('["c2FsdA","__proto__",{"issuingCountry":"XN"}]')])
    expect(await codeOf(world, polluting)).toBe('credential_malformed')
  })

  it('are refused when one repeats a claim that is in the open', async () => {
    const world = openWorld()
    expect(await codeOf(world, await withDisclosures(world, [disclosure('issuingCountry', 'YY')]))).toBe(
      'credential_malformed',
    )
  })

  it('are put back inside one another, and refused when the inner one is left without the outer', async () => {
    const world = openWorld()
    const inner = disclosure('locality', 'Port Verity')
    const outer = disclosure('birthPlace', { country: 'XN', _sd: [sha256(inner)] })
    const compact = await good(world, 'dc+sd-jwt')
    const { payload } = partsOf(compact)
    const own =
      compact.split('~').find(segment => Buffer.from(segment, 'base64url').toString().includes('birthPlace')) ?? ''
    const nested = resigned(compact.replace(`${own}~`, ''), world.transport, claims => {
      claims['_sd'] = [...(payload['_sd'] as string[]).filter(digest => digest !== sha256(own)), sha256(outer)]
    })
    const whole = await verifyCredential(`${nested}${outer}~${inner}~`, world.verify)
    expect(whole.claims?.['birthPlace']).toEqual({ country: 'XN', locality: 'Port Verity' })
    expect((await verifyCredential(`${nested}${outer}~`, world.verify)).claims?.['birthPlace']).toEqual({
      country: 'XN',
    })
    expect(await codeOf(world, `${nested}${inner}~`)).toBe('credential_malformed')
  })

  it('are put back as elements of an array, and what is kept back leaves no gap', async () => {
    const world = openWorld()
    const element = encode(['c2FsdA', { vehicleCategoryCode: 'D' }])
    const compact = await good(world, 'dc+sd-jwt')
    const own =
      compact.split('~').find(part => Buffer.from(part, 'base64url').toString().includes('drivingPrivileges')) ?? ''
    const array = disclosure('drivingPrivileges', [{ '...': sha256('decoy') }, { '...': sha256(element) }])
    const shown = resigned(compact.replace(`${own}~`, ''), world.transport, payload => {
      payload['_sd'] = [...(payload['_sd'] as string[]).filter(digest => digest !== sha256(own)), sha256(array)]
    })
    const verdict = await verifyCredential(`${shown}${array}~${element}~`, world.verify)
    expect(verdict.claims?.['drivingPrivileges']).toEqual([{ vehicleCategoryCode: 'D' }])
    expect(await codeOf(world, `${shown}${element}~`)).toBe('credential_malformed')
  })

  it('are refused when spelled with other letters that would hash alike', async () => {
    const world = openWorld()
    const compact = await good(world, 'dc+sd-jwt')
    const segments = compact.split('~')
    // Four letters of the value moved up by 256: hashed as Latin-1 they are the same bytes, decoded they vanish.
    const forged = segments.map(segment => {
      const text = Buffer.from(segment, 'base64url').toString()
      if (!text.includes('"birthDate"')) return segment
      const at = Math.floor(text.indexOf('1990') / 3) * 4 + 4
      const moved = [...segment.slice(at, at + 4)]
        .map(letter => String.fromCharCode(letter.charCodeAt(0) + 256))
        .join('')
      return segment.slice(0, at) + moved + segment.slice(at + 4)
    })
    expect(forged).not.toEqual(segments)
    expect(await codeOf(world, forged.join('~'))).toBe('credential_malformed')
  })

  it.each<[string, (compact: string, world: World) => string, string]>([
    ['a hash that breaks', (c, w) => resigned(c, w.transport, p => put(p, '_sd_alg', 'sha-1')), 'algorithm_refused'],
    ['another hash', (c, w) => resigned(c, w.transport, p => put(p, '_sd_alg', 'sha-512')), 'credential_malformed'],
    ['another typ', (c, w) => resigned(c, w.transport, (_p, h) => put(h, 'typ', 'JWT')), 'credential_malformed'],
    ['_sd that is no array', (c, w) => resigned(c, w.transport, p => put(p, '_sd', 'x')), 'credential_malformed'],
    ['an id of its own', (c, w) => resigned(c, w.transport, p => put(p, 'id', 'did:x:y')), 'credential_malformed'],
    ['a hundred and thirty parts', c => `${c}${'x~'.repeat(130)}`, 'credential_malformed'],
    ['an empty disclosure', c => c.replace('~', '~~'), 'credential_malformed'],
    ['a key binding that is none', c => `${c}x.y.z`, 'credential_malformed'],
  ])('are refused with %s', async (_title, change, code) => {
    const world = openWorld()
    expect(await codeOf(world, change(await good(world, 'dc+sd-jwt'), world))).toBe(code)
  })
})

describe('whatever else comes in', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a number', 7],
    ['an empty text', ''],
    ['dots', '..'],
    ['tildes', '~~~'],
    ['a list', ['a', 'b']],
    ['an empty object', {}],
    ['an object with a proof of another kind', { proof: { type: 'Ed25519Signature2020', proofValue: 'z' } }],
    ['an object with a proof that JSON has not', { proof: { type: 'DataIntegrityProof' }, id: 1n }],
    ['an envelope without id', { type: 'EnvelopedVerifiableCredential' }],
    ['an envelope around a web page', { type: 'EnvelopedVerifiableCredential', id: 'data:text/html,<p>' }],
    ['a data: URL without a comma', 'data:application/vc+jwt;base64'],
    ['a header of 5,000 letters', `${'A'.repeat(5_000)}.e30.AA`],
    ['two mebibytes', 'A'.repeat(2 ** 21)],
  ])('is malformed: %s', async (_title, input) => {
    const verdict = await verifyCredential(input, openWorld().verify)
    expect(verdict).toMatchObject({ verified: false, refusal: { kind: 'malformed', code: 'credential_malformed' } })
  })

  it('never throws and never verifies, for anything at all', async () => {
    const { verify } = openWorld()
    const anything = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.json(),
      fc.object({ key: fc.constantFrom('proof', 'jwt', 'type', 'id') }),
    )
    await fc.assert(
      fc.asyncProperty(anything, async input => {
        expect((await verifyCredential(input, verify)).verified).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it.each(formatIds)('never throws and never verifies for a %s that was mutated in one place', async format => {
    const world = openWorld()
    const compact = await good(world, format)
    const place = fc.nat({ max: compact.length - 1 })
    await fc.assert(
      fc.asyncProperty(place, fc.constantFrom('A', 'z', '.', '~', '=', '\u0141', '', 'AA'), async (at, letter) => {
        const mutated = compact.slice(0, at) + letter + compact.slice(at + 1)
        fc.pre(mutated !== compact && !sameUpToDisclosures(mutated, compact))
        expect((await verifyCredential(mutated, world.verify)).verified).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it.each(formatIds)(
    'never throws and never verifies for a signed %s with anything in one of its members',
    async format => {
      const world = openWorld()
      const compact = await good(world, format)
      const { payload } = partsOf(compact)
      const judged = [
        'iss',
        'issuer',
        'vct',
        'vc',
        'status',
        'type',
        'credentialSchema',
        'credentialStatus',
        'credentialSubject',
      ]
      const names = judged.filter(name => Object.hasOwn(payload, name))
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 }), async (name, value) => {
          const bad = resigned(compact, world.transport, claims => put(claims, name, value))
          const verdict = await verifyCredential(bad, world.verify)
          if (name !== '_sd') expect(verdict.verified).toBe(false)
        }),
        { numRuns: 300 },
      )
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...Object.keys(payload)),
          fc.jsonValue({ maxDepth: 4 }),
          async (name, value) => {
            const odd = resigned(compact, world.transport, claims => put(claims, name, value))
            expect(typeof (await verifyCredential(odd, world.verify)).verified).toBe('boolean')
          },
        ),
        { numRuns: 300 },
      )
    },
  )

  it('keeps no long token in memory for the sake of its header', async () => {
    const { verify } = openWorld()
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < 300; at++) {
      const header = encode({ alg: 'ES256', kid: `did:example:${at}#1`, typ: 'vc+jwt' })
      await verifyCredential(`${header}.e30.${'A'.repeat(1_000_000)}`, verify)
    }
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000)
  })
})

/** Leaving a disclosure out is the holder's right, and not a mutation. */
const sameUpToDisclosures = (mutated: string, compact: string): boolean => {
  const [jwt, ...rest] = mutated.split('~')
  return (
    jwt === compact.split('~')[0] && rest.at(-1) === '' && rest.every(segment => compact.split('~').includes(segment))
  )
}
