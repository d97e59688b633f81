type Tree = { type?: string; all?: Tree[]; any?: Tree[] }
type Requires = { by: string; scope?: string; param?: string; of?: Tree; parties?: Record<string, { of: Tree }> }

const treeInWords = ({ type, all, any }: Tree): string => {
  if (type !== undefined) return `\`${type}\``
  const parts = new Set((all ?? any ?? []).map(treeInWords))
  return [...parts].join(all === undefined ? ' or ' : ' and ')
}

/** Who may call, as the README says it, from an operation's `x-requires`. */
export const inWords = (requires: Requires): string => {
  const { by, scope, param, of = {}, parties = {} } = requires
  if (by === 'staff') return `staff with \`${scope}\``
  if (by === 'citizen') return 'the citizen'
  if (by === 'known') return 'whoever has proved who they are'
  if (by === 'agency') return 'an accredited institution'
  if (by === 'holder') return `holders of ${treeInWords(of)}`
  if (by === 'parties')
    return Object.entries(parties)
      .map(([name, part]) => `${name}: ${treeInWords(part.of)}`)
      .join('; ')
  return by === 'cases' ? `as the ${param} says` : 'anyone'
}
