import 'reflect-metadata'
import { sign } from 'node:crypto'
import * as theirs from '@peculiar/x509'
import { type ChainOptions, trustAnchors, validateChain } from '../../../src/identity/x509/chain.ts'
import { type Authority, certificateSigner, makeAccessCertificate } from '../../../src/identity/x509/make.ts'
import { documentSignerUsage } from '../../../src/identity/x509/usages.ts'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { day, type Keys, makeAuthority, makeDocumentSigner, newKeys, start, validity } from './authority.ts'

const at = start + day

const outcome = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return error instanceof Refusal ? error.code : `defect: ${String(error)}`
  }
  return 'trusted'
}

const judged = (chain: Uint8Array[], anchors: Uint8Array[], options: ChainOptions = {}, time = at) =>
  outcome(() => validateChain(chain, anchors, time, options))

/** A certificate with whatever extensions. */
const issueFreely = async (options: {
  issuer?: { certificate: Uint8Array; keys: Keys }
  keys: Keys
  name: string
  extensions: theirs.Extension[]
  hash?: 'sha1' | 'sha256'
}): Promise<Uint8Array> => {
  const { issuer, keys, name, extensions, hash = 'sha256' } = options
  const key = (issuer?.keys ?? keys).privateKey
  const crypto = {
    subtle: {
      sign: async (_algorithm: unknown, _key: unknown, data: ArrayBuffer) =>
        sign(hash, new Uint8Array(data), { key, dsaEncoding: 'ieee-p1363' }),
    },
  }
  const issuerName = issuer && new theirs.X509Certificate(issuer.certificate as Uint8Array<ArrayBuffer>).subjectName
  const made = await theirs.X509CertificateGenerator.create(
    {
      ...{ subject: `CN=${name}`, issuer: issuerName ?? `CN=${name}`, serialNumber: '0102030405060708' },
      ...{ notBefore: new Date(start), notAfter: new Date(start + 400 * day), extensions },
      publicKey: new Uint8Array(keys.publicKey.export({ format: 'der', type: 'spki' })),
      signingKey: { algorithm: { name: 'ECDSA', namedCurve: 'P-256' } } as never,
      signingAlgorithm: { name: 'ECDSA', hash: hash === 'sha1' ? 'SHA-1' : 'SHA-256' },
    },
    crypto as never,
  )
  return new Uint8Array(made.rawData)
}

const { KeyUsageFlags, BasicConstraintsExtension, KeyUsagesExtension, Extension } = theirs
const authorityOf = (pathLength?: number) => new BasicConstraintsExtension(true, pathLength, true)
const mayCertify = new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)
const asnNull = Uint8Array.of(5, 0)

