import type { TypeView } from '../../../kernel/identity.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { contextUnpublished, typeUnknown } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'

/** What anyone may have: status lists, credential types, DID documents. */

const cached = (seconds: number) => ({ 'cache-control': `public, max-age=${seconds}` })
const released = cached(86_400)

const listOf = (context: Context): number => Number(context.params['list'])

/** The list as JWT, and names under which the same list goes with a proof in it; what comes first is sent where nothing is preferred. */
const bitstringTypes = ['application/vc+jwt', 'application/vc', 'application/ld+json', 'application/json'] as const
type BitstringType = (typeof bitstringTypes)[number]

/** A media range of an Accept header and how much it is wanted (RFC 9110, section 12.5.1). */
const rangeOf = (text: string): { type: string; quality: number } => {
  const [type = '', ...parameters] = text.split(';').map(part => part.trim().toLowerCase())
  const said = parameters.find(parameter => parameter.startsWith('q='))
  const quality = said === undefined ? 1 : Number(said.slice(2))
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 }
}

/** A type that is named goes before one that only a wildcard lets in. */
const bitstringTypeFor = (accept = '*/*'): BitstringType => {
  const ranges = accept.split(',', 32).map(rangeOf)
  const wanted = bitstringTypes.map(type => {
    const named = ranges.find(range => range.type === type)
    const wild = ranges.find(range => range.type === 'application/*') ?? ranges.find(range => range.type === '*/*')
    return { type, quality: named?.quality ?? wild?.quality ?? 0, isNamed: named !== undefined }
  })
  const [best] = wanted.toSorted((a, b) => b.quality - a.quality || Number(b.isNamed) - Number(a.isNamed))
  return best === undefined || best.quality === 0 ? 'application/vc+jwt' : best.type
}

/** Secured as JWT, or by a proof in it for those who read Data Integrity alone (Bitstring Status List 1.0, section 2.2). */
export const getBitstringStatusList = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const list = listOf(context)
  const contentType = bitstringTypeFor(context.headers['accept'])
  const { identity } = needs
  const isJwt = contentType === 'application/vc+jwt'
  return {
    status: 200,
    body: isJwt ? await identity.bitstringList(list) : await identity.bitstringListWithProof(list),
    ...{ contentType, headers: { ...cached(60), vary: 'accept' } },
  }
}

/** Whether CWT is asked for and JWT is not (Token Status List, section 8.1). */
const prefersCwt = (accept = ''): boolean =>
  accept.includes('application/statuslist+cwt') && !accept.includes('application/statuslist+jwt')

export const getTokenStatusList = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const list = listOf(context)
  const isCwt = prefersCwt(context.headers['accept'])
  return {
    status: 200,
    body: isCwt ? Buffer.from(await needs.identity.tokenListCwt(list)) : await needs.identity.tokenList(list),
    contentType: isCwt ? 'application/statuslist+cwt' : 'application/statuslist+jwt',
    headers: { ...cached(60), vary: 'accept' },
  }
}

/** Status List Aggregation (Token Status List, section 9). */
export const getStatusListAggregation = async (needs: CredentialsNeeds): Promise<Answer> => ({
  status: 200,
  body: needs.identity.listAggregation(),
  headers: cached(60),
})

const typeOf = (needs: CredentialsNeeds, context: Context): TypeView => {
  const { slug, version } = context.params
  const found = needs.identity.types.find(type => type.slug === slug && String(type.version) === version)
  if (found === undefined) throw typeUnknown()
  return found
}

export const listTypes = async (needs: CredentialsNeeds): Promise<Answer> => {
  const items = needs.identity.types.map(({ id, slug, version, title, vct, formats, concerns }) => ({
    ...{ id, version, title, vct, formats, concerns },
    url: `${needs.publicUrl}/types/${slug}/${version}`,
  }))
  return { status: 200, body: { items } }
}

export const getTypeMetadata = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => ({
  status: 200,
  body: typeOf(needs, context).metadata,
  headers: released,
})

export const getTypeSchema = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => ({
  status: 200,
  body: typeOf(needs, context).schema,
  contentType: 'application/schema+json',
  headers: released,
})

export const getTypeContext = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => ({
  status: 200,
  body: { '@context': typeOf(needs, context).context },
  contentType: 'application/ld+json',
  headers: released,
})

/** A context that credentials of every type name beside that of the type. */
export const getContext = async (needs: CredentialsNeeds, context: Context): Promise<Answer> => {
  const { name, version } = context.params
  const { contexts } = needs.identity
  const path = `${name}/${version}`
  const body = Object.hasOwn(contexts, path) ? contexts[path] : undefined
  if (body === undefined) throw contextUnpublished()
  return { status: 200, body, contentType: 'application/ld+json', headers: released }
}

export const getDidDocument = async (needs: CredentialsNeeds): Promise<Answer> => ({
  status: 200,
  body: await needs.identity.didDocument(),
  contentType: 'application/did+json',
  headers: cached(60),
})
