import type { Answer, Context } from '../../../../kernel/plugin.ts'
import { assertUnblocked } from '../../land/encumbrances.ts'
import { partiesNotDistinct, partyUnknown } from '../../land/errors.ts'
import { holdingsOf, inherit, parseShare } from '../../land/shares.ts'
import type { OrderInput } from '../../order-input.ts'
import { assertLegalBasis } from '../prepare.ts'
import { outdated, withHolders } from './credentials.ts'
import { enact, type LandDesk, landRegister } from './desk.ts'
import { enterOwners, type OwnerInput } from './register.ts'
import { assertOpen, assertUnchanged, changeTitle, lockTitle, standingTitle, titleView } from './titles.ts'

/** An owner has died: the heirs of a certificate of inheritance take their place. */

type SuccessionBody = {
  version: number
  /** Id of the party, from the full extract. */
  deceased: string
  /** Shares of the estate, which add up to one. */
  heirs: OwnerInput[]
  certificate: OrderInput
  legalBasis: string
}

/**
 * Owners whose share changes and whose key is known: the heirs among those who own a part already. New ones collect
 * their credential when they prove a key.
 */
export const registerSuccession = async (desk: LandDesk, context: Context): Promise<Answer> => {
  const register = landRegister(desk, context)
  const id = context.params['title'] ?? ''
  const body = context.body as SuccessionBody
  const { deceased, certificate, legalBasis } = body
  const answer = await enact(desk, context, {
    operation: 'registerSuccession',
    requires: 'decision',
    register,
    input: { title: id, ...body },
    prepare: async () => {
      assertLegalBasis(register, legalBasis)
      holdingsOf(body.heirs.map(({ share }, at) => ({ party: String(at), share: parseShare(share) })))
      const title = await standingTitle(desk, id, register.name)
      assertOpen(title.entry, desk.house.clock.now())
      if (!title.owners.some(({ party }) => party === deceased)) throw partyUnknown()
      return title
    },
    act: async acting => {
      const { tx } = acting
      const title = await lockTitle(desk, tx, id, register.name)
      assertUnblocked(title.interests)
      assertUnchanged(title, body.version)
      const heirs = await enterOwners(desk, acting, register.name, body.heirs)
      // Nobody inherits from themselves; the land would stay with the dead.
      if (heirs.some(({ party }) => party === deceased)) throw partiesNotDistinct()
      // A key of the deceased opens nothing any more, whoever has it: only living owners' keys are kept.
      const living = title.owners.filter(({ party }) => party !== deceased)
      const owners = withHolders(inherit(title.owners, { of: deceased, heirs }), living)
      const changed = await changeTitle(desk, acting, title, {
        ...{ kind: 'inherited', owners, legalBasis, wallet: null, ended: await outdated(tx, title, owners) },
        detail: { deceased, certificate },
      })
      return titleView(changed)
    },
  })
  return { status: 200, body: answer }
}
