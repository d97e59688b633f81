import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import {
  applyPolicy,
  type Metadata,
  overrideMetadata,
  readPolicy,
  resolvePolicy,
} from '../../../src/identity/openid/federation/policy.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'

type Parameters = Record<string, Record<string, unknown>>
type Vector = {
  n: number
  TA: Parameters
  INT: Parameters
  merged?: Parameters
  metadata: Record<string, unknown>
  resolved?: Record<string, unknown>
  error?: 'invalid_policy' | 'invalid_metadata'
}

const file = join(import.meta.dirname, 'metadata-policy-vectors-2025-02-13.json.gz')
const vectors = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Vector[]
const type = 'openid_relying_party'

const codeOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return 'none'
}

/** Lists that are sets, in one order. */
const settled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(settled).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, settled(member)]))
}

const resolved = (...policies: Parameters[]) =>
  resolvePolicy(policies.map(policy => ({ metadataPolicy: { [type]: policy } })))
const applied = (metadata: Record<string, unknown>, ...policies: Parameters[]) =>
  applyPolicy({ [type]: metadata }, resolved(...policies))[type]

describe('metadata policies (OpenID Federation 1.0, section 6.1)', () => {
  it('come to what the published vectors say, all 2,019 of them', () => {
    const wrong: unknown[] = []
    for (const { n, TA, INT, merged, metadata, resolved: expected, error } of vectors) {
      const policyCode = codeOf(() => resolved(TA, INT))
      if (error === 'invalid_policy') {
        if (!/^metadata_policy_(conflict|malformed)$/.test(policyCode)) wrong.push({ n, error, policyCode })
        continue
      }
      if (policyCode !== 'none') {
        wrong.push({ n, policyCode })
        continue
      }
      const policy = resolved(TA, INT)
      if (JSON.stringify(settled(policy[type])) !== JSON.stringify(settled(merged))) {
        const same = Object.entries(merged ?? {}).every(
          ([name, operators]) =>
            JSON.stringify(settled(Object.entries(policy[type]?.[name] ?? {}).sort())) ===
            JSON.stringify(settled(Object.entries(operators).sort())),
        )
        if (!same) wrong.push({ n, merged, got: policy[type] })
      }
      const code = codeOf(() => applyPolicy({ [type]: metadata }, policy))
      if (error === 'invalid_metadata') {
        if (code !== 'metadata_policy_violated') wrong.push({ n, error, code })
      } else {
        const got = code === 'none' ? applyPolicy({ [type]: metadata }, policy)[type] : code
        if (JSON.stringify(settled(got)) !== JSON.stringify(settled(expected))) wrong.push({ n, expected, got })
      }
    }
    expect(wrong).toEqual([])
    expect(vectors).toHaveLength(2_019)
  })

  it.each([
    ['is no object', 'x', 'metadata_policy_malformed'],
    ['has an entity type that is no object', { [type]: [] }, 'metadata_policy_malformed'],
    ['has a parameter that is no object', { [type]: { a: 'x' } }, 'metadata_policy_malformed'],
    ['adds something that is no list', { [type]: { a: { add: 'x' } } }, 'metadata_policy_malformed'],
    ['has null for a default', { [type]: { a: { default: null } } }, 'metadata_policy_malformed'],
    ['has one_of that is no list', { [type]: { a: { one_of: 'x' } } }, 'metadata_policy_malformed'],
    ['has essential that is no boolean', { [type]: { a: { essential: 'yes' } } }, 'metadata_policy_malformed'],
    ['adds what the value lacks', { [type]: { a: { value: ['x'], add: ['y'] } } }, 'metadata_policy_conflict'],
    ['has a default beside null', { [type]: { a: { value: null, default: 'x' } } }, 'metadata_policy_conflict'],
    ['adds beside one_of', { [type]: { a: { add: ['x'], one_of: ['x'] } } }, 'metadata_policy_conflict'],
    ['has subset_of beside one_of', { [type]: { a: { subset_of: ['x'], one_of: ['x'] } } }, 'metadata_policy_conflict'],
    [
      'demands more than it allows',
      { [type]: { a: { subset_of: ['x'], superset_of: ['y'] } } },
      'metadata_policy_conflict',
    ],
    ['removes what is essential', { [type]: { a: { value: null, essential: true } } }, 'metadata_policy_conflict'],
  ])('are refused where one %s', (_what, policy, code) => {
    expect(codeOf(() => readPolicy(policy))).toBe(code)
  })

  it('ignore an operator that is not understood, unless any statement of the chain calls it critical (6.1.3.2)', () => {
    const regexp = { metadataPolicy: { [type]: { a: { regexp: '^x$', default: 'z' } } } }
    expect(applyPolicy({ [type]: {} }, resolvePolicy([regexp]))).toEqual({ [type]: { a: 'z' } })
    expect(codeOf(() => resolvePolicy([regexp, { metadataPolicyCritical: ['regexp'] }]))).toBe(
      'metadata_policy_operator_unknown',
    )
    expect(resolvePolicy([{ ...regexp, metadataPolicyCritical: ['other'] }])).toBeDefined()
  })

  it('take scope for a list (6.1.3.1.8)', () => {
    expect(applied({ scope: 'openid profile admin' }, { scope: { subset_of: ['openid', 'profile'] } })).toEqual({
      scope: 'openid profile',
    })
    expect(applied({}, { scope: { default: 'openid' } })).toEqual({ scope: 'openid' })
    expect(codeOf(() => applied({ scope: 'openid' }, { scope: { superset_of: ['openid', 'email'] } }))).toBe(
      'metadata_policy_violated',
    )
  })

  it('leave entity types alone that the subject has not', () => {
    const policy = readPolicy({ openid_provider: { a: { value: 'x' } } })
    expect(applyPolicy({ [type]: { b: 1 } }, policy)).toEqual({ [type]: { b: 1 } })
  })

  it('come after what the superior says for the entity (3.1.1)', () => {
    const own: Metadata = { [type]: { a: 1, b: 2 } }
    expect(overrideMetadata(own, { [type]: { b: 3 }, openid_provider: { c: 4 } })).toEqual({ [type]: { a: 1, b: 3 } })
  })

  const values = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 })
  const listPolicy = fc.record(
    { add: values, default: values, subset_of: values, superset_of: values, value: values, essential: fc.boolean() },
    { requiredKeys: [] },
  )

  /** What section 6.1.3.1 says each operator does, written down apart from the code. */
  const byTheBook = (present: string[] | undefined, policy: Record<string, unknown>): string[] | undefined => {
    const list = (name: string) => policy[name] as string[]
    let value = policy['value'] === undefined ? present : list('value')
    if (policy['add'] !== undefined) value = [...new Set([...(value ?? []), ...list('add')])]
    if (policy['default'] !== undefined) value ??= list('default')
    if (policy['subset_of'] !== undefined) value = value?.filter(each => list('subset_of').includes(each))
    const lacking = value !== undefined && policy['superset_of'] !== undefined
    if (lacking && !list('superset_of').every(each => value?.includes(each))) throw new RangeError('superset_of')
    if (policy['essential'] === true && value === undefined) throw new RangeError('essential')
    return value
  }

  it('do one after another what the merged one does, or less: a subordinate can only narrow', () => {
    fc.assert(
      fc.property(listPolicy, listPolicy, fc.option(values, { nil: undefined }), (above, below, present) => {
        let policy: ReturnType<typeof resolved>
        try {
          policy = resolved({ a: above }, { a: below })
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal)
          return
        }
        const merged = policy[type]?.['a'] as Record<string, unknown>
        const metadata = present === undefined ? {} : { a: present }
        let expected: string[] | undefined | 'refused'
        try {
          expected = byTheBook(present, merged)
        } catch {
          expected = 'refused'
        }
        let got: unknown
        try {
          got = applyPolicy({ [type]: metadata }, policy)[type]?.['a']
        } catch {
          got = 'refused'
        }
        expect(settled(got)).toEqual(settled(expected))
        if (!Array.isArray(got)) return
        // Whatever the superior allows and demands holds for what comes out.
        if (above.subset_of !== undefined) expect(above.subset_of).toEqual(expect.arrayContaining(got))
        if (above.superset_of !== undefined) expect(got).toEqual(expect.arrayContaining(above.superset_of))
        if (above.value !== undefined) expect(settled(got)).toEqual(settled(above.value))
      }),
      { numRuns: 2_000 },
    )
  })

  it('merge the same in whichever order the statements are grouped', () => {
    fc.assert(
      fc.property(listPolicy, listPolicy, listPolicy, (a, b, c) => {
        const merge = (...parts: Parameters[]) => {
          try {
            return settled(Object.entries(resolved(...parts)[type]?.['a'] ?? {}).sort())
          } catch {
            return undefined
          }
        }
        const flat = merge({ a }, { a: b }, { a: c })
        if (flat === undefined) return
        const inner = resolved({ a }, { a: b })[type] as Parameters
        expect(merge(inner, { a: c })).toEqual(flat)
      }),
      { numRuns: 500 },
    )
  })
})
