import type { Route } from '../../../../kernel/plugin.ts'
import { purposeRequires } from '../../purpose/policy.ts'
import type { Desk } from '../desk.ts'
import { closeProgramme, getProgramme, getProgrammeSums, listProgrammes, openProgramme } from './programmes.ts'
import { qualifyAccount } from './qualify.ts'

/** Purpose-bound money. */
export const purposeRoutes = (desk: Desk): Record<string, Route> => ({
  openProgramme: { requires: purposeRequires.govern, run: context => openProgramme(desk, context) },
  closeProgramme: { requires: purposeRequires.govern, run: context => closeProgramme(desk, context) },
  getProgramme: { requires: purposeRequires.anyone, run: context => getProgramme(desk, context) },
  listProgrammes: { requires: purposeRequires.anyone, run: context => listProgrammes(desk, context) },
  getProgrammeSums: { requires: purposeRequires.sums, run: context => getProgrammeSums(desk, context) },
  qualifyAccount: { requires: purposeRequires.qualify, run: context => qualifyAccount(desk, context) },
})
