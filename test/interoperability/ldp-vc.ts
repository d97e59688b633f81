import * as vc from '@digitalbazaar/vc'
import { expect } from '@jest/globals'
import { verifyPresentation } from '../../src/identity/present.ts'
import { DataIntegrityProof, documentLoader, pairOf, theirs } from '../identity/integrity/others.ts'
import { openWorld } from '../identity/world.ts'
import type { Group } from './cells.ts'
import { challenge, domain } from './ours.ts'

/** Credentials of an agency’s own types, by its own DID and in its own contexts, with a Data Integrity proof. */

const name = 'ecdsa-rdfc-2019'

const overHttp = 'In the rows of OpenID4VCI and OpenID4VP, where theirs find our DIDs and contexts over HTTP.'

export const ldpVc: Group = {
  rows: [
    {
      ...{ format: '`ldp_vc` of an agency’s `did:ethr`, P-256', protocol: 'Data Integrity 1.0' },
      libraries: ['@digitalbazaar/vc', `@digitalbazaar/${name}-cryptosuite`],
      cells: {
        'our issuer, their verifier': overHttp,
        'their issuer, our verifier': overHttp,
        'their issuer, our wallet': overHttp,
        'our wallet, their verifier': overHttp,
        'their wallet, our verifier': overHttp,
        'our issuer, their wallet': async () => {
          const world = openWorld()
          const { signer, pair } = await pairOf('P-256')
          const subject = { ...world.subjectOf('DrivingLicence'), id: signer.did }
          const { compact } = await world.issue({ format: 'ldp_vc', subject })
          const suite = new DataIntegrityProof({ signer: pair.signer(), cryptosuite: theirs[name].sign })
          const parts = { verifiableCredential: JSON.parse(compact), holder: signer.did }
          const options = { suite, challenge, domain, documentLoader }
          const presentation = await vc.signPresentation({ presentation: vc.createPresentation(parts), ...options })
          const judged = (asked: string) =>
            verifyPresentation(presentation, world.verify, { challenge: asked, audience: [domain] })
          const verdict = await judged(challenge)
          expect(verdict.refusal).toBeUndefined()
          expect(verdict).toMatchObject({ verified: true, holder: signer.did })
          expect((await judged('another')).refusal?.code).toBe('challenge_mismatch')
        },
      },
    },
  ],
}
