import type {
  BlockRef,
  Clock,
  StatusPointer,
  StatusReader,
  StatusValue,
  TrustReader,
  WalletReader,
  WalletStanding,
} from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { modes, purposes, suspensionListOf, typeIdOf } from './contracts.ts'
import type { BoundEvent, DidEvent } from './events.ts'
import type { History } from './history.ts'
import { type AnchoredHead, anchoredHead, type Replica, type StatusList } from './replica.ts'
import { domainIdOf, jurisdictionOfId, pseudonymIdOf, pseudonymOfId } from './wallets.ts'

export type Freshness = {
  /** @throws Refusal unavailable/status_unavailable when the replica may miss something. */
  require(): void
  head(): BlockRef
}

export type ListFacts = Pick<StatusList, 'purpose' | 'mode' | 'length' | 'openedAt' | 'openedBlock'> & {
  anchored: AnchoredHead | undefined
}

/** Everything read from the replica. Whatever may miss a revocation is refused, never answered. */
export type ChainReader = {
  status: StatusReader
  trust: TrustReader
  wallets: WalletReader
  /** What the registry of DIDs said about an identity, in order. */
  didEvents(identity: string): readonly DidEvent[]
  /** Who speaks for an identity; itself until it names another. */
  identityOwner(identity: string): string
  listFacts(issuer: string, list: number): ListFacts | undefined
  /** Numbers of the lists that an issuer opened. */
  lists(issuer: string): number[]
  /**
   * The bits of a list as they count now, most significant bit first.
   * @throws Refusal unavailable/status_unavailable for an anchored list that is not here.
   */
  bits(issuer: string, list: number): Uint8Array | undefined
  /** Every anchored list with its newest version on chain and the version that is here; 0 for none. */
  anchored(): AnchoredList[]
  /** Hands over an anchored list in a version, the newest by default. @returns whether it is that and was taken. */
  loadAnchored(issuer: string, list: number, bytes: Uint8Array, version?: number): boolean
}

export type AnchoredList = { issuer: string; list: number; length: number; head: AnchoredHead; loaded: number }

export type ReaderOptions = {
  replica: Replica
  history: History
  freshness: Freshness
  clock: Clock
  chain: string
  statusRegistry: string
  confirmations: number
  /** How long an anchored version that was followed by a newer one is still good. */
  anchoredGraceMs: number
}

const wordBits = 256

const unknownList = (pointer: StatusPointer): Refusal =>
  new Refusal('rejected', 'status_list_unknown', 'The status list that the credential names does not exist.', {
    facts: { issuer: pointer.issuer, list: pointer.list },
  })

/** The two lists behind a pointer. */
const pairOf = (options: ReaderOptions, pointer: StatusPointer): { revocation: StatusList; suspension: StatusList } => {
  const issuer = pointer.issuer.toLowerCase()
  const revocation = options.replica.list(issuer, pointer.list)
  const suspension = options.replica.list(issuer, suspensionListOf(pointer.list))
  if (revocation?.purpose !== purposes.revocation || suspension?.purpose !== purposes.suspension) {
    throw unknownList(pointer)
  }
  const { index } = pointer
  if (!Number.isInteger(index) || index < 0 || index >= Math.min(revocation.length, suspension.length)) {
    throw new Refusal('rejected', 'status_index_out_of_range', 'The status index lies beyond the end of its list.')
  }
  return { revocation, suspension }
}

const requireHome = (options: ReaderOptions, pointer: StatusPointer): void => {
  const { chain, statusRegistry } = options
  if (pointer.chain === chain && pointer.registry.toLowerCase() === statusRegistry) return
  throw new Refusal(
    'rejected',
    'status_foreign_registry',
    'The status of this credential stands in a registry which is not the one that counts here.',
  )
}

/** An anchored list counts in its newest version only, and an older one for a while after it was followed by another. */
const requireLoaded = (options: ReaderOptions, list: StatusList): void => {
  if (list.mode !== modes.anchored) return
  const next = list.anchors[list.loaded]
  const late = next !== undefined && options.clock.now() - next.time * 1_000 > options.anchoredGraceMs
  if (list.loaded > 0 && !late) return
  throw new Refusal('unavailable', 'status_unavailable', 'The newest version of the status list is not here yet.')
}

const verdictOf = (revoked: boolean, suspended: boolean): StatusValue =>
  revoked ? 'revoked' : suspended ? 'suspended' : 'valid'

const bitAt = async (
  options: ReaderOptions,
  place: { issuer: string; list: number; index: number },
  block: number,
): Promise<boolean> => {
  const word = Math.floor(place.index / wordBits)
  const settled = Math.min(block, options.freshness.head().number - options.confirmations)
  const values = await options.history.word({ issuer: place.issuer, list: place.list, word }, settled, block)
  const bit = place.index % wordBits
  return values.some(({ bits }) => ((bits[bit >>> 3] ?? 0) & (0x80 >>> (bit & 7))) !== 0)
}

