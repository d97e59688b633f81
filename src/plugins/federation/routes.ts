import type { Route } from '../../kernel/plugin.ts'
import { getEntityConfiguration } from './actions/configuration.ts'
import { decideEntity, listEntities, registerEntity } from './actions/registrations.ts'
import { resolveEntity } from './actions/resolve.ts'
import { fetchSubordinateStatement, listSubordinates } from './actions/subordinates.ts'
import { endTrustMark, getTrustMark, holdTrustMark, issueTrustMark } from './actions/trust-marks.ts'
import { openDesk } from './desk.ts'
import type { FederationNeeds } from './needs.ts'
import { requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (needs: FederationNeeds): Record<string, Route> => {
  const desk = openDesk(needs)
  return {
    getEntityConfiguration: { requires: requires.anyone, run: () => getEntityConfiguration(desk) },
    fetchSubordinateStatement: { requires: requires.anyone, run: context => fetchSubordinateStatement(desk, context) },
    listSubordinates: { requires: requires.anyone, run: context => listSubordinates(desk, context) },
    resolveEntity: { requires: requires.anyone, run: context => resolveEntity(desk, context) },
    registerEntity: { requires: requires.agency, run: context => registerEntity(desk, context) },
    listEntities: { requires: requires.read, run: context => listEntities(desk, context) },
    decideEntity: { requires: requires.decide, run: context => decideEntity(desk, context) },
    issueTrustMark: { requires: requires.decide, run: context => issueTrustMark(desk, context) },
    getTrustMark: { requires: requires.anyone, run: context => getTrustMark(desk, context) },
    endTrustMark: { requires: requires.decide, run: context => endTrustMark(desk, context) },
    holdTrustMark: { requires: requires.decide, run: context => holdTrustMark(desk, context) },
  }
}
