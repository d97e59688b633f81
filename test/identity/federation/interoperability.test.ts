import { resolveTrustChains } from '@openid-federation/core'
import { verifyJwtCallback, writtenByLibrary } from './theirs.ts'
import { jwksOf, type Nation, newKey, openNation } from './world.ts'

let nation: Nation
beforeEach(async () => {
  nation = await openNation(Math.floor(Date.now() / 1_000) * 1_000)
})
afterEach(() => nation.close())

const issuer = 'openid_credential_issuer'
/** The library asks this of every issuer, as of an OpenID provider. */
const own = { client_registration_types_supported: [] }
const policy = { [issuer]: { contacts: { add: ['help@example.org'] } } }

const world = () => {
  const anchor = nation.add('anchor')
  const middle = nation.add('middle')
  const leaf = nation.add('leaf', { metadata: { [issuer]: own } })
  nation.subordinate(anchor, middle, { metadata_policy: policy })
  nation.subordinate(middle, leaf)
  return { anchor, middle, leaf }
}

describe('with @openid-federation/core', () => {
  it('statements that it writes lead our resolution to the anchor', async () => {
    const { anchor, middle, leaf } = world()
    for (const entity of [anchor, middle, leaf]) await writtenByLibrary(entity)
    const chain = await nation.federation([anchor]).resolve(leaf.id)
    expect(chain.metadata[issuer]).toEqual({ ...own, contacts: ['help@example.org'] })
    expect(chain.statements).toHaveLength(4)
  })

  it('a statement that it writes under another key is refused', async () => {
    const { anchor, middle, leaf } = world()
    leaf.configuration['jwks'] = jwksOf(leaf.key)
    leaf.key = { ...newKey('key-of-leaf'), jwk: leaf.key.jwk }
    for (const entity of [anchor, middle, leaf]) await writtenByLibrary(entity)
    await expect(nation.federation([anchor]).resolve(leaf.id)).rejects.toMatchObject({ code: 'statement_signature' })
  })

  it('finds the same chain as we do', async () => {
    const { anchor, leaf } = world()
    const chain = await nation.federation([anchor]).resolve(leaf.id)
    const options = { entityId: leaf.id, trustAnchorEntityIds: [anchor.id], verifyJwtCallback }
    const [theirs] = await resolveTrustChains(options)
    expect((theirs?.resolvedLeafMetadata as Record<string, unknown> | undefined)?.[issuer]).toEqual(
      chain.metadata[issuer],
    )
    expect(theirs?.chain).toHaveLength(3)
  })
})
