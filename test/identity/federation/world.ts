import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchBounded } from '../../../src/identity/fetch-bounded.ts'
import { readKeySet } from '../../../src/identity/formats/compact-jws.ts'
import { openFederation } from '../../../src/identity/openid/federation/resolve.ts'
import type { TrustAnchor } from '../../../src/identity/openid/federation/trust-chain.ts'
import type { Clock } from '../../../src/kernel/ports.ts'

type Claims = Record<string, unknown>

export const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export type Key = {
  kid: string
  alg: 'ES256' | 'RS256' | 'EdDSA'
  privateKey: KeyObject
  jwk: Claims & { kid: string }
}

export const newKey = (kid: string, alg: Key['alg'] = 'ES256'): Key => {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
      : alg === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { kid, alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid } }
}

export const signWith = ({ alg, privateKey }: Key, input: Uint8Array): Buffer =>
  sign(alg === 'EdDSA' ? null : 'sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' })

export const signJwt = (key: Key, payload: Claims, header: Claims = {}): string => {
  const input = `${encode({ typ: 'entity-statement+jwt', alg: key.alg, kid: key.kid, ...header })}.${encode(payload)}`
  return `${input}.${signWith(key, Buffer.from(input)).toString('base64url')}`
}

export const at = Date.parse('2026-03-01T12:00:00Z')
export const seconds = at / 1_000

/** An entity whose statements a test may bend: `configuration` and `about` are what it will sign. */
export type Entity = {
  id: string
  key: Key
  configuration: Claims
  about: Map<string, Claims>
  /** Served in place of what it would sign. */
  served: Map<string, { body: string; type?: string; status?: number }>
  signed(claims: Claims, header?: Claims): string
}

export const jwksOf = (...keys: Key[]) => ({ keys: keys.map(({ jwk }) => jwk) })

export type Nation = Awaited<ReturnType<typeof openNation>>

/** Entities on a server of this machine. */
export const openNation = async (time = at) => {
  const entities = new Map<string, Entity>()
  const asked: string[] = []
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://localhost')
    asked.push(url.pathname + url.search)
    const [, name = '', ...rest] = url.pathname.split('/')
    const entity = entities.get(name)
    const path = rest.join('/')
    const subject = url.searchParams.get('sub') ?? ''
    const own = entity?.served.get(path === 'fetch' ? `fetch ${subject}` : path)
    if (own !== undefined) {
      response.writeHead(own.status ?? 200, { 'content-type': own.type ?? 'application/entity-statement+jwt' })
      response.end(own.body)
      return
    }
    const claims = path === '.well-known/openid-federation' ? entity?.configuration : entity?.about.get(subject)
    if (entity === undefined || claims === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not_found"}')
      return
    }
    response.writeHead(200, { 'content-type': 'application/entity-statement+jwt' }).end(entity.signed(claims))
  }
  const server = createServer(handle)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`
  const times = { iat: time / 1_000 - 60, exp: time / 1_000 + 3_600 }

  const add = (name: string, claims: Claims = {}, alg?: Key['alg']): Entity => {
    const id = `${origin}/${name}`
    const key = newKey(`key-of-${name}`, alg)
    const { metadata, ...others } = claims as { metadata?: Claims }
    const entity: Entity = {
      ...{ id, key, about: new Map(), served: new Map() },
      configuration: {
        ...{ iss: id, sub: id, ...times, jwks: jwksOf(key) },
        metadata: { federation_entity: { federation_fetch_endpoint: `${id}/fetch` }, ...metadata },
        ...others,
      },
      signed: (payload, header) => signJwt(key, payload, header),
    }
    entities.set(name, entity)
    return entity
  }

  return {
    origin,
    asked,
    add,
    /** `superior` says that `subordinate` is below it, and the latter agrees. */
    subordinate(superior: Entity, below: Entity, claims: Claims = {}): void {
      below.configuration['authority_hints'] = [
        ...((below.configuration['authority_hints'] as string[] | undefined) ?? []),
        superior.id,
      ]
      superior.about.set(below.id, {
        ...{ iss: superior.id, sub: below.id, ...times, jwks: jwksOf(below.key) },
        source_endpoint: `${superior.id}/fetch`,
        ...claims,
      })
    },
    anchor: ({ id, key }: Entity): TrustAnchor => ({ entityId: id, keys: readKeySet(jwksOf(key)) }),
    federation(anchors: Entity[], clock: Clock = { now: () => time }, limits = {}) {
      return openFederation({
        ...{ clock, limits, httpOrigins: [origin] },
        anchors: anchors.map(this.anchor),
        fetch: (url, bounds) => fetchBounded(url, { ...bounds, allowedHttpOrigins: [origin] }),
      })
    },
    close: () => new Promise<void>(done => server.close(() => done())),
  }
}
