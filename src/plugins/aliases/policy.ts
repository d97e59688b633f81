import type { CredentialQuery, Requirement } from '../../kernel/requirement.ts'
import { aliasMalformed } from './errors.ts'

export const aliasKinds = ['national-id', 'phone'] as const
export type AliasKind = (typeof aliasKinds)[number]

const identity = {
  id: 'identity',
  type: 'NationalIdentity',
  reads: [['personalAdministrativeNumber'], ['givenName'], ['familyName']],
  obtain: 'The civil authority issues it.',
} as const satisfies CredentialQuery

const asker = {
  id: 'identity',
  type: 'NationalIdentity',
  reads: [['personalAdministrativeNumber']],
  obtain: 'The civil authority issues it.',
} as const satisfies CredentialQuery

export const requires = {
  /** Who asks: the payer's institution, or the payer. */
  ask: {
    by: 'cases',
    param: 'asker',
    cases: { institution: { by: 'agency' }, citizen: { by: 'holder', of: asker } },
  },
  /** Whose alias it is: a national id is proven by its credential; a phone, for which there is none, is vouched for by a bank. */
  own: {
    by: 'cases',
    param: 'kind',
    cases: { 'national-id': { by: 'holder', of: identity }, phone: { by: 'agency' } },
  },
  resolve: { by: 'agency' },
} as const satisfies Record<string, Requirement>

/** Institutions that have customers: of these types they are accredited for one. Others neither ask nor vouch. */
export const bankTypes = ['KycAttestation'] as const

/**
 * The form in which an alias is blinded. A phone number is E.164 (`+`, up to 15 digits), so spaces, dots, hyphens and brackets fall
 * away; a national id is as its credential writes it, because two numbers that differ in a hyphen may be two people's.
 * @throws Refusal malformed/alias_malformed
 */
export const canonicalAlias = (kind: AliasKind, alias: string): string => {
  const text = kind === 'phone' ? alias.replace(/[ .()-]/g, '') : alias.trim()
  const form = kind === 'phone' ? /^\+[1-9][0-9]{6,14}$/ : /^[A-Za-z0-9][A-Za-z0-9 ./-]{0,63}$/
  if (!form.test(text)) throw aliasMalformed(kind)
  return text
}

const initialOf = (name: string): string => {
  const [letter] = name.normalize('NFC').match(/\p{L}/u) ?? []
  // The capital of one letter may be two (ß, ŉ).
  return letter?.toUpperCase().match(/\p{L}/u)?.[0] ?? '*'
}

/**
 * What a payer is shown of a payee: the first letter of the given names, three stars, and the first letter of the family name with
 * a full stop, both as capitals: `A*** B.` The length of neither name shows; a name without a letter shows as a star.
 */
export const maskName = (name: { given: string; family: string }): string =>
  `${initialOf(name.given)}*** ${initialOf(name.family)}.`

/** Whether a text could have come out of `maskName`, so that no more of a name is kept than the rule shows. */
export const isMasked = (text: string): boolean => {
  const [, given, family] = /^(\p{L}|\*)\*{3} (\p{L}|\*)\.$/u.exec(text) ?? []
  return given !== undefined && family !== undefined && text === maskName({ given, family })
}

/** Initials as often as they begin names; a nation whose names are written otherwise puts its own here. */
export const initials = 'AAAAAAABBBBCCCCDDDDEEEFFFGGGHHHIIJJJJKKKKLLLLMMMMMMMNNNOOPPPQRRRRSSSSSSTTTTUVVWWYYZ'

/** The masked name of nobody, which an alias that is not registered is answered with; always the same for the same bytes. */
export const decoyName = (bytes: Uint8Array, from: string = initials): string => {
  const letters = [...from]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const pick = (at: number): string => letters[view.getUint32(at) % letters.length] ?? '*'
  return maskName({ given: pick(0), family: pick(4) })
}

export type AliasAct = 'evaluation' | 'lookup' | 'registration'
export type Limits = Readonly<Record<'institution' | 'citizen', Readonly<Record<AliasAct, number>>>>

/**
 * What one caller may do in one day (UTC). At the rate of an institution 10^8 phone numbers take more than five years to try; a
 * citizen pays a few people a day. A person counts as one, whichever credential or key they come with.
 */
export const limits: Limits = {
  institution: { evaluation: 50_000, lookup: 50_000, registration: 50_000 },
  citizen: { evaluation: 40, lookup: 20, registration: 10 },
}

export const dayMs = 86_400_000
/** Within which a payment address is used. */
export const addressLifeMs = 10 * 60_000
/** A registration lapses unless it is repeated: phone numbers pass to other people. */
export const aliasLifeMs = 365 * dayMs
