import { expect } from '@jest/globals'
import { resolveTrustChains } from '@openid-federation/core'
import { createDID, resolveDIDFromLog, updateDID } from 'didwebvh-ts'
import { readLog } from '../../src/identity/did-webvh/log.ts'
import { newKey } from '../identity/did-webvh/maker.ts'
import { type DIDLog, linesOf, parsed, Theirs, verifier } from '../identity/did-webvh/theirs.ts'
import { verifyJwtCallback, writtenByLibrary } from '../identity/federation/theirs.ts'
import { openNation } from '../identity/federation/world.ts'
import type { Cells, Group } from './cells.ts'
import { nation } from './nation.ts'

/** Who somebody is, and who stands for them: logs of did:webvh and chains of OpenID Federation. */

const webvhCells: Cells = {
  'our issuer, their verifier': async () => {
    const { authority, world } = await nation()
    const log = await (await fetch(`${authority}/did.jsonl`)).text()
    const { did, doc } = await resolveDIDFromLog(parsed(log), { verifier })
    const ours = await world.resolve(did)
    expect(did).toMatch(/^did:webvh:.*:transport-authority$/)
    expect((doc as typeof ours).assertionMethod).toEqual(ours.assertionMethod)
    const forged = parsed(log.replaceAll('assertionMethod', 'keyAgreement'))
    await expect(resolveDIDFromLog(forged, { verifier })).rejects.toThrow()
  },
  'their issuer, our verifier': async () => {
    const [key, next] = [newKey(), newKey()]
    const made = await createDID({
      ...{ address: 'example.com', signer: new Theirs(key), verifier, updateKeys: [key.multikey] },
      verificationMethods: [{ type: 'Multikey', publicKeyMultibase: next.multikey, purpose: 'assertionMethod' }],
    })
    const { log } = await updateDID({
      ...{ log: made.log, signer: new Theirs(key), verifier, updateKeys: [next.multikey] },
      alsoKnownAs: ['did:web:example.com'],
    })
    const now = Date.now()
    const { versions, failure } = await readLog(linesOf(log), { now })
    expect([failure, versions.at(-1)?.document]).toEqual([undefined, log.at(-1)?.state])
    const forged = (log as DIDLog).map((entry, at) => (at === 1 ? { ...entry, state: made.doc } : entry))
    expect((await readLog(linesOf(forged), { now })).failure).toMatchObject({ code: 'did_log_proof' })
  },
}

const issuer = 'openid_credential_issuer'

/** Every accredited agency stands below the root as soon as the chain has said so. */
const chainFor = async (entityId: string, anchor: string) => {
  for (let tries = 0; tries < 40; tries += 1) {
    const found = await resolveTrustChains({ entityId, trustAnchorEntityIds: [anchor], verifyJwtCallback })
    if (found[0] !== undefined) return found[0]
    await new Promise(done => setTimeout(done, 250))
  }
  throw new Error('their library finds no chain')
}

const federationCells: Cells = {
  'our issuer, their verifier': async () => {
    const { authority } = await nation()
    const anchor = authority.replace('transport-authority', 'root-authority')
    const { chain, resolvedLeafMetadata } = await chainFor(authority, anchor)
    expect(chain.map(({ iss }) => iss)).toContain(anchor)
    expect(resolvedLeafMetadata).toHaveProperty([issuer])
    const strange = { entityId: authority, trustAnchorEntityIds: [`${authority}-2`], verifyJwtCallback }
    expect(await resolveTrustChains(strange)).toEqual([])
  },
  'their issuer, our verifier': async () => {
    const abroad = await openNation(Math.floor(Date.now() / 1_000) * 1_000)
    try {
      const own = { client_registration_types_supported: [] }
      const [anchor, middle, leaf, other] = [
        ...[abroad.add('anchor'), abroad.add('middle')],
        ...[abroad.add('leaf', { metadata: { [issuer]: own } }), abroad.add('other')],
      ] as const
      abroad.subordinate(anchor, middle, { metadata_policy: { [issuer]: { contacts: { add: ['help@example.org'] } } } })
      abroad.subordinate(middle, leaf)
      for (const entity of [anchor, middle, leaf, other]) await writtenByLibrary(entity)
      const { metadata } = await abroad.federation([anchor]).resolve(leaf.id)
      expect(metadata[issuer]).toEqual({ ...own, contacts: ['help@example.org'] })
      await expect(abroad.federation([other]).resolve(leaf.id)).rejects.toThrow()
    } finally {
      await abroad.close()
    }
  },
}

export const trust: Group = {
  rows: [
    {
      ...{ format: '`did:webvh`', protocol: 'did:webvh 1.0, DID Resolution', libraries: ['didwebvh-ts'] },
      cells: webvhCells,
    },
    {
      ...{ format: 'trust chain', protocol: 'OpenID Federation 1.0', libraries: ['@openid-federation/core'] },
      cells: federationCells,
    },
  ],
}
