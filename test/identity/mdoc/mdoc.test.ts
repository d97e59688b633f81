import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { decode, encode, Tag } from '../../../src/identity/cbor.ts'
import { sign1Item } from '../../../src/identity/cose/sign1.ts'
import { openDeviceResponse, presentMdocs, verifyDeviceResponse } from '../../../src/identity/mdoc/device-response.ts'
import { openMdoc, verifyIssuer } from '../../../src/identity/mdoc/issuer-signed.ts'
import { proximityTranscript, redirectTranscript, transcriptIn } from '../../../src/identity/mdoc/session-transcript.ts'
import { dateTime, fullDate } from '../../../src/identity/mdoc/values.ts'
import { trustAnchors } from '../../../src/identity/x509/chain.ts'
import { makeAccessCertificate } from '../../../src/identity/x509/make.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { day, makeAuthority, makeDocumentSigner, newKeys, start, validity } from '../x509/authority.ts'
import { at, coseSigner, docType, namespace, type Office, openOffice, outcomeOf, publicJwk } from './fixture.ts'

type Parts = Map<string, unknown>

const request = { clientId: 'x509_san_dns:verifier.example', nonce: 'n-1', responseUri: 'https://verifier.example/r' }
const transcript = redirectTranscript(request)
const everything = { [namespace]: ['family_name', 'given_name', 'issuing_country'] }

let office: Office
let issued: Uint8Array
beforeAll(async () => {
  office = await openOffice()
  issued = await office.issue()
})

const present = (issuerSigned = issued, shown: Record<string, string[]> = everything, keys = office.device) =>
  presentMdocs([{ issuerSigned, shown, algorithm: 'ES256', sign: coseSigner(keys) }], transcript)

const verified = (response: Uint8Array, change: object = {}) =>
  verifyDeviceResponse(response, { issuers: office.issuers, at, transcript, ...change })

const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'passed'
  } catch (error) {
    if (isRefusal(error)) return error.code
    throw error
  }
}

/** The same CBOR with something changed in it. */
const edited = (bytes: Uint8Array, edit: (parts: Parts) => void): Uint8Array => {
  const parts = decode(bytes) as Parts
  edit(parts)
  return encode(parts)
}
const itemsIn = (issuerSigned: Parts): Tag[] =>
  (issuerSigned.get('nameSpaces') as Map<string, Tag[]>).get(namespace) ?? []
const editItem = (item: Tag, edit: (parts: Parts) => void): void => {
  item.contents = edited(item.contents as Uint8Array, edit)
}

/** An mdoc whose security object says something else, signed anew by the same signer. */
const resigned = async (edit: (object: Parts) => void, bytes = issued): Promise<Uint8Array> => {
  const parts = decode(bytes) as Parts
  const payload = (parts.get('issuerAuth') as unknown[])[2] as Uint8Array
  const object = edited((decode(payload) as Tag).contents as Uint8Array, edit)
  const draft = { algorithm: 'ES256' as const, x5chain: office.chain, payload: encode(new Tag(24, object)) }
  return encode(parts.set('issuerAuth', await sign1Item(draft, coseSigner(office.signer))))
}

