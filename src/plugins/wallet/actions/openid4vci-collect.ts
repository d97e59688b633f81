import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../../kernel/refusal.ts'
import type { ExpectedCredential, GivenCredentials, Grant } from '../collecting.ts'
import { type Collection, isOver, type Piece, stateOf } from '../collection.ts'
import * as errors from '../errors.ts'
import * as policy from '../policy.ts'
import type { Vault } from '../vault.ts'
import { judgeCredential, keep } from './hold.ts'
import { didTag, type KeyRecord, publicOf } from './keys.ts'
import { answerOf } from './openid4vci.ts'
import { type Turn, takeTurn } from './openid4vci-run.ts'
import type { Desk } from './prove.ts'

type AcceptBody = {
  grant?: Grant
  txCode?: string
  credentialConfigurationIds?: string[]
  copies?: number
  review?: boolean
}

const makeKey = promisify(generateKeyPair)

const newKey = async (desk: Desk, { method }: ExpectedCredential): Promise<Piece['keys'][number]> => {
  const { privateKey } = await makeKey('ec', { namedCurve: 'P-256' })
  const jwk = privateKey.export({ format: 'jwk' })
  return { id: desk.newId(), did: (method === 'did:key' ? desk.didOf : desk.didJwkOf)(publicOf(jwk)), jwk }
}

/**
 * What is to be asked for by the token, with a fresh key for each credential (a key never serves two).
 * @throws Refusal wallet_full
 */
const planPieces = async (desk: Desk, { talk, copies }: Collection): Promise<Piece[]> => {
  const plans: { request: Piece['request']; expected: ExpectedCredential; count: number }[] = []
  let wanted = 0
  for (const request of desk.collecting.requests(talk)) {
    const expected = await desk.collecting.expects(talk, request.configurationId)
    const count = Math.min(copies, expected.most)
    wanted += count
    // How much it is says the issuer: no key is made before that is known to be bearable.
    if (wanted > policy.collectedMost) throw errors.walletFull(policy.collectedMost)
    plans.push({ request, expected, count })
  }
  const pieces: Piece[] = []
  for (const { request, expected, count } of plans) {
    const keys = await Promise.all(Array.from({ length: count }, () => newKey(desk, expected)))
    pieces.push({ request, keys, state: 'wanted' })
  }
  return pieces
}

/** Formats as OpenID4VCI names them (appendix A) → as a verdict does. */
const formatNames: Record<string, string> = { jwt_vc_json: 'jwt_vc', 'jwt_vc_json-ld': 'jwt_vc' }

const typesIn = (document: Record<string, unknown> | undefined): unknown[] => {
  const vc = document?.['vc'] as { type?: unknown } | undefined
  return [vc?.type ?? document?.['type']].flat()
}

type Judgement = Awaited<ReturnType<typeof judgeCredential<KeyRecord>>>

const assertExpected = ({ held, verdict }: Judgement, expected: ExpectedCredential): void => {
  const { format, vct, doctype, types } = expected
  const isFormat = held.format === (formatNames[format] ?? format)
  const isVct = vct === undefined || verdict.document?.['vct'] === vct
  const isDoctype = doctype === undefined || held.doctype === doctype
  const given = typesIn(verdict.document)
  const isType = types === undefined || types.every(type => given.includes(type))
  if (!isFormat || !isVct || !isDoctype || !isType) throw errors.collectedOtherType()
}

/** Who has signed, and for which credential issuer they say they do (OpenID4VCI 1.0, section 13.4). */
const signerOf = ({ verdict }: Judgement): { signer: string; credentialIssuer?: unknown } => {
  const issuer = verdict.document?.['issuer'] as { credential_issuer?: unknown } | undefined
  return { signer: verdict.issuer ?? '', credentialIssuer: issuer?.credential_issuer }
}

/**
 * Judges all that came for one request: each credential for itself, of the type that was offered, by the issuer that was
 * asked, and bound to a key of its own that was proved. Nothing of a batch is kept if one is refused.
 */
