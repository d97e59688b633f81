import type { Caller } from './gate.ts'
import type { CallerEvidence } from './ports.ts'

/** A caller, those with whom it acts, and those who acted before it, for whom it approves. */
const actorsOf = (caller: Caller): Caller[] => {
  const parties = caller.kind === 'holder' ? Object.values(caller.parties ?? {}) : []
  const author = 'author' in caller && caller.author !== undefined ? [caller.author] : []
  return [caller, ...[...parties, ...author].flatMap(actorsOf)]
}

/** Who acted, for the record: every credential and mandate that the act rests on, whoever brought it. */
export const evidenceOf = (caller: Caller): CallerEvidence => {
  const holders = actorsOf(caller).filter(actor => actor.kind === 'holder')
  // Of those who sign together only one matched the requirement; the others stand among the mandates.
  const credentials = holders.flatMap(({ matched, mandates }) =>
    [...Object.values(matched), ...mandates].map(({ digest }) => digest),
  )
  const mandates = holders.flatMap(holder => holder.mandates.map(({ credentialId }) => credentialId))
  const evidence: CallerEvidence = {
    kind: caller.kind,
    id: caller.id,
    credentials: [...new Set(credentials)],
    mandates: [...new Set(mandates)],
  }
  if (caller.kind === 'holder') {
    evidence.principal = caller.principal
    const parties = Object.entries(caller.parties ?? {})
    evidence.parties = parties.map(([role, { id, principal }]) => ({ role, id, principal }))
  }
  if ('author' in caller && caller.author !== undefined) {
    evidence.author = { kind: caller.author.kind, id: caller.author.id }
  }
  return evidence
}
