import { isRecord } from '../../../kernel/record.ts'
import { bodyMalformed } from '../errors.ts'
import { answering, type Handler, replyTo } from '../handling.ts'
import { messageBytesMost, protocols } from '../policy.ts'

/** Trust Ping 2.0. */
export const ping: Handler = async handling => {
  const { response_requested: requested, responseRequested } = handling.message.body
  // Veramo's agents write it their way; without either a response is wanted.
  const isWanted = (requested ?? responseRequested) !== false
  return answering(handling, async () =>
    isWanted ? replyTo(handling, `${protocols.ping}/ping-response`, {}) : undefined,
  )
}

/** What is told and asks for nothing. */
export const noted: Handler = handling => answering(handling, async () => undefined)

/** Report Problem 2.0: what it is about has ended for the peer, and so it has here. */
export const problemReported: Handler = async handling => {
  const { message, sender, desk } = handling
  const threads = [message.pthid, message.thid].filter(thread => thread !== undefined)
  return answering(handling, async tx => {
    await desk.exchanges.abandon(tx, sender, threads)
    return undefined
  })
}

type Feature = { 'feature-type': string; id: string } & Record<string, unknown>

const featuresOf = (mediator: boolean): Feature[] => {
  const protocol = (id: string, roles: string[]): Feature => ({ 'feature-type': 'protocol', id, roles })
  return [
    protocol(protocols.ping, ['receiver']),
    protocol(protocols.discover, ['responder']),
    protocol(protocols.problem, ['notified', 'notifier']),
    protocol(protocols.outOfBand, ['sender']),
    protocol(protocols.issue, ['issuer']),
    protocol(protocols.present, ['verifier']),
    ...(mediator
      ? [
          protocol(protocols.mediation, ['mediator']),
          protocol(protocols.routing, ['mediator']),
          protocol(protocols.pickup, ['mediator']),
        ]
      : []),
    { 'feature-type': 'constraint', id: 'max_receive_bytes', max_receive_bytes: String(messageBytesMost) },
  ]
}

const queriesMost = 20

/** A `*` at the end stands for anything; everything else for itself. */
const matches = (match: string, id: string): boolean =>
  match.endsWith('*') ? id.startsWith(match.slice(0, -1)) : id === match

/** Discover Features 2.0. */
export const discover: Handler = async handling => {
  const { queries } = handling.message.body
  if (!Array.isArray(queries) || queries.length > queriesMost) {
    throw bodyMalformed(`queries is a list of up to ${queriesMost}.`)
  }
  const features = featuresOf(handling.desk.mediator)
  const asked = queries.map(each => {
    const { 'feature-type': type, match } = isRecord(each) ? each : {}
    if (typeof type !== 'string' || typeof match !== 'string')
      throw bodyMalformed('A query is a feature-type and a match.')
    return { type, match }
  })
  const disclosures = features.filter(feature =>
    asked.some(({ type, match }) => type === feature['feature-type'] && matches(match, feature.id)),
  )
  return answering(handling, async () => replyTo(handling, `${protocols.discover}/disclose`, { disclosures }))
}
