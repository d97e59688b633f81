import { types } from 'node:util'
import type {
  IAgentContext,
  IAgentPlugin,
  ICreateVerifiableCredentialArgs,
  ICreateVerifiablePresentationArgs,
  IDIDManager,
  IKey,
  IKeyManager,
  IVerifyResult,
  ProofFormat,
  VerifiableCredential,
  VerifiablePresentation,
} from '@veramo/core-types'
import type { ICredentialProvider } from '@veramo/credential-w3c'
import type { FormatId, IssueRequest, PresentationVerdict, Verdict } from '../kernel/identity.ts'
import type { Clock, SignatureAlgorithm } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { formats, isDocument, openCredential, unwrap } from './formats/detect.ts'
import type { Sign } from './formats/format.ts'
import { keyUrl, typOf } from './formats/jose.ts'
import { isRecord } from './formats/json.ts'
import { sealLdpVp } from './formats/ldp-vp.ts'
import { type Sealing, sealVp11, sealVpJwt, showPresentation } from './formats/presentation.ts'
import { bindKey, discloseOnly } from './formats/sd-jwt-present.ts'
import type { HolderKey, PresentationExpectation } from './present.ts'
import type { CredentialTypes } from './types.ts'

export type VeramoFormatNeeds = {
  /** The agency's own DID: the only issuer. */
  did: string
  types: CredentialTypes
  clock: Clock
  /** Who this verifier is when a caller names no `domain`. */
  audience: readonly string[]
  /** The agency's own key for presentations by itself. */
  issuerKey(): HolderKey
  issue(request: IssueRequest): Promise<{ compact: string }>
  verify(credential: unknown, options: { at?: number | undefined }): Promise<Verdict>
  verifyPresentation(presentation: unknown, expected: PresentationExpectation): Promise<PresentationVerdict>
}

type HolderAgent = IAgentContext<Pick<IDIDManager, 'didManagerGet'> & Pick<IKeyManager, 'keyManagerSign'>>

/** What Veramo's users call our formats; `jwt` is its own name for VC-JWT 1.1. */
const proofFormats: Record<FormatId, readonly string[]> = {
  'vc+jwt': ['vc+jwt', 'vp+jwt'],
  'dc+sd-jwt': ['dc+sd-jwt'],
  jwt_vc: ['jwt', 'jwt_vc'],
  ldp_vc: ['ldp_vc', 'ldp_vp'],
  mso_mdoc: [],
}

const ofVersion2: ReadonlySet<FormatId> = new Set<FormatId>(['vc+jwt', 'ldp_vc'])

const contextV1 = 'https://www.w3.org/2018/credentials/v1'
const contextV2 = 'https://www.w3.org/ns/credentials/v2'
const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)
const list = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value])

/** Members of a credential that an issuer of ours honours. What it would not, it refuses instead of dropping. */
const honoured = new Set([
  ...['@context', 'type', 'issuer', 'credentialSubject', 'credentialSchema'],
  ...['issuanceDate', 'expirationDate', 'validFrom', 'validUntil'],
])

const timeOf = (value: unknown, name: string): number | undefined => {
  if (value === undefined) return undefined
  const time = types.isDate(value) ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw new Refusal('malformed', 'credential_malformed', `${name} is not a date.`)
  return time
}

/** Veramo's arguments as a request to our issuer. Types, contexts, status and id come from the credential type. */
const requestOf = (
  args: ICreateVerifiableCredentialArgs,
  format: FormatId,
  { did, types: known }: VeramoFormatNeeds,
): IssueRequest => {
  const credential: Record<string, unknown> = structuredClone(args.credential)
  const stray = Object.keys(credential).find(name => !honoured.has(name))
  if (stray !== undefined) {
    throw rejected(
      'credential_member_unsupported',
      `${stray} is set by the credential type, not by its issuer’s caller.`,
    )
  }
  const issuer = isRecord(credential['issuer']) ? credential['issuer']['id'] : credential['issuer']
  if (issuer !== did) throw rejected('issuer_not_ours', 'This agency issues in its own name only.')
  if (args.keyRef !== undefined)
    throw rejected('key_not_chosen', 'The agency chooses the key it signs credentials with.')
  const [type, ...more] = list(credential['type']).filter(name => name !== 'VerifiableCredential')
  if (typeof type !== 'string' || more.length > 0)
    throw rejected('type_unknown', 'A credential has one type of its own.')
  const [schema] = list(credential['credentialSchema'])
  const named = isRecord(schema) ? known.bySchemaId(String(schema['id'])) : undefined
  if (schema !== undefined && named?.id !== type)
    throw rejected('schema_unknown', 'The schema is not that of the type.')
  const subject = credential['credentialSubject']
  if (!isRecord(subject)) throw rejected('schema_violated', 'credentialSubject must be one object.')
  // VC Data Model 2.0 has no issuanceDate: one that stands there is CredentialPlugin's.
  const issued = ofVersion2.has(format) ? undefined : credential['issuanceDate']
  return {
    ...{ type, format, subject, version: named?.version },
    validFrom: timeOf(credential['validFrom'] ?? issued, 'validFrom'),
    validUntil: timeOf(credential['validUntil'] ?? credential['expirationDate'], 'validUntil'),
  }
}