describe('an mdoc from issue to verification', () => {
  it('brings every kind of value through, and the holder’s key, dates and status', async () => {
    const status = { uri: 'https://transport.example/statuses/1', index: 412 }
    const elements = {
      text: 'Zoë',
      number: 7,
      truth: true,
      day: fullDate('1990-04-17'),
      moment: dateTime(at),
      octets: Uint8Array.of(1, 2, 3),
      list: [{ code: 'B', until: fullDate('2036-02-02') }],
    }
    const validityInfo = { signed: at, validFrom: at + 1_000, validUntil: at + day, expectedUpdate: at + 2_000 }
    const mdoc = openMdoc(await office.issue({ namespaces: { [namespace]: elements }, status, validity: validityInfo }))
    expect(mdoc.namespaces[namespace]).toEqual({
      ...elements,
      day: '1990-04-17',
      moment: '2026-03-11T00:00:00Z',
      list: [{ code: 'B', until: '2036-02-02' }],
    })
    expect(mdoc).toMatchObject({ docType, status, validity: validityInfo, deviceKey: publicJwk(office.device) })
    expect(mdoc.issuerChain).toEqual(office.chain)
  })

  it('shows the chosen elements and nothing else (ISO/IEC 18013-5, section 8.3.2.1.2.2)', async () => {
    const response = await present(issued, { [namespace]: ['family_name', 'unheard_of'], 'org.other': ['family_name'] })
    const [shown] = await verified(response)
    expect(shown?.mdoc.namespaces).toEqual({ [namespace]: { family_name: 'Okafor' } })
    expect(Buffer.from(response).includes('Amara')).toBe(false)
    const [bare] = await verified(await present(issued, {}))
    expect(bare?.mdoc.namespaces).toEqual({})
  })

  it('salts every element with 32 octets and shuffles digest ids (section 9.1.2.5)', async () => {
    const names = Array.from({ length: 12 }, (_each, index) => `e${index}`)
    const namespaces = { [namespace]: Object.fromEntries(names.map(name => [name, 'same'])) }
    const orders = new Set<string>()
    const salts = new Set<string>()
    for (let round = 0; round < 3; round++) {
      const items = itemsIn(decode(await office.issue({ namespaces })) as Parts).map(
        item => decode(item.contents as Uint8Array) as Parts,
      )
      const ids = items.map(item => item.get('digestID') as number)
      expect([...ids].sort((a, b) => a - b)).toEqual(names.map((_name, index) => index))
      orders.add(ids.join())
      for (const item of items) salts.add(Buffer.from(item.get('random') as Uint8Array).toString('hex'))
    }
    expect(orders.size).toBeGreaterThan(1)
    expect(salts.size).toBe(36)
    expect([...salts].every(salt => salt.length === 64)).toBe(true)
  })

  it.each(['SHA-256', 'SHA-384', 'SHA-512'] as const)('digests with %s', async digestAlgorithm => {
    const response = await present(await office.issue({ digestAlgorithm }))
    await expect(verified(response)).resolves.toHaveLength(1)
  })

  it('is signed by issuers and devices with P-384 and Ed25519 too', async () => {
    const device = generateKeyPairSync('ed25519')
    const other = await openOffice({ signer: newKeys('P-384'), device })
    const issuerSigned = await other.issue({ algorithm: 'ES384' })
    const parts = [{ issuerSigned, shown: everything, algorithm: 'EdDSA' as const, sign: coseSigner(device) }]
    const response = await presentMdocs(parts, transcript)
    const [shown] = await verified(response, { issuers: other.issuers })
    expect(shown?.mdoc.signature.algorithm).toBe('ES384')
    expect(shown?.mdoc.deviceKey.crv).toBe('Ed25519')
  })

  it('presents several documents at once', async () => {
    const parts = [docType, 'org.example.permit'].map(async type => ({
      issuerSigned: await office.issue({ docType: type }),
      ...{ shown: everything, algorithm: 'ES256' as const, sign: coseSigner(office.device) },
    }))
    const shown = await verified(await presentMdocs(await Promise.all(parts), transcript))
    expect(shown.map(({ mdoc }) => mdoc.docType)).toEqual([docType, 'org.example.permit'])
  })

  it('lets the device say what its issuer authorized it to, element by element', async () => {
    const keyAuthorizations = { nameSpaces: [], dataElements: { 'org.example.payment': ['amount'] } }
    const issuerSigned = await office.issue({ keyAuthorizations })
    const respond = (said: Record<string, unknown>) =>
      presentMdocs(
        [
          {
            ...{ issuerSigned, shown: {}, algorithm: 'ES256', sign: coseSigner(office.device) },
            deviceNamespaces: { 'org.example.payment': said },
          },
        ],
        transcript,
      )
    const [shown] = await verified(await respond({ amount: '12.50' }))
    expect(shown?.mdoc.deviceNamespaces).toEqual({ 'org.example.payment': { amount: '12.50' } })
    await expect(outcomeOf(verified(await respond({ payee: 'x' })))).resolves.toBe('device_element_unauthorized')
  })

  it('holds in a session of two devices side by side (section 9.1.5.1)', async () => {
    const session = { deviceEngagement: encode({ a: 1 }), readerKey: encode({ b: 2 }), handover: null }
    const near = proximityTranscript(session)
    expect(transcriptIn(encode(new Tag(24, near)))).toEqual(near)
    expect(codeOf(() => transcriptIn(near))).toBe('credential_malformed')
    const parts = [{ issuerSigned: issued, shown: {}, algorithm: 'ES256' as const, sign: coseSigner(office.device) }]
    const response = await presentMdocs(parts, near)
    await expect(verified(response, { transcript: near })).resolves.toHaveLength(1)
    await expect(outcomeOf(verified(response))).resolves.toBe('holder_mismatch')
  })
})

