import { digestOf } from '../../../kernel/canonical.ts'
import { admit, type HolderCaller, holderOf, type ProvenCredential } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row, Tx } from '../../../kernel/ports.ts'
import * as errors from '../errors.ts'
import type { Binding, BindingsNeeds } from '../needs.ts'
import { bindingsMost, handInMs, personOf, requires, walletClockSkewMs, walletSignatureAgeMs } from '../policy.ts'
import { walletStatement } from '../statement.ts'

type BindBody = {
  wallet: string
  domain: string
  signedAt: string
  walletSignature: string
  replaces?: string
  relay?: boolean
}

/** That whoever holds the attestation holds the wallet too, and wants this very binding. */
const judgeWallet = (needs: BindingsNeeds, body: BindBody, holderKey: string): void => {
  const { wallet, domain, signedAt, walletSignature, replaces } = body
  if (replaces?.toLowerCase() === wallet.toLowerCase()) throw errors.replacesItself()
  const at = Date.parse(signedAt)
  const now = needs.house.clock.now()
  // Written so that a time which is not a number does not pass either.
  if (!(at > now - walletSignatureAgeMs && at < now + walletClockSkewMs)) throw errors.walletSignatureOld()
  const statement = walletStatement({ wallet, institution: needs.publicUrl, domain, holderKey, signedAt })
  if (needs.recoverWallet(statement, walletSignature) === wallet.toLowerCase()) return
  throw errors.walletSignatureInvalid()
}

const dayMs = 86_400_000

/** Until the attestation ends, by its own date or that of the credential. */
const expiryOf = ({ claims, validUntil }: ProvenCredential): number =>
  Math.min(validUntil ?? Number.POSITIVE_INFINITY, Date.parse(String(claims['expiryDate'])) + dayMs)

const bindingOf = async (needs: BindingsNeeds, caller: HolderCaller, body: BindBody): Promise<Binding> => {
  const { kyc, identity } = personOf(caller)
  const [wallet, { domain }] = [body.wallet.toLowerCase(), body]
  const pseudonym = await needs.pseudonymOf(String(identity.claims['personalAdministrativeNumber']), domain)
  const standing = needs.wallets.standing(wallet, domain)
  if (standing.valid && standing.pseudonym !== pseudonym) throw errors.walletTaken()
  const expiry = expiryOf(kyc)
  return {
    ...{ wallet, domain, pseudonym, expiry },
    level: Number(kyc.claims['level']),
    jurisdiction: String(kyc.claims['jurisdiction']),
    ...(body.replaces === undefined ? {} : { replaces: body.replaces.toLowerCase() }),
    deadline: Math.min(needs.house.clock.now() + handInMs, expiry),
    ...(await needs.allot()),
  }
}

const judgeCount = async (ask: Tx['query'], credentialId: string): Promise<void> => {
  const sql = 'SELECT count(*) AS bindings FROM wallet_bindings WHERE credential = ?'
  const [row] = await ask<Row & { bindings: number }>(sql, [credentialId])
  if (Number(row?.bindings) >= bindingsMost) throw errors.bindingsExhausted(bindingsMost)
}

/** The attestation is held meanwhile: of a binding and a revocation at one moment the second sees the first. */
const judgeAttestation = async (needs: BindingsNeeds, tx: Tx, credentialId: string): Promise<void> => {
  if ((await needs.holdCredential(tx, credentialId)) !== 'valid') throw errors.attestationEnded()
  await judgeCount(tx.query, credentialId)
}

/**
 * Signs that a wallet belongs to the caller's pseudonym in a domain, for the caller to hand in, or hands it in for them.
 * @throws Refusal wallet_replaces_itself, wallet_signature_old, wallet_signature_invalid, binding_right_missing, wallet_taken,
 * kyc_ended, bindings_exhausted, and those of pseudonyms
 */
export const bindWallet = async (needs: BindingsNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.bind)
  const caller = holderOf(context.caller)
  const body = context.body as BindBody
  const { kyc } = personOf(caller)
  const credential = kyc.credentialId ?? ''
  judgeWallet(needs, body, kyc.holderKey)
  if (!(await needs.mayBind())) throw errors.bindingRightMissing()
  // Asked again within the act; here so that one citizen cannot use up the pseudonyms that all may have derived.
  await judgeCount(needs.house.store.read, credential)
  const binding = await bindingOf(needs, caller, body)
  const { typedData, signature, call, write } = await needs.sign(binding)
  const id = needs.newId()
  const { wallet, domain, pseudonym, level, list, index, expiry, deadline } = binding
  const answer = await perform(needs.house, {
    operation: 'bindWallet',
    requires: requires.bind,
    caller,
    input: body,
    idempotencyKey: context.headers['idempotency-key'],
    act: async (tx, record) => {
      await judgeAttestation(needs, tx, credential)
      const relay = body.relay === true ? await needs.outbox.enqueue(tx, [write]) : null
      const at = needs.house.clock.now()
      const row = { id, credential, holder: kyc.holder, wallet, domain, pseudonym, level, list, place: index }
      const times = { expires: expiry, deadline, signed_at: at, ended_at: null, ended_why: null, ending: null }
      tx.insert('wallet_bindings', [{ ...row, ...times, relay }])
      record.effect(digestOf({ typedData, signature }))
      const dates = { expires: new Date(expiry).toISOString(), handInBefore: new Date(deadline).toISOString() }
      return { id, typedData, signature, call, relayed: relay !== null, ...dates }
    },
  })
  return { status: 201, body: answer }
}