const judgePiece = async (desk: Desk, collection: Collection, piece: Piece, given: unknown[]) => {
  const expected = await desk.collecting.expects(collection.talk, piece.request.configurationId)
  const keys: KeyRecord[] = piece.keys.map(({ did, jwk }) => ({ did, jwk, heldFor: 'self' }))
  const received: NonNullable<Piece['received']> = []
  for (const credential of given) {
    const free = keys.filter(({ did }) => !received.some(other => other.did === did))
    const judged = await judgeCredential(desk, credential, async did => free.find(key => key.did === did)).catch(
      (error: unknown) => {
        throw isRefusal(error) && error.code === 'holder_foreign' ? errors.collectedOtherKey() : error
      },
    )
    assertExpected(judged, expected)
    if (!(await desk.collecting.vouches(collection.talk, signerOf(judged)))) throw errors.collectedOtherIssuer()
    received.push({ id: desk.newId(), held: judged.held, did: judged.key.did })
  }
  return received
}

const tell = async (
  desk: Desk,
  { talk }: Collection,
  piece: Piece,
  event: 'credential_accepted' | 'credential_failure',
): Promise<void> => {
  const { notificationId } = piece
  if (notificationId === undefined || piece.told === true) return
  try {
    await desk.collecting.notify(talk, { notificationId, event })
    piece.told = true
  } catch (error) {
    // A notification that is lost changes nothing of what is held; the next call tells it again.
    if (!isRefusal(error)) throw error
    piece.told = false
  }
}

/** Judges what has come; while that cannot be done, it stays as it came. @throws Refusal why it is not kept */
const judgeGiven = async (desk: Desk, turn: Turn, piece: Piece): Promise<void> => {
  piece.received = await judgePiece(desk, turn.collection, piece, piece.given ?? [])
  piece.state = 'received'
  delete piece.given
  delete piece.problem
}

/** Takes in what an issuer has answered. @throws Refusal why it is not kept */
const takeIn = async (desk: Desk, turn: Turn, piece: Piece, given: GivenCredentials): Promise<void> => {
  const now = desk.house.clock.now()
  if (given.kind === 'deferred') {
    const since = piece.deferredSince ?? now
    piece.state = 'deferred'
    piece.transactionId = given.transactionId
    piece.deferredSince = since
    piece.notBefore = now + given.intervalSeconds * 1_000
    if (now < since + policy.deferralMostMs) return
    throw errors.deferralEnded()
  }
  if (given.notificationId !== undefined) piece.notificationId = given.notificationId
  piece.given = given.credentials
  piece.state = 'given'
  await turn.save()
  await judgeGiven(desk, turn, piece)
}

/** A refusal that more time may lift leaves the request open; every other ends it. */
const endPiece = async (desk: Desk, turn: Turn, piece: Piece, error: unknown): Promise<void> => {
  if (!isRefusal(error)) throw error
  piece.problem = error.code
  if (error.kind === 'unavailable') return
  piece.state = 'refused'
  delete piece.given
  await tell(desk, turn.collection, piece, 'credential_failure')
}

const askFor = async (desk: Desk, turn: Turn, piece: Piece): Promise<void> => {
  const { collection } = turn
  if (piece.state === 'given') return judgeGiven(desk, turn, piece)
  const talk = await desk.collecting.lasting(collection.talk)
  if (talk !== collection.talk) {
    collection.talk = talk
    await turn.save()
  }
  if (piece.state === 'wanted') {
    const keys = piece.keys.map(({ did, jwk }) => ({ did, privateJwk: jwk }))
    await takeIn(desk, turn, piece, await desk.collecting.request(collection.talk, piece.request, keys))
    return
  }
  const asked = { transactionId: piece.transactionId ?? '', keys: piece.keys.length }
  await takeIn(desk, turn, piece, await desk.collecting.deferred(collection.talk, asked))
}

/**
 * Asks for everything that is still wanted or due, judges what could not be judged before, and saves after each.
 * @throws Refusal the first, when nothing at all has come of it.
 */
const askForAll = async (desk: Desk, turn: Turn): Promise<void> => {
  const { collection, save } = turn
  let refusal: Refusal | undefined
  for (const piece of collection.pieces) {
    const isDue = piece.state === 'deferred' && (piece.notBefore ?? 0) <= desk.house.clock.now()
    if (piece.state !== 'wanted' && piece.state !== 'given' && !isDue) continue
    try {
      await askFor(desk, turn, piece)
    } catch (error) {
      await endPiece(desk, turn, piece, error)
      refusal ??= error as Refusal
    }
    await save()
  }
  const isAnything = collection.pieces.some(({ state }) => ['given', 'received', 'deferred', 'kept'].includes(state))
  if (refusal === undefined || isAnything) return
  endIfOver(desk, collection)
  throw refusal
}

