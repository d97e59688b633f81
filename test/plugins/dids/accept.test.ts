import { describe, expect, it } from '@jest/globals'
import { preferred } from '../../../src/plugins/dids/actions/accept.ts'

const offered = ['application/did-resolution', 'application/did', 'text/uri-list'] as const

describe('content negotiation (RFC 9110, section 12.5.1)', () => {
  it.each<[string | undefined, string | undefined]>([
    [undefined, 'application/did-resolution'],
    ['', 'application/did-resolution'],
    ['*/*', 'application/did-resolution'],
    ['application/did', 'application/did'],
    ['APPLICATION/DID', 'application/did'],
    ['text/*', 'text/uri-list'],
    ['application/did;q=0.5, text/uri-list', 'text/uri-list'],
    ['application/did;q=0.5, */*;q=0.4', 'application/did'],
    ['application/did-resolution;q=0, */*', 'application/did'],
    ['application/*;q=0.2, application/did;q=0.9', 'application/did'],
    ['application/did; profile="x"; q=0.3, application/did-resolution;q=0.2', 'application/did'],
    ['text/html', undefined],
    ['application/did;q=0', undefined],
    ['*/*;q=0', undefined],
    ['application/did;q=2, text/html', undefined],
    ['nonsense', 'application/did-resolution'],
  ])('of %p prefers %p', (header, type) => {
    expect(preferred(header, offered)).toBe(type)
  })
})
