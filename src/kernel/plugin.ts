import type { EntitySchema } from 'typeorm'
import type { Caller } from './gate.ts'
import type { Requirement } from './requirement.ts'

/** What reaches a route: already parsed and checked against openapi.yaml. */
export type Context = {
  caller: Caller
  params: Record<string, string>
  query: Record<string, string | undefined>
  /** The parsed body; `undefined` for operations without one, and for `stream` routes. */
  body: unknown
  headers: Record<string, string | undefined>
  /** Public URL of this agency, without a trailing slash. */
  publicUrl: string
}

/** What a route answers. `body` is JSON unless a `contentType` says otherwise. */
export type Answer = {
  status: number
  body?: unknown
  contentType?: string
  headers?: Record<string, string>
}

export type Route =
  | { requires: Requirement; run: (context: Context) => Promise<Answer> }
  /** NDJSON in and out, a line at a time with back-pressure; a line is at most 64 kB. */
  | { requires: Requirement; lines: (context: Context, lines: AsyncIterable<unknown>) => AsyncIterable<unknown> }

/** A part of the house as a value. `routes` is keyed by operationId of openapi.yaml. */
export type Plugin<Needs> = {
  name: string
  entities: EntitySchema[]
  routes(needs: Needs): Record<string, Route>
}
