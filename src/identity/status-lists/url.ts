/** Lists are asked for and kept by their URLs, which others choose: long ones would fill the memory as keys. */
export const urlLengthMost = 2_048

export const isListUrl = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= urlLengthMost && URL.canParse(value)
