import { openTypedSignatures } from '../../../../src/chain/typed-signatures.ts'
import { encodeEntry, type SignedEntry } from '../../../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../../../src/kernel/ledger-typed-data.ts'
import { evidenceType, verifyEvidence } from '../../../../src/plugins/cbdc/ledger/purse-evidence.ts'
import {
  certificateType,
  type Judging,
  judgeVoucher,
  type PurseCertificate,
  type Voucher,
} from '../../../../src/plugins/cbdc/ledger/voucher.ts'
import type { CbdcNeeds } from '../../../../src/plugins/cbdc/needs.ts'
import { domain, secp256k1Owner, start } from '../ground.ts'
import { signatureCheck } from '../offline/purse.ts'
import { signingKey } from '../reads/reading.ts'

const ledger = 'did:ethr:0x7a69:0xcb'
const purse = secp256k1Owner(Buffer.alloc(32, 5))
const key = signingKey()
const now = Math.floor(start / 1_000)
const certificate: PurseCertificate = {
  ...{ iss: ledger, jti: '0197271c-0000-7000-8000-000000000001', iat: now, exp: now + 600, validUntil: now + 900 },
  ...{ domain, account: 40, currency: 1, key: purse.key, nonce: 7, vouchersMost: 3, capMinor: '1000' },
}

const open = async () => {
  const signatures = await openTypedSignatures(domain)
  const structOf = openStructs(signatures.keccak)
  const sign = (over: Partial<Voucher> = {}, owner = purse): Buffer => {
    const fields = { from: 40, to: 41, currency: 1, amount: 100n, fee: 0, nonce: 7, validUntil: now + 900 }
    const entry: SignedEntry = { kind: 'transfer', ...fields, ...over, signature: '' }
    return encodeEntry({ ...entry, signature: owner.sign(signatures.digest(structOf(entry))) })
  }
  const isSignedBy = signatureCheck({ needs: { signatures } as unknown as CbdcNeeds })
  const seal = (claims: Partial<PurseCertificate> = {}, typ = certificateType) =>
    key.seal({ ...certificate, ...claims }, { typ })
  const judging: Judging = { key: key.jwk, ledger, domain, isSignedBy, at: start, payee: 41, amount: 100n }
  return { signatures, sign, seal, isSignedBy, judging }
}

describe('a payee’s device', () => {
  const judge = async (
    chain: (sign: Awaited<ReturnType<typeof open>>['sign']) => Buffer[],
    over: { claims?: Partial<PurseCertificate>; typ?: string; judging?: Partial<Judging> } = {},
  ) => {
    const { sign, seal, judging } = await open()
    const offered = { certificate: await seal(over.claims, over.typ), vouchers: chain(sign) }
    return judgeVoucher(offered, { ...judging, ...over.judging })
  }

  test('takes a voucher with all that came before it', async () => {
    const judged = await judge(sign => [sign({ to: 50, amount: 900n }), sign({ nonce: 8 })])
    expect(judged).toMatchObject({ accepted: true, voucher: { nonce: 8, amount: 100n }, certificate })
  })

  test.each([
    ['certificate_ledger', { claims: { iss: 'did:ethr:0x7a69:0xcc' } }],
    ['certificate_ledger', { claims: { domain: { ...domain, chainId: 1 } } }],
    ['certificate_type', { typ: 'ledger-receipt+jwt' }],
    ['certificate_malformed', { claims: { capMinor: '1e3' } }],
    ['certificate_malformed', { claims: { capMinor: '0' } }],
    ['certificate_malformed', { claims: { key: { ...purse.key, prefix: 4 } } }],
    ['certificate_malformed', { claims: { validUntil: now + 599 } }],
    ['certificate_not_begun', { judging: { at: start - 60_001 } }],
    ['certificate_expired', { judging: { at: start + 600_000 } }],
    ['payee_differs', { judging: { payee: 42 } }],
    ['amount_differs', { judging: { amount: 101n } }],
  ])('refuses with %s: %j', async (why, over) => {
    expect(await judge(sign => [sign()], over)).toEqual({ accepted: false, why })
  })

  test('refuses a certificate that another key signed', async () => {
    const why = 'certificate_signature'
    expect(await judge(sign => [sign()], { judging: { key: signingKey().jwk } })).toEqual({ accepted: false, why })
  })

  test.each<[string, Partial<Voucher>]>([
    ['voucher_account', { from: 39 }],
    ['voucher_currency', { currency: 2 }],
    ['voucher_validity', { validUntil: now + 899 }],
    ['voucher_nonce', { nonce: 6 }],
    ['voucher_nonce', { nonce: 8 }],
    ['voucher_nonce', { nonce: 10 }],
    ['voucher_fee', { fee: 1 }],
    ['voucher_self', { to: 40 }],
    ['voucher_amount', { amount: 0n }],
    ['cap_exceeded', { amount: 1_001n }],
  ])('refuses with %s what the certificate does not allow', async (why, over) => {
    expect(await judge(sign => [sign(over)])).toEqual({ accepted: false, why })
  })

  test('refuses a chain without vouchers, with too many, with a gap, or beyond the cap in all', async () => {
    expect(await judge(() => [])).toMatchObject({ why: 'chain_length' })
    expect(await judge(sign => [7, 8, 9, 10].map(nonce => sign({ nonce })))).toMatchObject({ why: 'chain_length' })
    expect(await judge(sign => [sign(), sign({ nonce: 9 })])).toMatchObject({ why: 'voucher_nonce' })
    expect(await judge(sign => [sign({ amount: 901n }), sign({ nonce: 8 })])).toMatchObject({ why: 'cap_exceeded' })
  })

  test('refuses what another key signed, or what was changed after it was signed', async () => {
    const stranger = secp256k1Owner(Buffer.alloc(32, 6))
    expect(await judge(sign => [sign({}, stranger)])).toMatchObject({ why: 'voucher_signature' })
    const changed = (bytes: Buffer): Buffer => {
      bytes.writeBigUInt64BE(101n, 11)
      return bytes
    }
    const over = { judging: { amount: 101n } }
    expect(await judge(sign => [changed(sign())], over)).toMatchObject({ why: 'voucher_signature' })
    expect(await judge(sign => [sign().subarray(1)])).toMatchObject({ why: 'voucher_malformed' })
  })

  test('knows the vouchers it took before: neither twice, nor another one in their place', async () => {
    const { sign } = await open()
    const known = [sign()]
    expect(await judge(() => [sign()], { judging: { known } })).toMatchObject({ why: 'voucher_taken' })
    const fork = [sign({ to: 50 }), sign({ nonce: 8 })]
    expect(await judge(() => fork, { judging: { known } })).toMatchObject({ why: 'double_spent' })
    const longer = [sign(), sign({ nonce: 8 })]
    expect(await judge(() => longer, { judging: { known } })).toMatchObject({ accepted: true })
    expect(await judge(() => [sign()], { judging: { known: longer } })).toMatchObject({ accepted: false })
  })
})

