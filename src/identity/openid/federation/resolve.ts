import type { Clock } from '../../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../../fetch-bounded.ts'
import { Generations } from '../../generations.ts'
import { ByteCache } from '../../status-lists/cache.ts'
import { configurationUrl, isEntityId } from './entity-id.ts'
import { anchorUnknown, chainExcessive, chainMissing, statementMalformed, statementOfAnother } from './refusals.ts'
import { assertSigned, assertTimely, type EntityStatement, readStatement, statementTyp } from './statement.ts'
import { type TrustAnchor, type TrustChain, validateTrustChain } from './trust-chain.ts'

export type FederationLimits = {
  /** Intermediates between an entity and a trust anchor. @default 6 */
  intermediates: number
  /** Superiors of one entity that are looked at. @default 8 */
  hints: number
  /** Statements fetched for one resolution. @default 24 */
  fetches: number
  /** Everything together, in milliseconds. @default 10 000 */
  timeMs: number
  /** A statement as it is sent. @default 128 KiB */
  statementBytes: number
  /** How long a chain is kept however long its statements last, in milliseconds. @default 1 hour */
  keptMs: number
  /** All chains that are kept together. @default 32 MiB */
  keptBytes: number
  /** How long what failed is not tried again, in milliseconds. @default 2 000 */
  retryMs: number
  /** Resolutions at one time. @default 16 */
  resolutions: number
}

const defaults: FederationLimits = {
  ...{ intermediates: 6, hints: 8, fetches: 24, timeMs: 10_000, statementBytes: 131_072 },
  ...{ keptBytes: 33_554_432, keptMs: 3_600_000, retryMs: 2_000, resolutions: 16 },
}

export type FederationNeeds = {
  clock: Clock
  anchors: readonly TrustAnchor[]
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
  /** Origins that may be http: a demonstration's own. */
  httpOrigins?: readonly string[]
  limits?: Partial<FederationLimits>
}

export type Federation = {
  /**
   * A trust chain from an entity to one of the anchors, with the metadata that results (OpenID Federation 1.0, section 10). Kept
   * until the first of its statements expires.
   * @param anchors identifiers, to ask for fewer than all that count here.
   * @throws Refusal trust_anchor_unknown, trust_chain_missing, trust_chain_excessive, those of `validateTrustChain`;
   *   unavailable/federation_unavailable
   */
  resolve(entityId: string, anchors?: readonly string[]): Promise<TrustChain>
  /** The chain as it is kept now, without asking anybody. */
  known(entityId: string, anchors?: readonly string[]): TrustChain | undefined
  anchors: readonly string[]
}

const unavailable = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'federation_unavailable', detail, { cause })

/** A statement is held as text and as what was read of it. */
const heldPerCharacter = 4

/** What one resolution has fetched, and what it may still. */
type Walk = { left: number; until: number; configurations: Map<string, Promise<EntityStatement>> }

const openFetching = (needs: FederationNeeds, limits: FederationLimits) => {
  const { clock } = needs

  const fetchStatement = async (url: string, walk: Walk): Promise<EntityStatement> => {
    if (walk.left-- <= 0) throw chainExcessive(`More than ${limits.fetches} statements would have to be fetched.`)
    const timeoutMs = Math.min(5_000, walk.until - performance.now())
    if (timeoutMs <= 0) throw unavailable('The statements of the federation did not come in time.')
    let fetched: Fetched
    try {
      const bounds = { accept: `application/${statementTyp}`, maxBytes: limits.statementBytes, timeoutMs }
      fetched = await needs.fetch(url, bounds)
    } catch (error) {
      if (!isRefusal(error) || error.kind === 'rejected') throw error
      throw unavailable('A statement of the federation cannot be fetched.', error)
    }
    const type = (fetched.contentType?.split(';')[0] ?? '').trim().toLowerCase()
    if (type !== `application/${statementTyp}`) throw statementMalformed('A statement is sent as another media type.')
    return readStatement(fetched.body.toString('latin1').trim())
  }

  const readConfiguration = async (entityId: string, walk: Walk): Promise<EntityStatement> => {
    if (!isEntityId(entityId, needs.httpOrigins)) throw statementMalformed('An entity identifier is an https URL.')
    const statement = await fetchStatement(configurationUrl(entityId), walk)
    if (statement.issuer !== entityId || statement.subject !== entityId) {
      throw statementOfAnother('An Entity Configuration is of another entity than it was asked of.')
    }
    assertTimely(statement, clock.now())
    await assertSigned(statement.jws, statement.keys)
    return statement
  }

  return {
    /** Nothing is fetched twice in one resolution (section 10.1). */
    configuration(entityId: string, walk: Walk): Promise<EntityStatement> {
      const known = walk.configurations.get(entityId)
      if (known !== undefined) return known
      const reading = readConfiguration(entityId, walk)
      walk.configurations.set(entityId, reading)
      return reading
    },
    /** Section 8.1. */
    async subordinate(superior: EntityStatement, subject: string, walk: Walk): Promise<EntityStatement> {
      const endpoint = superior.metadata?.['federation_entity']?.['federation_fetch_endpoint']
      if (typeof endpoint !== 'string' || !URL.canParse(endpoint) || endpoint.includes('#')) {
        throw statementMalformed('A superior names no federation_fetch_endpoint.')
      }
      const url = new URL(endpoint)
      url.searchParams.set('sub', subject)
      const statement = await fetchStatement(url.href, walk)
      if (statement.issuer !== superior.subject || statement.subject !== subject) {
        throw statementOfAnother('A Subordinate Statement is of other entities than it was asked of.')
      }
      return statement
    },
  }
}