const statusReader = (options: ReaderOptions): StatusReader => {
  const { freshness, history, replica } = options
  const status = (pointer: StatusPointer): StatusValue => {
    requireHome(options, pointer)
    freshness.require()
    const { revocation, suspension } = pairOf(options, pointer)
    requireLoaded(options, revocation)
    requireLoaded(options, suspension)
    return verdictOf(revocation.bits.isSet(pointer.index), suspension.bits.isSet(pointer.index))
  }
  return {
    head: () => {
      freshness.require()
      return freshness.head()
    },
    status,
    statusAt: async (pointer, at) => {
      const now = status(pointer)
      const head = freshness.head()
      if (at >= head.timestamp) return { status: now, block: head }
      const { revocation, suspension } = pairOf(options, pointer)
      const block = await history.blockAt(Math.floor(at / 1_000))
      if (block === undefined || Math.max(revocation.openedBlock, suspension.openedBlock) > block.number) {
        throw unknownList(pointer)
      }
      if (revocation.mode === modes.anchored || suspension.mode === modes.anchored) {
        throw new Refusal('unavailable', 'status_unavailable', 'Past versions of an anchored status list are not kept.')
      }
      const place = { issuer: pointer.issuer.toLowerCase(), index: pointer.index }
      const revoked = await bitAt(options, { ...place, list: pointer.list }, block.number)
      const suspended = await bitAt(options, { ...place, list: suspensionListOf(pointer.list) }, block.number)
      const { number, hash, time } = block
      return {
        status: verdictOf(revoked, suspended),
        block: { chain: options.chain, number, hash, timestamp: time * 1_000 },
      }
    },
    openedAt: (issuer, list) => replica.list(issuer.toLowerCase(), list)?.openedAt,
  }
}

const namesKept = 10_000

/** A type or a domain by its name or by its id, as the chain knows it. */
const idsOf = (idOf: (name: string) => string): ((name: string) => string) => {
  const known = new Map<string, string>()
  return name => {
    if (/^0x[0-9a-f]{64}$/i.test(name)) return name.toLowerCase()
    const found = known.get(name) ?? idOf(name)
    if (known.size >= namesKept) known.clear()
    known.set(name, found)
    return found
  }
}

/** A SHA-256 digest as hex, with or without prefix, or as base64url. */
const bytes32 = (digest: string): string => {
  if (/^(0x)?[0-9a-f]{64}$/i.test(digest)) return `0x${digest.slice(-64).toLowerCase()}`
  return `0x${Buffer.from(digest, 'base64url').toString('hex')}`
}

const trustReader = ({ replica, freshness }: ReaderOptions): TrustReader => {
  const typeId = idsOf(typeIdOf)
  return {
    accreditation: (issuer, type, at) => {
      freshness.require()
      return replica.trust().accreditation(issuer.toLowerCase(), typeId(type), at)
    },
    distrustedSince: (issuer, thumbprint) => {
      freshness.require()
      return replica.trust().distrustedSince(issuer.toLowerCase(), bytes32(thumbprint))
    },
    schemaAdmitted: (type, digest) => {
      freshness.require()
      return replica.trust().schemaAdmitted(typeId(type), bytes32(digest))
    },
  }
}

const walletReader = ({ replica, freshness, clock }: ReaderOptions): WalletReader => {
  const domainId = idsOf(domainIdOf)
  /** The contract made sure of the list when it took the binding; without it nothing is known. */
  const isRevoked = ({ issuer, list, index }: BoundEvent): boolean => {
    const found = replica.list(issuer, list)
    if (found?.purpose !== purposes.binding || found.mode !== modes.bitmap || index >= found.length) {
      throw new Refusal('unavailable', 'status_unavailable', 'The list of a wallet binding is not here.')
    }
    return found.bits.isSet(index)
  }
  const standingOf = (held: BoundEvent): WalletStanding => {
    const { wallet, domain, issuer, level, expiry, list, index } = held
    const jurisdiction = jurisdictionOfId(held.jurisdiction)
    const pseudonym = pseudonymOfId(held.pseudonym)
    const bound = { wallet, domain, pseudonym, issuer, level, jurisdiction, expiry, list, index }
    if (isRevoked(held)) return { valid: false, reason: 'revoked', ...bound }
    if (expiry <= clock.now()) return { valid: false, reason: 'expired', ...bound }
    return { valid: true, ...bound }
  }
  return {
    standing: (wallet, domain) => {
      freshness.require()
      const held = replica.wallets.binding(domainId(domain), wallet.toLowerCase())
      return held === undefined ? { valid: false, reason: 'unbound' } : standingOf(held)
    },
    bindingsOf: (pseudonym, domain) => {
      freshness.require()
      return replica.wallets.bindingsOf(domainId(domain), pseudonymIdOf(pseudonym)).map(standingOf)
    },
    issuerKey: (issuer, thumbprint) => {
      freshness.require()
      return replica.wallets.issuerKey(issuer.toLowerCase(), bytes32(thumbprint))
    },
  }
}

export const createReader = (options: ReaderOptions): ChainReader => {
  const { replica, freshness } = options
  return {
    status: statusReader(options),
    trust: trustReader(options),
    wallets: walletReader(options),
    didEvents: identity => {
      freshness.require()
      return replica.dids(identity.toLowerCase())
    },
    identityOwner: identity => {
      freshness.require()
      const last = replica.dids(identity.toLowerCase()).findLast(event => event.kind === 'owner')
      return last?.owner ?? identity.toLowerCase()
    },
    listFacts: (issuer, number) => {
      const list = replica.list(issuer.toLowerCase(), number)
      if (list === undefined) return undefined
      const { purpose, mode, length, openedAt, openedBlock } = list
      return { purpose, mode, length, openedAt, openedBlock, anchored: anchoredHead(list) }
    },
    lists: issuer => replica.lists(issuer.toLowerCase()),
    bits: (issuer, number) => {
      const list = replica.list(issuer.toLowerCase(), number)
      if (list === undefined) return undefined
      requireLoaded(options, list)
      return list.bits.bytes()
    },
    anchored: () =>
      replica.anchored().map(({ issuer, number, list, head }) => {
        const { length, loaded } = list
        return { issuer, list: number, length, head, loaded }
      }),
    loadAnchored: (issuer, number, bytes, version) =>
      replica.loadAnchored(issuer.toLowerCase(), number, bytes, version),
  }
}
