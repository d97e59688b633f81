import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../kernel/refusal.ts'
import { type Outgoing, send } from './answer.ts'
import type { OpenApiDocument } from './contract.ts'
import { type DocsFile, docsFiles, docsOf, docsPolicy } from './docs.ts'
import type { Metrics } from './metrics.ts'

/** Paths that every agency has and no plugin serves. openapi.yaml may list them with `x-plugin: http`. */
export type HouseRoute = {
  name: string
  path: string
  run(request: IncomingMessage, response: ServerResponse): Promise<void>
}

type About = {
  name: string
  /** How the agency calls itself; without it, its name in words. */
  title?: string
  publicUrl: string
  ready(): Promise<Record<string, boolean>>
}

const ok = 200
const found = 302
const json = 'application/json'

const housePlugin = 'http'
const methods = ['get', 'put', 'post', 'delete', 'patch']

/** The agency's own view of openapi.yaml: its address, and only the operations that it serves. */
const viewOf = (openapi: OpenApiDocument, publicUrl: string, served: ReadonlySet<string>): OpenApiDocument => {
  const paths: OpenApiDocument['paths'] = {}
  for (const [path, item] of Object.entries(openapi.paths)) {
    const kept = Object.entries(item).filter(([name, member]) => {
      if (!methods.includes(name)) return true
      const operation = member as { operationId?: unknown; 'x-plugin'?: unknown }
      return served.has(String(operation.operationId)) || operation['x-plugin'] === housePlugin
    })
    if (kept.some(([name]) => methods.includes(name))) paths[path] = Object.fromEntries(kept)
  }
  return { ...openapi, servers: [{ url: publicUrl }], paths }
}

/** Made at the first request: most agencies of a process are never read about. */
const lazily = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** `land-registry` → `Land Registry`. */
const inWords = (name: string): string =>
  name
    .split('-')
    .map(word => word.charAt(0).toUpperCase() + word.slice(1))
    .join(' ')

const readiness = async (about: About): Promise<string> => {
  const checks = await about.ready()
  const missing = Object.keys(checks).filter(name => checks[name] !== true)
  if (missing.length === 0) return JSON.stringify({ status: 'ready', checks })
  throw new Refusal('unavailable', 'not_ready', `The agency is not ready: ${missing.join(', ')}.`, {
    facts: { checks },
  })
}

export const createHouseRoutes = (
  about: About,
  openapi: OpenApiDocument,
  served: ReadonlySet<string>,
  metrics: Metrics,
): HouseRoute[] => {
  const route = (
    name: string,
    path: string,
    answer: () => Promise<Omit<Outgoing, 'status'> & { status?: number }>,
  ): HouseRoute => ({
    name,
    path,
    run: async (request, response) => send(request, response, { status: ok, ...(await answer()) }),
  })
  const view = lazily(() => viewOf(openapi, about.publicUrl, served))
  const listing = lazily(() => JSON.stringify(view()))
  const page = lazily(() => docsOf(about.title ?? inWords(about.name), view()))
  const docs = (path: string, file: () => DocsFile): HouseRoute =>
    route('docs', path, async () => ({ ...file(), headers: { 'Content-Security-Policy': docsPolicy } }))
  return [
    route('health', '/health', async () => ({ contentType: json, body: JSON.stringify({ status: 'up' }) })),
    route('ready', '/ready', async () => ({ contentType: json, body: await readiness(about) })),
    route('metrics', '/metrics', async () => ({ contentType: metrics.contentType, body: await metrics.text() })),
    route('openapi', '/openapi.json', async () => ({ contentType: json, body: listing() })),
    route('docs', '/', async () => ({
      ...{ status: found, contentType: json, body: '' },
      headers: { Location: `${about.publicUrl}/docs` },
    })),
    docs('/docs', page),
    ...Object.entries(docsFiles).map(([path, file]) => docs(path, () => file)),
  ]
}
