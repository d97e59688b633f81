import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import 'reflect-metadata'
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509'
import { Certificates1763900001250 } from '../migrations/agency/1250-certificates.ts'
import { type Certified, openCertificates } from '../src/certificates.ts'
import { ConfigError } from '../src/config/agency.ts'
import type { CertificateChains, CertificatesConfig } from '../src/config/certificates.ts'
import { type Keys, openKeys } from '../src/identity/keys.ts'
import { certificatesOfX5c, pemOfCertificate, readCertificate } from '../src/identity/x509/certificate.ts'
import { validateChain } from '../src/identity/x509/chain.ts'
import {
  certificateSigner,
  makeAccessCertificate,
  makeDocumentSignerCertificate,
  makeRootCertificate,
} from '../src/identity/x509/make.ts'
import { documentSignerUsage, readerAuthenticationUsage } from '../src/identity/x509/usages.ts'
import type { CertifiedKey } from '../src/kernel/identity.ts'
import { entities } from '../src/plugins/certificates/entities.ts'
import { openStore } from '../src/store/store.ts'
import { scratch } from './identity/scratch.ts'
import { onBothDatabases } from './store/backends.ts'

const day = 86_400_000
const start = Date.parse('2026-03-01T00:00:00Z')
const did = 'did:ethr:0x7a69:0x1111111111111111111111111111111111111111'
const publicUrl = 'https://transport.example/agency'
const files = scratch()

const certificateOf = ({ x5c }: CertifiedKey) => readCertificate(certificatesOfX5c(x5c)[0] as Uint8Array)
const valuesOf = (certified: CertifiedKey) => certificateOf(certified).alternativeNames.map(({ value }) => value)

/** An agency with real keys and the clock in the test's hands; its signing key is rotated by `rotate`. */
const openOffice = async (
  store: Certified['store'],
  options: { certificates?: CertificatesConfig; title?: string; url?: string; directory?: string } = {},
) => {
  const clock = { time: start, now: () => clock.time }
  const directory = options.directory ?? files.path(randomBytes(8).toString('hex'))
  const keys: Keys = await openKeys({ agency: 'transport', masterKey, clock, directory })
  await keys.obtain({ kind: 'P-256', alias: 'signing' })
  const signing = async () => (await keys.byAlias('signing')) as NonNullable<Awaited<ReturnType<Keys['byAlias']>>>
  let now = await signing()
  const { certificates, title = 'Transport Authority', url = publicUrl } = options
  const agency: Certified = {
    ...{ keys, store, did, settings: { clock, publicUrl: url } },
    config: { name: 'transport', title, ...(certificates === undefined ? {} : { certificates }) },
  }
  const current = {
    key: () => ({ did, kid: `${did}#delegate-${now.version}`, keyId: now.keyId, algorithm: now.algorithm }),
    async look() {
      now = await signing()
    },
  }
  return {
    ...{ clock, keys, directory, agency, current },
    open: () => openCertificates(agency, current),
    rotate: async () => keys.activate((await keys.prepare('signing')).keyId),
  }
}
const masterKey = files.masterKey()

