import type { Caller, ProvenCredential } from '../../kernel/gate.ts'
import type { ForeignStanding, Proof, Standing } from '../../kernel/identity.ts'

/** By what each proven credential of this process is judged again. The credential itself need not carry it about. */
export const openStandings = () => {
  const known = new WeakMap<ProvenCredential, Standing | ForeignStanding>()
  return {
    keep(proof: Proof): void {
      for (const { credential, standing } of proof.credentials) known.set(credential, standing)
    },
    /** What a caller's act rests on, as a proof of its own. */
    proofOf(caller: Caller): Proof {
      if (caller.kind !== 'holder') return { credentials: [], lapsed: [] }
      const parties = Object.values(caller.parties ?? {})
      const own = Object.values(caller.matched).map(credential => {
        const standing = known.get(credential)
        if (standing === undefined) throw new Error('a matched credential was proven here')
        return { credential, standing }
      })
      return { credentials: [...own, ...parties.flatMap(party => this.proofOf(party).credentials)], lapsed: [] }
    },
  }
}

export type Standings = ReturnType<typeof openStandings>
