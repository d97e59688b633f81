import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from '@jest/globals'
import { createHeaderAndPayload, getListFromStatusListJWT, StatusList } from '@sd-jwt/jwt-status-list'
import { evmStatusEntry } from '../../src/identity/formats/w3c.ts'
import { presentCredential, verifyPresentation } from '../../src/identity/present.ts'
import { openForeignLists } from '../../src/identity/status-lists/foreign.ts'
import { readTokenReference } from '../../src/identity/status-lists/token.ts'
import { verifyCredential } from '../../src/identity/verify.ts'
import { Refusal } from '../../src/kernel/refusal.ts'
import {
  addressOf,
  audience,
  baseUrl,
  chain,
  jws,
  openWallet,
  openWorld,
  registry,
  type World,
} from '../identity/world.ts'
import type { Cells, Group } from './cells.ts'
import { challenge } from './ours.ts'

/** SD-JWT VC and Token Status List with the libraries of the OpenWallet Foundation. */

const open = () => {
  const world = openWorld()
  return { world, theirs: openWallet(world.transport, world.holder, () => world.published.token(0)) }
}
type Pair = ReturnType<typeof open>

const weIssue = async ({ world }: Pair): Promise<string> => (await world.issue({ format: 'dc+sd-jwt' })).compact

const pointerOf = (world: World, index: number) => ({
  ...{ chain, registry, list: 0, index },
  issuer: addressOf(world.transport),
})

const theyIssue = ({ world, theirs }: Pair): Promise<string> => {
  const { id: _id, ...claims } = world.subjectOf('DrivingLicence')
  const { transport, holder } = world
  const payload = {
    ...{ iss: transport.did, sub: holder.did, vct: 'urn:chancery:vct:driving-licence:1' },
    ...{ iat: world.clock.now() / 1_000, cnf: { jwk: holder.jwk } },
    status: {
      status_list: { idx: 0, uri: `${baseUrl}/status/token/0` },
      evm_status: evmStatusEntry(pointerOf(world, 0)),
    },
    ...claims,
  }
  const frame = { _sd: ['familyName', 'givenName', 'birthDate'], _sd_decoy: 3 }
  return theirs.issue(payload as never, frame as never, { header: { kid: transport.kid } })
}

const wePresent = ({ world }: Pair, compact: string): Promise<string> => {
  const to = { audience, challenge, claims: ['familyName'] }
  return presentCredential({ compact, format: 'dc+sd-jwt' }, to, world.holder, world.signer, world.clock.now())
}

const theyPresent = ({ world, theirs }: Pair, compact: string): Promise<string> => {
  const kb = { payload: { iat: world.clock.now() / 1_000, aud: audience, nonce: challenge } }
  return theirs.present(compact, { familyName: true } as never, { kb })
}

const presentedHere = async ({ world }: Pair, shown: string): Promise<void> => {
  const judged = (asked: string) => verifyPresentation(shown, world.verify, { challenge: asked, audience: [audience] })
  const { refusal, claims } = await judged(challenge)
  expect(refusal).toBeUndefined()
  expect(claims).toMatchObject({ familyName: 'Okafor' })
  expect(claims).not.toHaveProperty('givenName')
  expect((await judged('another')).refusal?.code).toBe('challenge_mismatch')
}

const presentedThere = async ({ world, theirs }: Pair, shown: string): Promise<void> => {
  const { payload, kb } = await theirs.verify(shown, { keyBindingNonce: challenge })
  expect(payload).toMatchObject({ familyName: 'Okafor', sub: world.holder.did })
  expect(payload).not.toHaveProperty('givenName')
  expect(kb?.payload).toMatchObject({ aud: audience, nonce: challenge })
  await expect(theirs.verify(shown, { keyBindingNonce: 'another' })).rejects.toThrow()
}

