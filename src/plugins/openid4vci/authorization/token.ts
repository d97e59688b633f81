import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { requires } from '../policy.ts'
import { clientOf, nonceHeaders } from './client.ts'
import { readDetails } from './details.ts'
import { grantTypeUnsupported, parameterMissing, serverElsewhere, targetInvalid, verifierWrong } from './errors.ts'
import { digestOfHandle } from './handles.ts'
import type { AuthorizationDesk } from './needs.ts'
import { type Redeemed, redeemCode, redeemPreAuthorized, redeemRefresh, type TokenRequest } from './redeem.ts'
import type { openTakingUp } from './taking-up.ts'

export const preAuthorizedGrant = 'urn:ietf:params:oauth:grant-type:pre-authorized_code'
export const grantTypes = ['authorization_code', preAuthorizedGrant, 'refresh_token'] as const

type Form = Readonly<Record<string, string | undefined>>

const needed = (form: Form, name: string): string => {
  const value = form[name]
  if (value === undefined) throw parameterMissing(name)
  return value
}

type Redemption = {
  /** The code or token; only its digest stands in the evidence. */
  handle: string
  /** Whether a wallet may say nothing of itself. */
  anonymous: boolean
  redeem(tx: Tx, request: TokenRequest): Promise<Redeemed>
}

const verifierForm = /^[A-Za-z0-9._~-]{43,128}$/

const redemptionOf = (desk: AuthorizationDesk, form: Form): Redemption => {
  const grantType = needed(form, 'grant_type')
  if (grantType === preAuthorizedGrant) {
    const code = needed(form, 'pre-authorized_code')
    const given = { code, txCode: form['tx_code'] }
    return { handle: code, anonymous: true, redeem: (tx, request) => redeemPreAuthorized(desk, tx, request, given) }
  }
  if (grantType === 'authorization_code') {
    const [code, verifier] = [needed(form, 'code'), needed(form, 'code_verifier')]
    if (!verifierForm.test(verifier)) throw verifierWrong()
    const given = { code, verifier, redirectUri: needed(form, 'redirect_uri') }
    return { handle: code, anonymous: false, redeem: (tx, request) => redeemCode(desk, tx, request, given) }
  }
  if (grantType === 'refresh_token') {
    const token = needed(form, 'refresh_token')
    return { handle: token, anonymous: true, redeem: (tx, request) => redeemRefresh(desk, tx, request, token) }
  }
  throw grantTypeUnsupported()
}

/**
 * The token endpoint (RFC 6749, section 3.2; OpenID4VCI 1.0, section 6). No idempotency key: its answer would have to be kept, and
 * codes count once anyway.
 * @throws Refusal named in `error` as the specifications name it: invalid_grant, invalid_request, invalid_client, invalid_dpop_proof,
 * use_dpop_nonce …
 */
export const exchangeToken = async (
  desk: AuthorizationDesk,
  context: Context,
  takeUp: ReturnType<typeof openTakingUp>,
): Promise<Answer> => {
  if (desk.authorization.external !== undefined) throw serverElsewhere()
  const form = (context.body ?? {}) as Form
  const { handle, anonymous, redeem } = redemptionOf(desk, form)
  const { authorization_details: details, resource } = form
  if (resource !== undefined && resource !== desk.publicUrl) throw targetInvalid()
  const known = { issuer: desk.publicUrl, isConfiguration: (id: string) => desk.configurations.has(id) }
  const detailed = details === undefined ? undefined : readDetails(details, known)
  const client = await clientOf(desk, context, {
    ...{ path: '/openid4vci/token', clientId: form['client_id'], anonymous, binding: true },
  })
  const code256 = digestOfHandle(handle)
  const asked = {
    ...{ operation: 'exchangeToken', requires: requires.anyone, caller: context.caller },
    input: { grantType: form['grant_type'] ?? '', grant: code256, client: client.id ?? null },
  }
  const headers = { ...nonceHeaders(client), 'cache-control': 'no-store' }
  const isPlain = form['grant_type'] === preAuthorizedGrant && form['tx_code'] === undefined
  if (isPlain && detailed === undefined && client.attested === undefined && client.possession !== undefined) {
    const body = await takeUp({ asked, code256, client })
    if (body !== undefined) return { status: 200, headers, body }
  }
  const redeemed = await perform(desk.house, {
    ...asked,
    act: async (tx, record) => {
      await client.spend(tx)
      const outcome = await redeem(tx, { client, detailed })
      if ('refusal' in outcome) record.judged({ id: outcome.refusal.code, version: 1, outcome: 'refused' })
      return outcome
    },
  })
  if ('refusal' in redeemed) throw redeemed.refusal
  return { status: 200, headers, body: redeemed.answer }
}
