import type { Row, Tx } from '../../../kernel/ports.ts'
import { digestOfHandle, openGrantSecrets, type TxCodeForm } from './handles.ts'
import type { AuthorizationDesk } from './needs.ts'
import { triesMost } from './policy.ts'

/** What one prepared issuance can be collected by. */
export type GrantOrder = {
  /** Its id; each has one grant. */
  issuance: string
  configurationIds: readonly string[]
  preAuthorized?: { txCode?: TxCodeForm | undefined } | undefined
  authorizationCode?: boolean | undefined
  /** Until when (ms) it can be taken up. */
  expires: number
  /** Until when (ms) whoever took it up may renew the token. @default a day after it was taken up */
  refreshUntil?: number | undefined
}

/** For the credential offer, and the transaction code for another way to the citizen. */
export type GrantGiven = { preAuthorizedCode?: string; txCode?: string; issuerState?: string }

type SecretsNeeds = Pick<AuthorizationDesk, 'derive'>

const opened = new WeakMap<SecretsNeeds['derive'], ReturnType<typeof openGrantSecrets>>()

/** The key is derived once for each agency. */
const secretsOf = ({ derive }: SecretsNeeds, issuance: string) => {
  const secrets = opened.get(derive) ?? openGrantSecrets(derive('openid4vci grants'))
  opened.set(derive, secrets)
  return secrets(issuance)
}

const formText = ({ inputMode, length }: TxCodeForm): string => `${inputMode} ${length}`

export const formOf = (text: string): TxCodeForm => {
  const [inputMode = '', length = ''] = text.split(' ')
  return { inputMode: inputMode as TxCodeForm['inputMode'], length: Number(length) }
}

/** The transaction code of an issuance, which no table holds. */
export const txCodeOf = (desk: SecretsNeeds, issuance: string, form: TxCodeForm): string =>
  secretsOf(desk, issuance).txCode(form)

/** The codes of an issuance once more, for an offer that is fetched by reference: the same for the same order. */
export const givenOf = (desk: SecretsNeeds, order: GrantOrder): GrantGiven => {
  const { issuance, preAuthorized, authorizationCode } = order
  const { preAuthorizedCode, issuerState, txCode } = secretsOf(desk, issuance)
  const form = preAuthorized?.txCode
  return {
    ...(preAuthorized === undefined ? {} : { preAuthorizedCode }),
    ...(form === undefined ? {} : { txCode: txCode(form) }),
    ...(authorizationCode === true ? { issuerState } : {}),
  }
}

/** Opens an issuance for whoever has its code or its state. */
export const createGrant = (desk: SecretsNeeds, tx: Tx, order: GrantOrder): GrantGiven => {
  const { issuance, configurationIds, preAuthorized, expires, refreshUntil = 0 } = order
  const given = givenOf(desk, order)
  const { preAuthorizedCode, issuerState } = given
  const form = preAuthorized?.txCode
  tx.insert('oid4vci_grants', [
    {
      ...{ id: issuance, configurations: JSON.stringify(configurationIds), tries: triesMost, state: 'open' },
      code_sha256: preAuthorizedCode === undefined ? null : digestOfHandle(preAuthorizedCode),
      tx_code: form === undefined ? null : formText(form),
      issuer_state_sha256: issuerState === undefined ? null : digestOfHandle(issuerState),
      ...{ refresh_until: refreshUntil, expires },
    },
  ])
  return given
}

/** Ends an issuance: nobody takes it up any longer, and its tokens open nothing. */
export const endGrant = async (tx: Tx, issuance: string): Promise<void> => {
  await tx.query(`UPDATE oid4vci_grants SET state = 'ended' WHERE id = ?`, [issuance])
  await tx.query(`UPDATE oid4vci_tokens SET state = 'revoked' WHERE issuance = ? AND state = 'live'`, [issuance])
}

export type GrantRow = Row & {
  id: string
  configurations: string
  tx_code: string | null
  tries: number
  state: 'open' | 'spent' | 'blocked' | 'ended'
  refresh_until: number
  expires: number
}

export const grantColumns = 'id, configurations, tx_code, tries, state, refresh_until, expires'

/**
 * The issuance that a state of an offer belongs to, as long as it can be taken up. A state stands in the offer unprotected, so it
 * opens nothing that a transaction code protects.
 * @param which.taken also one that was taken up, for the tokens of another server.
 */
export const issuanceOfState = async (
  { house: { store, clock } }: Pick<AuthorizationDesk, 'house'>,
  issuerState: string,
  { taken }: { taken: boolean } = { taken: false },
): Promise<string | undefined> => {
  const sql = `SELECT id FROM oid4vci_grants
    WHERE issuer_state_sha256 = ? AND state IN (${taken ? `'open', 'spent'` : `'open'`}) AND tx_code IS NULL AND expires > ?`
  const [row] = await store.read<{ id: string }>(sql, [digestOfHandle(issuerState), clock.now()])
  return row?.id
}