/** CredentialPlugin writes into its caller's own object before it asks a provider; for VC 2.0 that is wrong, so undo it. */
const undoPlugin = (credential: Record<string, unknown>): void => {
  delete credential['issuanceDate']
  const contexts = credential['@context']
  if (Array.isArray(contexts) && contexts[0] === contextV1 && contexts.includes(contextV2)) contexts.shift()
}

const resultOf = (verdict: Verdict, view: Record<string, unknown>): IVerifyResult => {
  const { checks, refusal, issuer, block } = verdict
  const found = { checks, issuer, ...(block === undefined ? {} : { block }) }
  if (refusal === undefined) return { verified: verdict.verified, ...found, ...view }
  return { verified: false, error: { message: refusal.detail, errorCode: refusal.code }, ...found }
}

const atOf = (policies: { now?: number } | undefined): number | undefined =>
  policies?.now === undefined ? undefined : policies.now * 1_000

const compactIn = (document: unknown): string | undefined => {
  try {
    const wrapped = isRecord(document) && list(document['type']).includes('EnvelopedVerifiablePresentation')
    return unwrap(document, wrapped ? 'EnvelopedVerifiablePresentation' : 'EnvelopedVerifiableCredential')
  } catch {
    return undefined
  }
}

/** Which format takes a document on. What has a JWT in its place but is none goes to `jwt_vc`, which refuses it. */
const formatIn = (document: unknown): FormatId | undefined => {
  const compact = compactIn(document)
  if (compact === undefined) return typeof document === 'string' ? 'jwt_vc' : undefined
  if (isDocument(compact)) return 'ldp_vc'
  if (compact.includes('~')) return 'dc+sd-jwt'
  try {
    const typ = typOf(compact)
    return typ === 'vc+jwt' || typ === 'vp+jwt' ? 'vc+jwt' : 'jwt_vc'
  } catch {
    return 'jwt_vc'
  }
}

const algorithms: Partial<Record<IKey['type'], SignatureAlgorithm>> = {
  Secp256r1: 'ES256',
  Ed25519: 'EdDSA',
  Secp256k1: 'ES256K',
}

const holderKey = async (
  args: ICreateVerifiablePresentationArgs,
  context: HolderAgent,
  needs: VeramoFormatNeeds,
): Promise<HolderKey> => {
  const did = args.presentation.holder
  const identifier = await context.agent.didManagerGet({ did })
  if (did === needs.did) return needs.issuerKey()
  const fits = (key: IKey) =>
    (args.keyRef === undefined || key.kid === args.keyRef) && algorithms[key.type] !== undefined
  const key = identifier.keys.find(fits)
  const algorithm = key === undefined ? undefined : algorithms[key.type]
  const kid = keyUrl('', did)
  if (key === undefined || algorithm === undefined || kid === '') {
    throw rejected('holder_unsupported', 'A holder is this agency, or a did:key or did:jwk whose key this agent keeps.')
  }
  return { did, kid, keyId: key.kid, algorithm }
}

const presentAs = async (
  format: FormatId,
  args: ICreateVerifiablePresentationArgs,
  context: HolderAgent,
  needs: VeramoFormatNeeds,
): Promise<Record<string, unknown>> => {
  const { challenge, domain } = args
  if (challenge === undefined || domain === undefined) {
    throw new Refusal('malformed', 'presentation_unaddressed', 'Nothing is presented without a challenge and a domain.')
  }
  const credentials = list(args.presentation.verifiableCredential).map(credential =>
    unwrap(credential, 'EnvelopedVerifiableCredential'),
  )
  const holder = await holderKey(args, context, needs)
  const now = needs.clock.now()
  const sign: Sign = async (algorithm, input) => {
    const data = input.toString('hex')
    const asked = { keyRef: holder.keyId, data, encoding: 'base16', algorithm } as const
    return Buffer.from(await context.agent.keyManagerSign(asked), 'base64url')
  }
  if (format !== 'dc+sd-jwt') {
    const sealing: Sealing = { holder, audience: domain, nonce: challenge, now }
    if (format === 'ldp_vc') return JSON.parse(await sealLdpVp(credentials, sealing, sign))
    const seal = format === 'vc+jwt' ? sealVpJwt : sealVp11
    return showPresentation(await seal(credentials, sealing, sign))
  }
  const [sdJwt = '', ...more] = credentials
  const claims = args['claims'] as unknown
  if (more.length > 0 || !Array.isArray(claims)) {
    throw new Refusal('malformed', 'presentation_unaddressed', 'An SD-JWT is presented alone, with `claims` by name.')
  }
  const binding = { audience: domain, nonce: challenge, issuedAt: now, ...holder }
  const compact = await bindKey(discloseOnly(sdJwt, claims.map(String)), binding, sign)
  const type = 'EnvelopedVerifiablePresentation'
  return { '@context': contextV2, type, id: `data:application/dc+sd-jwt,${compact}` }
}

