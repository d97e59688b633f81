import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { compileContract, type OpenApiDocument, type Operation } from '../../src/http/contract.ts'
import { root } from '../service.ts'

const read = (): OpenApiDocument => parse(readFileSync(join(root, 'openapi.yaml'), 'utf8')) as OpenApiDocument

const checksOf = ({ body, parameters, answers }: Operation) =>
  [
    ...(body?.types.values() ?? []),
    parameters.check,
    ...[...answers.values()].flatMap(types => [...types.values()]),
  ].flatMap(check => check ?? [])

const one = (schema: unknown): OpenApiDocument => ({
  openapi: '3.1.0',
  paths: {
    '/x': {
      post: {
        operationId: 'x',
        requestBody: { content: { 'application/json': { schema } } },
        responses: { '204': { description: 'Done' } },
      },
    },
  },
})

describe('the contract', () => {
  it('compiles every schema of openapi.yaml, strictly', () => {
    const operations = [...compileContract(read()).values()]
    for (const operation of operations) for (const check of checksOf(operation)) check.compile()
    expect(operations.length).toBeGreaterThan(200)
  }, 60_000)

  it.each([
    ['an unknown keyword', { type: 'string', maximumLength: 3 }, /x, request: strict mode: unknown keyword/],
    ['an unknown format', { type: 'string', format: 'phone' }, /unknown format "phone"/],
    ['a reference that leads nowhere', { $ref: '#/components/schemas/Ghost' }, /can't resolve reference/],
  ])('names the place of %s', (_, schema, message) => {
    const check = compileContract(one(schema)).get('x')?.body?.types.get('application/json')
    expect(() => check?.compile()).toThrow(message)
    // Nothing is let through because its check could not be made.
    expect(() => check?.({})).toThrow(message)
  })

  it('refuses two operations of one name, and one of none', () => {
    const { paths } = one(true)
    expect(() => compileContract({ openapi: '3.1.0', paths: { ...paths, '/y': paths['/x'] as never } })).toThrow(
      'two operations are called x',
    )
    expect(() => compileContract({ openapi: '3.1.0', paths: { '/y': { get: {} } } })).toThrow('has no operationId')
  })
})
