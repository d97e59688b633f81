import type { Identity } from '../kernel/identity.ts'
import type { IssuerKey } from './issue.ts'
import type { KeyInfo, Keys } from './keys.ts'

/** The key that signs now. A process that runs follows a rotation that another one made. */
export type CurrentKey = {
  /** As it was when last looked at. */
  key(): IssuerKey
  /** Asks the key store, which knows within seconds; awaited before something is signed. */
  look(): Promise<void>
}

export type CurrentKeyNeeds = {
  keys: Pick<Keys, 'byAlias'>
  alias: string
  /** The name that our DID document gives the key; rejects while it has none. */
  nameOf(key: KeyInfo): Promise<IssuerKey>
}

/** @throws Error when there is no key of the alias, or the DID document does not name it. */
export const openCurrentKey = async ({ keys, alias, nameOf }: CurrentKeyNeeds): Promise<CurrentKey> => {
  const first = await keys.byAlias(alias)
  if (first === undefined) throw new Error(`there is no active key ${alias}`)
  let current = await nameOf(first)
  let changing: Promise<void> | undefined

  const change = async (next: KeyInfo): Promise<void> => {
    try {
      current = await nameOf(next)
    } catch {
      // Our view of the chain does not show it yet. What it signed now would not verify here; what the old one signs does.
    }
  }
  return {
    key: () => current,
    async look() {
      const active = await keys.byAlias(alias)
      if (active === undefined || active.keyId === current.keyId) return
      changing ??= change(active).finally(() => {
        changing = undefined
      })
      await changing
    },
  }
}

/** The identity, which looks for the key that signs now before it signs. */
export const withCurrentKey = (identity: Identity, { look }: CurrentKey): Identity => ({
  ...identity,
  async issue(request) {
    await look()
    return identity.issue(request)
  },
  async bitstringList(list) {
    await look()
    return identity.bitstringList(list)
  },
  async bitstringListWithProof(list) {
    await look()
    return identity.bitstringListWithProof(list)
  },
  async tokenList(list) {
    await look()
    return identity.tokenList(list)
  },
  async tokenListCwt(list) {
    await look()
    return identity.tokenListCwt(list)
  },
})
