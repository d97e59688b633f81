import type { Answer, Context, Route } from '../../kernel/plugin.ts'
import { callAgent } from './actions/agent.ts'
import { getAnchoredStatusList } from './actions/anchored.ts'
import { issueBatch, issueCredential } from './actions/issue.ts'
import { getLog, getLogCheckpoint, getLogProof, getLogTile } from './actions/log.ts'
import * as publish from './actions/publish.ts'
import { getCredential, listCredentials } from './actions/read.ts'
import { followStatusChange, reissueCredential, updateCredentialStatus } from './actions/status.ts'
import { createChallenge, verifyBatch, verifyCredential, verifyPresentation } from './actions/verify.ts'
import type { CredentialsNeeds } from './needs.ts'
import { requires } from './policy.ts'

type Action = (needs: CredentialsNeeds, context: Context) => Promise<Answer>

/** operationId → what it requires, what runs. */
export const routes = (needs: CredentialsNeeds): Record<string, Route> => {
  const open = (action: Action): Route => ({ requires: requires.anyone, run: context => action(needs, context) })
  const staff = (of: (typeof requires)[keyof typeof requires], action: Action): Route => ({
    requires: of,
    run: context => action(needs, context),
  })
  return {
    issueCredential: staff(requires.issue, issueCredential),
    issueCredentialBatch: {
      requires: requires.issue,
      lines: (context, lines) => issueBatch(needs, context, lines),
    },
    reissueCredential: staff(requires.issue, reissueCredential),
    listCredentials: staff(requires.read, listCredentials),
    getCredential: staff(requires.read, getCredential),
    updateCredentialStatus: staff(requires.status, updateCredentialStatus),
    followStatusChange: staff(requires.status, followStatusChange),
    verifyCredential: staff(requires.verify, verifyCredential),
    verifyCredentialBatch: {
      requires: requires.verify,
      lines: (context, lines) => verifyBatch(needs, context, lines),
    },
    createChallenge: staff(requires.verify, createChallenge),
    verifyPresentation: staff(requires.verify, verifyPresentation),
    getBitstringStatusList: open(publish.getBitstringStatusList),
    getTokenStatusList: open(publish.getTokenStatusList),
    getStatusListAggregation: open(publish.getStatusListAggregation),
    getAnchoredStatusList: open(getAnchoredStatusList),
    listTypes: open(publish.listTypes),
    getTypeMetadata: open(publish.getTypeMetadata),
    getTypeSchema: open(publish.getTypeSchema),
    getTypeContext: open(publish.getTypeContext),
    getContext: open(publish.getContext),
    getLog: open(getLog),
    getLogCheckpoint: open(getLogCheckpoint),
    getLogTile: open(getLogTile),
    getLogProof: open(getLogProof),
    getDidDocument: open(publish.getDidDocument),
    // Each method asks for the scope of the operation it stands for.
    callAgent: open(callAgent),
  }
}
