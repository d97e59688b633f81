import * as theirVc from '@digitalbazaar/vc'
import { expect } from '@jest/globals'
import { DataIntegrityProof, documentLoader, pairOf, theirs } from '../../identity/integrity/others.ts'
import { examples, offeredIn, type openAgency, requestIn, v2 } from './fixture.ts'

const { createPresentation, signPresentation, verifyCredential } = theirVc

type Proving = { suite: 'eddsa-rdfc-2022'; curve: 'Ed25519' } | { suite: 'ecdsa-rdfc-2019'; curve: 'P-256' }

/** A wallet of @digitalbazaar/vc goes through an exchange of ours: it shows a credential, and gets another, which it verifies. */
export const exchangeWithTheirs = async (
  agency: Awaited<ReturnType<typeof openAgency>>,
  { suite, curve }: Proving,
): Promise<void> => {
  const { pair, signer } = await pairOf(curve)
  const workflow = await agency.workflow({
    issuer: 'rdfc',
    initialStep: 'ask',
    credentialTemplates: [
      {
        type: 'application/json',
        template: {
          '@context': [v2, examples],
          type: ['VerifiableCredential', 'ExampleAlumniCredential'],
          credentialSubject: { id: '{results.ask.did}', alumniOf: { id: '{school}' } },
        },
      },
    ],
    steps: {
      ask: {
        verifiablePresentationRequest: {
          query: [
            { type: 'DIDAuthentication', acceptedCryptosuites: [{ cryptosuite: suite }] },
            { type: 'QueryByExample', credentialQuery: { example: { type: 'ExampleDegreeCredential' } } },
          ],
        },
        nextStep: 'deliver',
      },
      deliver: { issueRequests: [{ credentialTemplateIndex: 0 }] },
    },
  })
  const exchange = await agency.exchange(workflow, { variables: { school: 'did:example:school' } })
  const { challenge, domain } = requestIn(await exchange.send({}))
  const held = await agency.issue('jcs', {
    type: ['VerifiableCredential', 'ExampleDegreeCredential'],
    credentialSubject: { id: signer.did },
  })
  const presentation = createPresentation({ verifiableCredential: [held], holder: signer.did, verify: false })
  const verifiablePresentation = await signPresentation({
    ...{ presentation, challenge, domain, documentLoader },
    suite: new DataIntegrityProof({ signer: pair.signer(), cryptosuite: theirs[suite].sign }),
  })
  const [credential] = offeredIn(await exchange.send({ verifiablePresentation }))
  expect(credential).toMatchObject({ credentialSubject: { id: signer.did, alumniOf: { id: 'did:example:school' } } })
  const verdict = await verifyCredential({
    ...{ credential, documentLoader },
    suite: new DataIntegrityProof({ cryptosuite: theirs['eddsa-rdfc-2022'].verify }),
  })
  expect({ verified: verdict.verified, error: verdict.error }).toEqual({ verified: true, error: undefined })
}
