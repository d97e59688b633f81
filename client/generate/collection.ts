import type { OpenApiDocument } from '../../src/http/contract.ts'
import { type Described, describeOperations, type Group } from '../../src/http/docs-describe.ts'
import { type Members, operationsOf, textOf } from './document.ts'

/* The same requests for Bruno (a folder of files that git can compare) and for Postman (one file, format 2.1). */

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

/** Which variable proves who calls; holders' proofs are made anew for each call, which takes a client or a wallet. */
const tokenOf = (requires: Members): 'apiKey' | 'citizenSession' | undefined => {
  const by = textOf(requires['by'])
  if (by === 'staff') return 'apiKey'
  return by === 'citizen' ? 'citizenSession' : undefined
}

type Request = Described & { requires: Members }

const requestsOf = (group: Group, requires: ReadonlyMap<string, Members>): Request[] =>
  group.operations.map(operation => ({ ...operation, requires: requires.get(operation.id) ?? {} }))

/** Path parameters become variables of the request; those of the query stand there, optional ones switched off. */
const pathWith = (path: string, written: (name: string) => string): string =>
  path.replace(/\{([^}]+)\}/g, (_whole, name: string) => written(name))

const indented = (text: string): string =>
  text
    .split('\n')
    .map(line => (line === '' ? line : `  ${line}`))
    .join('\n')

const block = (name: string, lines: readonly string[]): string =>
  lines.length === 0 ? '' : `\n${name} {\n${lines.map(indented).join('\n')}\n}\n`

const brunoBodyName = (contentType: string): string => {
  if (contentType === form) return 'formUrlEncoded'
  return contentType === json ? 'json' : 'text'
}

const formFields = (body: string): [string, string][] =>
  Object.entries(JSON.parse(body) as Members).map(([name, value]) => [name, String(value ?? '')])

const brunoBody = ({ body }: Request): string => {
  if (body === undefined) return ''
  const kind = brunoBodyName(body.contentType)
  if (kind === 'formUrlEncoded') {
    return block(
      'body:form-urlencoded',
      formFields(body.most).map(([name, value]) => `${name}: ${value}`),
    )
  }
  return block(`body:${kind}`, [body.most])
}

const bruno = (request: Request, seq: number): string => {
  const { id, method, path, parameters, body, requires, summary, description, who } = request
  const token = tokenOf(requires)
  const kind = body === undefined ? 'none' : brunoBodyName(body.contentType)
  const at = (place: string) => parameters.filter(each => each.place === place)
  const line = (each: { name: string; required: boolean }) => `${each.required ? '' : '~'}${each.name}: `
  const headers = [
    ...(kind === 'text' && body !== undefined ? [`Content-Type: ${body.contentType}`] : []),
    ...at('header').map(each => (each.name === 'Idempotency-Key' ? `${each.name}: {{$guid}}` : line(each))),
  ]
  const call = [
    `url: {{agency}}${pathWith(path, name => `:${name}`)}`,
    `body: ${kind}`,
    `auth: ${token === undefined ? 'none' : 'bearer'}`,
  ]
  return [
    `meta {\n  name: ${id}\n  type: http\n  seq: ${seq}\n}\n`,
    block(method.toLowerCase(), call),
    block('params:query', at('query').map(line)),
    block(
      'params:path',
      at('path').map(({ name }) => `${name}: {{${name}}}`),
    ),
    block('headers', headers),
    token === undefined ? '' : block('auth:bearer', [`token: {{${token}}}`]),
    brunoBody(request),
    block('docs', [`${summary}. For ${who}.`, ...(description === '' ? [] : [description])]),
  ].join('')
}

const postmanBody = ({ body }: Request): Members => {
  if (body === undefined) return {}
  if (body.contentType === form) {
    const urlencoded = formFields(body.most).map(([key, value]) => ({ key, value }))
    return { body: { mode: 'urlencoded', urlencoded } }
  }
  const options = body.contentType === json ? { options: { raw: { language: 'json' } } } : {}
  return { body: { mode: 'raw', raw: body.most, ...options } }
}

const postman = (request: Request): Members => {
  const { id, method, path, parameters, requires, summary, description, who, body } = request
  const token = tokenOf(requires)
  const at = (place: string) => parameters.filter(each => each.place === place)
  const query = at('query').map(({ name, required }) => ({ key: name, value: '', disabled: !required }))
  const headers = at('header').map(({ name, required }) =>
    name === 'Idempotency-Key' ? { key: name, value: '{{$guid}}' } : { key: name, value: '', disabled: !required },
  )
  const type = body === undefined || body.contentType === form ? [] : [{ key: 'Content-Type', value: body.contentType }]
  const raw = `{{agency}}${pathWith(path, name => `:${name}`)}`
  const bearer = [{ key: 'token', value: `{{${token}}}`, type: 'string' }]
  return {
    name: id,
    request: {
      method,
      description: `${summary}. For ${who}.${description === '' ? '' : `\n\n${description}`}`,
      auth: token === undefined ? { type: 'noauth' } : { type: 'bearer', bearer },
      header: [...type, ...headers],
      url: {
        raw,
        host: ['{{agency}}'],
        path: pathWith(path, name => `:${name}`)
          .split('/')
          .slice(1),
        ...(query.length > 0 && { query }),
        ...(at('path').length > 0 && { variable: at('path').map(({ name }) => ({ key: name, value: `{{${name}}}` })) }),
      },
      ...postmanBody(request),
    },
  }
}

const demo = 'http://localhost:3000'
const schema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json'

const environment = (agency: string): string =>
  `vars {\n  agency: ${demo}/${agency}\n}\nvars:secret [\n  apiKey,\n  citizenSession\n]\n`

/**
 * Files of the collection by their path.
 * @param agencies names of the demo's agencies, each of which becomes an environment.
 */
export const collectionFiles = (document: OpenApiDocument, agencies: readonly string[]): Record<string, string> => {
  const requires = new Map(operationsOf(document).map(({ id, requires: of }) => [id, of]))
  const groups = describeOperations(document).map(group => ({ ...group, requests: requestsOf(group, requires) }))
  const files: Record<string, string> = {
    'bruno.json': `${JSON.stringify({ version: '1', name: 'Chancery', type: 'collection' }, null, 2)}\n`,
  }
  for (const agency of agencies) files[`environments/${agency}.bru`] = environment(agency)
  for (const { name, requests } of groups) {
    requests.forEach((request, index) => {
      files[`${name}/${request.id}.bru`] = bruno(request, index + 1)
    })
  }
  const collection = {
    info: { name: 'Chancery', schema },
    variable: [
      { key: 'agency', value: `${demo}/${agencies[0] ?? ''}` },
      { key: 'apiKey', value: '' },
      { key: 'citizenSession', value: '' },
    ],
    item: groups.map(({ name, description, requests }) => ({ name, description, item: requests.map(postman) })),
  }
  files['chancery.postman_collection.json'] = `${JSON.stringify(collection, null, 2)}\n`
  return files
}
