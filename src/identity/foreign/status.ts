import type { Clock } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../fetch-bounded.ts'
import { keyUrl } from '../formats/jose.ts'
import { statusRefusals } from '../standing.ts'
import { readBitstringEntry, standingOf } from '../status-lists/bitstring.ts'
import { openForeignLists, type SecuredList } from '../status-lists/foreign.ts'
import { statusMalformed } from '../status-lists/refusals.ts'
import type { OpenedListToken } from '../status-lists/token.ts'
import { type ForeignNeeds, verifyForeign } from './verify.ts'

export type ForeignStatusNeeds = Pick<ForeignNeeds, 'keyOf' | 'didsOf'> & {
  clock: Clock
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
}

/** The list as the judge of credentials takes it in. */
const heldIn = ({ contentType, body }: SecuredList): unknown => {
  if (contentType === 'application/vc+cose') return `data:application/vc+cose;base64,${body.toString('base64')}`
  const text = body.toString('utf8').trim()
  if (contentType === 'application/vc+jwt' || contentType === 'application/jwt') return text
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw statusMalformed('a status list credential is JSON, a JWT or a COSE_Sign1.', cause)
  }
}

/** A list stands or falls with its own proof; it has no status of its own. */
const noStatus: ForeignNeeds['judgeStatus'] = async () => {
  throw new Refusal(
    'rejected',
    'status_list_refused',
    'A status list whose own status would have to be read is not read.',
  )
}

const tokenSigner = async ({ signature, issuer }: OpenedListToken, needs: ForeignStatusNeeds) => {
  const { publicKey, algorithm, controller } = await needs.keyOf(keyUrl(signature.kid, issuer ?? ''), 'assertionMethod')
  if (
    publicKey === undefined ||
    algorithm !== signature.algorithm ||
    !(await signature.holds({ publicKey, algorithm }))
  ) {
    throw new Refusal('rejected', 'signature_invalid', 'The signature does not fit the status list.')
  }
  return { issuer: controller }
}

/** Judges the statuses that a credential of any issuer names, by lists that are fetched, verified and kept by their rules. */
export const openForeignStatus = (needs: ForeignStatusNeeds): ForeignNeeds['judgeStatus'] => {
  const lists = openForeignLists({
    clock: needs.clock,
    fetch: needs.fetch,
    verifyListToken: token => tokenSigner(token, needs),
    async verifyListCredential(secured) {
      const judging = { ...needs, judgeIssuer: () => undefined, judgeStatus: noStatus }
      const { verified, refusal, issuer, document } = await verifyForeign(heldIn(secured), judging)
      if (!verified || issuer === undefined || document === undefined) {
        throw new Refusal(refusal?.kind ?? 'rejected', refusal?.code ?? 'status_list_refused', refusal?.detail ?? '')
      }
      return { issuer, document }
    },
  })
  return async (entry, issuer) => {
    if (entry['type'] !== 'BitstringStatusListEntry') {
      throw new Refusal('rejected', 'status_type_unknown', 'A status entry has a type that is not understood here.')
    }
    const standing = standingOf(await lists.bitstring(readBitstringEntry(entry), { issuer }))
    if (standing !== 'valid') throw statusRefusals[standing]
  }
}
