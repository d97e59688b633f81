import { dcqlByParty, dcqlOf } from '../../../kernel/dcql.ts'
import { fourEyesOf, resolveCases } from '../../../kernel/gate.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Requirement } from '../../../kernel/requirement.ts'
import type { Desk } from '../desk.ts'
import { operationUnknown, presentationUnwanted } from '../errors.ts'

/** @throws Refusal not_found/operation_unknown */
export const requirementOf = (
  desk: Desk,
  { params }: Pick<Context, 'params'>,
): { operationId: string; requires: Requirement } => {
  const { operationId = '' } = params
  const routes = desk.routes()
  const route = Object.hasOwn(routes, operationId) ? routes[operationId] : undefined
  if (route === undefined) throw operationUnknown()
  return { operationId, requires: route.requires }
}

/** What an operation asks of its caller, and as far as DCQL can say it, the same for a wallet. */
export const getRequirement = async (desk: Desk, context: Context): Promise<Answer> => {
  const { operationId, requires } = requirementOf(desk, context)
  const isOpen = requires.by === 'cases' && context.query[requires.param] === undefined
  const resolved = isOpen ? undefined : resolveCases(requires, context.query)
  const dcql = resolved === undefined ? undefined : dcqlOf(resolved, desk.identity.types)
  const parties = resolved === undefined ? undefined : dcqlByParty(resolved, desk.identity.types)
  const isProvable = resolved?.by === 'holder' || resolved?.by === 'parties' || resolved?.by === 'known'
  const url = `${desk.publicUrl}/requirements/${operationId}`
  return {
    status: 200,
    body: {
      operationId,
      requires: resolved ?? requires,
      ...(dcql === undefined ? {} : { dcql }),
      ...(parties === undefined ? {} : { parties }),
      ...(isProvable || isOpen
        ? { challengeUrl: `${url}/challenge`, sessionUrl: `${desk.publicUrl}/sessions/challenge` }
        : {}),
      ...(resolved !== undefined && fourEyesOf(resolved) !== undefined
        ? { pendingUrl: `${desk.publicUrl}/pending-acts` }
        : {}),
    },
  }
}

type ChallengeBody = { bodySha256: string; params?: Record<string, string> }

/** A challenge that binds a presentation to one act: this operation, with these parameters and this body. */
export const createActChallenge = async (desk: Desk, context: Context): Promise<Answer> => {
  const { operationId, requires } = requirementOf(desk, context)
  const { bodySha256, params = {} } = context.body as ChallengeBody
  const { by } = resolveCases(requires, params)
  if (by !== 'holder' && by !== 'parties' && by !== 'known') throw presentationUnwanted()
  desk.sweep()
  const { challenge, expires } = desk.challenges.forAct({ operationId, params, bodySha256 })
  return {
    status: 201,
    body: { challenge, audience: desk.publicUrl, expires: new Date(expires).toISOString() },
  }
}
