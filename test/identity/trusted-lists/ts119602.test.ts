import { grantedAt } from '../../../src/identity/trusted-lists/list.ts'
import { schemeOperators } from '../../../src/identity/trusted-lists/operators.ts'
import { readTrustedEntities } from '../../../src/identity/trusted-lists/ts119602.ts'
import {
  at,
  entitiesOf,
  newAuthority,
  newSigner,
  notified,
  type Operator,
  serviceType,
  signedEntities,
} from './operator.ts'

const day = 86_400_000
const withdrawn = 'http://uri.etsi.org/19602/PubEAAProvidersList/SvcStatus/withdrawn'
let root: Operator
let operator: Operator
let listed: Operator

beforeAll(async () => {
  root = await newAuthority('Scheme operator')
  operator = await newSigner(root, 'List signer')
  listed = await newAuthority('Licences of Utopia')
})

const read = (compact: string, pinned: Operator = operator, now = at) =>
  readTrustedEntities(compact, schemeOperators([pinned.certificate]), now)
const payload = (scheme?: Record<string, unknown>) => entitiesOf([{ certificate: listed.certificate }], scheme)

describe('a list of trusted entities in JSON (ETSI TS 119 602)', () => {
  it('is read under a compact JAdES of its operator', async () => {
    const list = await read(signedEntities(operator, payload()))
    expect(list).toMatchObject({ form: 'TS 119 602', sequenceNumber: 7, operator: 'Utopia', territory: 'UT' })
    expect(grantedAt(list, serviceType, at)).toHaveLength(1)
  })

  it('may make the time of signing critical (TS 119 182-1, 5.2.1)', async () => {
    const header = { crit: ['sigT'], sigT: '2026-03-01T11:59:00Z', iat: undefined }
    expect((await read(signedEntities(operator, payload(), header), root)).services).toHaveLength(1)
  })

  it('says what a service was at a time', async () => {
    const service = {
      ...{ certificate: listed.certificate, status: withdrawn, since: at - day },
      history: [{ status: notified, since: at - 10 * day }],
    }
    const list = await read(signedEntities(operator, entitiesOf([service])))
    expect([-11, -10, -2, -1, 0].map(days => grantedAt(list, serviceType, at + days * day).length)).toEqual([
      0, 1, 1, 0, 0,
    ])
  })
})

const withPart = (change: (list: Record<string, never> & Record<string, unknown>) => void) => {
  const changed = structuredClone(payload()) as unknown as { LoTE: Record<string, never> & Record<string, unknown> }
  change(changed.LoTE)
  return changed
}

describe('a list of trusted entities is refused', () => {
  it.each<[string, string, () => string]>([
    ['that is no JWS', 'trusted_list_unsigned', () => JSON.stringify(payload())],
    ['without x5c', 'trusted_list_unsigned', () => signedEntities(operator, payload(), { x5c: undefined })],
    [
      'with x5c that is no certificate',
      'trusted_list_unsigned',
      () => signedEntities(operator, payload(), { x5c: ['AA=='] }),
    ],
    ['signed by somebody else', 'trusted_list_of_another', () => signedEntities(listed, payload())],
    [
      'signed with another key than that of its certificate',
      'trusted_list_unsigned',
      () => signedEntities({ ...operator, privateKey: listed.privateKey }, payload()),
    ],
    ['with none for an algorithm', 'trusted_list_unsigned', () => signedEntities(operator, payload(), { alg: 'none' })],
    ['with HMAC', 'trusted_list_unsigned', () => signedEntities(operator, payload(), { alg: 'HS256' })],
    [
      'with an algorithm of another key',
      'trusted_list_unsigned',
      () => signedEntities(operator, payload(), { alg: 'RS256' }),
    ],
    [
      'with a critical member that is not understood',
      'trusted_list_unsigned',
      () => signedEntities(operator, payload(), { crit: ['sigD'], sigD: {} }),
    ],
    [
      'changed after signing',
      'trusted_list_unsigned',
      () => {
        const [head, , tail] = signedEntities(operator, payload()).split('.')
        return `${head}.${Buffer.from(JSON.stringify(payload({ LoTESequenceNumber: 8 }))).toString('base64url')}.${tail}`
      },
    ],
    ['without LoTE', 'trusted_list_malformed', () => signedEntities(operator, {})],
    [
      'of another version',
      'trusted_list_malformed',
      () => signedEntities(operator, payload({ LoTEVersionIdentifier: 2 })),
    ],
    [
      'with sequence number 0',
      'trusted_list_malformed',
      () => signedEntities(operator, payload({ LoTESequenceNumber: 0 })),
    ],
    [
      'without NextUpdate',
      'trusted_list_malformed',
      () => signedEntities(operator, payload({ NextUpdate: undefined })),
    ],
    [
      'with a date that is none',
      'trusted_list_malformed',
      () => signedEntities(operator, payload({ NextUpdate: 'soon' })),
    ],
    [
      'without an operator',
      'trusted_list_malformed',
      () => signedEntities(operator, payload({ SchemeOperatorName: [] })),
    ],
    [
      'with entities that are no list',
      'trusted_list_malformed',
      () =>
        signedEntities(
          operator,
          withPart(list => Object.assign(list, { TrustedEntitiesList: {} })),
        ),
    ],
    [
      'with a status without its time',
      'trusted_list_malformed',
      () =>
        signedEntities(
          operator,
          withPart(list => {
            const [entity] = list['TrustedEntitiesList'] as unknown as {
              TrustedEntityServices: { ServiceInformation: object }[]
            }[]
            Object.assign(entity?.TrustedEntityServices[0]?.ServiceInformation ?? {}, { ServiceStatus: notified })
          }),
        ),
    ],
    [
      'with a certificate that is not base64',
      'trusted_list_malformed',
      () => signedEntities(operator, JSON.parse(JSON.stringify(payload()).replace('"val":"M', '"val":"*'))),
    ],
  ])('%s: %s', async (_what, code, compact) => {
    await expect(read(compact())).rejects.toMatchObject({ code })
  })
})
