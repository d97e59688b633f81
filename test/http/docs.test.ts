import { Script } from 'node:vm'
import type { OpenApiDocument } from '../../src/http/contract.ts'
import { docsFiles, docsOf } from '../../src/http/docs.ts'
import { type Described, describeOperations } from '../../src/http/docs-describe.ts'
import { contract, openHouse } from './fixture.ts'

const schemas = {
  Share: {
    type: 'object',
    required: ['numerator'],
    properties: { numerator: { type: 'string', pattern: '^[1-9]$' }, inner: { $ref: '#/components/schemas/Share' } },
  },
  Party: {
    description: 'A party',
    oneOf: [
      { type: 'object', properties: { name: { type: 'string' } } },
      { type: 'string', format: 'uri' },
    ],
  },
  Base: { type: 'object', required: ['legalBasis'], properties: { legalBasis: { type: 'string' } } },
  Deed: {
    allOf: [{ $ref: '#/components/schemas/Base' }],
    required: ['share'],
    properties: {
      share: { $ref: '#/components/schemas/Share' },
      parties: { type: 'array', items: { $ref: '#/components/schemas/Share' }, description: 'Who takes part' },
      to: { $ref: '#/components/schemas/Party' },
      kind: { enum: ['sale', 'gift'] },
      presentation: { type: 'string', description: 'Over this body' },
    },
  },
}

const json = (schema: unknown): unknown => ({ content: { 'application/json': { schema } } })

const registration = (): OpenApiDocument => ({
  openapi: '3.1.0',
  tags: [
    { name: 'land', description: 'Titles & <deeds>' },
    { name: 'unused', description: 'Nothing here' },
  ],
  components: { schemas, parameters: { Register: { name: 'register', in: 'path', required: true, schema: {} } } },
  paths: {
    '/health': { get: { operationId: 'getHealth', 'x-requires': { by: 'anyone' } } },
    '/registers/{register}/deeds': {
      parameters: [{ $ref: '#/components/parameters/Register' }],
      post: {
        operationId: 'registerDeed',
        'x-requires': { by: 'cases', param: 'register' },
        tags: ['land'],
        summary: 'Registers a <deed>',
        description: 'It is final.',
        parameters: [{ name: 'wait', in: 'query', description: 'Until "mined"', schema: { type: 'integer' } }],
        requestBody: json({ $ref: '#/components/schemas/Deed' }) as object,
        responses: { '200': { description: 'Done', ...(json({ $ref: '#/components/schemas/Deed' }) as object) } },
      },
    },
    '/requirements/{operationId}': {
      get: { operationId: 'getRequirement', 'x-requires': { by: 'anyone' }, tags: ['land'] },
    },
  },
})

const operation = (id: string, document = registration()): Described => {
  const found = describeOperations(document)
    .flatMap(({ operations }) => operations)
    .find(each => each.id === id)
  if (found === undefined) throw new Error(`${id} is not described`)
  return found
}

