import { jcsSuite, rdfcSuite } from './plain-suite.ts'

/** Data Integrity ECDSA Cryptosuites 1.0, section 3.2: P-256 with SHA-256, P-384 with SHA-384. */
export const ecdsaRdfc2019 = rdfcSuite({ name: 'ecdsa-rdfc-2019', algorithms: ['ES256', 'ES384'] })

/** Data Integrity ECDSA Cryptosuites 1.0, section 3.3. */
export const ecdsaJcs2019 = jcsSuite({ name: 'ecdsa-jcs-2019', algorithms: ['ES256', 'ES384'] })
