import { setImmediate as nextTurn } from 'node:timers/promises'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import {
  type Blinded,
  blindInput,
  domainInfo,
  type Evaluated,
  elementBytes,
  finalizeEvaluated,
  oprfKeyId,
  proofBytes,
} from './oprf.ts'

/** The root authority as the chain names it. */
export type PseudonymAuthority = {
  /** Of its OPRF: a compressed point. */
  publicKey: Uint8Array
  /** Posts JSON to a path of its, signed by this institution. @throws Refusal when no answer can be had */
  post(path: string, body: unknown): Promise<{ status: number; body: Buffer }>
}

export type PseudonymNeeds = {
  /** @throws Refusal unavailable/... when the chain does not say who it is, where it is or which key it has. */
  authority(): Promise<PseudonymAuthority>
}

export type Pseudonyms = {
  /**
   * The person's pseudonym in a domain: base64url of 32 bytes, the same whichever institution asks. It is personal data.
   * @param nationalId the personal administrative number, as the civil authority writes it in NationalIdentity.
   * @throws Refusal malformed/national_id_malformed, malformed/pseudonym_domain_malformed, unavailable/pseudonyms_unavailable,
   * unavailable/pseudonym_key_differs, unavailable/pseudonym_proof_invalid, too_many/rate_exceeded, forbidden/pseudonyms_refused
   */
  of(nationalId: string, domain: string): Promise<string>
  /** Those of many people, in their order. */
  ofMany(nationalIds: readonly string[], domain: string): Promise<string[]>
}

/** As the claims of schemas/ have it. */
const domainForm = /^[a-z0-9][a-z0-9:._-]{0,127}$/
const nationalIdForm = /^[A-Za-z0-9][A-Za-z0-9 ./-]{0,63}$/
/** Blinding and unblinding an element takes 6 ms of this thread; between batches others have their turn. */
const batch = 8

const unavailable = (detail: string, cause?: unknown): Refusal =>
  new Refusal('unavailable', 'pseudonyms_unavailable', detail, { cause })

const bytesOf = (text: unknown, length: number): Uint8Array => {
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64url')
  if (bytes.length !== length || bytes.toString('base64url') !== text) throw new RangeError('not what was agreed')
  return bytes
}

type EvaluationBody = { keyId?: unknown; evaluated?: unknown; proof?: unknown }

/** What the authority answers, read strictly. */
const evaluationOf = (body: Buffer): Evaluated & { keyId: string } => {
  try {
    const { keyId, evaluated, proof } = JSON.parse(body.toString('utf8')) as EvaluationBody
    if (typeof keyId !== 'string' || !Array.isArray(evaluated)) throw new RangeError('not what was agreed')
    return { keyId, elements: evaluated.map(each => bytesOf(each, elementBytes)), proof: bytesOf(proof, proofBytes) }
  } catch (cause) {
    throw unavailable('The authority for pseudonyms answered what is no evaluation.', cause)
  }
}

/** The authority's "no", as it concerns whoever asked us. */
const refusalOf = (status: number, body: Buffer): Refusal => {
  let code = 'unknown'
  let retryAfterSeconds: unknown
  try {
    const problem = JSON.parse(body.toString('utf8')) as Record<string, unknown>
    if (typeof problem['code'] === 'string' && /^[a-z_]{1,64}$/.test(problem['code'])) code = problem['code']
    retryAfterSeconds = problem['retryAfterSeconds']
  } catch {
    // Whatever stands between us and the authority answered; its status says enough.
  }
  if (status === 429) {
    const facts = typeof retryAfterSeconds === 'number' ? { retryAfterSeconds } : {}
    const detail = 'This institution has derived as many pseudonyms as it may for now; try again later.'
    return new Refusal('too_many', 'rate_exceeded', detail, { facts })
  }
  if (status === 401 || status === 403) {
    const detail = 'The authority for pseudonyms does not answer this institution.'
    return new Refusal('forbidden', 'pseudonyms_refused', detail, { facts: { reason: code } })
  }
  return unavailable('The authority for pseudonyms cannot answer now; try again.', new Error(`${status} ${code}`))
}

const evaluate = async (
  authority: PseudonymAuthority,
  domain: string,
  blinded: readonly Blinded[],
): Promise<Evaluated> => {
  const encoded = blinded.map(({ element }) => Buffer.from(element).toString('base64url'))
  const answer = await authority.post('/pseudonyms/evaluations', { domain, blinded: encoded }).catch(cause => {
    if (isRefusal(cause)) throw unavailable('The authority for pseudonyms cannot be reached now; try again.', cause)
    throw cause
  })
  if (answer.status !== 200) throw refusalOf(answer.status, answer.body)
  const { keyId, ...evaluated } = evaluationOf(answer.body)
  if (keyId === oprfKeyId(authority.publicKey)) return evaluated
  const detail = 'The authority for pseudonyms answers under another key than the one that it published on chain.'
  throw new Refusal('unavailable', 'pseudonym_key_differs', detail)
}

/**
 * Pseudonyms by the root authority's oblivious function: blinded here, evaluated there with a proof, unblinded here. The
 * authority learns who asks, for which domain and how often, and neither the national id nor the pseudonym; the key that
 * the proof is held against comes from the chain, so that no other server can hand out other pseudonyms.
 */
export const openPseudonyms = (needs: PseudonymNeeds): Pseudonyms => {
  const derive = async (ids: readonly string[], domain: string, authority: PseudonymAuthority): Promise<string[]> => {
    const info = domainInfo(domain)
    const { publicKey } = authority
    const blinded = ids.map(id => blindInput(Buffer.from(id, 'utf8'), { publicKey, info }))
    const evaluated = await evaluate(authority, domain, blinded)
    return finalizeEvaluated(blinded, evaluated, info).map(output => Buffer.from(output).toString('base64url'))
  }
  const ofMany = async (nationalIds: readonly string[], domain: string): Promise<string[]> => {
    if (!domainForm.test(domain)) {
      const detail = 'A pseudonym domain is up to 128 of a-z, 0-9, colon, dot, underscore and hyphen.'
      throw new Refusal('malformed', 'pseudonym_domain_malformed', detail)
    }
    if (!nationalIds.every(id => nationalIdForm.test(id))) {
      const detail = 'A personal administrative number is up to 64 letters, digits, spaces, dots, slashes and hyphens.'
      throw new Refusal('malformed', 'national_id_malformed', detail)
    }
    const authority = await needs.authority()
    const pseudonyms: string[] = []
    for (let start = 0; start < nationalIds.length; start += batch) {
      pseudonyms.push(...(await derive(nationalIds.slice(start, start + batch), domain, authority)))
      await nextTurn()
    }
    return pseudonyms
  }
  return {
    ofMany,
    of: async (nationalId, domain) => (await ofMany([nationalId], domain))[0] as string,
  }
}