/** Whether CredentialPlugin will ask for the status of this credential after its provider has judged it. */
const asksAgain = (credential: unknown, policies: { credentialStatus?: boolean } | undefined): credential is object =>
  isRecord(credential) && Boolean(credential['credentialStatus']) && policies?.credentialStatus !== false

const providerOf = (
  format: FormatId,
  needs: VeramoFormatNeeds,
  judged: WeakMap<object, Verdict>,
): ICredentialProvider => ({
  getProofFormatsSupportedForKey: (key: IKey): ProofFormat[] =>
    algorithms[key.type] === undefined ? [] : [...proofFormats[format]],
  canIssueProofFormat: ({ proofFormat }) => proofFormats[format].includes(proofFormat),
  canVerifyDocumentType: ({ document }) => formatIn(document) === format,

  async createVerifiableCredential(args) {
    const request = requestOf(args, format, needs)
    if (ofVersion2.has(format)) undoPlugin(args.credential)
    const { compact } = await needs.issue(request)
    if (isDocument(compact)) return JSON.parse(compact) as VerifiableCredential
    const shown = formats[format].show(openCredential(compact, needs.types))
    return { ...shown, proof: { type: 'JwtProof2020', jwt: compact } } as unknown as VerifiableCredential
  },

  async createVerifiablePresentation(args, context) {
    return (await presentAs(format, args, context, needs)) as unknown as VerifiablePresentation
  },

  async verifyCredential({ credential, policies }) {
    const verdict = await needs.verify(credential, { at: atOf(policies) })
    if (asksAgain(credential, policies)) judged.set(credential, verdict)
    const { claims, document } = verdict
    return resultOf(verdict, { verifiableCredential: credential, claims, payload: document })
  },

  async verifyPresentation({ presentation, challenge, domain, policies }) {
    if (challenge === undefined) {
      const message = 'A presentation is good for one challenge; name the one that was given out.'
      return { verified: false, error: { message, errorCode: 'challenge_missing' } }
    }
    const audience = domain === undefined ? needs.audience : [domain]
    const expected = { challenge, audience, at: atOf(policies) }
    const verdict = await needs.verifyPresentation(presentation, expected)
    const view = { verifiablePresentation: presentation, holder: verdict.holder, credentials: verdict.credentials }
    return resultOf(verdict, view)
  },
})

/**
 * Veramo's status method over our verdict. CredentialPlugin asks it about every object with a `credentialStatus`, and
 * throws where no plugin has it.
 */
const statusPlugin = (needs: VeramoFormatNeeds, judged: WeakMap<object, Verdict>): IAgentPlugin => ({
  methods: {
    /** @throws Refusal unavailable/status_unavailable: a status that is not known is never "not revoked". */
    async checkCredentialStatus({ credential }: { credential: unknown }) {
      const known = isRecord(credential) ? judged.get(credential) : undefined
      if (known !== undefined) {
        judged.delete(credential as object)
        return { revoked: known.refusal?.code === 'credential_revoked' }
      }
      const verdict = await needs.verify(credential, {})
      const status = verdict.checks.find(({ check }) => check === 'status')
      if (status?.outcome === 'passed') return { revoked: false, verified: true }
      const { kind, code, detail } = verdict.refusal ?? {
        kind: 'rejected',
        code: 'status_missing',
        detail: 'No status.',
      }
      if (kind === 'unavailable') throw new Refusal(kind, code, detail)
      return { revoked: status?.code === 'credential_revoked', verified: false, errorCode: status?.code ?? code }
    },
  },
})

/**
 * Our formats for users of Veramo's agent. Every verification makes all checks, whatever its policies say; only
 * `policies.now` counts, as a past time to judge at.
 */
export const veramoFormats = (needs: VeramoFormatNeeds): { providers: ICredentialProvider[]; status: IAgentPlugin } => {
  const judged = new WeakMap<object, Verdict>()
  const order: FormatId[] = ['vc+jwt', 'dc+sd-jwt', 'jwt_vc', 'ldp_vc']
  return {
    providers: order.map(format => providerOf(format, needs, judged)),
    status: statusPlugin(needs, judged),
  }
}
