/** Requests that were signed beforehand, a line of JSON each: as bytes until they are handed in, so that they take little memory. */
export const openLines = <Line>(bytes: Buffer): { count: number; at(line: number): Line } => {
  const starts = [0]
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) starts.push(at + 1)
  return {
    count: starts.length - 1,
    at: line => JSON.parse(bytes.toString('utf8', starts[line], starts[line + 1])) as Line,
  }
}

/** @throws Error naming the code of what was refused. @param body the answer of `submitBatch` */
export const assertEntered = (body: unknown): void => {
  const { chains } = body as { chains: { outcome: string; code?: string }[][] }
  const refused = chains.flat().find(({ outcome }) => outcome !== 'entered')
  if (refused !== undefined) throw new Error(`a transfer was refused: ${refused.code}`)
}

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0