describe('an mdoc that was edited', () => {
  it.each<[string, (items: Tag[], issuerSigned: Parts) => void, string]>([
    ['another value', ([item]) => editItem(item as Tag, parts => parts.set('elementValue', 'Else')), 'digest_mismatch'],
    [
      'another name',
      ([item]) => editItem(item as Tag, parts => parts.set('elementIdentifier', 'x')),
      'digest_mismatch',
    ],
    [
      'another salt',
      ([item]) => editItem(item as Tag, parts => parts.set('random', Buffer.alloc(32))),
      'digest_mismatch',
    ],
    [
      'too little salt',
      ([item]) => editItem(item as Tag, parts => parts.set('random', Buffer.alloc(15))),
      'credential_malformed',
    ],
    ['an id without digest', ([item]) => editItem(item as Tag, parts => parts.set('digestID', 99)), 'digest_mismatch'],
    ['a negative id', ([item]) => editItem(item as Tag, parts => parts.set('digestID', -1)), 'credential_malformed'],
    ['no value', ([item]) => editItem(item as Tag, parts => parts.delete('elementValue')), 'credential_malformed'],
    ['one element twice', items => items.push(items[0] as Tag), 'credential_malformed'],
    ['an item that is not encoded', items => items.push((items[0] as Tag).contents as never), 'credential_malformed'],
    [
      'octets after an item',
      ([item]) => {
        const tag = item as Tag
        tag.contents = Buffer.concat([tag.contents as Uint8Array, Buffer.of(0)])
      },
      'credential_malformed',
    ],
    [
      'a namespace without digests',
      (items, parts) => parts.set('nameSpaces', new Map([['org.other', items]])),
      'digest_mismatch',
    ],
    ['no signature', (_items, parts) => parts.delete('issuerAuth'), 'credential_malformed'],
    [
      'a signature without payload',
      (_items, parts) => {
        ;(parts.get('issuerAuth') as unknown[])[2] = null
      },
      'credential_malformed',
    ],
    [
      'a signature without certificate',
      (_items, parts) => {
        ;(parts.get('issuerAuth') as unknown[])[1] = new Map()
      },
      'credential_malformed',
    ],
  ])('is refused: %s', (_title, edit, code) => {
    expect(codeOf(() => openMdoc(edited(issued, parts => edit(itemsIn(parts), parts))))).toBe(code)
  })

  it.each<[string, (object: Parts) => void, string]>([
    [
      'a digest that is missing',
      object => (object.get('valueDigests') as Map<string, Map<number, unknown>>).get(namespace)?.clear(),
      'digest_mismatch',
    ],
    ['digests of another length', object => object.set('digestAlgorithm', 'SHA-512'), 'credential_malformed'],
    ['a digest algorithm that nobody knows', object => object.set('digestAlgorithm', 'SHA-1'), 'algorithm_refused'],
    [
      'a digest algorithm out of the prototype',
      object => object.set('digestAlgorithm', 'constructor'),
      'algorithm_refused',
    ],
    ['another version', object => object.set('version', '2.0'), 'credential_malformed'],
    ['no device key', object => object.delete('deviceKeyInfo'), 'credential_malformed'],
    [
      'a private device key',
      object => {
        const key = (object.get('deviceKeyInfo') as Map<string, Map<number, unknown>>).get('deviceKey')
        key?.set(-4, Buffer.alloc(32))
      },
      'key_malformed',
    ],
    ['a status of another kind', object => object.set('status', { identifier_list: {} }), 'status_type_unknown'],
    [
      'a status without place',
      object => object.set('status', { status_list: { uri: 'https://a.example', idx: -1 } }),
      'credential_malformed',
    ],
    [
      'a status at a place of unbearable length',
      object => object.set('status', { status_list: { uri: `https://a.example/${'x'.repeat(2_048)}`, idx: 1 } }),
      'credential_malformed',
    ],
    [
      'dates out of order',
      object => (object.get('validityInfo') as Parts).set('validUntil', dateTime(at - day)),
      'credential_malformed',
    ],
    [
      'a date with an offset',
      object => (object.get('validityInfo') as Parts).set('validFrom', new Tag(0, '2026-03-10T02:00:00+02:00')),
      'credential_malformed',
    ],
    [
      'a date with a fraction of a second',
      object => (object.get('validityInfo') as Parts).set('validFrom', new Tag(0, '2026-03-10T00:00:00.5Z')),
      'credential_malformed',
    ],
    [
      'a date that is none',
      object => (object.get('validityInfo') as Parts).set('validFrom', new Tag(0, '2026-02-30T00:00:00Z')),
      'credential_malformed',
    ],
    [
      'a date without its tag',
      object => (object.get('validityInfo') as Parts).set('validFrom', '2026-03-10T00:00:00Z'),
      'credential_malformed',
    ],
  ])('is refused although its signer signed it: %s', async (_title, edit, code) => {
    const bytes = await resigned(edit)
    expect(codeOf(() => openMdoc(bytes))).toBe(code)
  })

  it('keeps the signed type: another docType around it is refused', async () => {
    const response = edited(await present(), parts => {
      ;(parts.get('documents') as Parts[])[0]?.set('docType', 'org.example.other')
    })
    await expect(outcomeOf(verified(response))).resolves.toBe('payload_edited')
  })

  it('does not hold when the security object is changed under the old signature', async () => {
    const bytes = edited(issued, parts => {
      const auth = parts.get('issuerAuth') as unknown[]
      const object = (decode(auth[2] as Uint8Array) as Tag).contents as Uint8Array
      const later = edited(object, each =>
        (each.get('validityInfo') as Parts).set('validUntil', dateTime(at + 3650 * day)),
      )
      auth[2] = encode(new Tag(24, later))
    })
    const judgement = verifyIssuer(openMdoc(bytes), { issuers: office.issuers, at })
    await expect(outcomeOf(judgement)).resolves.toBe('signature_invalid')
  })

  it('is refused for CBOR of indefinite length, keys that stand twice, octets behind it, and bombs', () => {
    const nested = Buffer.concat([Buffer.alloc(500_000, 0x81), Buffer.of(0)])
    const bombs = [
      Buffer.concat([Buffer.of(0xbf), issued.subarray(1), Buffer.of(0xff)]),
      Buffer.concat([issued, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0xa2), encode('nameSpaces'), encode({}), encode('nameSpaces'), encode({})]),
      Buffer.alloc(10_000_000, 0x80),
      Buffer.of(0x9b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff),
      nested,
      Buffer.alloc(0),
    ]
    for (const bomb of bombs) {
      expect(codeOf(() => openMdoc(bomb))).toBe('credential_malformed')
      expect(codeOf(() => openDeviceResponse(bomb))).toBe('credential_malformed')
    }
  })

  it('bounds what its data elements hold together, not each of them', async () => {
    const values = Array(16_000).fill(0)
    const elements = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`e${at}`, values]))
    const crowded = await office.issue({ namespaces: { [namespace]: elements(8) } })
    expect(codeOf(() => openMdoc(crowded))).toBe('credential_malformed')
    const alone = await office.issue({ namespaces: { [namespace]: elements(3) } })
    expect(codeOf(() => openMdoc(alone))).toBe('passed')
    await expect(present(crowded, everything)).rejects.toMatchObject({ code: 'credential_malformed' })
    const response = edited(await present(alone, { [namespace]: ['e0', 'e1', 'e2'] }), parts => {
      const [only] = parts.get('documents') as unknown[]
      parts.set('documents', [only, only])
    })
    expect(codeOf(() => openDeviceResponse(response))).toBe('credential_malformed')
  })

  it('answers whatever octets are changed with a refusal, or verifies nothing that was not issued', async () => {
    const response = await present()
    const expected = (await verified(response))[0]?.mdoc.namespaces[namespace] ?? {}
    await fc.assert(
      fc.asyncProperty(fc.nat(response.length - 1), fc.integer({ min: 1, max: 255 }), async (index, change) => {
        const mutilated = Uint8Array.from(response)
        mutilated[index] = (mutilated[index] ?? 0) ^ change
        try {
          const [shown] = await verified(mutilated)
          // What is shown is not signed by the device: an element may be lost on the way, and none can be added.
          const elements = Object.entries(shown?.mdoc.namespaces ?? {}).flatMap(([space, each]) =>
            Object.entries(each).map(([name, value]) => space === namespace && expected[name] === value),
          )
          return !elements.includes(false)
        } catch (error) {
          return isRefusal(error)
        }
      }),
      { numRuns: 400 },
    )
  })
})

