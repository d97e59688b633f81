import { openMethods } from '../../src/identity/foreign/keys.ts'
import { openSecuring, type Securing, type SecuringKey } from '../../src/identity/foreign/secure.ts'
import { type ForeignNeeds, verifyForeign, verifyForeignPresentation } from '../../src/identity/foreign/verify.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'

/** Our issuer, wallet and verifier for credentials of any type, under DIDs that carry their keys. */

export const clock = { now: () => Date.now() }
export const challenge = 'n-0S6_WzA2Mj'
export const domain = 'https://verifier.example'

const needs: ForeignNeeds = {
  clock,
  // DIDs that carry their keys need nobody to be asked.
  keyOf: openMethods({ resolve: did => Promise.reject(new Error(`no test here asks for ${did}`)) }),
  didsOf: () => [],
  judgeIssuer: () => undefined,
  judgeStatus: () => Promise.reject(new Error('no credential of these tests has a status')),
}

const outcomeOf = ({ verified, refusal }: { verified: boolean; refusal?: { code: string } }): string =>
  verified ? 'verified' : (refusal?.code ?? 'not verified')

/** `verified`, or the code it is refused with. */
export const judge = async (credential: unknown): Promise<string> => outcomeOf(await verifyForeign(credential, needs))

export const judgePresentation = async (presentation: unknown, asked = challenge): Promise<string> =>
  outcomeOf(await verifyForeignPresentation(presentation, needs, { challenge: asked, audience: [domain] }))

export const securing = (suite: string, key: SecuringKey): Securing => openSecuring(suite, key, clock)

export const contextV2 = 'https://www.w3.org/ns/credentials/v2'

export const credentialBy = (issuer: string): Json => ({
  '@context': [contextV2, 'https://www.w3.org/ns/credentials/examples/v2'],
  id: 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33',
  type: ['VerifiableCredential', 'ExampleDegreeCredential'],
  issuer: { id: issuer, name: [{ '@value': 'Université “É”', '@language': 'fr' }] },
  validFrom: '2023-01-01T00:00:00Z',
  credentialSubject: {
    id: 'did:example:ebfeb1f712ebc6f1c276e12ec21',
    degree: { type: 'ExampleBachelorDegree', name: 'B \u{1F600}\n"x"' },
  },
})

export const presentationBy = (holder: string, credential: unknown): Json => ({
  '@context': [contextV2],
  type: ['VerifiablePresentation'],
  holder,
  verifiableCredential: [credential],
})

/** The same with another date, under the old proof. */
export const changed = (secured: Json): Json => ({ ...secured, validFrom: '2024-01-01T00:00:00Z' })

/** VC Data Model 2.0, section 4.13: the token in an object that is of its type. */
export const enveloped = (data: string): Json => ({
  '@context': contextV2,
  id: `data:application/${data}`,
  type: 'EnvelopedVerifiableCredential',
})

/** What an enveloping object holds. */
export const tokenOf = ({ id }: Json): string => String(id).split(',')[1] ?? ''
