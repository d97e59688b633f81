import type { Answer, Context, Route } from '../../../../kernel/plugin.ts'
import { requestRequires } from '../../policy.ts'
import type { Desk } from '../desk.ts'
import { getPaymentRequest, listPaymentRequests } from './reads.ts'
import { declinePaymentRequest, requestPayment, withdrawPaymentRequest } from './request.ts'

type Run = (desk: Desk, context: Context) => Promise<Answer>

/** Requests to pay. */
export const requestRoutes = (desk: Desk): Record<string, Route> => {
  const route = (run: Run): Route => ({ requires: requestRequires.party, run: context => run(desk, context) })
  return {
    requestPayment: route(requestPayment),
    listPaymentRequests: route(listPaymentRequests),
    getPaymentRequest: route(getPaymentRequest),
    declinePaymentRequest: route(declinePaymentRequest),
    withdrawPaymentRequest: route(withdrawPaymentRequest),
  }
}