describe('who issued an mdoc, and when', () => {
  const judged = async (bytes: Uint8Array, change: object = {}) =>
    outcomeOf(verifyIssuer(openMdoc(bytes), { issuers: office.issuers, at, ...change }))

  it('is refused from a signer whose chain leads to another root', async () => {
    const other = await makeAuthority()
    await expect(judged(issued, { issuers: trustAnchors([other.certificate]) })).resolves.toBe('certificate_untrusted')
    const chain = [await makeDocumentSigner(other, office.signer)]
    await expect(judged(await office.issue({ chain }))).resolves.toBe('certificate_untrusted')
  })

  it('is refused with the certificate of another signer', async () => {
    const chain = [await makeDocumentSigner(office.root, newKeys())]
    await expect(judged(await office.issue({ chain }))).resolves.toBe('signature_invalid')
  })

  it('is refused outside its own dates, and outside those of the certificate', async () => {
    await expect(judged(issued)).resolves.toBe('passed')
    await expect(judged(issued, { at: at + 40 * day })).resolves.toBe('credential_expired')
    await expect(judged(issued, { at: at - 2 * day, now: at })).resolves.toBe('credential_not_yet_valid')
    await expect(judged(issued, { at: at + 1, now: at - day })).resolves.toBe('time_not_come')
    await expect(judged(issued, { at: start - day, now: at })).resolves.toBe('certificate_expired')
    const early = { signed: start - day, validFrom: start - day, validUntil: at + day }
    await expect(judged(await office.issue({ validity: early }))).resolves.toBe('certificate_expired')
  })

  it('signs an mDL with a certificate for 1.0.18013.5.1.2 (annex B.1.4) that names the same country', async () => {
    const access = await makeAccessCertificate({
      ...{ ...validity, authority: office.root, publicKey: office.signer.publicKey },
      ...{ commonName: 'Any', hosts: ['transport.example'] },
    })
    await expect(judged(await office.issue({ chain: [access] }))).resolves.toBe('certificate_untrusted')
    await expect(judged(await office.issue({ chain: [access], docType: 'org.example.permit' }))).resolves.toBe('passed')
    const elsewhere = await office.issue({ namespaces: { [namespace]: { issuing_country: 'XX' } } })
    await expect(judged(elsewhere)).resolves.toBe('certificate_untrusted')
  })

  it('leaves the root out of the chain where HAIP 1.0 asks for it', async () => {
    const chain = [...office.chain, office.root.certificate]
    const bytes = await office.issue({ chain })
    await expect(judged(bytes)).resolves.toBe('passed')
    await expect(judged(bytes, { chain: { haip: true } })).resolves.toBe('certificate_untrusted')
  })

  it('is not signed with ES256K', async () => {
    const parts = decode(issued) as Parts
    const payload = (parts.get('issuerAuth') as unknown[])[2] as Uint8Array
    const item = await sign1Item(
      { algorithm: 'ES256K', x5chain: office.chain, payload },
      async () => new Uint8Array(64),
    )
    expect(codeOf(() => openMdoc(encode(parts.set('issuerAuth', item))))).toBe('algorithm_refused')
  })
})

