import { hash } from 'node:crypto'
import type { Handover } from '../../../kernel/identity.ts'
import type { Signer } from '../../../kernel/ports.ts'
import type {
  AnswerContent,
  AskedPresentation,
  AskedTransaction,
  ChosenCredential,
} from '../../../kernel/presentation-answers.ts'
import { Refusal } from '../../../kernel/refusal.ts'
import { derive } from '../../foreign/secure.ts'
import { isRecord, readJson } from '../../formats/json.ts'
import { presentMdoc } from '../../formats/mso-mdoc-present.ts'
import { openSdJwt } from '../../formats/sd-jwt.ts'
import { bindKey, discloseOnly } from '../../formats/sd-jwt-present.ts'
import { presentCredential } from '../../present.ts'
import { encryptionThumbprint, encryptJwe } from '../jwe.ts'

/** Answers to requests as a wallet makes them (OpenID4VP 1.0, section 8; appendix B). */

type Document = Record<string, unknown>

/** A credential cut down to what a query asks for, and the names of all that shows then. */
export type Cut = { compact: string; shown: string[] }

/** What an SD-JWT VC has beside its claims, and everybody sees. */
const registered = new Set([
  'iss',
  'nbf',
  'exp',
  'cnf',
  'vct',
  'vct#integrity',
  'status',
  'iat',
  'sub',
  'jti',
  '_sd_alg',
])

const namesIn = (value: Document, prefix = '', depth = 0): string[] =>
  Object.entries(value).flatMap(([name, member]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    return isRecord(member) && depth < 4 ? [path, ...namesIn(member, path, depth + 1)] : [path]
  })

/** JSON Pointer (RFC 6901). */
const pointerOf = (path: readonly (string | number)[]): string =>
  path.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

const baseSuites = new Set(['ecdsa-sd-2023', 'bbs-2023'])

/** Whether a document has a proof from which the holder derives another (Data Integrity, selective disclosure). */
const isDerivable = ({ proof }: Document): boolean =>
  [proof].flat().some(each => isRecord(each) && baseSuites.has(String(each['cryptosuite'])))

const documentOf = (text: string): Document => readJson(text, 'credential') as Document

const w3cNames = (document: Document): string[] => {
  const credential = isRecord(document['vc']) ? document['vc'] : document
  const subjects = [credential['credentialSubject']].flat().filter(isRecord)
  return [...new Set(subjects.flatMap(subject => namesIn(subject)).filter(name => name !== 'id'))]
}

/**
 * Nothing shows that was not selected, where the format lets its holder keep claims back (section 6.4.1).
 * @param paths concrete places of the claims.
 */
export const cutDown = async (
  { compact, format }: { compact: string; format: string },
  paths: readonly (readonly (string | number)[])[],
): Promise<Cut> => {
  if (format === 'dc+sd-jwt') {
    const cut = discloseOnly(compact, paths)
    const { processed } = openSdJwt(cut)
    const claims = Object.fromEntries(Object.entries(processed).filter(([name]) => !registered.has(name)))
    return { compact: cut, shown: namesIn(claims) }
  }
  // An mdoc is cut down as it is presented, by names.
  if (format === 'mso_mdoc') return { compact, shown: paths.map(([namespace, element]) => `${namespace}/${element}`) }
  if (format !== 'ldp_vc') return { compact, shown: w3cNames(openPayload(compact)) }
  const document = documentOf(compact)
  if (!isDerivable(document)) return { compact, shown: w3cNames(document) }
  const derived = await derive(document, { selectivePointers: paths.map(pointerOf) })
  return { compact: JSON.stringify(derived), shown: w3cNames(derived) }
}

