import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { OpenApiDocument } from '../../src/http/contract.ts'
import { collectionFiles } from './collection.ts'
import { clientFiles } from './operations.ts'

const project = new URL('../../', import.meta.url)

/** The institutions of the demo; the conformance profiles are started alone. */
const agencies = (): string[] =>
  readdirSync(new URL('agents', project))
    .filter(name => name.endsWith('.yml') && !name.startsWith('conformance'))
    .map(name => name.replace(/\.yml$/, ''))
    .sort()

/** Everything that is made from openapi.yaml, by its path in the project. */
export const generated = (): Record<string, string> => {
  const document = parse(readFileSync(new URL('openapi.yaml', project), 'utf8')) as OpenApiDocument
  const client = Object.entries(clientFiles(document)).map(([name, text]) => [`client/src/${name}`, text])
  const collection = Object.entries(collectionFiles(document, agencies()))
  return Object.fromEntries([...client, ...collection.map(([name, text]) => [`collection/${name}`, text])])
}