/** Entities from the subject upwards, by their configurations. */
type Path = readonly EntityStatement[]

/** A federation as one of its participants sees it. */
export const openFederation = (needs: FederationNeeds): Federation => {
  const limits = { ...defaults, ...needs.limits }
  const { clock } = needs
  const fetching = openFetching(needs, limits)
  const kept = new ByteCache<{ chain: TrustChain; until: number }>(limits.keptBytes)
  const failed = new Generations<{ error: unknown; until: number }>(1_000)
  const underWay = new Map<string, Promise<TrustChain>>()

  const chainOf = async (path: Path, anchors: readonly TrustAnchor[], walk: Walk): Promise<TrustChain> => {
    const compacts: string[] = []
    const [leaf] = path
    if (leaf !== undefined) compacts.push(leaf.jws.compact)
    for (const [index, superior] of path.entries()) {
      const below = path[index - 1]
      if (below === undefined) continue
      compacts.push((await fetching.subordinate(superior, below.subject, walk)).jws.compact)
    }
    const root = path.at(-1)
    if (root !== undefined && path.length > 1) compacts.push(root.jws.compact)
    return validateTrustChain(compacts, anchors, clock.now())
  }

  /** Breadth first: of several chains the shortest that holds (section 10.3). */
  const walkUp = async (entityId: string, anchors: readonly TrustAnchor[]): Promise<TrustChain> => {
    const walk: Walk = { left: limits.fetches, until: performance.now() + limits.timeMs, configurations: new Map() }
    const reasons: unknown[] = []
    let paths: Path[] = [[await fetching.configuration(entityId, walk)]]
    for (let length = 0; length <= limits.intermediates + 1 && paths.length > 0; length++) {
      const next: Path[] = []
      for (const path of paths) {
        const top = path.at(-1) as EntityStatement
        try {
          if (anchors.some(anchor => anchor.entityId === top.subject)) return await chainOf(path, anchors, walk)
        } catch (error) {
          if (!isRefusal(error)) throw error
          reasons.push(error)
        }
        // A hint that leads back is not followed (section 10.1).
        const seen = new Set(path.map(({ subject }) => subject))
        for (const hint of top.authorityHints.filter(each => !seen.has(each)).slice(0, limits.hints)) {
          try {
            next.push([...path, await fetching.configuration(hint, walk)])
          } catch (error) {
            if (!isRefusal(error)) throw error
            reasons.push(error)
          }
        }
      }
      paths = next
    }
    // What led to an anchor says more than what led nowhere; what may be otherwise in a moment comes before both.
    const transient = reasons.find(reason => isRefusal(reason) && reason.kind === 'unavailable')
    throw transient ?? reasons[0] ?? chainMissing()
  }

  const chosen = (ids: readonly string[] | undefined): readonly TrustAnchor[] => {
    const anchors = needs.anchors.filter(({ entityId }) => ids === undefined || ids.includes(entityId))
    if (anchors.length === 0) throw anchorUnknown()
    return anchors
  }
  const nameOf = (entityId: string, anchors: readonly TrustAnchor[]): string =>
    [entityId, ...anchors.map(anchor => anchor.entityId)].join(' ')

  const known = (entityId: string, ids?: readonly string[]): TrustChain | undefined => {
    const entry = kept.get(nameOf(entityId, chosen(ids)))
    return entry !== undefined && clock.now() < entry.until ? entry.chain : undefined
  }

  const load = async (entityId: string, anchors: readonly TrustAnchor[], name: string): Promise<TrustChain> => {
    try {
      const chain = await walkUp(entityId, anchors)
      const until = Math.min(chain.expiresAt, clock.now() + limits.keptMs)
      kept.set(name, { chain, until }, chain.statements.join('').length * heldPerCharacter)
      return chain
    } catch (error) {
      failed.set(name, { error, until: clock.now() + limits.retryMs })
      throw error
    }
  }

  return {
    anchors: needs.anchors.map(({ entityId }) => entityId),
    known,
    async resolve(entityId, ids) {
      const anchors = chosen(ids)
      const name = nameOf(entityId, anchors)
      const chain = known(entityId, ids)
      if (chain !== undefined) return chain
      const pending = underWay.get(name)
      if (pending !== undefined) return pending
      const failure = failed.get(name)
      if (failure !== undefined && clock.now() < failure.until) throw failure.error
      if (underWay.size >= limits.resolutions) throw unavailable('Too many trust chains are being resolved; try again.')
      const loading = load(entityId, anchors, name).finally(() => underWay.delete(name))
      underWay.set(name, loading)
      return loading
    },
  }
}
