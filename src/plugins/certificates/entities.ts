import { EntitySchema } from 'typeorm'

const text = { type: 'text' } as const
const integer = { type: 'bigint' } as const

/** Certificates that the agency's own authority made: for what, the digest of what they say, and which renewal it is. */
export const certificateEntity = new EntitySchema({
  name: 'certificates',
  columns: {
    role: { ...text, primary: true },
    contents: { ...text, primary: true },
    version: { ...integer, primary: true },
    der: { type: 'blob' },
    valid_until: integer,
  },
})

export const entities = [certificateEntity]

/** How long rows are kept, in the words of the store's retention rules. */
export const retention = [
  { table: 'certificates', keep: 'forever', why: 'A few rows a year; what was signed under one names it for years.' },
] as const