const sdJwtCells: Cells = {
  'our issuer, their verifier': async () => {
    const pair = open()
    const compact = await weIssue(pair)
    const { payload } = await pair.theirs.verify(compact)
    expect(payload).toMatchObject({ familyName: 'Okafor', givenName: 'Amara' })
    pair.world.status.set(pointerOf(pair.world, 0), 'revoked')
    await expect(pair.theirs.verify(compact)).rejects.toThrow('Status is not valid')
  },
  'their issuer, our verifier': async () => {
    const pair = open()
    const compact = await theyIssue(pair)
    expect((await verifyCredential(compact, pair.world.verify)).refusal).toBeUndefined()
    pair.world.status.set(pointerOf(pair.world, 0), 'revoked')
    expect((await verifyCredential(compact, pair.world.verify)).refusal?.code).toBe('credential_revoked')
  },
  'our issuer, their wallet': async () => {
    const pair = open()
    await presentedHere(pair, await theyPresent(pair, await weIssue(pair)))
  },
  'their issuer, our wallet': async () => {
    const pair = open()
    await presentedThere(pair, await wePresent(pair, await theyIssue(pair)))
  },
  'our wallet, their verifier': async () => {
    const pair = open()
    await presentedThere(pair, await wePresent(pair, await weIssue(pair)))
  },
  'their wallet, our verifier': async () => {
    const pair = open()
    await presentedHere(pair, await theyPresent(pair, await theyIssue(pair)))
  },
}

/** Answers with a status list at whatever path, as long as it is asked. */
const hosted = async <Result>(
  tokenAt: (origin: string) => string,
  ask: (origin: string) => Promise<Result>,
): Promise<Result> => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/statuslist+jwt' }).end(tokenAt(origin))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    return await ask(origin)
  } finally {
    server.closeAllConnections()
    await new Promise(done => server.close(done))
  }
}

const statusListCells: Cells = {
  'our issuer, their verifier': async () => {
    const { world } = open()
    world.status.set(pointerOf(world, 0), 'revoked')
    world.status.set(pointerOf(world, 5), 'suspended')
    const list = getListFromStatusListJWT(await world.published.token(0))
    expect([0, 1, 5].map(index => list.getStatus(index))).toEqual([1, 0, 2])
  },
  'their issuer, our verifier': async () => {
    const { world } = open()
    const { transport, clock } = world
    const statuses = Array.from({ length: 64 }, (_, index) => (index === 9 ? 2 : index === 40 ? 1 : 0))
    const tokenAt = (origin: string): string => {
      const claims = { sub: `${origin}/list`, iss: transport.did, iat: clock.now() / 1_000, ttl: 60 }
      const header = { alg: 'ES256', kid: transport.kid, typ: 'statuslist+jwt' } as const
      const token = createHeaderAndPayload(new StatusList(statuses, 2), claims, header)
      return jws(token.header, token.payload, transport)
    }
    await hosted(tokenAt, async origin => {
      const lists = openForeignLists({
        clock,
        fetchBounds: { allowedHttpOrigins: [origin] },
        verifyListCredential: () => Promise.reject(new Error('no such list here')),
        verifyListToken: async ({ signature }) => {
          if (await signature.holds(transport)) return { issuer: transport.did }
          throw new Refusal('rejected', 'signature_invalid', 'The signature does not fit.')
        },
      })
      const meaningOf = async (idx: number, issuer: string): Promise<string> => {
        const reference = readTokenReference({ idx, uri: `${origin}/list` })
        return (await lists.token(reference, { issuer })).meaning
      }
      expect(await meaningOf(8, transport.did)).toBe('valid')
      expect(await meaningOf(9, transport.did)).toBe('suspended')
      expect(await meaningOf(40, transport.did)).toBe('invalid')
      await expect(meaningOf(9, world.taxes.did)).rejects.toMatchObject({ code: 'status_list_refused' })
    })
  },
}

export const sdJwt: Group = {
  rows: [
    {
      ...{ format: '`dc+sd-jwt`, ES256', protocol: 'RFC 9901, SD-JWT VC', libraries: ['@sd-jwt/sd-jwt-vc'] },
      cells: sdJwtCells,
    },
    {
      ...{ format: '`statuslist+jwt`', protocol: 'Token Status List', libraries: ['@sd-jwt/jwt-status-list'] },
      cells: statusListCells,
    },
  ],
}
