import type { PayeeCredential } from '../../purpose/policy.ts'

/**
 * What a payee is classed by, as `scheme:value`: the class of its licence, its profession, and its activities, which
 * say what goods it deals in. Codes of a classification (NACE, ISIC, ISCO-08) are digits alone, and a shorter one
 * stands for all below it: `NACE-2.1:47` is all of retail trade, `NACE-2.1:4711` one class of it.
 */
export type PayeeClass = string

/** How a payee qualifies: a credential of this type in one of these classes; without classes the type alone does. */
export type Admission = { credentialType: PayeeCredential; classes: readonly PayeeClass[] }

const classified = ['NACE-2', 'NACE-2.1', 'ISIC-4', 'ISIC-5'] as const
/** Where a shorter code stands for the longer ones that it begins. */
const hierarchies: ReadonlySet<string> = new Set([...classified, 'ISCO-08'])

const schemes: Record<PayeeCredential, ReadonlySet<string>> = {
  BusinessLicence: new Set(['licence-class', ...classified]),
  ProfessionalLicence: new Set(['profession', 'ISCO-08']),
}

const split = (of: PayeeClass): { scheme: string; value: string } => {
  const at = of.indexOf(':')
  return { scheme: of.slice(0, at), value: of.slice(at + 1) }
}

/** Whether a credential of the type can ever be of the class. */
export const isPossible = (credentialType: PayeeCredential, of: PayeeClass): boolean => {
  const { scheme, value } = split(of)
  if (!schemes[credentialType].has(scheme)) return false
  if (!hierarchies.has(scheme)) return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(value)
  // Activities begin with a division of two digits, occupations with a major group of one.
  return (scheme === 'ISCO-08' ? /^[0-9]{1,4}$/ : /^[0-9]{2,4}$/).test(value)
}

/** `G47.11`, `47.11` and `4711` are one code: the section's letter follows from the division. */
const digitsOf = (code: string): string => code.replace(/[^0-9]/g, '')

type Claims = Readonly<Record<string, unknown>>
type Activity = { scheme?: unknown; code?: unknown }

/** The classes that a credential's claims come to. */
export const classesOf = (credentialType: PayeeCredential, claims: Claims): PayeeClass[] => {
  const found = new Set<PayeeClass>()
  const add = (scheme: string, value: unknown): void => {
    if (typeof value !== 'string') return
    found.add(`${scheme}:${hierarchies.has(scheme) ? digitsOf(value) : value}`)
  }
  if (credentialType === 'ProfessionalLicence') {
    add('profession', claims['profession'])
    add('ISCO-08', claims['occupationCode'])
  } else {
    add('licence-class', claims['licenceClass'])
    const activities = Array.isArray(claims['activities']) ? (claims['activities'] as Activity[]) : []
    for (const { scheme, code } of activities) {
      if (classified.some(each => each === scheme)) add(String(scheme), code)
    }
  }
  return [...found].filter(each => isPossible(credentialType, each))
}

const isWithin = (held: PayeeClass, wanted: PayeeClass): boolean => {
  if (held === wanted) return true
  const { scheme, value } = split(wanted)
  const own = split(held)
  return hierarchies.has(scheme) && own.scheme === scheme && own.value.startsWith(value)
}

/** Whether who holds a credential of this type, in these classes, is one of those whom a programme pays. */
export const admits = (
  payees: readonly Admission[],
  held: { credentialType: string; classes: readonly PayeeClass[] },
): boolean =>
  payees.some(
    ({ credentialType, classes }) =>
      credentialType === held.credentialType &&
      (classes.length === 0 || classes.some(wanted => held.classes.some(each => isWithin(each, wanted)))),
  )
