import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { canonical } from '../kernel/canonical.ts'
import { type FormatId, formatIds } from '../kernel/identity.ts'
import { Refusal } from '../kernel/refusal.ts'
import { evmStatusContext, evmStatusContextName } from './formats/w3c.ts'
import { withSharedContexts } from './linked-data/contexts.ts'
import { type MdocMapping, mdocMappingOf } from './mdoc/types.ts'

type Text = Record<string, string>
type Display = Record<
  string,
  { name: string; backgroundColor: string; textColor: string; claims: Record<string, string> }
>

/** What one file under `schemas/` says. A released file is never edited; the next version is a new file. */
export type CredentialTypeFile = {
  id: string
  version: number
  title: Text
  description: Text
  concerns: 'natural-person' | 'organisation'
  vct: string
  formats: FormatId[]
  statusPurposes: ('revocation' | 'suspension')[]
  validity: { defaultDays: number; maxDays: number }
  context: Record<string, unknown>
  schema: Record<string, unknown> & { $id: string; required: string[]; properties: Record<string, unknown> }
  disclosable: string[][]
  display: Display
  example: Record<string, unknown>
}

export type CredentialType = CredentialTypeFile & {
  /**
   * Those of the file; `mso_mdoc` where the type has a document type of ISO/IEC 18013-5; and `ldp_vc` where VC Data Model 2.0 is
   * among them: the same document, with a proof in it.
   */
  formats: FormatId[]
  /** File name without version: the path under `/types/`. */
  slug: string
  schemaId: string
  /** SHA-256 of the canonical schema, `0x` hex: what the root admits on chain. */
  schemaDigest: string
  /** Problems of a whole credentialSubject, or undefined. */
  check(subject: unknown): string | undefined
  /** The same for a presented SD-JWT, whose holder may have kept disclosable claims back. */
  checkDisclosed(subject: unknown): string | undefined
  /** The same for an mdoc, whose holder may keep back whatever they like. */
  checkShown(subject: unknown): string | undefined
  mdoc: MdocMapping | undefined
}

export type CredentialTypes = {
  all: CredentialType[]
  /** @throws Refusal rejected/type_unknown */
  byId(id: string, version?: number): CredentialType
  /** The type whose schema a W3C credential names. */
  bySchemaId(schemaId: string): CredentialType | undefined
  byVct(vct: string): CredentialType | undefined
  /** Of ISO/IEC 18013-5: the newest that is written so. */
  byDocType(docType: string): CredentialType | undefined
}

const fileName = /^([a-z0-9-]+)\.v([0-9]+)\.json$/

const members: (keyof CredentialTypeFile)[] = [
  'id',
  'version',
  'title',
  'description',
  'concerns',
  'vct',
  'formats',
  'statusPurposes',
  'validity',
  'context',
  'schema',
  'disclosable',
  'display',
  'example',
]

const problemOf = (validate: ValidateFunction, subject: unknown): string | undefined => {
  if (validate(subject)) return undefined
  const first = validate.errors?.[0]
  const extra = first?.params['additionalProperty'] as string | undefined
  return `credentialSubject${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}${extra ? ` (${extra})` : ''}`
}

/** Names that an SD-JWT VC gives a meaning of its own; a claim of that name would be lost in it. */
const registered = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'cnf',
  'vct',
  'vct#integrity',
  'status',
  '_sd',
  '...',
]

type Part = { required?: string[]; properties?: Record<string, Part> } | undefined

/** Each disclosable claim must be one, and its parent must be able to do without it. */
const assertDisclosable = (file: CredentialTypeFile, name: string): void => {
  const taken = registered.find(claim => Object.hasOwn(file.schema.properties, claim))
  if (taken !== undefined) throw new Error(`schemas/${name}: a claim cannot be named "${taken}"`)
  for (const path of file.disclosable) {
    const [first = '', second] = path
    if (path.length < 1 || path.length > 2) throw new Error(`schemas/${name}: disclosable paths have one or two steps`)
    const parent = file.schema.properties[first] as Part
    const claim = second === undefined ? parent : parent?.properties?.[second]
    if (claim === undefined || first === 'id')
      throw new Error(`schemas/${name}: no disclosable claim ${path.join('.')}`)
    if (second !== undefined && parent?.required?.includes(second)) {
      throw new Error(`schemas/${name}: ${path.join('.')} is disclosable and required by its parent`)
    }
  }
}

const readFile = (path: string, name: string): CredentialTypeFile => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as CredentialTypeFile
  } catch (cause) {
    throw new Error(`schemas/${name} is not JSON`, { cause })
  }
}

