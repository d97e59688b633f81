import { createHash, randomUUID } from 'node:crypto'
import { checkAnswer, checkBody, compileContract } from '../../src/http/contract.ts'
import { anonymous, type Caller, type HolderCaller, type ProvenCredential } from '../../src/kernel/gate.ts'
import type { Route } from '../../src/kernel/plugin.ts'
import { readOpenApi } from '../openapi.ts'

/** Operations of a plugin as the HTTP edge calls them, and callers as the gate brings them. */

const contract = compileContract(readOpenApi())

export type Call = { caller?: Caller; params?: Record<string, string>; query?: Record<string, string>; key?: string }
export type Body = Record<string, unknown>

/** Bodies and answers are held against openapi.yaml. */
export const openEdge =
  (routes: Readonly<Record<string, Route>>) =>
  async (operation: string, body?: unknown, how: Call = {}): Promise<{ status: number; body: Body }> => {
    const [route, agreed] = [routes[operation], contract.get(operation)]
    if (route === undefined || !('run' in route)) throw new Error(`no route ${operation}`)
    if (agreed === undefined) throw new Error(`openapi.yaml has no operation ${operation}`)
    if (agreed.body !== undefined) checkBody(agreed, 'application/json', body)
    const answer = await route.run({
      ...{ caller: how.caller ?? anonymous, params: how.params ?? {}, query: how.query ?? {}, body },
      ...{ headers: { 'idempotency-key': how.key }, publicUrl: 'https://central-bank.example' },
    })
    checkAnswer(agreed, answer.status, 'application/json', answer.body)
    return { status: answer.status, body: answer.body as Body }
  }

/** A credential that passed every check. */
export const proven = (type: string, claims: Record<string, unknown>): ProvenCredential => ({
  ...{ type, issuer: 'did:ethr:0x7a69:0xcb', holder: `did:key:${randomUUID()}`, holderKey: 'thumbprint', claims },
  digest: createHash('sha256').update(JSON.stringify(claims)).digest('base64url'),
})

/** Whoever proved it in a session, as the query `id` asked. @param author of a pending act that this one approves */
export const presenting = (id: string, proof: ProvenCredential, author?: Caller): HolderCaller => ({
  ...{ kind: 'holder', id: proof.holder, actor: proof.holder, principal: proof.holder, mandates: [] },
  ...{ credentials: [proof], matched: { [id]: proof }, proof: 'session', session: randomUUID() },
  ...(author && { author }),
})