describe('a description of the operations', () => {
  test('groups them by tag in the order of the document, leaves out empty tags, and keeps what has no tag', () => {
    const groups = describeOperations(registration()).map(({ name, operations }) => [
      name,
      operations.map(({ id }) => id),
    ])
    expect(groups).toEqual([
      ['land', ['registerDeed', 'getRequirement']],
      ['other', ['getHealth']],
    ])
  })

  test.each([
    [{ by: 'anyone' }, 'anyone', false],
    [{ by: 'known' }, 'whoever proves who they are', false],
    [{ by: 'staff', scope: 'things:write' }, 'staff with things:write', false],
    [{ by: 'citizen' }, 'a citizen, signed in', false],
    [{ by: 'agency' }, 'another agency, by a signed request', false],
    [{ by: 'holder', fourEyes: { lifeSeconds: 9 } }, 'a holder of credentials, and a second officer approves', true],
    [{ by: 'parties' }, 'several parties together', true],
    [{ by: 'cases', param: 'register' }, 'as the register says', true],
    [undefined, 'see its requirement', false],
  ])('says for %j who may call: %s', (requires, who, wallet) => {
    const document = registration()
    document.paths['/health'] = { get: { operationId: 'getHealth', 'x-requires': requires } }
    expect(operation('getHealth', document)).toMatchObject({ who, wallet })
  })

  test('links the requirement only where the agency answers requirements', () => {
    expect(operation('registerDeed').requirement).toBe('requirements/registerDeed')
    const document = registration()
    delete document.paths['/requirements/{operationId}']
    expect(operation('registerDeed', document).requirement).toBeUndefined()
  })

  test('lists the members of the body one level deep, through references and allOf', () => {
    const forms = operation('registerDeed').body?.forms.map(form =>
      form.map(({ name, type, required }) => `${name}: ${type}${required ? '!' : ''}`),
    )
    expect(forms).toEqual([
      [
        'legalBasis: string!',
        'share: object!',
        'share.numerator: string (^[1-9]$)!',
        'share.inner: object',
        'parties: array of object',
        'parties[].numerator: string (^[1-9]$)!',
        'parties[].inner: object',
        'to: object or string (uri)',
        'kind: "sale" or "gift"',
        'presentation: string',
      ],
    ])
  })

  test('has a list of members for each form of a body', () => {
    const document = registration()
    const forms = [{ properties: { id: { type: 'string' } } }, { properties: { number: { type: 'integer' } } }]
    const schema = { properties: { reason: { type: 'string' } }, oneOf: forms }
    document.paths['/health'] = { post: { operationId: 'twoForms', requestBody: json(schema) } }
    const names = operation('twoForms', document).body?.forms.map(form => form.map(({ name }) => name))
    expect(names).toEqual([
      ['reason', 'id'],
      ['reason', 'number'],
    ])
  })

  test('gives a body of what is required, and one of everything with the presentation', () => {
    const { least, most } = operation('registerDeed').body ?? { least: '', most: '' }
    expect(JSON.parse(least)).toEqual({ legalBasis: '', share: { numerator: '' } })
    expect(Object.keys(JSON.parse(most))).toEqual(['legalBasis', 'share', 'parties', 'to', 'kind', 'presentation'])
    expect(JSON.parse(most)).toMatchObject({ kind: 'sale', presentation: 'made by a wallet' })
  })

  test('keeps parameters of the path item beside those of the operation', () => {
    expect(operation('registerDeed').parameters).toEqual([
      { name: 'register', place: 'path', type: 'anything', required: true, description: '' },
      { name: 'wait', place: 'query', type: 'integer', required: false, description: 'Until "mined"' },
    ])
  })

  test('ends with a schema that takes over itself', () => {
    const document = registration()
    const schema = { allOf: [{ $ref: '#/components/schemas/Loop' }], properties: { a: { type: 'string' } } }
    document['components'] = { schemas: { Loop: schema } }
    document.paths['/health'] = { post: { operationId: 'loop', requestBody: json(schema) } }
    expect(operation('loop', document).body?.forms[0]?.map(({ name }) => name)).toEqual(['a'])
  })
})

describe('the page', () => {
  const { body } = docsOf('Land & Sea', registration())
  const row = body.slice(body.indexOf('<details id="registerDeed"'), body.indexOf('</details>'))

  test('is titled as the agency, counts the operations, and heads them by tag', () => {
    expect(body).toContain('<title>Land &amp; Sea: API</title>')
    expect(body).toContain('<output id="count">3</output> operations')
    expect(body).toMatch(
      /<h2 id="tag-land">land <span class="count">2<\/span><\/h2>\s*<p>Titles &amp; &lt;deeds&gt;<\/p>/,
    )
  })

  test('shows method, path, operationId, summary and who in each row', () => {
    const summary = row.slice(row.indexOf('<summary>'), row.indexOf('</summary>'))
    const shown = summary.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ')
    expect(shown.trim()).toBe(
      'POST /registers/{register}/deeds registerDeed Registers a &lt;deed&gt; as the register says',
    )
    expect(row).toContain('data-words="registerdeed post /registers/{register}/deeds registers a &lt;deed&gt;"')
  })

  test('shows in an opened operation its requirement, members, parameters and answers', () => {
    expect(row).toContain('<a href="requirements/registerDeed">')
    expect(row).toContain(
      '<td><code>parties</code></td><td>array of object</td><td>optional</td><td>Who takes part</td>',
    )
    expect(row).toContain('<td>integer, in query</td><td>optional</td><td>Until &quot;mined&quot;</td>')
    expect(row).toMatch(/<td><code>200<\/code><\/td><td>Done<\/td><td><code>legalBasis, share, /)
  })

  test('says what it cannot send where credentials are asked for, and only there', () => {
    expect(row).toContain('Send below knows a Bearer token only.')
    expect(body.split('Send below knows a Bearer token only.')).toHaveLength(2)
  })

  test('has no mark-up but its own', () => {
    expect(body).not.toMatch(/<deeds?>/)
    expect(body).not.toMatch(/<script>|<style>| style=| on\w+=/)
  })

  test('has a script that can be read as one', () => {
    expect(() => new Script(docsFiles['/docs/page.js']?.body ?? '(')).not.toThrow()
  })
})

describe('an agency', () => {
  test('serves the page under its name in words, with the operations it serves only', async () => {
    const house = await openHouse({ openapi: contract() })
    const text = await (await fetch(`${house.url}/docs`)).text()
    expect(text).toContain('<h1>Office</h1>')
    expect(text).toContain('<details id="echo"')
    expect(text).not.toContain('<details id="away"')
    await house.close()
  })

  test.each(['', '/', '/?next=//elsewhere.example'])('leads from its mount%s to its page', async tail => {
    const house = await openHouse()
    const response = await fetch(house.url + tail, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://office.example/docs'])
    await house.close()
  })
})