describe('chains of certificates', () => {
  const keys = newKeys()
  const middleKeys = newKeys()
  const rootKeys = newKeys()
  let root: Authority
  let leaf: Uint8Array
  let otherRoot: Authority
  beforeAll(async () => {
    root = await makeAuthority({ keys: rootKeys, pathLength: 1 })
    leaf = await makeDocumentSigner(root, keys)
    otherRoot = await makeAuthority()
  })

  const middle = async (extensions: theirs.Extension[], above: Authority = root): Promise<Authority> => {
    const issuer = { certificate: above.certificate, keys: rootKeys }
    const certificate = await issueFreely({ issuer, keys: middleKeys, name: 'Middle', extensions })
    return { certificate, signer: certificateSigner(middleKeys) }
  }

  it('trusts a leaf that an anchor signed, and says which', () => {
    const trusted = validateChain([leaf], [otherRoot.certificate, root.certificate], at)
    expect(trusted.anchor.der).toEqual(root.certificate)
    expect(trusted.leaf.publicKey.equals(keys.publicKey)).toBe(true)
    expect(trusted.certificates).toHaveLength(1)
  })

  it('trusts a chain through another authority', async () => {
    const authority = await middle([authorityOf(0), mayCertify])
    const below = await makeDocumentSigner(authority, keys)
    expect(judged([below, authority.certificate], [root.certificate])).toBe('trusted')
  })

  it('takes the anchor at the end of the chain, but not where HAIP 1.0 leaves it out', () => {
    expect(judged([leaf, root.certificate], [root.certificate])).toBe('trusted')
    expect(judged([leaf, root.certificate], [root.certificate], { haip: true })).toBe('certificate_untrusted')
    expect(judged([leaf], [root.certificate], { haip: true })).toBe('trusted')
  })

  it('trusts a self-signed leaf that is an anchor itself, but not where HAIP 1.0 forbids it', async () => {
    const pinned = await issueFreely({ keys, name: 'Pinned', extensions: [] })
    expect(judged([pinned], [pinned])).toBe('trusted')
    expect(judged([pinned], [pinned], { haip: true })).toBe('certificate_untrusted')
    expect(judged([pinned], [root.certificate])).toBe('certificate_untrusted')
  })

  it('refuses a chain to another root, also to one of the same name with another key', () => {
    expect(judged([leaf], [otherRoot.certificate])).toBe('certificate_untrusted')
    expect(judged([leaf], [])).toBe('certificate_untrusted')
    expect(judged([leaf, root.certificate], [otherRoot.certificate])).toBe('certificate_untrusted')
  })

  it('refuses certificates in the wrong order, twice, or with one missing', async () => {
    const authority = await middle([authorityOf(0), mayCertify])
    const below = await makeDocumentSigner(authority, keys)
    const anchors = [root.certificate]
    expect(judged([authority.certificate, below], anchors)).toBe('certificate_untrusted')
    expect(judged([below], anchors)).toBe('certificate_untrusted')
    expect(judged([below, below, authority.certificate], anchors)).toBe('certificate_untrusted')
    expect(judged([leaf, authority.certificate], anchors)).toBe('certificate_untrusted')
  })

  it('refuses a chain outside the validity of any certificate in it', async () => {
    const anchors = [root.certificate]
    expect(judged([leaf], anchors, {}, start - 1)).toBe('certificate_expired')
    expect(judged([leaf], anchors, {}, validity.notAfter + 1)).toBe('certificate_expired')
    expect(judged([leaf], anchors, {}, Number.NaN)).toBe('certificate_expired')
    const brief = await makeAuthority({ notAfter: start + 10 * day })
    const signer = await makeDocumentSigner(brief, keys)
    expect(judged([signer], [brief.certificate])).toBe('trusted')
    expect(judged([signer], [brief.certificate], {}, start + 11 * day)).toBe('certificate_expired')
  })

  it('refuses an authority that is none, and one whose key may not sign certificates (RFC 5280, section 6.1.4)', async () => {
    const anchors = [root.certificate]
    const mayNot = new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true)
    for (const extensions of [[], [mayCertify], [authorityOf(0), mayNot]]) {
      const authority = await middle(extensions)
      const below = await makeDocumentSigner(authority, keys)
      expect(judged([below, authority.certificate], anchors)).toBe('certificate_untrusted')
    }
    const pretender = { certificate: leaf, signer: certificateSigner(keys) }
    const below = await makeDocumentSigner(pretender, newKeys())
    expect(judged([below, leaf], anchors)).toBe('certificate_untrusted')
  })

  it('refuses a chain longer than pathLenConstraint allows', async () => {
    const tight = await makeAuthority({ keys: rootKeys, pathLength: 0, commonName: 'Tight' })
    const authority = await middle([authorityOf(), mayCertify], tight)
    const below = await makeDocumentSigner(authority, keys)
    expect(judged([below, authority.certificate], [tight.certificate])).toBe('certificate_untrusted')
    expect(judged([below], [authority.certificate])).toBe('trusted')
  })

  it('refuses a critical extension that nobody understands, and name constraints at all', async () => {
    const judge = async (extension: theirs.Extension) => {
      const authority = await middle([authorityOf(0), mayCertify, extension])
      return judged([await makeDocumentSigner(authority, keys), authority.certificate], [root.certificate])
    }
    expect(await judge(new Extension('1.2.3.4', false, asnNull))).toBe('trusted')
    expect(await judge(new Extension('1.2.3.4', true, asnNull))).toBe('certificate_untrusted')
    expect(await judge(new Extension('2.5.29.30', false, Uint8Array.of(0x30, 0)))).toBe('certificate_untrusted')
  })

  it('refuses signatures with SHA-1, and keys on curves that are not listed', async () => {
    const issuer = { certificate: root.certificate, keys: rootKeys }
    const weak = await issueFreely({ issuer, keys, name: 'Weak', extensions: [], hash: 'sha1' })
    expect(judged([weak], [root.certificate])).toBe('certificate_untrusted')
    const exotic = await issueFreely({ issuer, keys: newKeys('secp256k1'), name: 'Exotic', extensions: [] })
    expect(judged([exotic], [root.certificate])).toBe('certificate_untrusted')
  })

  it('refuses a leaf that was issued for another purpose or may not sign data', async () => {
    const options = { purposes: [documentSignerUsage], purposeRequired: true }
    const anchors = [root.certificate]
    expect(judged([leaf], anchors, options)).toBe('trusted')
    expect(judged([leaf], anchors, { purposes: ['1.0.18013.5.1.6'] })).toBe('certificate_untrusted')
    const access = await makeAccessCertificate({
      ...{ ...validity, authority: root, publicKey: keys.publicKey, commonName: 'Any', hosts: ['a.example'] },
    })
    expect(judged([access], anchors, { purposes: [documentSignerUsage] })).toBe('trusted')
    expect(judged([leaf], anchors, { notAlone: [documentSignerUsage] })).toBe('certificate_untrusted')
    expect(judged([leaf], anchors, { notAlone: ['1.0.18013.5.1.6'] })).toBe('trusted')
    expect(judged([access], anchors, { notAlone: ['1.0.18013.5.1.6'] })).toBe('trusted')
    expect(judged([access], anchors, options)).toBe('certificate_untrusted')
    const issuer = { certificate: root.certificate, keys: rootKeys }
    const extensions = [new KeyUsagesExtension(KeyUsageFlags.keyAgreement, true)]
    const agreement = await issueFreely({ issuer, keys, name: 'Agreement', extensions })
    expect(judged([agreement], anchors)).toBe('certificate_untrusted')
  })

  it('refuses no chain, a chain without end, and what is no certificate', () => {
    expect(judged([], [root.certificate])).toBe('certificate_malformed')
    expect(judged(Array(7).fill(leaf), [root.certificate])).toBe('certificate_malformed')
    expect(judged([Uint8Array.of(1, 2, 3)], [root.certificate])).toBe('certificate_malformed')
  })

  it('does not let what it remembers of one chain vouch for another', () => {
    const judge = trustAnchors([root.certificate])
    expect(outcome(() => judge.validate([leaf], at))).toBe('trusted')
    expect(outcome(() => judge.validate([leaf], at))).toBe('trusted')
    const forged = Uint8Array.from(leaf)
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    expect(outcome(() => judge.validate([forged], at))).toBe('certificate_untrusted')
    expect(outcome(() => judge.validate([leaf], validity.notAfter + 1))).toBe('certificate_expired')
  })

  it('does not keep a whole document in memory for the certificate in it', () => {
    const document = new Uint8Array(1_000_000)
    document.set(leaf, 500)
    const inside = document.subarray(500, 500 + leaf.length)
    const { leaf: read } = trustAnchors([root.certificate]).validate([inside], at)
    expect(read.der).toEqual(leaf)
    expect([read.der, read.subject.der, read.issuer.der].map(({ buffer }) => buffer.byteLength)).toEqual(
      Array(3).fill(leaf.length),
    )
  })
})
