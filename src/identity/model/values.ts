/** Values of single members, judged by their text alone: URLs, points in time, languages, media types. */

const urlLengthMost = 1_048_576
// RFC 3986, section 4.3, with the characters of RFC 3987: a scheme and something after it, no space, no delimiter.
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]+$/
const did = /^did:[a-z0-9]+:[A-Za-z0-9._:%-]+(?:[/?#][^\s<>"{}|\\^`]*)?$/

/** An absolute URL (VC Data Model 2.0, section 4.4): with a scheme, a DID (URL) among them; never a blank node. */
export const isUrl = (value: unknown): value is string => {
  if (typeof value !== 'string' || value.length > urlLengthMost) return false
  if (value.startsWith('did:')) return did.test(value)
  return absolute.test(value) && (value.startsWith('data:') || URL.canParse(value))
}

/** `dateTimeStamp` of XML Schema 1.1 part 2, section 3.4.28; its time zone is the last group. */
const stamp =
  /^(-?(?:[1-9]\d{3,}|0\d{3}))-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d+)?|(24:00:00)(?:\.0+)?)(Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))?$/

const stampLengthMost = 64

const offsetMinutes = (zone: string | undefined): number => {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return zone.startsWith('-') ? -minutes : minutes
}

/**
 * Milliseconds of a `dateTimeStamp`; `undefined` when it is none, or beyond what a clock here can say (± 270,000 years).
 * @param zoned false: a missing time zone means UTC (VC Data Model 1.1, and 2.0, section 5.8).
 */
export const timeOf = (value: unknown, zoned = true): number | undefined => {
  if (typeof value !== 'string' || value.length > stampLengthMost) return undefined
  const [, year, month, day, hour = '24', minute = '0', second = '0', fraction, , zone] = stamp.exec(value) ?? []
  if (year === undefined || (zoned && zone === undefined)) return undefined
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  // A day that its month does not have comes out as another one.
  if (date.getUTCDate() !== Number(day)) return undefined
  const milliseconds = fraction === undefined ? 0 : Number(fraction.slice(1, 4).padEnd(3, '0'))
  const minutes = Number(hour) * 60 + Number(minute) - offsetMinutes(zone)
  const time = date.getTime() + minutes * 60_000 + Number(second) * 1_000 + milliseconds
  return Math.abs(time) > 8.64e15 ? undefined : time
}

const tagLengthMost = 128
// RFC 5646, section 2.1: langtag and privateuse.
const languageTag =
  /^(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?|x(?:-[a-z\d]{1,8})+)$/i
/** The irregular ones of `grandfathered`; the regular ones have the shape of a langtag. */
const grandfathered = new Set(
  'en-gb-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao i-tay i-tsu sgn-be-fr sgn-be-nl sgn-ch-de'.split(
    ' ',
  ),
)

/** A well-formed `Language-Tag` of BCP 47 (RFC 5646, section 2.2.9). */
export const isLanguageTag = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length <= tagLengthMost &&
  (languageTag.test(value) || grandfathered.has(value.toLowerCase()))

// RFC 6838, section 4.2, and parameters as RFC 9110, section 5.6.6, writes them.
const mediaType =
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}(?:[ \t]*;[ \t]*[a-z0-9!#$%&'*+.^_`|~-]+=(?:[a-z0-9!#$%&'*+.^_`|~-]+|"[^"\\]*"))*$/i

export const isMediaType = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 1_024 && mediaType.test(value)
