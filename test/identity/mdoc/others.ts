import { DeviceResponse, type DeviceSignedDocument, Document, MDoc, parse, Verifier } from '@auth0/mdl'
import { decode, encode, Tag } from '../../../src/identity/cbor.ts'
import { presentMdocs } from '../../../src/identity/mdoc/device-response.ts'
import { redirectTranscript } from '../../../src/identity/mdoc/session-transcript.ts'
import { fullDate } from '../../../src/identity/mdoc/values.ts'
import { pemOfCertificate } from '../../../src/identity/x509/certificate.ts'
import { day } from '../x509/authority.ts'
import { coseSigner, docType, namespace, type Office, openOffice, publicJwk } from './fixture.ts'

/** A licence between our parts and those of @auth0/mdl. */

// Their verifier asks the clock of the machine.
export const now = Math.floor(Date.now() / 1000) * 1000
export const transcript = redirectTranscript({
  clientId: 'x509_san_dns:a.example',
  nonce: 'n',
  responseUri: 'https://a.example',
})
const transcriptBytes = encode(new Tag(24, transcript))
export const elements = {
  family_name: 'Okafor',
  given_name: 'Amara',
  birth_date: fullDate('1990-04-17'),
  issuing_country: 'XN',
  portrait: Uint8Array.of(0xff, 0xd8, 0xff),
  driving_privileges: [{ vehicle_category_code: 'B', issue_date: fullDate('2010-06-21') }],
}
export const names = ['family_name', 'birth_date', 'driving_privileges']

/** What their wallet is asked for. */
const definition = {
  id: 'licence',
  input_descriptors: [
    {
      id: docType,
      format: { mso_mdoc: { alg: ['ES256'] } },
      constraints: {
        limit_disclosure: 'required',
        fields: names.map(name => ({ path: [`$['${namespace}']['${name}']`], intent_to_retain: false })),
      },
    },
  ],
}

export const privateJwk = (keys: Office['device']) => keys.privateKey.export({ format: 'jwk' }) as { kty: string }

export const openExchange = async () => {
  const office = await openOffice({ opened: now - 10 * day })
  const verifier = new Verifier([pemOfCertificate(office.root.certificate)])

  const ours = () => office.issue({ namespaces: { [namespace]: elements } })

  /** Theirs handles an mdoc as a response without device. */
  const wrapped = (issuerSigned: Uint8Array): Uint8Array =>
    encode({ version: '1.0', documents: [{ docType, issuerSigned: decode(issuerSigned) }], status: 0 })

  const theirs = async (): Promise<Uint8Array> => {
    const document = await new Document(docType)
      .addIssuerNameSpace(namespace, {
        family_name: 'Okafor',
        given_name: 'Amara',
        birth_date: '1990-04-17',
        issuing_country: 'XN',
        driving_privileges: [{ vehicle_category_code: 'B', issue_date: '2010-06-21', expiry_date: '2036-02-02' }],
      })
      .useDigestAlgorithm('SHA-512')
      .addValidityInfo({ signed: new Date(now - day), validUntil: new Date(now + day) })
      .addDeviceKeyInfo({ deviceKey: publicJwk(office.device) as { kty: string } })
      .sign({
        issuerPrivateKey: privateJwk(office.signer),
        issuerCertificate: office.chain,
        alg: 'ES256',
        kid: 'signer-1',
      })
    const response = decode(new MDoc([document]).encode()) as Map<string, Map<string, unknown>[]>
    return encode(response.get('documents')?.[0]?.get('issuerSigned'))
  }

  const shownByUs = async (issuerSigned: Uint8Array): Promise<Uint8Array> =>
    presentMdocs(
      [{ issuerSigned, shown: { [namespace]: names }, algorithm: 'ES256', sign: coseSigner(office.device) }],
      transcript,
    )

  const theirWallet = (issuerSigned: Uint8Array) =>
    DeviceResponse.from(parse(wrapped(issuerSigned)))
      .usingPresentationDefinition(definition)
      .usingSessionTranscriptBytes(Buffer.from(transcriptBytes))

  const theirJudgement = (response: Uint8Array, encodedSessionTranscript = transcriptBytes): Promise<string> =>
    verifier.verify(response, { encodedSessionTranscript }).then(
      mdoc =>
        Object.keys((mdoc.documents[0] as DeviceSignedDocument).getIssuerNameSpace(namespace))
          .sort()
          .join(),
      error => String(error),
    )

  const expected = () => ({ issuers: office.issuers, at: now, transcript })

  return { office, ours, theirs, shownByUs, theirWallet, theirJudgement, expected }
}

export type Exchange = Awaited<ReturnType<typeof openExchange>>
