import { createHmac, hkdfSync } from 'node:crypto'
import { blindInput, domainInfo, type Evaluated, finalizeEvaluated, type OprfKey } from './oprf.ts'
import type { Evaluator } from './oprf-evaluator.ts'

/** The public info of the function of one kind of alias: another function than that of every other kind and of every pseudonym. */
export const aliasInfo = (kind: string): Uint8Array => domainInfo(`alias:${kind}`)

/**
 * The tag of an alias, as whoever looks it up makes it: blinded, evaluated by the directory, unblinded. The directory sees neither
 * the alias nor the tag until it is asked for that one.
 * @param of.publicKey the directory's OPRF key (compressed point), from its did:ethr on chain and from nowhere else.
 * @param of.alias in its canonical form.
 * @returns base64url of 32 bytes.
 * @throws Refusal unavailable/pseudonym_proof_invalid, and those of `evaluate`
 */
export const aliasTag = async (of: {
  kind: string
  alias: string
  publicKey: Uint8Array
  evaluate(elements: readonly Uint8Array[]): Promise<Evaluated>
}): Promise<string> => {
  const info = aliasInfo(of.kind)
  const blinded = blindInput(Buffer.from(of.alias, 'utf8'), { publicKey: of.publicKey, info })
  const [output] = finalizeEvaluated([blinded], await of.evaluate([blinded.element]), info)
  return Buffer.from(output as Uint8Array).toString('base64url')
}

export type AliasFunction = {
  evaluate(kind: string, elements: readonly Uint8Array[]): Promise<Evaluated>
  tagOf(kind: string, alias: string): Promise<string>
  keyed(purpose: string, text: string): Uint8Array
}

/** The directory's side: its function, and a pseudorandom function (HMAC-SHA-256) tied to the same key, so that neither ever changes. */
export const openAliasFunction = (key: OprfKey, evaluator: Evaluator): AliasFunction => {
  const secret = Buffer.from(hkdfSync('sha256', key.secretKey, '', 'chancery aliases', 32))
  const evaluate: AliasFunction['evaluate'] = (kind, elements) => evaluator.evaluate(elements, aliasInfo(kind))
  return {
    evaluate,
    tagOf: (kind, alias) =>
      aliasTag({ kind, alias, publicKey: key.publicKey, evaluate: elements => evaluate(kind, elements) }),
    keyed: (purpose, text) => createHmac('sha256', secret).update(`${purpose}\n${text}`).digest(),
  }
}
