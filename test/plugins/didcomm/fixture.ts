import { hash, randomBytes } from 'node:crypto'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { Credentials1763600000300 } from '../../../migrations/agency/0300-credentials.ts'
import { Didcomm1763900001270 } from '../../../migrations/agency/1270-didcomm.ts'
import { checkAnswer, checkBody, compileContract } from '../../../src/http/contract.ts'
import { qr } from '../../../src/http/qr.ts'
import { messageDigest } from '../../../src/identity/didcomm/didcomm.ts'
import type { Jwe } from '../../../src/identity/didcomm/one-pass.ts'
import { contextsOf } from '../../../src/identity/formats/w3c.ts'
import { issueCredential } from '../../../src/identity/issue.ts'
import { proveKey } from '../../../src/identity/key-proof.ts'
import { parseDcql } from '../../../src/identity/openid/dcql/parse.ts'
import { judgeVpToken } from '../../../src/identity/openid/vp/response-judge.ts'
import { verifyPresentation } from '../../../src/identity/present.ts'
import { viewOf } from '../../../src/identity/type-metadata.ts'
import { verifyCredential } from '../../../src/identity/verify.ts'
import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import type { FormatId } from '../../../src/kernel/identity.ts'
import type { Row } from '../../../src/kernel/ports.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import { store as keepCredential } from '../../../src/plugins/credentials/actions/issue.ts'
import { credentialEntity } from '../../../src/plugins/credentials/entities.ts'
import type { DidcommNeeds, Envelope, IssuableType } from '../../../src/plugins/didcomm/needs.ts'
import { didcomm, openDesk, sendDue } from '../../../src/plugins/didcomm/plugin.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import type { Place } from '../../databases.ts'
import { walletClock } from '../../holder.ts'
import { openParties, type Party } from '../../identity/didcomm/party.ts'
import { baseUrl, openWorld, type World } from '../../identity/world.ts'
import { readOpenApi } from '../../openapi.ts'

export const migrations = [Store1760000000100, Credentials1763600000300, Didcomm1763900001270]
export const publicUrl = baseUrl
export const agencyDid = 'did:web:transport.example'
const contract = compileContract(readOpenApi())
const scopes = ['credentials:issue', 'presentations:request', 'presentations:read']
export const clerk: Caller = { kind: 'apiKey', id: 'clerk', scopes }

export type Body = Record<string, unknown>
export type Answer = { status: number; body: Body; code?: string }

export const openScene = (world: World = openWorld()) => {
  walletClock.now = world.clock.now
  return { world, master: randomBytes(32), secret: randomBytes(32), ...openParties(world.clock.now) }
}
export type Scene = ReturnType<typeof openScene>

