import { admit } from '../../../kernel/gate.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { issuerUnknown } from '../errors.ts'
import type { Document, VcApiNeeds } from '../needs.ts'
import { requires } from '../policy.ts'

/** VC API `/credentials/derive`; nothing is kept. */
export const deriveCredential = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.present)
  const { verifiableCredential, options } = context.body as {
    verifiableCredential: unknown
    options?: { selectivePointers?: string[] }
  }
  const selectivePointers = options?.selectivePointers ?? []
  const derived = await needs.derive(verifiableCredential, { selectivePointers })
  return { status: 201, body: { verifiableCredential: derived } }
}

/** VC API `/presentations/create`: signed as holder by an instance's key, the first one's unless another is named. */
export const createPresentation = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.present)
  const { presentation, options = {} } = context.body as {
    presentation: Document
    options?: { issuer?: string; challenge?: string; domain?: string }
  }
  const { issuer, challenge, domain } = options
  const instance = issuer === undefined ? [...needs.instances.values()][0] : needs.instances.get(issuer)
  if (instance === undefined) throw issuerUnknown()
  const verifiablePresentation = await instance.present(presentation, { challenge, domain })
  return { status: 201, body: { verifiablePresentation } }
}
