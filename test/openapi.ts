import { hash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { OpenApiDocument } from '../src/http/contract.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'node_modules/.cache/chancery')
const cached = join(folder, 'openapi.json')

type Parsed = { digest: string; document: OpenApiDocument }

const read = (): Parsed | undefined => {
  try {
    return JSON.parse(readFileSync(cached, 'utf8')) as Parsed
  } catch {
    return undefined
  }
}

/** openapi.yaml, parsed once for all test files: as JSON it is there in a fiftieth of the time. */
export const readOpenApi = (): OpenApiDocument => {
  const text = readFileSync(join(root, 'openapi.yaml'), 'utf8')
  const digest = hash('sha256', text)
  const known = read()
  if (known?.digest === digest) return known.document
  const document = parse(text) as OpenApiDocument
  mkdirSync(folder, { recursive: true })
  // Whole at any moment: another worker may be reading it, or writing it too.
  const own = `${cached}.${randomUUID()}`
  writeFileSync(own, JSON.stringify({ digest, document } satisfies Parsed))
  renameSync(own, cached)
  return document
}
