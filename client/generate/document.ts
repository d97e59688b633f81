/* openapi.yaml as the generators read it: references followed, operations in the order of the document. */

export type Members = Record<string, unknown>

export const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {}

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What a `$ref` leads to; anything else is itself. @throws Error for a reference that leads nowhere */
export const follow = (document: Members, value: unknown): Members => {
  let target = membersOf(value)
  while (typeof target['$ref'] === 'string') {
    const reference = target['$ref']
    let place: unknown = document
    for (const part of reference.slice(2).split('/')) place = membersOf(place)[part]
    if (place === undefined) throw new Error(`${reference} leads nowhere`)
    target = membersOf(place)
  }
  return target
}

export type Parameter = { name: string; place: string; required: boolean; schema: unknown; description: string }
/** A body, of a request or an answer: one schema a media type. `isLines` is NDJSON, a value of the schema a line. */
export type Media = { type: string; schema: unknown; isLines: boolean; example: unknown }
export type Described = {
  id: string
  method: string
  path: string
  tag: string
  summary: string
  description: string
  requires: Members
  parameters: Parameter[]
  body: { required: boolean; media: Media[] } | undefined
  answers: { status: string; media: Media[] }[]
}

const methods = ['get', 'put', 'post', 'delete', 'patch'] as const
const ndjson = 'application/x-ndjson'

const mediaOf = (holder: Members): Media[] =>
  Object.entries(membersOf(holder['content'])).map(([type, media]) => {
    const isLines = type === ndjson
    const { example, ...members } = membersOf(media)
    return { type, isLines, schema: members[isLines ? 'x-item-schema' : 'schema'], example }
  })

const parametersOf = (document: Members, lists: unknown[]): Parameter[] =>
  lists.flatMap(listOf).map(entry => {
    const { name, in: place, required, schema, description } = follow(document, entry)
    return {
      ...{ name: textOf(name), place: textOf(place), required: required === true },
      ...{ schema, description: textOf(description) },
    }
  })

/** Every operation of the document. */
export const operationsOf = (document: Members): Described[] =>
  Object.entries(membersOf(document['paths'])).flatMap(([path, item]) =>
    methods.flatMap(method => {
      const source = membersOf(item)[method]
      if (source === undefined) return []
      const operation = membersOf(source)
      const body = operation['requestBody'] === undefined ? undefined : follow(document, operation['requestBody'])
      return [
        {
          ...{ id: textOf(operation['operationId']), method: method.toUpperCase(), path },
          tag: textOf(listOf(operation['tags'])[0]) || 'other',
          ...{ summary: textOf(operation['summary']), description: textOf(operation['description']) },
          requires: membersOf(operation['x-requires']),
          parameters: parametersOf(document, [membersOf(item)['parameters'], operation['parameters']]),
          body: body && { required: body['required'] === true, media: mediaOf(body) },
          answers: Object.entries(membersOf(operation['responses'])).map(([status, answer]) => ({
            status,
            media: mediaOf(follow(document, answer)),
          })),
        },
      ]
    }),
  )