/** As it is when all that has come is kept: with the ids under which it will be held. */
const keptAll = (collection: Collection): Collection => ({
  ...collection,
  pieces: collection.pieces.map(piece => {
    if (piece.state !== 'received') return piece
    const { received = [], keys: _keys, ...rest } = piece
    return { ...rest, keys: [], state: 'kept' as const, heldIds: received.map(({ id }) => id) }
  }),
})

/** Puts what has come into the wallet, each with its key. @throws Refusal wallet_full, held_already */
const keepAll = async (tx: Tx, vault: Vault, { pieces }: Collection): Promise<void> => {
  for (const { state, received = [], keys } of pieces) {
    if (state !== 'received') continue
    for (const { id, held, did } of received) {
      const found = keys.find(key => key.did === did)
      if (found === undefined) throw errors.recordDamaged()
      const key = { id: found.id, heldFor: 'self' as const }
      const record: KeyRecord = { did, heldFor: 'self', jwk: found.jwk }
      await tx.query('INSERT INTO wallet_keys (id, citizen, did_tag, used, sealed) VALUES (?, ?, ?, 0, ?)', [
        ...[key.id, vault.citizen, didTag(vault, did), vault.seal('wallet_keys', key.id, record)],
      ])
      await keep(tx, vault, { id, held, key })
    }
  }
}

/** With the last of it the conversation ends, and nothing that opens it is kept but what a renewal needs. */
const endIfOver = (desk: Desk, collection: Collection): void => {
  if (isOver(collection)) collection.talk = desk.collecting.ended(collection.talk)
}

const tellAll = async (desk: Desk, { collection }: Turn): Promise<void> => {
  for (const piece of collection.pieces) {
    if (piece.state === 'kept') await tell(desk, collection, piece, 'credential_accepted')
    if (piece.state === 'refused') await tell(desk, collection, piece, 'credential_failure')
  }
  endIfOver(desk, collection)
}

/** A collection that has something to come, or can be renewed, lasts longer than an offer. */
const expiresOf = (collection: Collection, now: number): number | undefined => {
  const { pieces, talk } = collection
  if (pieces.some(({ state }) => state === 'deferred' || state === 'given')) return now + policy.deferralMostMs
  if (stateOf(collection) !== 'collected') return undefined
  return now + (talk.token?.refreshToken === undefined ? policy.offerLifeMs : policy.collectedLifeMs)
}

const collecting = async (
  desk: Desk,
  context: Context,
  step: {
    operation: string
    input: unknown
    from: Parameters<typeof takeTurn>[2]['from']
    isKept(turn: Turn): boolean
  },
  work: (turn: Turn) => Promise<void>,
): Promise<Answer> => {
  const { isKept, ...asked } = step
  const row = await takeTurn(desk, context, {
    ...{ ...asked, id: context.params['id'] ?? '', work, expires: expiresOf },
    settled: turn => (isKept(turn) ? keptAll(turn.collection) : turn.collection),
    end: async (tx, turn) => {
      if (isKept(turn)) await keepAll(tx, turn.vault, turn.collection)
    },
    after: turn => tellAll(desk, turn),
  })
  return answerOf(context, row)
}

/** With a token at hand: what it is good for is asked for, and kept unless the citizen wants to see it first. */
const collectByToken = async (desk: Desk, turn: Turn): Promise<void> => {
  turn.collection.pieces.push(...(await planPieces(desk, turn.collection)))
  delete turn.collection.authorizationUrl
  await turn.save()
  await askForAll(desk, turn)
}

const redeem = async (desk: Desk, turn: Turn, { credentialConfigurationIds: ids, txCode }: AcceptBody) => {
  const { collection, save } = turn
  if (collection.txCodeTries >= policy.txCodeTriesMost) throw errors.txCodeExhausted(policy.txCodeTriesMost)
  try {
    collection.talk = await desk.collecting.redeem(collection.talk, { ids, txCode })
  } catch (error) {
    if (!isRefusal(error) || error.code !== 'tx_code_refused') throw error
    collection.txCodeTries += 1
    const facts = { ...error.facts, tries: collection.txCodeTries, triesMost: policy.txCodeTriesMost }
    throw new Refusal('rejected', 'tx_code_refused', error.message, { facts, cause: error })
  }
  await save()
  await collectByToken(desk, turn)
}

