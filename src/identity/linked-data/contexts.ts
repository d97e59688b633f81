import { readFileSync } from 'node:fs'
import { contexts as citizenship } from '@digitalbazaar/citizenship-context'
import { contexts as credentials } from '@digitalbazaar/credentials-context'
import dataIntegrity from '@digitalbazaar/data-integrity-context'
import multikey from '@digitalbazaar/multikey-context'
import security from '@digitalbazaar/security-context'
import { contexts as bitstringStatusList } from '@digitalbazaar/vc-bitstring-status-list-context'
import { contexts as vdl } from '@digitalbazaar/vdl-context'
import did from 'did-context'
import ed25519 from 'ed25519-signature-2020-context'
import x25519 from 'x25519-key-agreement-2020-context'
import { canonical } from '../../kernel/canonical.ts'

/** What has no package, and what a specification publishes a digest of; `published/README.md` says where each is from. */
const published = {
  'https://www.w3.org/2018/credentials/v1': 'credentials-v1',
  'https://www.w3.org/ns/credentials/v2': 'credentials-v2',
  'https://www.w3.org/2018/credentials/examples/v1': 'credentials-examples-v1',
  'https://www.w3.org/ns/odrl.jsonld': 'odrl',
  'https://www.w3.org/ns/credentials/examples/v2': 'credentials-examples-v2',
  'https://w3id.org/security/jwk/v1': 'jwk-v1',
  'https://www.w3.org/ns/did/v1.1': 'did-v1.1',
  'https://w3id.org/vc/status-list/2021/v1': 'status-list-2021-v1',
  'https://w3id.org/security/bbs/v1': 'bbs-v1',
  'https://w3id.org/security/suites/jws-2020/v1': 'jws-2020-v1',
  'https://w3id.org/vdl/v2': 'vdl-v2',
  'https://w3id.org/vdl/aamva/v1': 'vdl-aamva-v1',
  'https://identity.foundation/presentation-exchange/submission/v1': 'presentation-submission-v1',
}

const read = (name: string): object =>
  JSON.parse(readFileSync(new URL(`published/${name}.json`, import.meta.url), 'utf8'))

const frozen = <Value>(value: Value): Value => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}

const bundled = new Map<string, object>([
  ...credentials,
  ...dataIntegrity.contexts,
  ...multikey.contexts,
  ...security.contexts,
  ...bitstringStatusList,
  ...citizenship,
  ...vdl,
  ...did.contexts,
  ...ed25519.contexts,
  ...x25519.contexts,
])
for (const [url, name] of Object.entries(published)) bundled.set(url, read(name))
for (const document of bundled.values()) frozen(document)

const own = new Map<string, object>()
/** By what their URL ends with, whichever agency serves them. */
const shared = new Map<string, object>()
const sharedPath = /^https?:\/\/[^?#\s]+?((?:\/types\/[a-z0-9-]+\/[0-9]+\/context)|(?:\/contexts\/[a-z0-9-]+\/[0-9]+))$/

const sharedContext = (url: string): object | undefined => {
  const path = sharedPath.exec(url)?.[1]
  return path === undefined ? undefined : shared.get(path)
}

/** The context document at a URL, or undefined: nothing is ever fetched. Not to be changed. */
export const bundledContext = (url: string): object | undefined =>
  bundled.get(url) ?? own.get(url) ?? sharedContext(url)

/** The URLs of the contexts that stand in the house, without the agency's own. */
export const bundledContextUrls = (): string[] => [...bundled.keys()]

/**
 * Makes context documents known beside the bundled ones, for as long as the process runs: those of the agency's own
 * credential types.
 * @param extra context documents, each with a `@context`, by their URL.
 * @throws Error where a URL is that of another context already, for a context never changes.
 */
export const withContexts = (extra: Record<string, object>): void => {
  for (const [url, document] of Object.entries(extra)) {
    const known = bundledContext(url)
    if (known !== undefined && canonical(known) !== canonical(document))
      throw new Error(`the context ${url} is known already, and is another`)
    if (known === undefined) own.set(url, frozen(structuredClone(document)))
  }
}

/**
 * Makes context documents known that every agency serves at its own address: those of the released credential types, which are the
 * same everywhere. Whoever reads one of them has to see to it that the address is that of the issuer.
 * @param documents context documents by the path below the agency's URL: `/types/<slug>/<version>/context`, `/contexts/<name>/<version>`.
 * @throws Error where a path is that of another context already, for a released context never changes.
 */
export const withSharedContexts = (documents: Record<string, object>): void => {
  for (const [path, document] of Object.entries(documents)) {
    const known = shared.get(path)
    if (known !== undefined && canonical(known) !== canonical(document))
      throw new Error(`the context ${path} is known already, and is another`)
    if (known === undefined) shared.set(path, frozen(structuredClone(document)))
  }
}