describe('who presents an mdoc, and to whom', () => {
  it.each([
    ['another nonce', { nonce: 'n-2' }],
    ['another client', { clientId: 'x509_san_dns:other.example' }],
    ['another response URI', { responseUri: 'https://other.example' }],
    ['an encrypted response', { jwkThumbprint: new Uint8Array(32) }],
  ])('is refused in the exchange of %s', async (_title, change) => {
    const other = redirectTranscript({ ...request, ...change })
    await expect(outcomeOf(verified(await present(), { transcript: other }))).resolves.toBe('holder_mismatch')
  })

  it('is refused from the device of another', async () => {
    const response = await present(issued, everything, newKeys())
    await expect(outcomeOf(verified(response))).resolves.toBe('holder_mismatch')
  })

  it('is refused with the proof of another document', async () => {
    const permit = await present(await office.issue({ docType: 'org.example.permit' }))
    const foreign = (decode(permit) as Map<string, Parts[]>).get('documents')?.[0]?.get('deviceSigned')
    const response = edited(await present(), parts =>
      (parts.get('documents') as Parts[])[0]?.set('deviceSigned', foreign),
    )
    await expect(outcomeOf(verified(response))).resolves.toBe('holder_mismatch')
  })

  it.each<[string, (document: Parts, response: Parts) => void]>([
    ['no proof of the device', document => (document.get('deviceSigned') as Parts).set('deviceAuth', {})],
    [
      'two proofs of the device',
      document => ((document.get('deviceSigned') as Parts).get('deviceAuth') as Parts).set('deviceMac', []),
    ],
    ['nothing of the device', document => document.delete('deviceSigned')],
    ['nothing of the issuer', document => document.delete('issuerSigned')],
    ['device elements that are not encoded', document => (document.get('deviceSigned') as Parts).set('nameSpaces', {})],
    ['a status that is not good', (_document, response) => response.set('status', 10)],
    ['no status', (_document, response) => response.delete('status')],
    ['no documents', (_document, response) => response.delete('documents')],
    ['another version', (_document, response) => response.set('version', '2.0')],
    ['seventeen documents', (document, response) => response.set('documents', Array(17).fill(document))],
  ])('is refused with %s', async (_title, edit) => {
    const response = edited(await present(), parts => edit((parts.get('documents') as Parts[])[0] as Parts, parts))
    await expect(outcomeOf(verified(response))).resolves.toBe('credential_malformed')
  })

  it('is refused when the device signature carries a payload of its own, or names another algorithm', async () => {
    const change = async (edit: (signature: unknown[]) => void) =>
      edited(await present(), parts => {
        const signed = (parts.get('documents') as Parts[])[0]?.get('deviceSigned') as Map<string, Parts>
        edit(signed.get('deviceAuth')?.get('deviceSignature') as unknown[])
      })
    const payload = await change(signature => {
      signature[2] = Buffer.from('mine')
    })
    await expect(outcomeOf(verified(payload))).resolves.toBe('credential_malformed')
    const algorithm = await change(signature => {
      signature[0] = encode(new Map([[1, -8]]))
    })
    await expect(outcomeOf(verified(algorithm))).resolves.toBe('algorithm_mismatch')
  })

  it('tells which documents the device does not give', () => {
    const bytes = encode({ version: '1.0', status: 0, documentErrors: [{ 'org.example.permit': 0 }] })
    expect(openDeviceResponse(bytes)).toEqual({
      documents: [],
      status: 0,
      errors: [{ docType: 'org.example.permit', code: 0 }],
    })
  })

  it('presents what a foreign issuer put odd header parameters into, without them', async () => {
    const odd = Buffer.from(Buffer.from(issued).toString('hex').replace('a1182159', 'a204f7182159'), 'hex')
    const response = await present(odd)
    await expect(verified(response)).resolves.toHaveLength(1)
    expect(Buffer.from(response).toString('hex')).not.toContain('04f7')
  })
})
