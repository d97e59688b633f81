/** What the chain tells the operator. pino's logger is one. */
export type Log = {
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}

export const silent: Log = { info: () => undefined, warn: () => undefined }
