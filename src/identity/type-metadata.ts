import type { TypeView } from '../kernel/identity.ts'
import type { MdocMapping } from './mdoc/types.ts'
import type { CredentialType } from './types.ts'

/** A label's dotted claim path; claims below an array name every element (`null`, SD-JWT VC section 9.1). */
const pathOf = (claim: string, schema: Record<string, unknown>): (string | null)[] => {
  const path: (string | null)[] = []
  let at: Record<string, unknown> | undefined = schema
  for (const step of claim.split('.')) {
    if (at?.['type'] === 'array') {
      path.push(null)
      at = at['items'] as Record<string, unknown>
    }
    path.push(step)
    at = (at?.['properties'] as Record<string, Record<string, unknown>> | undefined)?.[step]
  }
  return path
}

/** SD-JWT VC type metadata of a credential type (draft-ietf-oauth-sd-jwt-vc section 6). */
const metadataOf = (type: CredentialType): Record<string, unknown> => {
  const languages = Object.entries(type.display)
  const labels = Object.keys(languages[0]?.[1].claims ?? {}).filter(claim => claim !== 'id')
  const disclosable = new Set(type.disclosable.map(path => path.join('.')))
  return {
    vct: type.vct,
    name: type.title['en'],
    description: type.description['en'],
    display: languages.map(([locale, shown]) => ({
      locale,
      name: shown.name,
      rendering: { simple: { background_color: shown.backgroundColor, text_color: shown.textColor } },
    })),
    claims: labels.map(claim => ({
      path: pathOf(claim, type.schema),
      display: languages.map(([locale, shown]) => ({ locale, label: shown.claims[claim] })),
      sd: disclosable.has(claim) ? 'always' : 'never',
    })),
    schema: type.schema,
  }
}

const octets = new WeakMap<CredentialType, Buffer>()

/** The metadata as it is served. */
export const metadataOctets = (type: CredentialType): Buffer => {
  const known = octets.get(type) ?? Buffer.from(JSON.stringify(metadataOf(type)))
  octets.set(type, known)
  return known
}

/** What the public may read of a credential type. */
export const viewOf = (type: CredentialType): TypeView => ({
  id: type.id,
  slug: type.slug,
  version: type.version,
  title: type.title,
  vct: type.vct,
  formats: type.formats,
  concerns: type.concerns,
  statusPurposes: type.statusPurposes,
  schema: type.schema,
  context: type.context,
  metadata: metadataOf(type),
  ...(type.mdoc === undefined ? {} : { mdoc: mdocOf(type.mdoc) }),
})

const mdocOf = ({ docType, namespace, elements }: MdocMapping) => ({ docType, namespace, elements })