/**
 * Accepts an offer: by its pre-authorised code the credentials come at once; by an authorisation code the citizen first
 * opens a page of the issuer, whose address is in the answer (OpenID4VCI 1.0, sections 5 to 8).
 */
export const acceptOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const body = (context.body ?? {}) as AcceptBody
  const { copies = 1, review = false, credentialConfigurationIds } = body
  const step = { operation: 'acceptOffer', input: body, from: ['offered', 'authorizing'] as const }
  return collecting(desk, context, { ...step, isKept: () => !review }, async turn => {
    const { collection } = turn
    const {
      grant = collection.talk.servers['pre-authorized'] === undefined ? 'authorization-code' : 'pre-authorized',
    } = body
    Object.assign(collection, { copies: Math.min(copies, policy.copiesMost), review })
    if (grant === 'pre-authorized') return redeem(desk, turn, body)
    const wish = { ids: credentialConfigurationIds, redirectUri: redirectUri(context) }
    const { talk, url } = await desk.collecting.authorize(collection.talk, wish)
    Object.assign(collection, { talk, authorizationUrl: url })
    return undefined
  })
}

const redirectUri = ({ publicUrl }: Context): string => `${publicUrl}/wallet/authorization-response`

/** Only the query of a URL counts; what the citizen copies may be the whole address, or the query alone. */
const queryOf = (response: string): string => {
  const from = response.indexOf('?')
  const query = from < 0 ? response : response.slice(from + 1)
  return query.split('#', 1)[0] ?? ''
}

/** Takes back what the issuer's page sent the browser away with, and collects. */
export const continueOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const { response } = context.body as { response: string }
  const step = { operation: 'continueOffer', input: { response }, from: ['authorizing'] as const }
  return collecting(desk, context, { ...step, isKept: ({ collection }) => !collection.review }, async turn => {
    turn.collection.talk = await desk.collecting.returned(turn.collection.talk, queryOf(response))
    await turn.save()
    await collectByToken(desk, turn)
  })
}

/** Asks again for what was deferred or could not be had, and keeps what has come. */
export const collectOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const from = ['collecting', 'deferred', 'received', 'collected'] as const
  // What is to be looked at first is kept by the call that finds it there.
  let wasSeen = false
  const isKept = ({ collection }: Turn): boolean => wasSeen || !collection.review
  return collecting(desk, context, { operation: 'collectOffer', input: {}, from, isKept }, async turn => {
    const { collection } = turn
    wasSeen = stateOf(collection) === 'received'
    // What came with this call would be kept unseen; the next call asks for the rest.
    if (wasSeen && collection.review) return undefined
    if (collection.pieces.length === 0) return collectByToken(desk, turn)
    const now = desk.house.clock.now()
    const waits = collection.pieces.filter(({ state }) => state === 'deferred').map(({ notBefore }) => notBefore ?? 0)
    if (stateOf(collection) === 'deferred' && waits.every(time => time > now)) {
      throw errors.deferralWaiting(Math.ceil((Math.min(...waits) - now) / 1_000))
    }
    return askForAll(desk, turn)
  })
}

/**
 * Collects the same credentials anew with the refresh token that the issuer gave (OpenID4VCI 1.0, section 13.5). The
 * earlier ones stay until the citizen deletes them. Who wanted to see those first sees these first.
 */
export const renewOffer = async (desk: Desk, context: Context): Promise<Answer> => {
  const step = { operation: 'renewOffer', input: {}, from: ['collected'] as const }
  return collecting(desk, context, { ...step, isKept: ({ collection }) => !collection.review }, async turn => {
    const { collection } = turn
    if (collection.talk.token?.refreshToken === undefined) throw errors.renewalImpossible()
    collection.talk = await desk.collecting.renew(collection.talk)
    collection.replaces = collection.pieces.flatMap(({ heldIds = [] }) => heldIds)
    await turn.save()
    const before = collection.pieces
    collection.pieces = await planPieces(desk, collection)
    await turn.save()
    try {
      await askForAll(desk, turn)
    } catch (error) {
      // What there was stays what it was.
      collection.pieces = before
      endIfOver(desk, collection)
      throw error
    }
  })
}
