import type { Route } from '../../kernel/plugin.ts'
import { evaluatePseudonyms } from './actions/evaluate.ts'
import type { PseudonymsNeeds } from './needs.ts'
import { requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (needs: PseudonymsNeeds): Record<string, Route> => ({
  evaluatePseudonyms: { requires: requires.agency, run: context => evaluatePseudonyms(needs, context) },
})