/** The plugin over a database: real envelopes, credentials and judgement. The chain's answers, the network and the clock alone are others. */
export const openAgency = async (place: Place, scene: Scene = openScene(), { mediator = true } = {}) => {
  const { world, master } = scene
  const { clock } = world
  const store = await openStore({
    ...{ ...place, migrations },
    entities: [...storeEntities, credentialEntity, ...didcomm.entities],
  })
  const house = { store, journal, idempotency: openIdempotency(clock), clock }
  const derive = (purpose: string): Buffer => hash('sha256', Buffer.concat([master, Buffer.from(purpose)]), 'buffer')
  const issuing = { ...world.issueNeeds(world.transport), baseUrl: publicUrl }
  const type = world.types.byId('DrivingLicence')
  const licence: IssuableType = {
    ...viewOf(type),
    ...{ contexts: contextsOf(publicUrl, type), validity: type.validity },
    problemOf: claims => type.check({ ...claims, id: 'did:key:holder' }),
  }
  const party = await scene.add(agencyDid, { secret: scene.secret })
  const posted: { endpoint: string; envelope: Envelope }[] = []
  const network = { isDown: false }
  const needs: DidcommNeeds = {
    ...{ house, derive, qr, publicUrl, title: 'Transport Authority', did: world.transport.did, mediator },
    ...{ types: [licence], formats: ['ldp_vc', 'dc+sd-jwt', 'vc+jwt', 'jwt_vc'] },
    newId: () => timeId(clock.now()),
    messages: {
      ...{ did: party.did, open: party.open, digest: messageDigest },
      seal: async (message, dialect) => ({ ...(await party.seal(message, dialect)) }),
      async route(did, envelope) {
        const routed = await party.route(did, envelope as unknown as Jwe)
        return { endpoint: routed.endpoint, envelope: { ...routed.envelope } }
      },
      async post(endpoint, envelope) {
        if (network.isDown) throw Object.assign(new Error('down'))
        posted.push({ endpoint, envelope })
      },
    },
    issuance: {
      async issue(request) {
        const { draft, format, compact } = await issueCredential(request, issuing)
        const { id, issuedAt, validUntil, status } = draft
        return {
          id,
          type: draft.type.id,
          typeVersion: draft.type.version,
          format,
          compact,
          issuedAt,
          validUntil,
          status,
        }
      },
      store: keepCredential,
    },
    issued: ids =>
      store.read<Row & { id: string; format: FormatId; compact: string }>(
        `SELECT id, format, compact FROM credentials WHERE id IN (${ids.map(() => '?').join(', ')})`,
        [...ids],
      ),
    proveKey: (proof, expected) => proveKey(proof, { dids: world.dids, clock }, expected),
    readDcql: parseDcql,
    judge: (vpToken, asked) =>
      judgeVpToken(vpToken, asked, {
        verify: (credential, options) => verifyCredential(credential, world.verify, options),
        verifyPresentation: (presentation, { challenge = '', ...expected }) =>
          verifyPresentation(presentation, world.verify, { ...expected, challenge }),
      }),
  }
  const desk = openDesk(needs)
  const routes = didcomm.routes(desk)

  /** As http does it, with the names of what is refused. */
  const call = async (
    operation: string,
    sent: {
      body?: unknown
      caller?: Caller
      params?: Record<string, string>
      query?: Record<string, string>
      headers?: Record<string, string>
    } = {},
  ): Promise<Answer> => {
    const { body, caller = anonymous, params = {}, query = {}, headers = {} } = sent
    const [route, agreed] = [routes[operation], contract.get(operation)]
    if (route === undefined || !('run' in route) || agreed === undefined) throw new Error(`no operation ${operation}`)
    try {
      const [type = 'application/json'] = [...(agreed.body?.types.keys() ?? [])]
      if (agreed.body !== undefined) checkBody(agreed, type, body)
      const answer = await route.run({ caller, params, query, headers, body, publicUrl })
      if (answer.body !== undefined)
        checkAnswer(agreed, answer.status, answer.contentType ?? 'application/json', answer.body)
      return { status: answer.status, body: (answer.body ?? {}) as Body }
    } catch (error) {
      if (!isRefusal(error)) throw error
      return { status: 0, body: {}, code: error.code }
    }
  }
  return {
    ...{ store, world, clock, scene, party, desk, call, posted, network },
    deliver: (envelope: unknown): Promise<Answer> => call('receiveDidcommMessage', { body: envelope }),
    asStaff: (operation: string, sent: Parameters<typeof call>[1] = {}) => call(operation, { caller: clerk, ...sent }),
    sendDue: () => sendDue(desk, async () => undefined),
    close: () => store.close(),
  }
}
export type Agency = Awaited<ReturnType<typeof openAgency>>

let ids = 0
export const newId = (): string => `test-${process.pid}-${++ids}`

export type Told = { id: string; type: string; thid?: string; pthid?: string; body: Body; attachments?: Body[] }

/** Writes as a party, and reads what comes back. */
export const ask = async (
  agency: Agency,
  from: Party,
  message: Body & { type: string },
): Promise<{ status: number; code?: string; type?: string; thid?: string; body: Body; attachments: Attached[] }> => {
  const sent = { id: newId(), to: agencyDid, return_route: 'all', body: {}, ...message }
  const answer = await agency.deliver(await from.seal(sent, 'v2'))
  if (answer.status !== 200)
    return { status: answer.status, ...(answer.code && { code: answer.code }), body: {}, attachments: [] }
  const { message: reply, sender } = await from.open(answer.body)
  if (sender !== agencyDid) throw new Error('the answer is of somebody else')
  const { type, thid, body, attachments } = reply
  return { status: 200, type, thid, body: { ...body }, attachments: attachments as Attached[] }
}
export type Attached = { id: string; format: string; mediaType?: string; json: Body }

export const protocol = (name: string): string => `https://didcomm.org/${name}`
