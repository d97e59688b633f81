import { type Challenges, openChallenges } from './challenges.ts'
import type { GateNeeds } from './needs.ts'
import { openSessions, type Sessions } from './sessions.ts'
import { openStandings, type Standings } from './standings.ts'
import { openSweep } from './sweep.ts'

/** What every operation of the gate has at hand. */
export type Desk = GateNeeds & {
  challenges: Challenges
  sessions: Sessions
  standings: Standings
  /** By which names presentations may call this verifier. */
  audience: string[]
  sweep(): void
}

export const openDesk = (needs: GateNeeds): Desk => {
  const standings = openStandings()
  const { publicUrl, identity, house } = needs
  return {
    ...needs,
    standings,
    sweep: openSweep(needs),
    sessions: openSessions(needs, standings),
    challenges: openChallenges({ secret: needs.derive('gate challenges'), clock: house.clock, audience: publicUrl }),
    audience: [publicUrl, identity.did],
  }
}
