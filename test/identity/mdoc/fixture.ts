import { type JsonWebKey, sign } from 'node:crypto'
import type { CoseSign } from '../../../src/identity/cose/sign1.ts'
import { issueMdoc, type MdocDraft } from '../../../src/identity/mdoc/issue.ts'
import { type ChainJudge, trustAnchors } from '../../../src/identity/x509/chain.ts'
import type { Authority } from '../../../src/identity/x509/make.ts'
import { isRefusal } from '../../../src/kernel/refusal.ts'
import { day, type Keys, makeAuthority, makeDocumentSigner, newKeys, start } from '../x509/authority.ts'

/** The code of the refusal that a judgement ends with, or `passed`. A defect stays one. */
export const outcomeOf = async (judgement: Promise<unknown>): Promise<string> => {
  try {
    await judgement
    return 'passed'
  } catch (error) {
    if (isRefusal(error)) return error.code
    throw error
  }
}

export const coseSigner =
  (keys: Keys): CoseSign =>
  async (algorithm, input) =>
    algorithm === 'EdDSA'
      ? sign(null, input, keys.privateKey)
      : sign(algorithm === 'ES384' ? 'sha384' : 'sha256', input, { key: keys.privateKey, dsaEncoding: 'ieee-p1363' })

export const publicJwk = (keys: Keys): JsonWebKey => keys.publicKey.export({ format: 'jwk' })

export const docType = 'org.iso.18013.5.1.mDL'
export const namespace = 'org.iso.18013.5.1'

/** Time at which licences are issued and shown. */
export const at = start + 10 * day

/** A transport agency with its root and its document signer, and a holder with a device. */
export type Office = {
  root: Authority
  signer: Keys
  chain: Uint8Array[]
  issuers: ChainJudge
  device: Keys
  issue(change?: Partial<MdocDraft>): Promise<Uint8Array>
}

export const openOffice = async (options: { signer?: Keys; device?: Keys; opened?: number } = {}): Promise<Office> => {
  const { signer = newKeys(), device = newKeys(), opened = start } = options
  const times = { notBefore: opened, notAfter: opened + 400 * day }
  const root = await makeAuthority(times)
  const chain = [await makeDocumentSigner(root, signer, times)]
  const issue = (change: Partial<MdocDraft> = {}) =>
    issueMdoc(
      {
        docType,
        namespaces: { [namespace]: { family_name: 'Okafor', given_name: 'Amara', issuing_country: 'XN' } },
        deviceKey: publicJwk(device),
        validity: { signed: opened + 9 * day, validFrom: opened + 9 * day, validUntil: opened + 39 * day },
        algorithm: 'ES256',
        chain,
        ...change,
      },
      coseSigner(signer),
    )
  return { root, signer, chain, issuers: trustAnchors([root.certificate]), device, issue }
}
