import { enveloped } from '../../../kernel/envelope.ts'
import type { Signer } from '../../../kernel/ports.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { type Choice, choose, mandateCovers } from '../credentials.ts'
import { mandateFormat, mandateMissing, principalMismatch } from '../errors.ts'
import type { HolderKey } from '../needs.ts'
import { presentationLifeSeconds } from '../policy.ts'
import type { Vault } from '../vault.ts'
import { allHeld, type StoredHeld } from './hold.ts'
import { holderKey, keyOfDid, type StoredKey, signerOf } from './keys.ts'
import type { Desk } from './prove.ts'

/** For which minor, and for which operation at the verifier, the guardian presents. */
export type OnBehalfOf = { principal: string; operation: string }

/**
 * A mandate in force: held by the guardian, naming the minor and the operation, and verified at this moment.
 * @throws Refusal mandate_missing; unavailable when the only fitting mandate's status cannot be known.
 */
const mandateFor = async (desk: Desk, vault: Vault, wanted: OnBehalfOf): Promise<StoredHeld> => {
  const now = desk.house.clock.now()
  let unknown: Refusal | undefined
  for (const held of await allHeld(desk, vault)) {
    if (!mandateCovers(held, { ...wanted, now })) continue
    const { verified, refusal } = await desk.identity.verify(held.compact, {})
    if (verified) return held
    if (refusal?.kind === 'unavailable') unknown = new Refusal(refusal.kind, refusal.code, refusal.detail)
  }
  throw unknown ?? mandateMissing()
}

const envelopedAs = (format: string, compact: string): unknown =>
  format === 'ldp_vc' ? JSON.parse(compact) : enveloped(format === 'jwt_vc' ? 'jwt' : format, compact)

/** A vp+jwt (VC-JOSE-COSE) over several credentials, signed by the one who acts. */
const sealPresentation = async (
  credentials: unknown[],
  to: { audience: string; challenge: string; now: number },
  key: HolderKey,
  signer: Signer,
): Promise<string> => {
  const iat = Math.floor(to.now / 1_000)
  const header = { alg: key.algorithm, kid: key.kid, typ: 'vp+jwt', cty: 'vp' }
  const payload = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    type: ['VerifiablePresentation'],
    holder: key.did,
    verifiableCredential: credentials,
    nonce: to.challenge,
    aud: to.audience,
    iat,
    exp: iat + presentationLifeSeconds,
  }
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode(header)}.${encode(payload)}`
  const signature = await signer.sign(key.keyId, key.algorithm, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

/**
 * Presents a minor's credential together with the mandate that allows it, in one vp+jwt signed by the guardian. Each
 * SD-JWT inside answers the same challenge with a key binding of its own, so the minor's key is proven too.
 * @throws Refusal principal_mismatch, mandate_format, mandate_missing
 */
export const presentForMinor = async (
  desk: Desk,
  vault: Vault,
  part: { held: StoredHeld; key: StoredKey; choice: Choice; onBehalfOf: OnBehalfOf },
  to: { audience: string; challenge: string; now: number },
): Promise<{ presentation: string; mandate: string }> => {
  const { held, key, choice, onBehalfOf } = part
  if (held.heldFor !== 'minor' || held.holder !== onBehalfOf.principal) throw principalMismatch()
  if (held.format !== 'dc+sd-jwt') throw mandateFormat()
  const mandate = await mandateFor(desk, vault, onBehalfOf)
  const guardian = await keyOfDid(desk, vault, mandate.holder)
  if (guardian === undefined) throw mandateMissing()
  const signer = signerOf([key, guardian])
  const bind = (of: Choice, with_: StoredKey): Promise<string> => {
    const shown = { compact: of.compact, format: 'dc+sd-jwt' }
    return desk.present(shown, { ...to, claims: of.shown }, holderKey(with_), signer, to.now)
  }
  const minors = envelopedAs('dc+sd-jwt', await bind(choice, key))
  // Of the mandate nothing is shown but what it always shows: the minor's identifier, the operations, the dates.
  const own = mandate.format === 'dc+sd-jwt' ? await bind(choose(mandate, []), guardian) : mandate.compact
  const credentials = [envelopedAs(mandate.format, own), minors]
  const presentation = await sealPresentation(credentials, to, holderKey(guardian), signer)
  return { presentation, mandate: mandate.id }
}
