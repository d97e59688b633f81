import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import type { Requirement } from '../../kernel/requirement.ts'
import * as apply from './actions/apply.ts'
import { assetRoutes } from './actions/assets/routes.ts'
import * as attachments from './actions/attachments.ts'
import { grantEntries } from './actions/bulk.ts'
import { type Desk, openDesk } from './actions/desk.ts'
import { grantApplication } from './actions/grant.ts'
import { landRoutes } from './actions/land/routes.ts'
import * as applications from './actions/read-applications.ts'
import * as entries from './actions/read-entries.ts'
import * as review from './actions/review.ts'
import { searchEntries, searchEntriesAsOfficer } from './actions/search.ts'
import * as standing from './actions/standing.ts'
import type { Definition } from './definition.ts'
import type { RegistryNeeds } from './needs.ts'
import {
  anyone,
  applicantRequirement,
  applicationReader,
  byRegister,
  decisionRequirement,
  entryReader,
  officerRequirement,
} from './policy.ts'

type Action = (desk: Desk, context: Context) => Promise<Answer>

/** An operation that none of the agency's registers has is still there: its officers are told so. */
const grounded = (route: Route, registers: readonly Definition[]): Route => {
  const { requires } = route
  if (requires.by !== 'cases' || Object.keys(requires.cases).length > 0) return route
  return { ...route, requires: byRegister(registers, officerRequirement) }
}

/** operationId → what it requires, what runs. */
export const routes = (needs: RegistryNeeds): Record<string, Route> => {
  const desk = { ...openDesk(needs), ...needs.land }
  const all = { ...registryRoutes(needs), ...landRoutes(desk), ...assetRoutes(desk) }
  return Object.fromEntries(Object.entries(all).map(([id, route]) => [id, grounded(route, needs.registers)]))
}

const registryRoutes = (needs: RegistryNeeds): Record<string, Route> => {
  const desk = openDesk(needs)
  const open = (action: Action): Route => ({ requires: anyone, run: context => action(desk, context) })
  const of = (registers: readonly Definition[], requirementOf: (register: Definition) => Requirement) => {
    const requires = byRegister(registers, requirementOf)
    return (action: Action): Route => ({ requires, run: context => action(desk, context) })
  }
  const { registers } = needs
  // What is granted, amended or revoked here; titles and units of assets have operations of their own.
  const licences = registers.filter(({ kind }) => kind === 'licence')
  const applied = licences.filter(register => register.apply !== undefined)
  const applicant = of(applied, applicantRequirement)
  const either = of(applied, applicationReader)
  const officer = of(applied, officerRequirement)
  const deciding = of(applied, decisionRequirement)
  const standingDecision = of(licences, decisionRequirement)
  const entitled = of(registers, entryReader)
  return {
    listRegisters: open(entries.listRegisters),
    getRegister: open(entries.getRegister),
    getEntry: open(entries.getEntry),
    getTokenMetadata: open(entries.getTokenMetadata),
    searchEntries: open(searchEntries),
    searchEntriesAsOfficer: of(registers, officerRequirement)(searchEntriesAsOfficer),
    getFullExtract: entitled(entries.getFullExtract),
    getEntryHistory: entitled(entries.getEntryHistory),
    applyToRegister: applicant(apply.applyToRegister),
    resubmitApplication: applicant(apply.resubmitApplication),
    withdrawApplication: either(apply.withdrawApplication),
    getApplication: either(applications.getApplication),
    collectCredential: either(applications.collectCredential),
    listApplications: officer(applications.listApplications),
    putAttachment: either(attachments.putAttachment),
    getAttachment: either(attachments.getAttachment),
    takeApplication: officer(review.takeApplication),
    askForChanges: officer(review.askForChanges),
    refuseApplication: deciding(review.refuseApplication),
    grantApplication: deciding(grantApplication),
    grantEntries: {
      requires: byRegister(licences, officerRequirement),
      lines: (context, lines) => grantEntries(desk, context, lines),
    },
    amendEntry: standingDecision(standing.amendEntry),
    suspendEntry: standingDecision(standing.suspendEntry),
    reinstateEntry: standingDecision(standing.reinstateEntry),
    revokeEntry: standingDecision(standing.revokeEntry),
  }
}
