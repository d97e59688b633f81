import type { AgencyOnChain } from './agency.ts'
import { didWebDocument, didWebFor } from './identity/did-web.ts'
import { keyHash } from './identity/did-webvh/hash.ts'
import { localHostsOf, webvhDidFor } from './identity/did-webvh/identifier.ts'
import { readLog, type Version } from './identity/did-webvh/log.ts'
import { firstEntry, nextEntry, type UpdateKey } from './identity/did-webvh/make.ts'
import { sameJson } from './identity/formats/json.ts'
import type { KeyInfo } from './identity/keys.ts'
import { toMultikey } from './identity/multikey.ts'
import { openDereferencing } from './identity/resolution/dereference.ts'
import { openResolution } from './identity/resolution/resolve.ts'
import type { Identity } from './kernel/identity.ts'
import type { Route } from './kernel/plugin.ts'
import { isRefusal } from './kernel/refusal.ts'
import { addEntry, readEntries } from './plugins/dids/actions/entries.ts'
import { didLogBehind } from './plugins/dids/errors.ts'
import { dids as plugin } from './plugins/dids/plugin.ts'

/** The agency's own did:webvh. */
export type DidLog = {
  /** JSON Lines. @throws Refusal unavailable/did_log_behind while it cannot say what the DID document says */
  read(): Promise<string>
  /** @throws Refusal unavailable/did_log_behind */
  did(): Promise<string>
}

const alias = 'did-log'

const multikeyOf = ({ publicKeyHex }: KeyInfo): string =>
  toMultikey({ kind: 'Ed25519', raw: Buffer.from(publicKeyHex, 'hex') })

/** The key that the entry before announced: active already, or waiting for its turn. */
const announcedKey = async ({ keys }: AgencyOnChain, announced: readonly string[]): Promise<KeyInfo> => {
  const isAnnounced = (key: KeyInfo): boolean => announced.includes(keyHash(multikeyOf(key)))
  const active = await keys.obtain({ kind: 'Ed25519', alias })
  if (isAnnounced(active)) return active
  const next = await keys.prepare(alias)
  if (isAnnounced(next)) return keys.activate(next.keyId)
  throw didLogBehind(new Error('the key store does not have the key that the log announced'))
}

/** What the log has to say: the did:ethr's document under the name of the did:webvh, and every name it ever had. */
const documentFor = async (agency: AgencyOnChain, before: Version | undefined): Promise<Record<string, unknown>> => {
  const { dids, did: ethrDid, settings } = agency
  const { didDocument: ethr } = await dids.resolve(ethrDid)
  if (ethr === null) throw new Error(`our own ${ethrDid} does not resolve`)
  const did = webvhDidFor(settings.publicUrl, before?.active.scid)
  const earlier = [before?.document.id, ...(before?.document.alsoKnownAs ?? [])]
  const names = earlier.filter(name => name?.startsWith('did:webvh:') && name !== did)
  const document = didWebDocument({ did, ethr })
  return { ...document, alsoKnownAs: [...new Set([ethrDid, didWebFor(settings.publicUrl), ...names])] }
}

/**
 * Keeps the log: its first entry is made when it is first asked for, the next ones when the DID document or the public URL has
 * changed. Each entry is signed by the key that the one before announced.
 */
export const openDidLog = (agency: AgencyOnChain): DidLog => {
  const { store, keys, settings, config } = agency
  const { clock, publicUrl } = settings
  const localHosts = [...localHostsOf(config.allowedHttpOrigins), new URL(publicUrl).hostname]
  let held: { lines: string; version: Version } | undefined

  const verified = async (lines: string): Promise<Version | undefined> => {
    if (lines === '') return undefined
    if (held?.lines === lines) return held.version
    const { versions, failure } = await readLog(Buffer.from(lines), { now: clock.now(), localHosts })
    if (failure !== undefined) throw didLogBehind(failure)
    const version = versions.at(-1) as Version
    held = { lines, version }
    return version
  }
  const drafted = async (before: Version | undefined, state: Record<string, unknown>): Promise<string> => {
    const info = before === undefined ? await keys.obtain({ kind: 'Ed25519', alias }) : undefined
    const current = info ?? (await announcedKey(agency, before?.active.nextKeyHashes ?? []))
    const next = await keys.prepare(alias)
    const sign: UpdateKey['sign'] = data => keys.signer.sign(current.keyId, 'EdDSA', data)
    const seconds = Math.floor(clock.now() / 1_000) * 1_000
    const isFree = before === undefined || seconds > before.time
    const time = isFree ? seconds : Math.max(clock.now(), before.time + 1)
    const draft = { time, state, key: { multikey: multikeyOf(current), sign }, nextMultikey: multikeyOf(next) }
    return before === undefined ? firstEntry(draft) : nextEntry(draft, before)
  }
  /** Another process may have added the same entry: then its line counts. */
  const current = async (): Promise<{ lines: string; version: Version }> => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const lines = await readEntries(store)
      const before = await verified(lines)
      const state = await documentFor(agency, before)
      if (before !== undefined && sameJson(before.document, state)) return { lines, version: before }
      await addEntry(store, (before?.number ?? 0) + 1, await drafted(before, state))
    }
    throw didLogBehind(new Error('the log changes while it is read'))
  }
  let underWay: ReturnType<typeof current> | undefined
  const once = (): ReturnType<typeof current> => {
    underWay ??= current().finally(() => {
      underWay = undefined
    })
    return underWay
  }
  return {
    read: async () => (await once()).lines,
    did: async () => (await once()).version.document.id,
  }
}

/** The identity whose did:web document names the did:webvh too, as long as its log can be had. */
export const knownByLog = (identity: Identity, log: DidLog): Identity => ({
  ...identity,
  async didDocument() {
    const document = await identity.didDocument()
    const names = Array.isArray(document['alsoKnownAs']) ? (document['alsoKnownAs'] as unknown[]) : []
    try {
      return { ...document, alsoKnownAs: [...names, await log.did()] }
    } catch (error) {
      if (isRefusal(error)) return document
      throw error
    }
  },
})

/** Resolution of DIDs for anyone; every agency has it. */
export const mountDids = ({ dids, config }: AgencyOnChain, log: DidLog): { routes: Record<string, Route> } => {
  const { allowedHttpOrigins } = config
  const resolve = openResolution(dids)
  const dereference = openDereferencing(resolve)
  const local = { allowedHttpOrigins, localHosts: localHostsOf(allowedHttpOrigins) }
  return {
    routes: plugin.routes({
      resolve,
      dereference: (didUrl, options, accept) => dereference(didUrl, { options, accept, ...local }),
      didLog: log.read,
    }),
  }
}
