import type { Dcql } from '../../../kernel/dcql-query.ts'

/** Algorithms of signatures that are verified here, by their names in JOSE. */
const jose = ['ES256', 'ES384', 'EdDSA', 'ES256K']
/** And in COSE: ES256, ES384, EdDSA, and the names of RFC 9864 that say the curve as well. */
const cose = [-7, -9, -35, -51, -8, -19]

const supported: Readonly<Record<string, Record<string, unknown>>> = {
  'dc+sd-jwt': { 'sd-jwt_alg_values': jose, 'kb-jwt_alg_values': jose },
  mso_mdoc: { issuerauth_alg_values: cose, deviceauth_alg_values: cose },
  jwt_vc_json: { alg_values: jose },
  'vc+jwt': { alg_values: jose },
  ldp_vc: {
    proof_type_values: ['DataIntegrityProof'],
    cryptosuite_values: [
      ...['ecdsa-rdfc-2019', 'ecdsa-jcs-2019', 'ecdsa-sd-2023'],
      ...['eddsa-rdfc-2022', 'eddsa-jcs-2022', 'bbs-2023'],
    ],
  },
}

/** Formats that a query may ask for. */
export const formatsKnown: readonly string[] = Object.keys(supported)

/** `vp_formats_supported` (OpenID4VP 1.0, section 11.1 and appendix B) of the formats that a query asks for. */
export const formatsSupported = ({ credentials }: Dcql): Record<string, unknown> =>
  Object.fromEntries([...new Set(credentials.map(({ format }) => format))].map(name => [name, supported[name] ?? {}]))
