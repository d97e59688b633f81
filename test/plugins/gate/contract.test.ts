import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { compileContract } from '../../../src/http/contract.ts'
import { digestOf } from '../../../src/kernel/canonical.ts'

const document = parse(readFileSync(join(import.meta.dirname, '../../../openapi.yaml'), 'utf8'))
const operations = compileContract(document)
const bodyCheck = (id: string) => operations.get(id)?.body?.types.get('application/json')

describe('what openapi.yaml says of the gate', () => {
  const { post } = document.paths['/requirements/{operationId}/challenge']
  const { example } = post.requestBody.content['application/json']

  it('shows a joint act by an example that fits, whose digest is that of its body', () => {
    const check = bodyCheck('createActChallenge')
    expect([check?.(example), check?.errors]).toEqual([true, null])
    const [, text = ''] = /with the body\s+`(\{.*\})`/s.exec(post.description) ?? []
    const body = JSON.parse(text)
    expect(example.bodySha256).toBe(digestOf(body).toString('base64url'))
    const act = { ...body, presentations: document.components.schemas.Presentations.example }
    const actCheck = bodyCheck('transferTitle')
    expect([actCheck?.(act), actCheck?.errors]).toEqual([true, null])
  })

  it('names the header that brings the nonce wherever a session gets one', () => {
    const { post: opening } = document.paths['/sessions']
    const { delete: ending } = document.paths['/sessions/current']
    for (const { headers } of [opening.responses['201'], opening.responses['401'], ending.responses['401']])
      expect(Object.keys(headers)).toContain('DPoP-Nonce')
  })
})
