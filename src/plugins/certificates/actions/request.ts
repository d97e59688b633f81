import type { CertificateRole } from '../../../kernel/identity.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { CertificatesNeeds } from '../needs.ts'
import { requires } from '../policy.ts'

/** What the authority of the state is handed to certify a key of the agency; the key signs for it, so that is journalled. */
export const requestCertificate = async (needs: CertificatesNeeds, context: Context): Promise<Answer> => {
  const { role } = context.body as { role: CertificateRole }
  const request = needs.requestPem(await needs.certificates.request(role))
  const body = await perform(needs.house, {
    ...{ operation: 'requestCertificate', requires: requires.request, caller: context.caller, input: { role } },
    idempotencyKey: context.headers['idempotency-key'],
    act: async () => ({ request }),
  })
  return { status: 201, body }
}
