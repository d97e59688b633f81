import { Refusal } from '../../kernel/refusal.ts'
import { jcsSuite, rdfcSuite } from './plain-suite.ts'
import type { Cryptosuite } from './suite.ts'

/** Data Integrity EdDSA Cryptosuites 1.0, section 3.2. */
export const eddsaRdfc2022 = rdfcSuite({ name: 'eddsa-rdfc-2022', algorithms: ['EdDSA'] })

/** Data Integrity EdDSA Cryptosuites 1.0, section 3.3. */
export const eddsaJcs2022 = jcsSuite({ name: 'eddsa-jcs-2022', algorithms: ['EdDSA'] })

/** Data Integrity EdDSA Cryptosuites 1.0, appendix A: a suite of the past, which is verified and no longer made. */
export const ed25519Signature2020: Cryptosuite = {
  ...rdfcSuite({ name: 'Ed25519Signature2020', type: 'Ed25519Signature2020', algorithms: ['EdDSA'] }),
  async create() {
    throw new Refusal('rejected', 'cryptosuite_retired', 'Ed25519Signature2020 is only verified; use eddsa-rdfc-2022.')
  },
}
