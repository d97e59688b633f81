import { generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { Store1760000000100 } from '../../../migrations/agency/0100-store.ts'
import { VcApi1763900001170 } from '../../../migrations/agency/1170-vc-api.ts'
import { Exchanges1763900001180 } from '../../../migrations/agency/1180-exchanges.ts'
import { InstanceLists1763900001281 } from '../../../migrations/agency/1281-instance-lists.ts'
import { InstancePurposes1763900001291 } from '../../../migrations/agency/1291-instance-purposes.ts'
import { checkAnswer, checkBody, checkParameters, compileContract } from '../../../src/http/contract.ts'
import { qr } from '../../../src/http/qr.ts'
import { openDids } from '../../../src/identity/dids.ts'
import { openMethods } from '../../../src/identity/foreign/keys.ts'
import { derive, openSecuring, type SecuringKey } from '../../../src/identity/foreign/secure.ts'
import { type ForeignNeeds, verifyForeignPresentation } from '../../../src/identity/foreign/verify.ts'
import { publicKeyFromJwk, rawPublicKey } from '../../../src/identity/key-material.ts'
import { toMultikey } from '../../../src/identity/multikey.ts'
import { compressBitstring } from '../../../src/identity/status-lists/bitstring.ts'
import { exchangeDcql } from '../../../src/instances.ts'
import { anonymous, type Caller } from '../../../src/kernel/gate.ts'
import { timeId } from '../../../src/kernel/time-id.ts'
import type { Document, Instance, VcApiNeeds } from '../../../src/plugins/vc-api/needs.ts'
import { vcApi } from '../../../src/plugins/vc-api/plugin.ts'
import { storeEntities } from '../../../src/store/entities.ts'
import { openIdempotency } from '../../../src/store/idempotency.ts'
import { journal } from '../../../src/store/journal.ts'
import { openStore } from '../../../src/store/store.ts'
import type { Place } from '../../databases.ts'
import { movableClock } from '../../http/fixture.ts'
import { readOpenApi } from '../../openapi.ts'

export const publicUrl = 'https://agency.example/agency'
export const migrations = [
  ...[Store1760000000100, VcApi1763900001170, Exchanges1763900001180],
  ...[InstanceLists1763900001281, InstancePurposes1763900001291],
]
export const v2 = 'https://www.w3.org/ns/credentials/v2'
export const examples = 'https://www.w3.org/ns/credentials/examples/v2'

const contract = compileContract(readOpenApi())
export const clerk: Caller = { kind: 'apiKey', id: 'clerk', scopes: ['credentials:exchange'] }

/** A key of one's own, as did:key. */
const newKey = (): SecuringKey => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = rawPublicKey(publicKeyFromJwk(publicKey.export({ format: 'jwk' })))
  const multikey = toMultikey({ kind: 'Ed25519', raw })
  const did = `did:key:${multikey}`
  return {
    ...{ did, verificationMethod: `${did}#${multikey}`, algorithm: 'EdDSA', publicKey: raw },
    sign: async data => signBytes(null, data, privateKey),
  }
}

type Request = { challenge: string; domain: string }

/** A wallet: it presents as the holder of its key. */
export const newWallet = (suite = 'eddsa-jcs-2022', clock = movableClock()) => {
  const key = newKey()
  const securing = openSecuring(suite, key, clock)
  return {
    did: key.did,
    present: (
      { challenge, domain }: Request,
      credentials: readonly unknown[] = [],
      more: Document = { holder: key.did },
    ): Promise<unknown> => {
      const held = credentials.length === 0 ? {} : { verifiableCredential: credentials }
      const presentation = { '@context': [v2], type: ['VerifiablePresentation'], ...more, ...held }
      return securing.present(presentation, { challenge, domain })
    },
  }
}
export type Wallet = ReturnType<typeof newWallet>

export type Answer = { status: number; body: Document; headers: Record<string, string>; contentType: string }

