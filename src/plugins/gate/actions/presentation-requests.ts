import { dcqlByParty, dcqlOf } from '../../../kernel/dcql.ts'
import type { Dcql } from '../../../kernel/dcql-query.ts'
import { type Resolved, resolveCases } from '../../../kernel/gate.ts'
import type { FormatId } from '../../../kernel/identity.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { ClientIdPrefix } from '../../../kernel/presentation-requests.ts'
import type { CredentialQuery, CredentialTree } from '../../../kernel/requirement.ts'
import type { BoundAct } from '../challenges.ts'
import type { Desk } from '../desk.ts'
import { partyUnknown, presentationUnwanted } from '../errors.ts'
import { presentationsMost } from '../policy.ts'
import { requirementOf } from './requirements.ts'

/** How the wallet is asked: on which device it is, and under which name it knows us. */
type Manner = {
  return_to?: string
  client_id_prefix?: ClientIdPrefix
  response_mode?: 'direct_post' | 'direct_post.jwt'
}

type ActBody = Manner & {
  bodySha256: string
  params?: Record<string, string>
  party?: string
  challenge?: string
  /** In which the wallet holds what is asked for. @default the preferred one of each type */
  credential_format?: FormatId
}
type SessionBody = Manner & {
  dpop_jkt: string
  requirement: { operationId: string; params?: Record<string, string>; credential_format?: FormatId }
}

/** Of which type each query is to be answered: credentials of others count as one of ours (`<query>_foreign_<n>`). */
const typesOf = (requirement: Resolved, { credentials }: Dcql, party: string | undefined): Record<string, string> => {
  const part = requirement.by === 'parties' && party !== undefined ? requirement.parties[party] : requirement
  const queries = part?.by === 'holder' ? queriesIn(part.of) : []
  const types = new Map(queries.map(({ id, type }) => [id, type]))
  return Object.fromEntries(
    credentials.flatMap(({ id }) => {
      const type = types.get(id) ?? types.get(id.replace(/_foreign_\d+$/, ''))
      return type === undefined ? [] : [[id, type] as const]
    }),
  )
}

const queriesIn = (tree: CredentialTree): CredentialQuery[] => {
  if ('any' in tree) return tree.any.flatMap(queriesIn)
  return 'all' in tree ? tree.all.flatMap(queriesIn) : [tree]
}

/** What DCQL can say of a requirement; of a joint act, for one of its parties. */
const dcqlFor = (
  { identity: { types } }: Desk,
  requirement: Resolved,
  { party, format }: { party?: string | undefined; format: FormatId | undefined },
): Asked => {
  const answerable = (dcql: Dcql): Asked => ({ dcql, types: typesOf(requirement, dcql, party) })
  if (requirement.by === 'parties') {
    const asked = party === undefined ? undefined : dcqlByParty(requirement, types, format)
    const dcql =
      asked !== undefined && party !== undefined && Object.hasOwn(asked, party) ? asked[party]?.dcql : undefined
    if (dcql === undefined) throw partyUnknown()
    return answerable(dcql)
  }
  if (party !== undefined) throw partyUnknown()
  const dcql = dcqlOf(requirement, types, format)
  if (dcql === undefined) throw presentationUnwanted()
  return answerable(dcql)
}

type Asked = { dcql: Dcql; types: Record<string, string> }
type Asking = { purpose: string; asked: Asked; nonce: string; expires: number; manner: Manner }

/** Only asking leaves no record: anybody may. What is done with the answer does. */
const ask = async (desk: Desk, asking: Asking, challenge?: string): Promise<Answer> => {
  const { purpose, asked, nonce, expires, manner } = asking
  const { dcql, types } = asked
  if (desk.presentations === undefined) throw presentationUnwanted()
  const request = await desk.presentations.prepare({
    ...{ dcql, purpose, nonce, expires },
    returnTo: manner.return_to,
    sameDevice: desk.crossDevice !== true,
    byAnybody: true,
    takes: { types, presentationsMost },
    clientIdPrefix: manner.client_id_prefix,
    responseMode: manner.response_mode,
  })
  await desk.house.store.transaction(async tx => request.store(tx))
  const { id, secret, walletUrl, requestUri, clientId, cookie } = request
  const begun = { id, secret, wallet_url: walletUrl, request_uri: requestUri, client_id: clientId }
  return {
    status: 201,
    ...(cookie === undefined ? {} : { headers: { 'set-cookie': cookie } }),
    body: {
      ...{ ...begun, expires: new Date(request.expires).toISOString() },
      ...(challenge === undefined ? {} : { challenge }),
    },
  }
}

/** The challenge that binds the act: a new one, or the one that its other parties answer. */
const challengeFor = ({ challenges }: Desk, act: BoundAct, known: string | undefined) => {
  if (known === undefined) return challenges.forAct(act)
  return { challenge: known, expires: challenges.checkAct(known, act).expires }
}

/**
 * Asks any wallet for what an operation requires, over the challenge that binds this one act (OpenID4VP 1.0). What it answers is
 * handed in by name: `{"presentation": {"request": …, "secret": …}}`.
 * @throws Refusal operation_unknown, presentation_unwanted, party_unknown, return_forbidden, client_id_unsupported; of the challenge
 */
export const createActPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const { operationId, requires: required } = requirementOf(desk, context)
  const {
    bodySha256,
    params = {},
    party,
    challenge: known,
    credential_format: format,
    ...manner
  } = context.body as ActBody
  const asked = dcqlFor(desk, resolveCases(required, params), { party, format })
  desk.sweep()
  const { challenge, expires } = challengeFor(desk, { operationId, params, bodySha256 }, known)
  const nonce = party === undefined ? challenge : `${challenge}.${party}`
  return ask(desk, { purpose: operationId, asked, nonce, expires, manner }, challenge)
}

/**
 * Asks any wallet for what an operation requires, to open a session with the key of this thumbprint.
 * @throws Refusal as above
 */
export const createSessionPresentationRequest = async (desk: Desk, context: Context): Promise<Answer> => {
  const { dpop_jkt: thumbprint, requirement, ...manner } = context.body as SessionBody
  const { operationId, params = {}, credential_format: format } = requirement
  const { requires: required } = requirementOf(desk, { params: { operationId } })
  const asked = dcqlFor(desk, resolveCases(required, params), { format })
  desk.sweep()
  const { challenge: nonce, expires } = desk.challenges.forSession(thumbprint)
  return ask(desk, { purpose: `a session for ${operationId}`, asked, nonce, expires, manner })
}