describe('evidence of misuse', () => {
  const verdict = async (
    kind: string,
    records: (sign: Awaited<ReturnType<typeof open>>['sign']) => Buffer[],
    over: { claims?: Partial<PurseCertificate>; typ?: string; iss?: string } = {},
  ) => {
    const { sign, isSignedBy } = await open()
    const claims = {
      ...{ iss: over.iss ?? ledger, iat: now, kind, certificate: { ...certificate, ...over.claims } },
      records: records(sign).map(record => record.toString('base64url')),
    }
    const statement = await key.seal(claims, { typ: over.typ ?? evidenceType })
    return verifyEvidence(statement, { key: key.jwk, ledger, domain, isSignedBy })
  }

  test('two vouchers of one nonce that say different things prove a double spending', async () => {
    const found = await verdict('double_spent', sign => [sign(), sign({ to: 42 })])
    expect(found).toMatchObject({ holds: true, account: 40, evidence: { kind: 'double_spent' } })
  })

  test('vouchers of different nonces that come to more than the cap prove that it was overspent', async () => {
    const found = await verdict('overspent', sign => [sign({ amount: 901n }), sign({ nonce: 9 })])
    expect(found).toMatchObject({ holds: true, account: 40 })
  })

  const stranger = secp256k1Owner(Buffer.alloc(32, 6))
  type Sign = Awaited<ReturnType<typeof open>>['sign']
  test.each<[string, string, string, (sign: Sign) => Buffer[]]>([
    ['the same voucher twice', 'double_spent', 'proves_nothing', sign => [sign(), sign()]],
    ['vouchers of two nonces', 'double_spent', 'proves_nothing', sign => [sign(), sign({ nonce: 8 })]],
    ['one voucher', 'double_spent', 'proves_nothing', sign => [sign()]],
    ['a sum at the cap', 'overspent', 'proves_nothing', sign => [sign({ amount: 900n }), sign({ nonce: 8 })]],
    [
      'one nonce counted twice',
      'overspent',
      'proves_nothing',
      sign => [sign({ amount: 501n }), sign({ amount: 500n })],
    ],
    ['a forgery', 'double_spent', 'purse_signature', sign => [sign(), sign({ to: 42 }, stranger)]],
    ['a payment of another day', 'double_spent', 'voucher', sign => [sign(), sign({ to: 42, validUntil: now })]],
    ['another purse', 'double_spent', 'voucher', sign => [sign(), sign({ from: 39 })]],
    ['bytes that are no voucher', 'double_spent', 'record', sign => [sign(), Buffer.alloc(93)]],
    ['another kind', 'theft', 'statement', sign => [sign(), sign({ to: 42 })]],
  ])('%s: no proof', async (_name, kind, fault, records) => {
    expect(await verdict(kind, records)).toEqual({ holds: false, fault })
  })

  test('a statement of another ledger, or of another type, is none', async () => {
    const twice = (sign: Sign) => [sign(), sign({ to: 42 })]
    expect(await verdict('double_spent', twice, { iss: 'did:web:x' })).toMatchObject({ fault: 'ledger' })
    expect(await verdict('double_spent', twice, { claims: { iss: 'did:web:x' } })).toMatchObject({ fault: 'ledger' })
    expect(await verdict('double_spent', twice, { typ: certificateType })).toMatchObject({ fault: 'type' })
  })
})
