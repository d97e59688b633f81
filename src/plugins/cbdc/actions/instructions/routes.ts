import type { Route } from '../../../../kernel/plugin.ts'
import { readRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { listInstructions } from './list.ts'

/** operationId → what it requires, what runs: standing instructions. */
export const instructionRoutes = (desk: Desk): Record<string, Route> => ({
  listInstructions: { requires: readRequires.view, run: context => listInstructions(desk, context) },
})
