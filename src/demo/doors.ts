import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type AgencyOnChain, issuerKey } from '../agency.ts'
import type { App } from '../http/app.ts'
import { signAgencyRequest } from '../identity/agency-token.ts'
import { presentCredential } from '../identity/present.ts'
import { digestOf } from '../kernel/canonical.ts'
import { holderKey, type Person, signerOf } from './people.ts'

/** How the people and institutions of the demo call one another: by the same doors as everybody else. */

export type Call = App['call']

type Body = Record<string, unknown>
type Asked = { params?: Record<string, string>; body?: Body; idempotencyKey?: string }

const headersOf = ({ idempotencyKey }: Asked): { headers?: Record<string, string> } =>
  idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }

/** By an agency's staff, with its first API key. @throws Refusal */
export const openStaff = async (call: Call, { config, settings }: AgencyOnChain) => {
  const key = (await readFile(join(settings.dataDir, config.name, 'api-key'), 'utf8')).trim()
  return async (operation: string, asked: Asked): Promise<Body> => {
    const { params, body } = asked
    const inner = { ...(params && { params }), ...(body && { body }), ...headersOf(asked) }
    return (await call(config.name, operation, { ...inner, authorization: `Bearer ${key}` })).body as Body
  }
}

/** By an institution, with a request that it signs for another. @throws Refusal */
export const openInstitution = async (call: Call, from: AgencyOnChain, to: AgencyOnChain) => {
  const by = { key: await issuerKey(from), signer: from.keys.signer, clock: from.settings.clock }
  return async (
    { operation, method, path }: { operation: string; method: string; path: string },
    asked: Asked,
  ): Promise<Body> => {
    const { body, params } = asked
    const { publicUrl } = to.settings
    const url = publicUrl + path
    const token = await signAgencyRequest({ audience: publicUrl, method, url, ...(body && { body }) }, by)
    const inner = { ...(params && { params }), ...(body && { body }), ...headersOf(asked) }
    return (await call(to.config.name, operation, { ...inner, authorization: `Agency ${token}` })).body as Body
  }
}

/** What is shown of an attestation; the names stay with their holder. */
export const shownOfKyc = ['pseudonym', 'screened']

/** By a person, who presents their attestation for this one act. @throws Refusal */
export const actAs = async (
  call: Call,
  { config, settings }: AgencyOnChain,
  { person, operation, asked }: { person: Person; operation: string; asked: Asked },
): Promise<Body> => {
  const { params = {}, body = {} } = asked
  const bound = { bodySha256: digestOf(body).toString('base64url'), params }
  const challenge = await call(config.name, 'createActChallenge', { params: { operationId: operation }, body: bound })
  const to = { ...(challenge.body as { challenge: string; audience: string }), claims: shownOfKyc }
  const held = { compact: person.credential ?? '', format: 'dc+sd-jwt' }
  const presentation = await presentCredential(held, to, holderKey(person), signerOf(person), settings.clock.now())
  const inner = { params, body: { ...body, presentation }, ...headersOf(asked) }
  return (await call(config.name, operation, inner)).body as Body
}

/** One officer asks, the other approves. @throws Refusal */
export const actTogether = async (
  call: Call,
  agency: AgencyOnChain,
  { officers, operation, asked }: { officers: readonly Person[]; operation: string; asked: Asked },
): Promise<void> => {
  const [first, second] = officers
  if (first === undefined || second === undefined) throw new Error('an act with four eyes takes two officers')
  const { pendingAct } = await actAs(call, agency, { person: first, operation, asked })
  const approval = { params: { act: String(pendingAct) } }
  await actAs(call, agency, { person: second, operation: 'approvePendingAct', asked: approval })
}