onBothDatabases(backend => {
  const opened: { close(): Promise<void> }[] = []
  const open = async () => {
    const store = await openStore({
      ...(await backend.place()),
      ...{ migrations: [Certificates1763900001250], entities },
    })
    opened.push(store)
    return store
  }
  afterEach(async () => {
    for (const each of opened.splice(0)) await each.close()
  })

  it('makes the agency an authority and a certificate for each use, which chains to it (HAIP 1.0)', async () => {
    const office = await openOffice(await open(), { certificates: { country: 'XN' } })
    const made = await office.open()
    const chains = await Promise.all([made.issuer(), made.documentSigner(), made.verifier()])
    for (const { x5c } of chains) {
      const judged = validateChain(certificatesOfX5c(x5c), [made.authority], office.clock.now(), { haip: true })
      expect([judged.certificates.length, judged.leaf.subject.country]).toEqual([1, 'XN'])
    }
    const [issuer, signer, verifier] = chains.map(certificateOf)
    expect(readCertificate(made.authority)).toMatchObject({
      authority: true,
      pathLength: 0,
      subject: { country: 'XN' },
    })
    expect(signer?.extendedKeyUsage).toEqual([documentSignerUsage])
    expect(verifier?.extendedKeyUsage).toEqual([readerAuthenticationUsage])
    expect(issuer?.extendedKeyUsage).toBeUndefined()
    await office.keys.close()
  })

  it('names the DID, its key and the host, and certifies the key that signs', async () => {
    const office = await openOffice(await open(), { certificates: { country: 'XN' } })
    const made = await office.open()
    const { jwk, keyId } = (await office.keys.byAlias('signing')) as Awaited<ReturnType<Keys['create']>>
    const issuer = await made.issuer()
    expect(issuer).toMatchObject({ keyId, algorithm: 'ES256' })
    expect(certificateOf(issuer).publicKey.equals(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(true)
    expect(valuesOf(issuer)).toEqual(['transport.example', did, `${did}#delegate-1`, publicUrl])
    expect(valuesOf(await made.documentSigner())).toEqual([did, `${did}#delegate-1`])
    expect(valuesOf(await made.verifier())).toEqual(['transport.example'])
    expect((await made.verifier()).keyId).not.toBe(keyId)
    await office.keys.close()
  })

  it('asks an authority of others for each of its keys, under the same names (RFC 2986)', async () => {
    const office = await openOffice(await open(), { certificates: { country: 'XN' } })
    const made = await office.open()
    for (const role of ['issuer', 'documentSigner', 'verifier'] as const) {
      const request = new Pkcs10CertificateRequest(new Uint8Array(await made.request(role)))
      expect(await request.verify()).toBe(true)
      const certified = certificateOf(await made[role]())
      expect(Buffer.from(request.publicKey.rawData)).toEqual(
        certified.publicKey.export({ format: 'der', type: 'spki' }),
      )
      const names = request.extensions.flatMap(each =>
        each instanceof SubjectAlternativeNameExtension ? each.names.toJSON().map(({ value }) => value) : [],
      )
      expect([request.subject, names]).toEqual([expect.stringContaining('C=XN'), valuesOf(await made[role]())])
    }
    await office.keys.close()
  })

  it('finds what an earlier start made, and two processes at once make one', async () => {
    const store = await open()
    const office = await openOffice(store, { certificates: { country: 'XN' } })
    const [one, other] = await Promise.all([office.open(), office.open()])
    expect(Buffer.from(one.authority)).toEqual(Buffer.from(other.authority))
    const chains = await Promise.all([one.issuer(), other.issuer(), (await office.open()).issuer()])
    expect(new Set(chains.map(({ x5c }) => x5c[0])).size).toBe(1)
    expect(await store.read('SELECT role FROM certificates')).toHaveLength(2)
    await office.keys.close()
  })

  it('follows a rotation of the key', async () => {
    const office = await openOffice(await open())
    const made = await office.open()
    const before = await made.issuer()
    const { keyId } = await office.rotate()
    const after = await made.issuer()
    expect([before.keyId === keyId, after.keyId === keyId]).toEqual([false, true])
    expect(valuesOf(after)).toContain(`${did}#delegate-2`)
    await office.keys.close()
  })

  it('renews a leaf before it ends, and the authority under its key and name, so that older leaves still fit', async () => {
    const office = await openOffice(await open(), { certificates: { country: 'XN' } })
    const made = await office.open()
    const first = await made.documentSigner()
    office.clock.time = start + 100 * day
    expect(await made.documentSigner()).toEqual(first)
    office.clock.time = start + 120 * day
    const second = await made.documentSigner()
    expect(second.x5c).not.toEqual(first.x5c)
    expect(second.expires - office.clock.now()).toBeGreaterThan(456 * day)
    office.clock.time = start + 2_000 * day
    const late = await made.issuer()
    const anchors = await made.anchors()
    expect(anchors).toHaveLength(2)
    for (const anchor of anchors)
      expect(validateChain(certificatesOfX5c(late.x5c), [anchor], office.clock.now())).toBeTruthy()
    await office.keys.close()
  })

  it('issues no mdocs without a country, and certifies everything else (format_unsupported)', async () => {
    const office = await openOffice(await open())
    const made = await office.open()
    expect(made.mdocs).toBe(false)
    await expect(made.documentSigner()).rejects.toMatchObject({ code: 'format_unsupported' })
    expect(certificateOf(await made.issuer()).subject.country).toBeUndefined()
    await office.keys.close()
  })

  it('keeps long titles within 64 characters, and names no IP address as a host', async () => {
    const title = 'Ministry of Roads, Bridges, Ferries and Inland Waterways of the Northern Isles'
    const office = await openOffice(await open(), { title, url: 'http://127.0.0.1:3000/transport' })
    const made = await office.open()
    for (const name of [readCertificate(made.authority).subject, certificateOf(await made.issuer()).subject]) {
      expect(name.commonName?.length).toBeLessThanOrEqual(64)
    }
    expect(certificateOf(await made.verifier()).alternativeNames).toEqual([])
    await office.keys.close()
  })
})

describe('certificates from the authority of the state', () => {
  /** The state certifies the key that an agency shows it. */
  const openState = async (office: Awaited<ReturnType<typeof openOffice>>) => {
    const signer = certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    const life = { notBefore: start - day, notAfter: start + 900 * day }
    const contact = { type: 'email' as const, value: 'ca@state.example' }
    const root = await makeRootCertificate({
      ...life,
      country: 'XN',
      commonName: 'State of the North',
      signer,
      contact,
    })
    const keyOf = async (alias: string) => {
      const { jwk } = await office.keys.obtain({ kind: 'P-256', alias })
      return createPublicKey({ key: jwk, format: 'jwk' })
    }
    const leaf = {
      ...{ notBefore: start - day, notAfter: start + 300 * day, commonName: 'Transport', contact },
      authority: { certificate: root, signer },
    }
    const issuer = async (change: object = {}) =>
      makeDocumentSignerCertificate({ ...leaf, publicKey: await keyOf('signing'), uris: [did], ...change })
    const verifier = async (change: object = {}) =>
      makeAccessCertificate({ ...leaf, publicKey: await keyOf('verifier'), hosts: ['transport.example'], ...change })
    const configured = (chains: Partial<Record<keyof CertificateChains, Uint8Array>>): CertificatesConfig => ({
      country: 'XN',
      chains: Object.fromEntries(
        Object.entries({ authority: root, ...chains }).map(([name, der]) => [name, pemOfCertificate(der)]),
      ) as CertificateChains,
    })
    return { root, issuer, verifier, configured, keyOf }
  }

  const opened: { close(): Promise<void> }[] = []
  const start_ = async (certificates?: CertificatesConfig, directory?: string) => {
    const file = join(files.path(randomBytes(8).toString('hex')), 'agency.sqlite')
    const store = await openStore({ file, migrations: [Certificates1763900001250], entities })
    opened.push(store)
    const office = await openOffice(store, {
      ...(certificates === undefined ? {} : { certificates }),
      ...(directory === undefined ? {} : { directory }),
    })
    opened.push(office.keys)
    return office
  }
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each.close()
  })

  /** The keys come first, then their certificates, then a start with them. */
  const configuredBy = async (
    chains: (
      state: Awaited<ReturnType<typeof openState>>,
    ) => Promise<Partial<Record<keyof CertificateChains, Uint8Array>>>,
  ) => {
    const before = await start_()
    const state = await openState(before)
    const certificates = state.configured(await chains(state))
    await before.keys.close()
    return { state, office: await start_(certificates, before.directory) }
  }

  it('are used for the keys that they name; the agency certifies the others itself', async () => {
    const { state, office } = await configuredBy(async ({ issuer, verifier }) => ({
      documentSigner: await issuer(),
      verifier: await verifier({ usages: [readerAuthenticationUsage] }),
    }))
    const made = await office.open()
    expect(Buffer.from(made.authority)).toEqual(Buffer.from(state.root))
    for (const { x5c } of [await made.documentSigner(), await made.verifier()]) {
      expect(validateChain(certificatesOfX5c(x5c), [state.root], start)).toBeTruthy()
    }
    const anchors = await made.anchors()
    expect(validateChain(certificatesOfX5c((await made.issuer()).x5c), anchors, start)).toBeTruthy()
  })

  it('count no more once another key signs, or they have ended (certificate_missing)', async () => {
    const { office } = await configuredBy(async ({ issuer }) => ({ documentSigner: await issuer() }))
    const made = await office.open()
    await office.rotate()
    await expect(made.documentSigner()).rejects.toMatchObject({ kind: 'unavailable', code: 'certificate_missing' })
    office.clock.time = start + 400 * day
    await expect(made.documentSigner()).rejects.toMatchObject({ kind: 'unavailable', code: 'certificate_missing' })
  })

  it.each<[string, RegExp, Parameters<typeof configuredBy>[0]]>([
    [
      'of another key',
      /of another key/,
      async ({ issuer, keyOf }) => ({ documentSigner: await issuer({ publicKey: await keyOf('other') }) }),
    ],
    [
      'without the DID',
      /does not name did:ethr/,
      async ({ issuer }) => ({ documentSigner: await issuer({ uris: [] }) }),
    ],
    [
      'for another purpose',
      /another purpose/,
      async ({ verifier, keyOf }) => ({
        documentSigner: await verifier({ publicKey: await keyOf('signing'), uris: [did] }),
      }),
    ],
    [
      'for another host',
      /not for the host/,
      async ({ verifier }) => ({ verifier: await verifier({ hosts: ['other.example'] }) }),
    ],
    ['that ended', /expired/, async ({ verifier }) => ({ verifier: await verifier({ notAfter: start - 1_000 }) })],
    [
      'of another authority',
      /do not hold/,
      async ({ verifier, root }) => {
        const signer = certificateSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }))
        return { verifier: await verifier({ authority: { certificate: root, signer } }) }
      },
    ],
    ['with the anchor itself for a leaf', /do not hold/, async ({ root }) => ({ verifier: root })],
  ])('%s stop the start', async (_title, reason, chains) => {
    const { office } = await configuredBy(chains)
    const refused = office.open()
    await expect(refused).rejects.toBeInstanceOf(ConfigError)
    await expect(refused).rejects.toThrow(reason)
  })
})
