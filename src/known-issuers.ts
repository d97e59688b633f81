import type { AgencyOnChain } from './agency.ts'
import { ConfigError, type IssuerConfig } from './config/agency.ts'
import { openSecuring, type SecuringKey } from './identity/foreign/secure.ts'
import type { IssuerKey } from './identity/issue.ts'
import { assertCredential } from './identity/model/credential.ts'
import type { Issuance, IssueRequest } from './kernel/identity.ts'
import { Refusal } from './kernel/refusal.ts'
import { enveloped, type IssueBody, requestOf } from './plugins/credentials/actions/issue.ts'
import type { Document, Instance } from './plugins/vc-api/needs.ts'

/** Issuer instances of an ordinary agency: known types alone, in its own name, with their status on chain. */

/** Ways to secure what the agency issues, by the names that the VC API's instances have for them. */
const known: Record<string, Pick<IssueRequest, 'format' | 'cryptosuite'>> = {
  'ecdsa-rdfc-2019': { format: 'ldp_vc', cryptosuite: 'ecdsa-rdfc-2019' },
  'ecdsa-jcs-2019': { format: 'ldp_vc', cryptosuite: 'ecdsa-jcs-2019' },
  'vc+jwt': { format: 'vc+jwt' },
  jwt_vc: { format: 'jwt_vc' },
}

/** Members that a request to the agency honours. What it would not, it refuses instead of dropping. */
const honoured = new Set([
  ...['@context', 'type', 'issuer', 'credentialSubject'],
  ...['validFrom', 'validUntil', 'issuanceDate', 'expirationDate'],
])

const requestFor = (credential: Document, did: string): IssueRequest => {
  const stray = Object.keys(credential).find(name => !honoured.has(name))
  if (stray !== undefined) {
    throw new Refusal(
      'rejected',
      'credential_member_unsupported',
      `${JSON.stringify(stray.slice(0, 80))} is set by the credential type, not by whoever asks for the credential.`,
    )
  }
  const { subjects, types } = assertCredential({ ...credential, issuer: credential['issuer'] ?? did })
  const [subject, ...others] = subjects
  if (subject === undefined || others.length > 0) {
    throw new Refusal('malformed', 'credential_malformed', 'A credential of this agency has one subject.')
  }
  const body = { credential: { ...credential, type: [...types], credentialSubject: { ...subject } } }
  return requestOf(body as IssueBody, did)
}

export type KnownIssuing = { issuance: Pick<Issuance, 'issue' | 'store'>; issuerKey(): IssuerKey }

/**
 * An instance that issues as the agency itself does, with its DID and its key of now.
 * @throws ConfigError for a suite, a key or a status list of its own that the agency's rules have no room for
 */
export const knownInstance = (
  { did, keys, settings }: Pick<AgencyOnChain, 'did' | 'keys' | 'settings'>,
  { issuance, issuerKey }: KnownIssuing,
  { name, suite, key, status }: IssuerConfig,
): Instance => {
  const secured = Object.hasOwn(known, suite) ? known[suite] : undefined
  if (secured === undefined) {
    const suites = Object.keys(known).join(', ')
    throw new ConfigError(
      `issuers.${name}: an agency issues with ${suites}; other suites are for a conformance profile`,
    )
  }
  if (key !== 'P-256') throw new ConfigError(`issuers.${name}: an agency issues with its own key, which is P-256`)
  if (status) throw new ConfigError(`issuers.${name}: an agency's credentials have their status on chain, not in lists`)
  const securing = () => {
    const { kid, keyId, algorithm } = issuerKey()
    const now: SecuringKey = {
      ...{ did, verificationMethod: kid, algorithm },
      sign: data => keys.signer.sign(keyId, algorithm, data),
    }
    return openSecuring(suite, now, settings.clock)
  }
  return {
    ...{ name, suite, did, status },
    get verificationMethod() {
      return issuerKey().kid
    },
    async issueKnown(credential) {
      const issued = await issuance.issue({ ...requestFor(credential, did), ...secured })
      return {
        verifiableCredential: enveloped(issued),
        credentialId: issued.id,
        store: tx => issuance.store(tx, issued),
      }
    },
    async secure() {
      throw new Refusal(
        'rejected',
        'type_unknown',
        'This instance issues credentials of the types that are known here.',
      )
    },
    present: (presentation, options) => securing().present(presentation, options),
  }
}
