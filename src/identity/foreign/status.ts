import type { Clock } from '../../kernel/ports.ts'
import { Refusal } from '../../kernel/refusal.ts'
import type { FetchBounds, Fetched } from '../fetch-bounded.ts'
import { statusRefusals } from '../standing.ts'
import { readBitstringEntry, standingOf } from '../status-lists/bitstring.ts'
import { openForeignLists, type SecuredList } from '../status-lists/foreign.ts'
import { statusMalformed, statusTypeUnknown } from '../status-lists/refusals.ts'
import type { OpenedListToken } from '../status-lists/token.ts'
import { type ForeignNeeds, signerOf, verifyForeign } from './verify.ts'

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

/** A token names its issuer or is of the credential's; a key that signs for an issuer beside its own signs its lists as well. */
const tokenSigner = async (token: OpenedListToken, credential: { issuer: string }, needs: ForeignStatusNeeds) => {
  const named = token.issuer ?? credential.issuer
  const signer = await signerOf(token.signature, named, 'assertionMethod', needs)
  return { issuer: needs.didsOf(named).includes(signer) ? named : signer }
}

/** Judges the statuses that a credential of any issuer names, by lists that are fetched, verified and kept by their rules. */
export const openForeignStatus = (needs: ForeignStatusNeeds): ForeignNeeds['judgeStatus'] => {
  const lists = openForeignLists({
    clock: needs.clock,
    fetch: needs.fetch,
    verifyListToken: (token, credential) => tokenSigner(token, credential, needs),
    async verifyListCredential(secured) {
      const judging = { ...needs, judgeIssuer: () => undefined, judgeStatus: noStatus }
      const { verified, refusal, issuer, document } = await verifyForeign(heldIn(secured), judging)
      if (!verified || issuer === undefined || document === undefined) {
        throw new Refusal(refusal?.kind ?? 'rejected', refusal?.code ?? 'status_list_refused', refusal?.detail ?? '')
      }
      return { issuer, document }
    },
  })
  return async (status, issuer) => {
    if (status.kind === 'token') {
      const { meaning } = await lists.token({ uri: status.uri, index: status.index }, { issuer })
      if (meaning === 'suspended') throw statusRefusals.suspended
      if (meaning !== 'valid') throw statusRefusals.revoked
      return undefined
    }
    const { entry } = status
    if (entry['type'] !== 'BitstringStatusListEntry') throw statusTypeUnknown()
    const found = await lists.bitstring(readBitstringEntry(entry), { issuer })
    const standing = standingOf(found)
    if (standing !== 'valid') throw statusRefusals[standing]
    const { purpose, status: value, message } = found
    return { purpose, value, ...(message === undefined ? {} : { message }) }
  }
}
