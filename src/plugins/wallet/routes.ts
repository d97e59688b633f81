import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import { changePassphrase, registerCitizen } from './actions/accounts.ts'
import { deleteHeld, getHeld, listHeld, receiveCredential } from './actions/hold.ts'
import { createHolderKey, proveHolderKey } from './actions/keys.ts'
import { createLedgerKey, listLedgerKeys } from './actions/ledger-keys.ts'
import { declineOffer, getOffer, listOffers, readOffer } from './actions/openid4vci.ts'
import { acceptOffer, collectOffer, continueOffer, renewOffer } from './actions/openid4vci-collect.ts'
import { showAuthorizationResponse } from './actions/openid4vci-page.ts'
import { answerPresentationRequest, refusePresentationRequest } from './actions/openid4vp-answer.ts'
import { readPresentationRequest, reviewPresentationRequest } from './actions/openid4vp-read.ts'
import { listDisclosures, presentHeld } from './actions/present.ts'
import { type Desk, openDesk } from './actions/prove.ts'
import { closeSession, openSession } from './actions/sign-in.ts'
import { signLedgerRecord } from './actions/sign-ledger.ts'
import { exportWallet, importWallet } from './actions/transfer.ts'
import type { WalletNeeds } from './needs.ts'
import { requires } from './policy.ts'

type Action = (desk: Desk, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (needs: WalletNeeds): Record<string, Route> => {
  const desk = openDesk(needs)
  const open = (action: Action): Route => ({ requires: requires.anyone, run: context => action(desk, context) })
  const citizen = (action: Action): Route => ({ requires: requires.citizen, run: context => action(desk, context) })
  return {
    registerCitizen: open(registerCitizen),
    openSession: open(openSession),
    closeSession: citizen(closeSession),
    changePassphrase: citizen(changePassphrase),
    createHolderKey: citizen(createHolderKey),
    proveHolderKey: citizen(proveHolderKey),
    receiveCredential: citizen(receiveCredential),
    listHeld: citizen(listHeld),
    getHeld: citizen(getHeld),
    deleteHeld: citizen(deleteHeld),
    presentHeld: citizen(presentHeld),
    listDisclosures: citizen(listDisclosures),
    readPresentationRequest: citizen(readPresentationRequest),
    reviewPresentationRequest: citizen(reviewPresentationRequest),
    answerPresentationRequest: citizen(answerPresentationRequest),
    refusePresentationRequest: citizen(refusePresentationRequest),
    readOffer: citizen(readOffer),
    listOffers: citizen(listOffers),
    getOffer: citizen(getOffer),
    declineOffer: citizen(declineOffer),
    acceptOffer: citizen(acceptOffer),
    continueOffer: citizen(continueOffer),
    collectOffer: citizen(collectOffer),
    renewOffer: citizen(renewOffer),
    showAuthorizationResponse: open(showAuthorizationResponse),
    createLedgerKey: citizen(createLedgerKey),
    listLedgerKeys: citizen(listLedgerKeys),
    signLedgerRecord: citizen(signLedgerRecord),
    exportWallet: citizen(exportWallet),
    importWallet: citizen(importWallet),
  }
}
