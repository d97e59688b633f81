import { getBitstringStatusList } from '../../../src/plugins/credentials/actions/publish.ts'
import type { CredentialsNeeds } from '../../../src/plugins/credentials/needs.ts'
import { openWorld } from '../../identity/world.ts'

const { published } = openWorld()
const needs = {
  identity: { bitstringList: published.bitstring, bitstringListWithProof: published.bitstringWithProof },
} as unknown as CredentialsNeeds

const answerTo = (accept: string | undefined, list = '0') =>
  getBitstringStatusList(needs, {
    ...{ caller: { kind: 'anonymous' }, params: { list }, query: {}, body: undefined, publicUrl: '' },
    headers: accept === undefined ? {} : { accept },
  } as unknown as Parameters<typeof getBitstringStatusList>[1])

describe('the Bitstring Status List of an agency', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'application/vc+jwt'],
    ['*/*', 'application/vc+jwt'],
    ['application/*;q=0.5', 'application/vc+jwt'],
    ['text/html', 'application/vc+jwt'],
    ['application/vc+jwt, application/vc, application/json;q=0.7', 'application/vc+jwt'],
    ['application/vc', 'application/vc'],
    ['Application/VC ; Q=0.3', 'application/vc'],
    ['application/ld+json, application/json', 'application/ld+json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['application/vc;q=0.5, */*', 'application/vc+jwt'],
    ['application/vc+jwt;q=0.1, application/vc', 'application/vc'],
    ['application/vc;q=0, application/vc+jwt;q=0', 'application/vc+jwt'],
    ['application/vc;q=lots, application/json;q=0.1', 'application/json'],
  ])('is sent to those who accept %s as %s', async (accept, type) => {
    const { contentType, body, headers } = await answerTo(accept)
    expect([contentType, headers?.['vary']]).toEqual([type, 'accept'])
    if (type === 'application/vc+jwt') expect(body).toEqual(expect.stringMatching(/^eyJ/))
    else expect(body).toMatchObject({ issuer: expect.any(String), proof: { cryptosuite: 'ecdsa-rdfc-2019' } })
  })

  it('is none where no list is open, in either form', async () => {
    for (const accept of ['*/*', 'application/vc']) {
      await expect(answerTo(accept, '40')).rejects.toMatchObject({ code: 'status_list_unknown' })
    }
  })
})
