import { isRecord, sameJson } from '../../formats/json.ts'
import { policyConflict, policyMalformed, policyViolated } from './refusals.ts'

/** Operators on one parameter of metadata (OpenID Federation 1.0, section 6.1.3). */
export type ParameterPolicy = Readonly<Record<string, unknown>>

type Kind = 'string' | 'number' | 'boolean' | 'array' | 'object' | 'null'

const kindOf = (value: unknown): Kind => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'object' ? 'object' : (typeof value as Kind)
}

const has = (list: readonly unknown[], value: unknown): boolean => list.some(each => sameJson(each, value))
const isSubset = (part: readonly unknown[], whole: readonly unknown[]): boolean => part.every(each => has(whole, each))
const union = (a: readonly unknown[], b: readonly unknown[]): unknown[] => [...a, ...b.filter(each => !has(a, each))]
const intersection = (a: readonly unknown[], b: readonly unknown[]): unknown[] => a.filter(each => has(b, each))

/** Equal as the values of operators are: those that are sets have no order. */
const isSame = (a: unknown, b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) ? isSubset(a, b) && isSubset(b, a) : sameJson(a, b)

type Names = { parameter: string; operator: string }

/** @throws Refusal metadata_policy_violated */
type Apply = (present: unknown, operand: unknown, parameter: string) => unknown

