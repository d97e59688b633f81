import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { certificatesOfPem } from '../identity/x509/certificate.ts'
import { type Fail, isRecord, isSomeTexts } from './parts.ts'

/** What holds for collecting credentials into citizens' wallets: see plugins/wallet. */
export type WalletConfig = {
  /** Keeps credentials of issuers that nobody here has accredited too, marked as such. */
  unaccredited: boolean
  /** Takes signed metadata of issuers only (OpenID4VCI 1.0, section 12.2.3). */
  signedMetadata: boolean
  /** Authorities whose certificates name issuers, beside the agencies of this nation: DER. */
  issuerAnchors: Uint8Array[]
  /** Vouches for its wallets and their keys to issuers that ask for it. */
  provider?: WalletProviderConfig
}

export type WalletProviderConfig = {
  name: string
  link?: string
  /** What keys and sign-in withstand, as an audit has found (OpenID4VCI 1.0, appendix D.2). */
  keyStorage?: string[]
  userAuthentication?: string[]
}

export const walletDefaults: WalletConfig = { unaccredited: false, signedMetadata: false, issuerAnchors: [] }

const parseProvider = (value: unknown, fail: Fail): WalletProviderConfig => {
  if (!isRecord(value)) return fail('wallet.provider must be a mapping')
  const { name, link, keyStorage, userAuthentication, ...rest } = value
  for (const key of Object.keys(rest)) fail(`unknown key "wallet.provider.${key}"`)
  if (typeof name !== 'string' || name === '') return fail('wallet.provider.name must be a text')
  if (link !== undefined && (typeof link !== 'string' || !link.startsWith('https://'))) {
    return fail('wallet.provider.link is an https URL')
  }
  for (const [key, given] of Object.entries({ keyStorage, userAuthentication })) {
    if (given !== undefined && !isSomeTexts(given)) return fail(`wallet.provider.${key} is a list of texts`)
  }
  return { ...value } as WalletProviderConfig
}

const readAnchors = (value: unknown, file: string, fail: Fail): Uint8Array[] => {
  if (typeof value !== 'string' || value === '') return fail('wallet.issuerAnchors names a PEM file')
  try {
    return certificatesOfPem(readFileSync(resolve(dirname(file), value), 'utf8'))
  } catch {
    return fail(`"${value}" is no PEM file with certificates`)
  }
}

/** @param file of the agency: the file of anchors stands beside it. */
export const parseWallet = (value: unknown, file: string, fail: Fail): WalletConfig => {
  if (!isRecord(value)) return fail('wallet must be a mapping')
  const { unaccredited = false, signedMetadata = false, issuerAnchors, provider, ...rest } = value
  for (const key of Object.keys(rest)) fail(`unknown key "wallet.${key}"`)
  if (typeof unaccredited !== 'boolean' || typeof signedMetadata !== 'boolean') {
    return fail('wallet.unaccredited and wallet.signedMetadata are true or false')
  }
  return {
    ...{ unaccredited, signedMetadata },
    issuerAnchors: issuerAnchors === undefined ? [] : readAnchors(issuerAnchors, file, fail),
    ...(provider === undefined ? {} : { provider: parseProvider(provider, fail) }),
  }
}
