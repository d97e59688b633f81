import type { ForeignStanding, Verdict } from '../kernel/identity.ts'
import type { Clock, StatusReader, TrustReader } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { authoritiesOf, type SignerChains } from './authorities.ts'
import type { DidKeys, VerificationKey } from './did-keys.ts'
import type { ForeignTrusts } from './foreign/trusted.ts'
import { openCredential } from './formats/detect.ts'
import type { Opened } from './formats/format.ts'
import { keyUrl } from './formats/jose.ts'
import { judgeAccreditation, judgeAdmission, judgeDates, judgeKey, statusRefusals } from './standing.ts'
import type { CredentialTypes } from './types.ts'
import { Checks } from './verdict.ts'

export type VerifyNeeds = {
  types: CredentialTypes
  dids: DidKeys
  status: StatusReader
  trust: TrustReader
  clock: Clock
  /** CAIP-2 chain whose did:ethr identities count, for example eip155:31337. */
  chain: string
  /** Issuers beyond the registry on chain, where the configuration trusts any. */
  foreign?: ForeignTrusts | undefined
  /** Under which authorities issuers of mdocs are; without it under none. */
  signerChains?: SignerChains | undefined
}

export type VerifyOptions = {
  /** Judge as of this past time (ms). */
  at?: number | undefined
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/** The chain address behind an agency's did:ethr of our own chain. */
export const issuerAddress = (did: string, chain: string): string => {
  const match = /^did:ethr:0x([0-9a-f]{1,16}):(0x[0-9a-f]{40})$/.exec(did)
  if (match === null || `eip155:${Number.parseInt(match[1] ?? '', 16)}` !== chain) {
    throw rejected('issuer_unaccredited', 'The issuer is not a did:ethr of the chain that carries the trust registry.')
  }
  return match[2] ?? ''
}

/** What must stand before anything else is looked at: who signed, and whether it is the issuer's key. */
const signatureOf = async (opened: Opened, needs: VerifyNeeds, now: number): Promise<VerificationKey> => {
  const { kid, algorithm } = opened.signature
  const signedAt = Math.min(opened.issuedAt ?? now, now)
  const pending = needs.dids.key(keyUrl(kid, opened.issuer), 'assertionMethod', signedAt)
  const key = pending instanceof Promise ? await pending : pending
  if (key.algorithm !== algorithm)
    throw rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
  const issuer = needs.dids.subjectOf(opened.issuer)
  if (key.did !== (issuer instanceof Promise ? await issuer : issuer)) {
    throw rejected('key_of_another', 'The credential is signed by a key that is not its issuer’s.')
  }
  if (!(await opened.signature.holds(key))) {
    throw rejected('signature_invalid', 'The signature does not fit the credential.')
  }
  return key
}

const schemaChecks = { none: 'check', disclosable: 'checkDisclosed', any: 'checkShown' } as const

const judgeSchema = (opened: Opened, needs: VerifyNeeds): void => {
  const { type, claims, partial } = opened
  const problem = type[schemaChecks[partial]](claims)
  if (problem !== undefined) throw rejected('schema_violated', `The claims do not fit ${type.schemaId}: ${problem}.`)
  judgeAdmission(type, needs.trust)
}

const judgeStatus = async (opened: Opened, issuer: string, needs: VerifyNeeds, at: number | undefined) => {
  const pointer = opened.status
  if (pointer === undefined) {
    throw rejected('status_missing', 'The credential carries no status although its type demands one.')
  }
  if (pointer.issuer !== issuer) {
    throw rejected('status_of_another', 'The credential points to the status list of another issuer.')
  }
  const result =
    at === undefined
      ? { status: needs.status.status(pointer), block: needs.status.head() }
      : await needs.status.statusAt(pointer, at)
  if (result.status !== 'valid') throw statusRefusals[result.status]
  return result.block
}

const about = (verdict: Verdict, opened: Opened, chain: readonly Uint8Array[] = []): Verdict => {
  verdict.format = opened.format
  verdict.issuer = opened.issuer
  verdict.type = opened.type.id
  verdict.claims = opened.claims
  verdict.document = opened.document
  const authorities = authoritiesOf(opened, { chain })
  if (authorities.length > 0) verdict.authorities = authorities
  if (opened.subjectId !== undefined) verdict.holder = opened.subjectId
  if (opened.id !== undefined) verdict.credentialId = opened.id
  if (opened.mdoc !== undefined) {
    verdict.doctype = opened.mdoc.docType
    if (opened.validUntil !== undefined) verdict.validUntil = opened.validUntil
  }
  return verdict
}

/** @returns the thumbprint of the key that proved itself to be the holder's. */
export type HolderCheck = (opened: Opened, checks: Checks) => Promise<string | undefined>

/** A verdict with what it was reached from, for those who judge again later. */
export type Judged = {
  verdict: Verdict
  opened?: Opened
  key?: VerificationKey
  holderKey?: string
  /** Of a foreign credential. */
  standing?: ForeignStanding
}

const holderNotAsked: HolderCheck = async (_opened, checks) => {
  checks.skip('holderBinding')
  checks.skip('challenge')
  return undefined
}

/**
 * Judges one credential of any format: every check by name, what it looked at, at which block, and the first reason
 * for refusal. Never throws a Refusal; a verdict that is `unavailable` is not a good one.
 * @param input a compact credential, an EnvelopedVerifiableCredential, or an object with a JWT proof.
 */
export const verifyCredential = async (
  input: unknown,
  needs: VerifyNeeds,
  options: VerifyOptions = {},
): Promise<Verdict> => (await judgeCredential(input, needs, options, holderNotAsked)).verdict

export const judgeCredential = (
  input: unknown,
  needs: VerifyNeeds,
  options: VerifyOptions,
  judgeHolder: HolderCheck,
): Promise<Judged> =>
  judgeOpened(() => needs.foreign?.open(input) ?? openCredential(input, needs.types), needs, options, judgeHolder)

const judgeForeign = async (
  opened: Opened,
  foreign: ForeignTrusts,
  asked: { at: number | undefined; now: number; checks: Checks; judgeHolder: HolderCheck },
): Promise<Judged> => {
  const { basis, ...judged } = await foreign.judge(opened, asked)
  const verdict = about(asked.checks.verdict(asked.now), opened)
  if (basis !== undefined) {
    verdict.trust = basis
    verdict.authorities = authoritiesOf(opened, { basis })
  }
  return { verdict, opened, ...judged }
}

/** The same for a credential that stands in something else. @param read takes it apart. */
export const judgeOpened = async (
  read: () => Opened,
  needs: VerifyNeeds,
  options: VerifyOptions,
  judgeHolder: HolderCheck,
): Promise<Judged> => {
  const now = options.at ?? needs.clock.now()
  const checks = new Checks()
  let opened: Opened | undefined
  checks.run('format', () => {
    opened = read()
  })
  if (opened === undefined) return { verdict: checks.verdict(now) }
  const credential: Opened = opened
  if (credential.foreign !== undefined && needs.foreign !== undefined) {
    return judgeForeign(credential, needs.foreign, { at: options.at, now, checks, judgeHolder })
  }
  const key = await checks.runAsync('signature', () => signatureOf(credential, needs, now))
  if (key === undefined) return { verdict: about(checks.verdict(now), credential), opened: credential }
  const holderKey = await judgeHolder(credential, checks)
  const seen = { opened: credential, key, ...(holderKey === undefined ? {} : { holderKey }) }
  checks.run('dates', () => judgeDates(credential, now, needs.clock.now()))
  checks.run('schema', () => judgeSchema(credential, needs))
  let issuer = ''
  let ended: number | undefined
  checks.run('accreditation', () => {
    issuer = issuerAddress(key.did, needs.chain)
    ended = judgeAccreditation({ typeId: credential.type.id, issuedAt: credential.issuedAt }, issuer, needs.trust, now)
  })
  if (issuer === '') return { verdict: about(checks.verdict(now), credential), ...seen }
  checks.run('key', () => judgeKey(credential.status, key, ended, issuer, needs))
  const block = await checks.runAsync('status', () => judgeStatus(credential, issuer, needs, options.at))
  const chain = await needs.signerChains?.(credential, now)
  const verdict = about(checks.verdict(now), credential, chain)
  if (block !== undefined) verdict.block = block
  return { verdict, ...seen }
}