type Operator = {
  /** What its own value may be. */
  kinds: readonly Kind[]
  merge(superior: unknown, subordinate: unknown, names: Names): unknown
  /** Operators it may stand beside, and on which condition; the values are of this operator and of the other. */
  beside: Readonly<Record<string, (own: unknown, other: unknown) => boolean>>
  /** @param present undefined where the parameter is absent. @returns undefined to leave it absent. */
  apply: Apply
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const always = (): boolean => true
const refuseMerge = ({ parameter, operator }: Names) =>
  policyConflict(`Two policies for ${parameter} have different values of ${operator}.`)

const equal = (superior: unknown, subordinate: unknown, names: Names): unknown => {
  if (isSame(superior, subordinate)) return superior
  throw refuseMerge(names)
}

const united = (superior: unknown, subordinate: unknown): unknown => union(listOf(superior), listOf(subordinate))

/** @throws Refusal metadata_policy_violated for a parameter that is no list. */
const presentList = (present: unknown, parameter: string): readonly unknown[] => {
  if (Array.isArray(present)) return present
  throw policyViolated(`${parameter} is not a list, as its policy takes it to be.`)
}

/** Section 6.1.3.1, in the order in which they are applied. */
const operators: Readonly<Record<string, Operator>> = {
  value: {
    kinds: ['string', 'number', 'boolean', 'array', 'object', 'null'],
    merge: equal,
    beside: {
      add: (own, other) => Array.isArray(own) && isSubset(listOf(other), own),
      default: own => own !== null,
      one_of: (own, other) => has(listOf(other), own),
      subset_of: (own, other) => Array.isArray(own) && isSubset(own, listOf(other)),
      superset_of: (own, other) => Array.isArray(own) && isSubset(listOf(other), own),
      essential: (own, other) => own !== null || other !== true,
    },
    apply: (_present, operand) => (operand === null ? undefined : operand),
  },
  add: {
    kinds: ['array'],
    merge: united,
    beside: {
      default: always,
      subset_of: (own, other) => isSubset(listOf(own), listOf(other)),
      superset_of: always,
      essential: always,
    },
    apply: (present, operand, parameter) =>
      present === undefined ? operand : union(presentList(present, parameter), listOf(operand)),
  },
  default: {
    kinds: ['string', 'number', 'boolean', 'array', 'object'],
    merge: equal,
    beside: { one_of: always, subset_of: always, superset_of: always, essential: always },
    apply: (present, operand) => (present === undefined ? operand : present),
  },
  one_of: {
    kinds: ['array'],
    merge(superior, subordinate, names) {
      const common = intersection(listOf(superior), listOf(subordinate))
      if (common.length > 0) return common
      throw refuseMerge(names)
    },
    beside: { essential: always },
    apply(present, operand, parameter) {
      if (present === undefined || has(listOf(operand), present)) return present
      throw policyViolated(`${parameter} is none of the values that its policy allows.`)
    },
  },
  subset_of: {
    kinds: ['array'],
    merge: (superior, subordinate) => intersection(listOf(superior), listOf(subordinate)),
    beside: { superset_of: (own, other) => isSubset(listOf(other), listOf(own)), essential: always },
    apply: (present, operand, parameter) =>
      present === undefined ? undefined : intersection(presentList(present, parameter), listOf(operand)),
  },
  superset_of: {
    kinds: ['array'],
    merge: united,
    beside: { essential: always },
    apply(present, operand, parameter) {
      if (present === undefined || isSubset(listOf(operand), presentList(present, parameter))) return present
      throw policyViolated(`${parameter} lacks values that its policy demands.`)
    },
  },
  essential: {
    kinds: ['boolean'],
    merge: (superior, subordinate) => superior === true || subordinate === true,
    beside: {},
    apply(present, operand, parameter) {
      if (present !== undefined || operand === false) return present
      throw policyViolated(`${parameter} is missing, and its policy says that it is essential.`)
    },
  },
}

export const operatorNames: readonly string[] = Object.keys(operators)

/** Operators of a policy that are understood here, in their order of application. */
const understood = (policy: ParameterPolicy): { name: string; operator: Operator; operand: unknown }[] =>
  Object.entries(operators)
    .filter(([name]) => Object.hasOwn(policy, name))
    .map(([name, operator]) => ({ name, operator, operand: policy[name] }))

/** @throws Refusal metadata_policy_malformed, metadata_policy_conflict for operators that exclude one another */
export const assertParameterPolicy = (policy: ParameterPolicy, parameter: string): void => {
  const found = understood(policy)
  for (const { name, operator, operand } of found) {
    if (operator.kinds.includes(kindOf(operand))) continue
    throw policyMalformed(`The operator ${name} of ${parameter} has a value that it cannot have.`)
  }
  for (const [at, first] of found.entries()) {
    for (const second of found.slice(at + 1)) {
      const allows = first.operator.beside[second.name]
      if (allows?.(first.operand, second.operand) === true) continue
      throw policyConflict(`The operators ${first.name} and ${second.name} of ${parameter} exclude one another.`)
    }
  }
}

/** Section 6.1.4.1, the level of operators. What is not understood is dropped, unless it was critical before. */
export const mergeParameterPolicies = (
  superior: ParameterPolicy,
  subordinate: ParameterPolicy,
  parameter: string,
): ParameterPolicy => {
  const merged: Record<string, unknown> = { ...subordinate, ...superior }
  for (const { name, operator, operand } of understood(superior)) {
    if (!Object.hasOwn(subordinate, name)) continue
    merged[name] = operator.merge(operand, subordinate[name], { parameter, operator: name })
  }
  assertParameterPolicy(merged, parameter)
  return merged
}

/** `scope` is a text of values with spaces between them, and a list to the operators (section 6.1.3.1.8). */
const asList = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(' ').filter(part => part !== '') : value

const fromList = (value: unknown): unknown => (Array.isArray(value) ? value.join(' ') : value)

export const isScope = (parameter: string): boolean => parameter === 'scope'

/** The policy of `scope`, whose values may be written as texts. */
export const scopePolicy = (policy: ParameterPolicy): ParameterPolicy => {
  const { value, default: fallback, ...others } = policy
  return {
    ...others,
    ...(value === undefined ? {} : { value: asList(value) }),
    ...(fallback === undefined ? {} : { default: asList(fallback) }),
  }
}

/**
 * The parameter under its policy (section 6.1.4.2).
 * @returns undefined where it is absent afterwards.
 * @throws Refusal metadata_policy_violated
 */
export const applyParameterPolicy = (present: unknown, policy: ParameterPolicy, parameter: string): unknown => {
  const scope = isScope(parameter)
  const start = scope ? asList(present) : present
  const result = understood(policy).reduce(
    (value, { operator, operand }) => operator.apply(value, operand, parameter),
    start,
  )
  return scope ? fromList(result) : result
}

export const isParameterPolicy = (value: unknown): value is ParameterPolicy => isRecord(value)