const parse = (path: string, name: string): CredentialTypeFile => {
  const file = readFile(path, name)
  for (const member of members) {
    if (file[member] === undefined) throw new Error(`schemas/${name}: the part "${member}" is missing`)
  }
  for (const format of file.formats) {
    if (!formatIds.includes(format)) throw new Error(`schemas/${name}: unknown format "${format}"`)
  }
  if (file.formats.length === 0) throw new Error(`schemas/${name}: a credential type has at least one format`)
  if (file.statusPurposes.length === 0) throw new Error(`schemas/${name}: a credential without status is not issued`)
  assertDisclosable(file, name)
  return file
}

/** Data Integrity and mdocs came after the first types were released, whose files are not edited. */
const offeredIn = ({ formats }: CredentialTypeFile, mdoc: MdocMapping | undefined): FormatId[] => {
  const asMdoc: FormatId[] = mdoc === undefined ? [] : ['mso_mdoc']
  return [...new Set<FormatId>([...formats, ...asMdoc, ...(formats.includes('vc+jwt') ? ['ldp_vc' as const] : [])])]
}

/** The contexts of the types, which no proof over RDF can be made or verified without. */
const shareContexts = (types: readonly CredentialType[]): void => {
  const contexts = types.map(({ slug, version, context }) => [
    `/types/${slug}/${version}/context`,
    { '@context': context },
  ])
  withSharedContexts({ ...Object.fromEntries(contexts), [`/contexts/${evmStatusContextName}`]: evmStatusContext })
}

const compile = (file: CredentialTypeFile, slug: string, name: string, ajv: Ajv2020): CredentialType => {
  const hideable = new Set(file.disclosable.filter(path => path.length === 1).map(path => path[0]))
  const whole = ajv.compile(file.schema)
  // When they are first used: each takes as long as the whole one, and where that one compiles so do these.
  const compileLater = (name: string, required: (claim: string) => boolean) => {
    let compiled: ValidateFunction | undefined
    return (subject: unknown): string | undefined => {
      const $id = `${file.schema.$id}:${name}`
      compiled ??= ajv.compile({ ...file.schema, $id, required: file.schema.required.filter(required) })
      return problemOf(compiled, subject)
    }
  }
  const mdoc = mdocMappingOf(file)
  const problem = problemOf(whole, { id: 'did:key:example', ...file.example })
  if (problem !== undefined) throw new Error(`schemas/${name}: its example does not pass its schema: ${problem}`)
  return {
    ...file,
    formats: offeredIn(file, mdoc),
    slug,
    schemaId: file.schema.$id,
    schemaDigest: `0x${createHash('sha256').update(canonical(file.schema)).digest('hex')}`,
    check: subject => problemOf(whole, subject),
    checkDisclosed: compileLater('disclosed', claim => !hideable.has(claim)),
    checkShown: compileLater('shown', claim => claim === 'id'),
    mdoc,
  }
}

/** Reads every credential type; a missing or inconsistent part stops the start. */
export const loadCredentialTypes = (folder: string): CredentialTypes => {
  // What ajv would tidy up in its code the engine does as well: without it a check is made in half the time and no slower.
  const ajv = new Ajv2020({ strict: true, allErrors: false, code: { optimize: false } })
  addFormats.default(ajv)
  const all: CredentialType[] = []
  for (const name of readdirSync(folder).sort()) {
    const match = fileName.exec(name)
    if (match === null) throw new Error(`schemas/${name}: a file here is named <type>.v<version>.json`)
    const file = parse(join(folder, name), name)
    if (String(file.version) !== match[2]) throw new Error(`schemas/${name}: version ${file.version} inside`)
    all.push(compile(file, match[1] ?? '', name, ajv))
  }
  if (all.length === 0) throw new Error('schemas/ holds no credential type')
  const unique = (key: 'vct' | 'schemaId') => {
    const map = new Map(all.map(type => [type[key], type]))
    if (map.size !== all.length) throw new Error(`schemas/: two credential types share one ${key}`)
    return map
  }
  const vcts = unique('vct')
  const schemas = unique('schemaId')
  const documents = new Map(
    [...all].sort((a, b) => a.version - b.version).flatMap(type => (type.mdoc ? [[type.mdoc.docType, type]] : [])),
  )
  shareContexts(all)
  return {
    all,
    byId(id, version) {
      const found = all.filter(type => type.id === id && (version === undefined || type.version === version))
      const newest = found.sort((a, b) => b.version - a.version)[0]
      if (newest === undefined) {
        throw new Refusal(
          'rejected',
          'type_unknown',
          `No credential type ${JSON.stringify(id).slice(0, 80)} is known here.`,
        )
      }
      return newest
    },
    bySchemaId: id => schemas.get(id),
    byVct: vct => vcts.get(vct),
    byDocType: docType => documents.get(docType),
  }
}
