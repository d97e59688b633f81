import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseVerifiers } from '../../src/config/verifiers.ts'

const fail = (what: string): never => {
  throw new Error(what)
}
const parse = (value: unknown, file = '/nowhere/agency.yml') => parseVerifiers(value, file, fail)
const jwks = { keys: [{ kty: 'EC', kid: 'a' }] }

describe('what an agency file says about verifiers', () => {
  it('names authorities by files beside it, agencies by their URLs, attesters and clients by their keys', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chancery-verifiers-'))
    try {
      writeFileSync(join(folder, 'authority.pem'), 'PEM')
      const attesters = [{ issuer: 'https://attester.example', jwks }]
      const registered = [{ clientId: 'shop', jwks, responseUris: ['https://shop.example/r'] }]
      const value = { authorities: ['authority.pem'], agencies: ['https://office.example/a'], attesters, registered }
      expect(parse(value, join(folder, 'agency.yml'))).toEqual({
        ...{ authorities: ['PEM'], agencies: ['https://office.example/a'], attesters },
        federations: [],
        registered: [{ ...registered[0], metadata: {} }],
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('may say nothing', () => {
    expect(parse({})).toEqual({ authorities: [], agencies: [], attesters: [], federations: [], registered: [] })
  })

  it.each<[string, unknown, string]>([
    ['is no mapping', [], 'must be a mapping'],
    ['has an unknown key', { trusted: [] }, 'unknown key "verifiers.trusted"'],
    ['names a file that is not there', { authorities: ['none.pem'] }, 'no certificate file'],
    ['names authorities that are no texts', { authorities: [1] }, 'name PEM files'],
    ['names an agency by a path that is none of an agency', { agencies: ['/a/b'] }, 'public URLs'],
    ['names an agency with a slash at the end', { agencies: ['https://a.example/'] }, 'public URLs'],
    ['has an attester without keys', { attesters: [{ issuer: 'https://a' }] }, 'jwks holds keys'],
    ['has an attester without a name', { attesters: [{ jwks }] }, 'name their issuer'],
    ['has a federation without an anchor', { federations: [{ jwks }] }, 'name their anchor'],
    ['has a federation without keys', { federations: [{ anchor: 'https://a.example' }] }, 'jwks holds keys'],
    ['has a client without addresses', { registered: [{ clientId: 'a', jwks }] }, 'have responseUris'],
    ['has a client without a name', { registered: [{ jwks, responseUris: ['x'] }] }, 'have a clientId'],
    ['has a client with an unknown key', { registered: [{ secret: 'x' }] }, 'unknown key'],
  ])('stops the start when it %s', (_, value, message) => {
    expect(() => parse(value)).toThrow(message)
  })
})
