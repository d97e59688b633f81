import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseWallet } from '../../src/config/wallet.ts'

const folder = mkdtempSync(join(tmpdir(), 'chancery-wallet-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const parse = (value: unknown) =>
  parseWallet(value, join(folder, 'citizen-wallet.yml'), what => {
    throw new Error(what)
  })

test('what is not said of a wallet service is no', () => {
  expect(parse({})).toEqual({ unaccredited: false, signedMetadata: false, issuerAnchors: [] })
})

test('a provider has a name, and says what keys and sign-in withstand', () => {
  const provider = { name: 'Wallets', link: 'https://wallets.example', keyStorage: ['iso_18045_basic'] }
  expect(parse({ unaccredited: true, provider })).toMatchObject({ unaccredited: true, provider })
})

const wrong: [string, unknown, string][] = [
  ['is a list', [], 'wallet must be a mapping'],
  ['has an unknown key', { trust: 'everybody' }, 'unknown key "wallet.trust"'],
  ['says maybe', { unaccredited: 'maybe' }, 'wallet.unaccredited and wallet.signedMetadata are true or false'],
  ['has a provider without a name', { provider: {} }, 'wallet.provider.name must be a text'],
  [
    'has a provider with an unknown key',
    { provider: { name: 'W', secret: 's' } },
    'unknown key "wallet.provider.secret"',
  ],
  [
    'links to http',
    { provider: { name: 'W', link: 'http://wallets.example' } },
    'wallet.provider.link is an https URL',
  ],
  ['vouches for nothing', { provider: { name: 'W', keyStorage: [] } }, 'wallet.provider.keyStorage is a list of texts'],
  [
    'names anchors that are not there',
    { issuerAnchors: 'nowhere.pem' },
    '"nowhere.pem" is no PEM file with certificates',
  ],
]
test.each(wrong)('a file whose wallet %s stops the start', (_what, value, message) => {
  expect(() => parse(value)).toThrow(message)
})

test('a file of anchors without a certificate stops the start', () => {
  writeFileSync(join(folder, 'empty.pem'), 'nothing')
  expect(() => parse({ issuerAnchors: 'empty.pem' })).toThrow('no PEM file with certificates')
})
