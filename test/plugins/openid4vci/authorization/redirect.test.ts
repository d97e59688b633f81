import fc from 'fast-check'
import { assertRedirect, destinationOf, redirectTo } from '../../../../src/plugins/openid4vci/authorization/redirect.ts'

const stranger = { registered: undefined, vouched: false }
const vouched = { registered: undefined, vouched: true }
const known = (...redirectUris: string[]) => ({ registered: { id: 'wallet', redirectUris }, vouched: false })

describe('addresses that answers go to (RFC 6749, section 3.1.2; RFC 8252; RFC 9700, section 2.1)', () => {
  it.each([
    'https://wallet.example',
    'https://wallet.example/cb',
    'https://wallet.example:8443/cb?of=1',
    'http://127.0.0.1:51004/cb',
    'http://[::1]:51004/cb',
    'http://localhost:3000/cb',
    'com.example.wallet:/cb',
    'com.example.wallet://cb',
    'haip-vci://',
    'eudi-openid4ci://authorize',
  ])('may be %s for a wallet that nobody knows', uri => {
    expect(() => assertRedirect(uri, stranger)).not.toThrow()
  })

  it.each([
    ['a relative one', '/cb'],
    ['a fragment', 'https://wallet.example/cb#x'],
    ['an empty fragment', 'https://wallet.example/cb#'],
    ['a user name', 'https://agency.example@evil.example/cb'],
    ['an empty user name', 'https://@evil.example/cb'],
    ['a backslash', 'https://agency.example\\@evil.example/cb'],
    ['a tab in the scheme', 'java\tscript:alert(1)'],
    ['a line break', 'https://wallet.example/cb\r\nset-cookie: a=b'],
    ['a leading space', ' https://wallet.example/cb'],
    ['a quote', 'https://wallet.example/"onload="x'],
    ['capitals in the scheme', 'HTTPS://wallet.example/cb'],
    ['capitals in the host', 'https://Wallet.example/cb'],
    ['the default port', 'https://wallet.example:443/cb'],
    ['one slash', 'https:/wallet.example/cb'],
    ['no slash', 'https:wallet.example/cb'],
    ['three slashes', 'https:///wallet.example/cb'],
    ['a host that ends a directive', 'https://wallet.example;script-src'],
    ['a host that ends a policy', 'https://wallet.example,evil.example/cb'],
    ['plain http', 'http://wallet.example/cb'],
    ['a host that only begins like this device', 'http://localhost.evil.example/cb'],
    ['this device, written otherwise', 'http://127.1/cb'],
    ['letters that look alike', 'https://wаllet.example/cb'],
    ['script', 'javascript:alert(1)'],
    ['data', 'data:text/html,x'],
    ['a file', 'file:///etc/passwd'],
    ['an intent', 'intent://x#Intent;end'],
    ['any app', 'wallet://cb'],
    ['nothing', ''],
    ['too much', `https://wallet.example/${'x'.repeat(2_048)}`],
  ])('are refused with %s', (_, uri) => {
    expect(() => assertRedirect(uri, stranger)).toThrow(expect.objectContaining({ code: 'redirect_forbidden' }))
  })

  it('may be any app of a wallet that its provider vouches for, but nothing that a browser carries out', () => {
    expect(() => assertRedirect('wallet://cb', vouched)).not.toThrow()
    for (const uri of ['javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'blob:https://a.example/x']) {
      expect(() => assertRedirect(uri, vouched)).toThrow(expect.objectContaining({ code: 'redirect_forbidden' }))
    }
  })

  it.each([
    ['a slash more', 'https://wallet.example/cb/'],
    ['a query', 'https://wallet.example/cb?x=1'],
    ['a path below', 'https://wallet.example/cb/../evil'],
    ['an encoded letter', 'https://wallet.example/%63b'],
    ['another port', 'https://wallet.example:8443/cb'],
    ['a host below', 'https://cb.wallet.example/cb'],
    ['another wallet’s', 'https://other.example/cb'],
  ])('of a registered wallet are compared letter by letter: %s is refused', (_, uri) => {
    expect(() => assertRedirect('https://wallet.example/cb', known('https://wallet.example/cb'))).not.toThrow()
    expect(() => assertRedirect(uri, known('https://wallet.example/cb'))).toThrow(
      expect.objectContaining({ code: 'redirect_forbidden' }),
    )
  })

  it('of a registered wallet on the device may have any port (RFC 8252, section 7.3)', () => {
    const wallet = known('http://127.0.0.1/cb', 'http://localhost/cb')
    expect(() => assertRedirect('http://127.0.0.1:49152/cb', wallet)).not.toThrow()
    for (const uri of ['http://127.0.0.1:49152/cb2', 'http://localhost:49152/cb', 'http://[::1]:49152/cb']) {
      expect(() => assertRedirect(uri, wallet)).toThrow(expect.objectContaining({ code: 'redirect_forbidden' }))
    }
  })

  it('that are found good lead to the host that people are told, however a reader takes them apart', () => {
    const odd = fc.stringMatching(/^[a-z0-9:/?#@\\.%[\]-]{1,40}$/)
    fc.assert(
      fc.property(
        fc.constantFrom('https://', 'https:', 'http://localhost', 'https://wallet.example'),
        odd,
        (head, tail) => {
          const uri = head + tail
          try {
            assertRedirect(uri, stranger)
          } catch {
            return
          }
          const host = /^https?:\/\/([^/?]*)/.exec(uri)?.[1]
          expect(destinationOf(uri)).toBe(host)
        },
      ),
    )
  })

  it('take parameters behind those that they have', () => {
    expect(redirectTo('https://a.example/cb', { code: 'x', state: undefined })).toBe('https://a.example/cb?code=x')
    expect(redirectTo('https://a.example/cb?b=1', { code: 'x' })).toBe('https://a.example/cb?b=1&code=x')
    expect(redirectTo('https://a.example/cb?', { code: 'a&b=c' })).toBe('https://a.example/cb?code=a%26b%3Dc')
    expect(redirectTo('com.example:/cb', { code: 'x' })).toBe('com.example:/cb?code=x')
  })
})