const openPayload = (jws: string): Document =>
  readJson(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'), 'payload') as Document

/** What an answer over this request is tied to, for mdocs (appendix B.2.6). */
const handoverOf = ({ origin, responseUri, client, encryption }: AskedPresentation): Handover => {
  const jwk = encryption?.jwk as Parameters<typeof encryptionThumbprint>[0] | undefined
  const key = jwk === undefined ? {} : { jwkThumbprint: encryptionThumbprint(jwk).toString('base64url') }
  if (origin !== undefined) return { by: 'dc_api', origin, ...key }
  return { by: 'redirect', clientId: client.id, responseUri: responseUri ?? '', ...key }
}

/** Appendix B.3.3.1: the hash is over the string as the request has it. */
const signedFor = (transactions: readonly AskedTransaction[]): Document =>
  transactions.length === 0
    ? {}
    : {
        transaction_data_hashes: transactions.map(({ encoded }) => hash('sha256', encoded, 'base64url')),
        ...(transactions.some(({ namesAlgorithm }) => namesAlgorithm)
          ? { transaction_data_hashes_alg: 'sha-256' }
          : {}),
      }

export type Presenting = {
  asked: AskedPresentation
  signer: Signer
  now: number
}

/**
 * One presentation in its format: an SD-JWT with key binding, a device response, a presentation around the whole, or the
 * credential alone where no proof of its holder is wanted (appendices B.1, B.2.5 and B.3.6).
 */
export const presentOne = async (
  chosen: Pick<ChosenCredential, 'format' | 'key'> & Cut,
  transactions: readonly AskedTransaction[],
  holderBound: boolean,
  { asked, signer, now }: Presenting,
): Promise<unknown> => {
  const { format, compact, key, shown } = chosen
  const { audience, nonce } = asked
  const sign = (algorithm: typeof key.algorithm, data: Buffer) => signer.sign(key.keyId, algorithm, data)
  if (format === 'dc+sd-jwt') {
    // Without a key to bind it to it is shown as it is; with one it is always bound (HAIP 1.0, section 6.1.1.1).
    if (!isRecord(openSdJwt(compact).processed['cnf'])) return compact
    const { kid, algorithm } = key
    const binding = { audience, nonce, issuedAt: now, algorithm, kid, claims: signedFor(transactions) }
    return bindKey(compact, binding, sign)
  }
  if (format === 'mso_mdoc') {
    return presentMdoc(compact, { audience, challenge: nonce, claims: shown, handover: handoverOf(asked) }, key, sign)
  }
  const isDocument = format === 'ldp_vc'
  if (!holderBound) return isDocument ? documentOf(compact) : compact
  const made = await presentCredential(
    { compact, format },
    { audience, challenge: nonce, claims: [] },
    key,
    signer,
    now,
  )
  return isDocument ? documentOf(made) : made
}

/** Who signs for what: of each transaction the first credential that may, and no other (section 5.1). */
export const signersOf = (
  transactions: readonly AskedTransaction[],
  queries: readonly string[],
): Map<number, AskedTransaction[]> => {
  const signers = new Map<number, AskedTransaction[]>()
  for (const transaction of transactions) {
    const at = transaction.credentialIds.map(id => queries.indexOf(id)).find(index => index >= 0)
    if (at === undefined) {
      const detail =
        'None of the chosen credentials may sign for the transaction that is asked for; choose one that may.'
      throw new Refusal('rejected', 'invalid_transaction_data', detail)
    }
    signers.set(at, [...(signers.get(at) ?? []), transaction])
  }
  return signers
}

const encrypted = (payload: Document, { jwk, enc }: NonNullable<AskedPresentation['encryption']>): Promise<string> =>
  encryptJwe(payload, { jwk, enc })

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Parameters of an answer in the way the request asks for (sections 8.2 and 8.3; appendix A.4). */
export const contentOf = async (asked: AskedPresentation, parameters: Document): Promise<AnswerContent> => {
  const { mode, state, encryption } = asked
  const digital = mode.startsWith('dc_api')
  const whole: Document = digital || state === undefined ? parameters : { ...parameters, state }
  const content = encryption === undefined ? whole : { response: await encrypted(whole, encryption) }
  if (digital) return { data: content }
  return { form: Object.fromEntries(Object.entries(content).map(([name, value]) => [name, textOf(value)])) }
}