/** The plugin over a database, with real suites and a real judge; bodies and answers are held against openapi.yaml. */
export const openAgency = async (place: Place, clock = movableClock()) => {
  const store = await openStore({ ...place, migrations, entities: [...storeEntities, ...vcApi.entities] })
  const dids = openDids({ chainId: 31_337, replica: { events: () => [] }, clock })
  const judging: ForeignNeeds = {
    ...{ clock, keyOf: openMethods(dids), didsOf: () => [] },
    judgeIssuer: () => undefined,
    judgeStatus: async () => undefined,
  }
  const instance = (name: string, suite: string): Instance => {
    const key = newKey()
    const { did, verificationMethod } = key
    return { ...{ name, suite, did, verificationMethod, status: false }, ...openSecuring(suite, key, clock) }
  }
  const instances = [
    instance('jcs', 'eddsa-jcs-2022'),
    instance('rdfc', 'eddsa-rdfc-2022'),
    instance('jose', 'vc+jwt'),
    { ...instance('listed', 'eddsa-jcs-2022'), status: true },
    { ...instance('listed-rdfc', 'eddsa-rdfc-2022'), status: true },
    { ...instance('listed-jose', 'vc+jwt'), status: true },
  ]
  const needs: VcApiNeeds = {
    house: { store, journal, idempotency: openIdempotency(clock), clock },
    instances: new Map(instances.map(each => [each.name, each])),
    identity: {
      verifyPresentation: (presentation, expected) => verifyForeignPresentation(presentation, judging, expected),
    },
    ...{ derive, qr, publicUrl, dcql: exchangeDcql, newId: () => timeId(clock.now()) },
    encodeList: compressBitstring,
    signedLists: new Map(),
  }
  const routes = vcApi.routes(needs)
  const call = async (
    operation: string,
    params: Record<string, string>,
    body?: unknown,
    how: { caller?: Caller; query?: Record<string, string>; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const [route, agreed] = [routes[operation], contract.get(operation)]
    if (route === undefined || !('run' in route) || agreed === undefined) throw new Error(`no operation ${operation}`)
    const { caller = anonymous, query = {}, headers = {} } = how
    checkParameters(agreed, { path: params, query, header: headers })
    if (agreed.body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run({ caller, params, query, headers, body, publicUrl })
    const contentType = answer.contentType ?? 'application/json'
    checkAnswer(agreed, answer.status, contentType, answer.body)
    return { status: answer.status, body: answer.body as Document, headers: answer.headers ?? {}, contentType }
  }
  const asStaff = { caller: clerk }
  return {
    ...{ store, clock, call, keyOf: judging.keyOf },
    did: (name: string): string => needs.instances.get(name)?.did ?? '',
    issue: async (name: string, credential: Document): Promise<Document> =>
      (await needs.instances
        .get(name)
        ?.secure(
          { '@context': [v2, examples], issuer: needs.instances.get(name)?.did, ...credential },
          {},
        )) as Document,
    workflow: async (body: Document): Promise<string> =>
      String((await call('createWorkflow', {}, body, asStaff)).body['id']),
    /** Begins one, and takes part in it. */
    exchange: async (workflow: string, body: Document = {}) => {
      const begun = await call('createWorkflowExchange', { workflow }, body, asStaff)
      const params = { workflow, exchange: String(begun.body['id']) }
      return {
        ...{ begun, params },
        url: String(begun.body['url']),
        send: async (message: Document, headers: Record<string, string> = {}): Promise<Document> =>
          (await call('participateInExchange', params, message, { headers })).body,
        state: async (): Promise<Document> => (await call('getWorkflowExchange', params, undefined, asStaff)).body,
      }
    },
    close: () => store.close(),
  }
}

/** What is asked for now. */
export const requestIn = (message: Document): Request => message['verifiablePresentationRequest'] as Request

/** The credentials that a message offers. */
export const offeredIn = (message: Document): Document[] =>
  (message['verifiablePresentation'] as { verifiableCredential: Document[] }).verifiableCredential
