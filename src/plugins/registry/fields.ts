import type { ProvenCredential } from '../../kernel/gate.ts'
import type { AttachmentRule, Definition } from './definition.ts'
import { attachmentMissing, attachmentType, attachmentUnexpected, fieldFromClaims, fieldFromOfficer } from './errors.ts'
import { type Fields, valuesAt } from './extract.ts'

/** What an applicant may write, and what their credentials say for them. Pure. */

type Matched = Readonly<Record<string, ProvenCredential>>

/**
 * The fields of an application: what the applicant wrote, and what the credentials say. A field of the credentials'
 * that was written nevertheless is refused, and not overwritten in silence.
 * @throws Refusal field_from_claims, field_from_officer
 */
export const applicationFields = (definition: Definition, written: Fields, matched: Matched): Fields => {
  const sources = definition.apply?.fromClaims ?? {}
  const claimed = Object.keys(written).find(name => Object.hasOwn(sources, name))
  if (claimed !== undefined) throw fieldFromClaims(claimed)
  const reserved = Object.keys(written).find(name => definition.decide.fields.includes(name))
  if (reserved !== undefined) throw fieldFromOfficer(reserved)
  const fields: Record<string, unknown> = { ...written }
  for (const [name, from] of Object.entries(sources)) {
    const [value] = from.flatMap(({ credential, path }) => valuesAt(matched[credential]?.claims, path))
    if (value !== undefined) fields[name] = value
  }
  return fields
}

export type Attachment = { name: string; mediaType: string; sha256: string; bytes: number }

/** @throws Refusal attachment_unexpected, attachment_type, attachment_missing */
export const assertAttachments = (rules: readonly AttachmentRule[], given: readonly Attachment[]): void => {
  for (const { name, mediaType } of given) {
    const rule = rules.find(each => each.name === name)
    if (rule === undefined || given.filter(each => each.name === name).length > 1) throw attachmentUnexpected(name)
    if (!rule.mediaTypes.includes(mediaType)) throw attachmentType(name)
  }
  const missing = rules.find(rule => rule.required && !given.some(({ name }) => name === rule.name))
  if (missing !== undefined) throw attachmentMissing(missing.name)
}
