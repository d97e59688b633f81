import type { Route } from '../../kernel/plugin.ts'
import { getCertificates, getJwtVcIssuer } from './actions/publish.ts'
import { requestCertificate } from './actions/request.ts'
import type { CertificatesNeeds } from './needs.ts'
import { requires } from './policy.ts'

/** operationId → what it requires, what runs. */
export const routes = (needs: CertificatesNeeds): Record<string, Route> => ({
  getCertificates: { requires: requires.anyone, run: context => getCertificates(needs, context) },
  requestCertificate: { requires: requires.request, run: context => requestCertificate(needs, context) },
  getJwtVcIssuer: { requires: requires.anyone, run: () => getJwtVcIssuer(needs) },
})
