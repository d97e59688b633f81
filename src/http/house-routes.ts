import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../kernel/refusal.ts'
import { type Outgoing, send } from './answer.ts'
import type { OpenApiDocument } from './contract.ts'
import { docsFiles, docsPolicy } from './docs.ts'
import type { Metrics } from './metrics.ts'

/** Paths that every agency has and no plugin serves. openapi.yaml may list them with `x-plugin: http`. */
export type HouseRoute = {
  name: string
  path: string
  run(request: IncomingMessage, response: ServerResponse): Promise<void>
}

type About = { publicUrl: string; ready(): Promise<Record<string, boolean>> }

const ok = 200
const json = 'application/json'

const housePlugin = 'http'
const methods = ['get', 'put', 'post', 'delete', 'patch']

/** The agency's own view of openapi.yaml: its address, and only the operations that it serves. */
const viewOf = (openapi: OpenApiDocument, publicUrl: string, served: ReadonlySet<string>): string => {
  const paths: Record<string, unknown> = {}
  for (const [path, item] of Object.entries(openapi.paths)) {
    const kept = Object.entries(item).filter(([name, member]) => {
      if (!methods.includes(name)) return true
      const operation = member as { operationId?: unknown; 'x-plugin'?: unknown }
      return served.has(String(operation.operationId)) || operation['x-plugin'] === housePlugin
    })
    if (kept.some(([name]) => methods.includes(name))) paths[path] = Object.fromEntries(kept)
  }
  return JSON.stringify({ ...openapi, servers: [{ url: publicUrl }], paths })
}

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
  const route = (name: string, path: string, answer: () => Promise<Omit<Outgoing, 'status'>>): HouseRoute => ({
    name,
    path,
    run: async (request, response) => send(request, response, { status: ok, ...(await answer()) }),
  })
  let view: string | undefined
  return [
    route('health', '/health', async () => ({ contentType: json, body: JSON.stringify({ status: 'up' }) })),
    route('ready', '/ready', async () => ({ contentType: json, body: await readiness(about) })),
    route('metrics', '/metrics', async () => ({ contentType: metrics.contentType, body: await metrics.text() })),
    route('openapi', '/openapi.json', async () => {
      view ??= viewOf(openapi, about.publicUrl, served)
      return { contentType: json, body: view }
    }),
    ...Object.entries(docsFiles).map(([path, file]) =>
      route('docs', path, async () => ({ ...file, headers: { 'Content-Security-Policy': docsPolicy } })),
    ),
  ]
}
