/** Content negotiation (RFC 9110, section 12.5.1). */

type Range = { type: string; subtype: string; quality: number }

const rangeForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\/([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/
const qualityForm = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/
const rangesMost = 50

/** Parameters of a type other than its weight are not told apart here. */
const readRange = (text: string): Range | undefined => {
  const [name = '', ...parameters] = text.split(';').map(part => part.trim())
  const [, type, subtype] = rangeForm.exec(name.toLowerCase()) ?? []
  const weight = parameters.find(each => /^q=/i.test(each))?.slice(2)
  if (type === undefined || subtype === undefined) return undefined
  if (weight !== undefined && !qualityForm.test(weight)) return undefined
  return { type, subtype, quality: Number(weight ?? 1) }
}

const readRanges = (header: string): Range[] =>
  header
    .split(',')
    .slice(0, rangesMost)
    .flatMap(text => readRange(text) ?? [])

/** 3 for the very type, 2 for its family, 1 for anything. */
const fitOf = (range: Range, offered: string): number => {
  const [type, subtype] = offered.split('/')
  if (range.type === type && range.subtype === subtype) return 3
  if (range.type === type && range.subtype === '*') return 2
  return range.type === '*' && range.subtype === '*' ? 1 : 0
}

const qualityOf = (ranges: readonly Range[], offered: string): number => {
  let fit = 0
  let quality = 0
  for (const range of ranges) {
    const found = fitOf(range, offered)
    if (found > fit) [fit, quality] = [found, range.quality]
  }
  return quality
}

/**
 * The offered media type that the header prefers; the first of those it likes as well.
 * @returns undefined when it accepts none of them.
 */
export const preferred = <Type extends string>(
  header: string | undefined,
  offered: readonly [Type, ...Type[]],
): Type | undefined => {
  const ranges = header === undefined || header.trim() === '' ? [] : readRanges(header)
  if (ranges.length === 0) return offered[0]
  let best: { type: Type; quality: number } | undefined
  for (const type of offered) {
    const quality = qualityOf(ranges, type)
    if (quality > (best?.quality ?? 0)) best = { type, quality }
  }
  return best?.type
}
