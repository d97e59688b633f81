import { isRecord, readJson } from '../formats/json.ts'
import { expired, malformed, untimely } from './refusals.ts'

/** A plaintext message (DIDComm v2.1, Plaintext Message Structure), its times in milliseconds. */
export type PlainMessage = {
  id: string
  type: string
  from: string | undefined
  to: readonly string[]
  thid: string
  pthid: string | undefined
  created: number | undefined
  expires: number | undefined
  /** Whether what answers it goes back on the connection that it came on (Return Route 1.0). */
  returnRoute: boolean
  body: Readonly<Record<string, unknown>>
  attachments: readonly Attachment[]
}

export type Attachment = {
  id: string | undefined
  format: string | undefined
  mediaType: string | undefined
  /** JSON, by value or in base64; undefined for what is only linked to. */
  json: unknown
}

const idMost = 255
const attachmentsMost = 64
const skewMs = 5 * 60_000
/** Messages that say when they were made count this long at most: so long it is remembered which have come. */
export const ageMostMs = 29 * 24 * 60 * 60_000

/** Without control characters, some of which PostgreSQL takes in no text. */
const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= idMost && /^[^\p{Cc}\p{Cs}]+$/u.test(value)
const isDid = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 4_096 && /^did:[a-z0-9]+:[^\s#]+$/.test(value)

/** Seconds; Veramo's agents write a date. */
const timeOf = (value: unknown, name: string): number | undefined => {
  if (value === undefined || value === null) return undefined
  const milliseconds = typeof value === 'string' ? Date.parse(value) : Number(value) * 1_000
  const isTime = typeof value === 'string' ? /^\d{4}-/.test(value) : Number.isSafeInteger(value)
  if (isTime && milliseconds >= 0 && milliseconds < 8.64e15) return milliseconds
  throw malformed(`${name} is a whole number of seconds.`)
}

const jsonOf = (data: unknown): unknown => {
  const { json, base64 } = isRecord(data) ? data : {}
  if (json !== undefined) return json
  if (typeof base64 !== 'string') return undefined
  const text = Buffer.from(base64, 'base64').toString('utf8')
  try {
    return readJson(text, 'attachment')
  } catch {
    // A compact JWS, for instance, is no JSON text, and stands for itself; so does what is nested too deep to be walked.
    return text
  }
}

const attachmentsOf = (value: unknown): Attachment[] => {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > attachmentsMost) {
    throw malformed(`A message has up to ${attachmentsMost} attachments.`)
  }
  return value.map(each => {
    const { id, format, media_type: mediaType, data } = isRecord(each) ? each : {}
    const text = (given: unknown) => (typeof given === 'string' && given.length <= idMost ? given : undefined)
    return { id: text(id), format: text(format), mediaType: text(mediaType), json: jsonOf(data) }
  })
}

/** @throws Refusal didcomm_malformed, didcomm_expired, didcomm_untimely */
export const readMessage = (value: unknown, now: number): PlainMessage => {
  if (!isRecord(value)) throw malformed('A message is a JSON object.')
  const { id, type, typ, from, to = [], thid, pthid, body = {}, attachments } = value
  if (!isId(id)) throw malformed('id of a message is a text of up to 255 characters.')
  if (typeof type !== 'string' || type.length > idMost || !/^\S+\/[\w.-]+$/.test(type)) {
    throw malformed('type of a message is the URI of its kind.')
  }
  if (typ !== undefined && typ !== 'application/didcomm-plain+json' && typ !== 'didcomm-plain+json') {
    throw malformed('typ of a plaintext message is application/didcomm-plain+json.')
  }
  if (from !== undefined && !isDid(from)) throw malformed('from is a DID without a fragment.')
  const recipients = Array.isArray(to) ? to : [to]
  if (recipients.length > 20 || !recipients.every(isDid)) throw malformed('to is a list of DIDs.')
  for (const thread of [thid, pthid]) if (thread !== undefined && !isId(thread)) throw malformed('A thread is an id.')
  if (!isRecord(body ?? {})) throw malformed('body is a JSON object.')
  const [created, expires] = [
    timeOf(value['created_time'], 'created_time'),
    timeOf(value['expires_time'], 'expires_time'),
  ]
  if (expires !== undefined && expires <= now) throw expired()
  if (created !== undefined && created > now + skewMs) throw untimely()
  if (created !== undefined && created <= now - ageMostMs) throw expired()
  return {
    ...{ id, type, from, to: recipients, created, expires, body: isRecord(body) ? body : {} },
    ...{ thid: (thid as string | undefined) ?? id, pthid: pthid as string | undefined },
    returnRoute: value['return_route'] === 'all' || value['return_route'] === 'thread',
    attachments: attachmentsOf(attachments),
  }
}
