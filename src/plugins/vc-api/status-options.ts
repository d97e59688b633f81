import { statusOptionMalformed, statusValueMalformed } from './errors.ts'
import { messageLengthMost, ownPurposes, type Purpose, purposes, referencesMost, statusSizeMost } from './policy.ts'

export type AskedMessages = readonly { status: string; message: string }[]

/** A status that a credential is to have (Bitstring Status List 1.0, section 2.1), before it has a place. */
export type AskedStatus =
  | { purpose: Purpose }
  | { purpose: 'refresh' }
  | { purpose: 'message'; size: number; messages: AskedMessages; references: string | readonly string[] | undefined }

/** Where nothing is asked for. */
export const usualStatuses: readonly AskedStatus[] = purposes.map(purpose => ({ purpose }))

type Members = Record<string, unknown>

const membersOf = (value: unknown, names: readonly string[], what: string): Members => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw statusOptionMalformed(`${what} is an object.`)
  }
  const stray = Object.keys(value).find(name => !names.includes(name))
  if (stray !== undefined) throw statusOptionMalformed(`${what} has no ${JSON.stringify(stray.slice(0, 80))}.`)
  return value as Members
}

const hexadecimal = /^0x[0-9a-fA-F]{1,2}$/

const messageOf = (value: unknown): { status: number; message: string } => {
  const { status, message } = membersOf(value, ['status', 'message'], 'A statusMessage')
  if (typeof status !== 'string' || !hexadecimal.test(status)) {
    throw statusOptionMalformed('The status of a statusMessage is hexadecimal, as "0x1".')
  }
  if (typeof message !== 'string' || message === '' || message.length > messageLengthMost || !message.isWellFormed()) {
    throw statusOptionMalformed(`The message of a statusMessage is a text of 1 to ${messageLengthMost} characters.`)
  }
  return { status: Number(status), message }
}

/** One message for each value that a status of this size can have, in their order. */
const messagesOf = (value: unknown, size: number): AskedMessages => {
  const detail = `statusMessage names each of the ${2 ** size} statuses that ${size} bits have, once.`
  if (!Array.isArray(value) || value.length !== 2 ** size) throw statusOptionMalformed(detail)
  const messages = value.map(messageOf).sort((a, b) => a.status - b.status)
  if (messages.some(({ status }, at) => status !== at)) throw statusOptionMalformed(detail)
  return messages.map(({ status, message }) => ({ status: `0x${status.toString(16)}`, message }))
}

const isReference = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 2_048 && /^https?:/.test(value) && URL.canParse(value)

const referencesOf = (value: unknown): string | string[] | undefined => {
  if (value === undefined || isReference(value)) return value
  const isList = Array.isArray(value) && value.length > 0 && value.length <= referencesMost
  if (isList && value.every(isReference) && new Set(value).size === value.length) return value
  throw statusOptionMalformed(`statusReference is an http(s) URL, or a list of up to ${referencesMost} different ones.`)
}

const namesOf = {
  plain: ['type', 'statusPurpose'],
  message: ['type', 'statusPurpose', 'statusSize', 'statusMessage', 'statusReference'],
} as const

const readOne = (value: unknown): AskedStatus => {
  const { type = 'BitstringStatusListEntry', statusPurpose } = membersOf(value, namesOf.message, 'credentialStatus')
  if (type !== 'BitstringStatusListEntry') {
    throw statusOptionMalformed('The status of a credential is a BitstringStatusListEntry.')
  }
  const known = [...purposes, ...ownPurposes]
  const purpose = known.find(each => each === statusPurpose)
  if (purpose === undefined) throw statusOptionMalformed(`statusPurpose is one of ${known.join(', ')}.`)
  if (purpose !== 'message') {
    membersOf(value, namesOf.plain, `A status for ${purpose}`)
    return { purpose }
  }
  const { statusSize: size = 1, statusMessage, statusReference } = value as Members
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > statusSizeMost) {
    throw statusOptionMalformed(`statusSize is a whole number from 1 to ${statusSizeMost}.`)
  }
  return { purpose, size, messages: messagesOf(statusMessage, size), references: referencesOf(statusReference) }
}

/**
 * The statuses that a credential is to have: one, or a list with each purpose once.
 * @throws Refusal malformed/status_option_malformed
 */
export const readStatusOptions = (value: unknown): readonly AskedStatus[] => {
  if (value === undefined) return usualStatuses
  const most = purposes.length + ownPurposes.length
  const given: unknown[] = Array.isArray(value) ? value : [value]
  if (given.length === 0 || given.length > most) {
    throw statusOptionMalformed(`credentialStatus is an entry, or a list of 1 to ${most}.`)
  }
  const asked = given.map(readOne)
  if (new Set(asked.map(({ purpose }) => purpose)).size === asked.length) return asked
  throw statusOptionMalformed('A credential has one status for each purpose.')
}

/**
 * The value that a change sets: of a message its status, of other purposes whether it is set.
 * @throws Refusal malformed/status_value_malformed
 */
export const valueFor = (purpose: AskedStatus['purpose'], status: boolean | string | undefined): number => {
  if (purpose !== 'message') {
    if (typeof status === 'string') throw statusValueMalformed()
    return status === false ? 0 : 1
  }
  if (typeof status !== 'string' || !hexadecimal.test(status)) throw statusValueMalformed()
  return Number(status)
}
