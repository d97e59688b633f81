import type { AgencyOnChain } from './agency.ts'
import { type Agencies, type AgencyNeeds, openAgencies, signAgencyRequest } from './identity/agency-token.ts'
import { ethrDid, ethrDocument, parseEthrDid } from './identity/did-ethr.ts'
import { didWebUrl } from './identity/did-web.ts'
import { fetchBounded } from './identity/fetch-bounded.ts'
import type { IssuerKey } from './identity/issue.ts'
import { publishedOprfKey } from './identity/oprf.ts'
import { openPseudonyms, type PseudonymAuthority, type Pseudonyms } from './identity/pseudonyms.ts'
import type { CredentialTypes } from './identity/types.ts'
import { isRefusal, Refusal } from './kernel/refusal.ts'
import { rootOf } from './register.ts'

/** How institutions speak to one another: requests that they sign, and the pseudonyms that they derive with the root. */

const requestMs = 10_000

/** Lets other institutions in by requests that they signed. */
export const admitAgencies = (agency: AgencyOnChain, types: CredentialTypes, spend: AgencyNeeds['spend']): Agencies => {
  const { dids, did, chain, settings } = agency
  return openAgencies({
    ...{ dids, spend, clock: settings.clock, trust: chain.follower.trust, chain: chain.client.chain },
    types: types.all.map(({ id }) => id),
    audience: [settings.publicUrl, did],
  })
}

/** Where a did:ethr says that it stands: the public URL behind the did:web that it names as its copy. */
export const publicUrlOf = (
  agency: AgencyOnChain,
  address: string,
  allowedHttpOrigins: readonly string[],
): string | undefined => {
  const { chainId } = agency.chain.client
  const did = ethrDid(chainId, address)
  const ethr = parseEthrDid(did, chainId)
  if (ethr === undefined) return undefined
  const now = agency.settings.clock.now()
  const events = agency.chain.follower.didEvents(address)
  const { alsoKnownAs } = ethrDocument({ did, ethr, chainId, events, now }).didDocument
  const web = alsoKnownAs?.find(name => name.startsWith('did:web:'))
  return web && didWebUrl(web, allowedHttpOrigins).replace(/(\/\.well-known)?\/did\.json$/, '')
}

const unavailable = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'pseudonyms_unavailable', detail, { cause })

/**
 * The root authority as the chain names it now: its account, its OPRF key and its address. A request is signed for the
 * address that its DID names, also where the configuration says to reach it elsewhere.
 */
const authorityOf = async (agency: AgencyOnChain, key: () => IssuerKey): Promise<PseudonymAuthority> => {
  const { chain, config, settings, keys } = agency
  const address = await rootOf(chain).catch(cause => {
    throw isRefusal(cause)
      ? cause
      : unavailable('The chain does not say now who the root authority is; try again.', cause)
  })
  const publicKey = publishedOprfKey(chain.follower.didEvents(address), settings.clock.now())
  if (publicKey === undefined) throw unavailable('The root authority names no key for pseudonyms on chain.')
  const reached = config.pseudonymAuthority
  // Our own origin is ours, and what the operator configured is meant: neither has to be on the public internet.
  const near = [settings.publicUrl, ...(reached === undefined ? [] : [reached])].map(url => new URL(url).origin)
  const allowedHttpOrigins = [...config.allowedHttpOrigins, ...near]
  const named = publicUrlOf(agency, address, allowedHttpOrigins)
  if (named === undefined) throw unavailable('The root authority names no address in its DID.')
  const audience = ethrDid(chain.client.chainId, address)
  const signing = { key: key(), signer: keys.signer, clock: settings.clock }
  return {
    publicKey,
    async post(path, body) {
      const token = await signAgencyRequest({ audience, method: 'POST', url: named + path, body }, signing)
      const post = { body: JSON.stringify(body), headers: { authorization: `Agency ${token}` } }
      return fetchBounded((reached ?? named) + path, { allowedHttpOrigins, post, timeoutMs: requestMs })
    },
  }
}

/** Pseudonyms as this institution derives them. */
export const derivePseudonyms = (agency: AgencyOnChain, key: () => IssuerKey): Pseudonyms =>
  openPseudonyms({ authority: () => authorityOf(agency, key) })
