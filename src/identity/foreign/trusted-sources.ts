import type { KeyObject } from 'node:crypto'
import type { Clock, SignatureAlgorithm } from '../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import type { VerificationKey } from '../did-keys.ts'
import { readKeySet } from '../formats/compact-jws.ts'
import type { Opened, Signature } from '../formats/format.ts'
import { keyUrl } from '../formats/jose.ts'
import { publicKeyFromJwk } from '../key-material.ts'
import { drivingLicenceType } from '../mdoc/issuer-signed.ts'
import type { Federation } from '../openid/federation/resolve.ts'
import type { TrustChain } from '../openid/federation/trust-chain.ts'
import { verifyTrustMark } from '../openid/federation/trust-mark.ts'
import { grantedAt, type TrustedList } from '../trusted-lists/list.ts'
import type { TrustedLists } from '../trusted-lists/source.ts'
import { type Certificate, readCertificate, speaksFor } from '../x509/certificate.ts'
import { type ChainJudge, type ChainOptions, type TrustedChain, trustAnchors } from '../x509/chain.ts'
import { documentSignerUsage, partyUsages } from '../x509/usages.ts'
import type { JwtVcIssuers } from './jwt-vc-issuer.ts'
import type { Methods } from './keys.ts'
import type { TrustSource } from './trust.ts'

/** What sources of trust ask of outside. */
export type SourceNeeds = {
  clock: Clock
  keyOf: Methods
  /** Absent where no trust names one. */
  lists?: TrustedLists | undefined
  federation?: Federation | undefined
  /** Keys of issuers that are URLs, as they publish them. */
  issuers?: JwtVcIssuers | undefined
}

/** An issuer that a source vouches for, and the key it signed with. Times are milliseconds. */
export type Vouched = {
  key: VerificationKey
  /** Where it is not the issuer's word that ends first. */
  validUntil?: number | undefined
  /** By whom, for readers. */
  authority: string
  provider?: string
  /** SHA-256 (base64url) of the certificate of the authority, where there is one. */
  anchor?: string | undefined
  /** Whose status lists count for the credential: the authority of certificates, or the issuer itself. */
  listIssuer: string
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)
const untrusted = (detail: string): Refusal => rejected('issuer_untrusted', detail)

const verificationKey = (publicKey: KeyObject, did: string, kid: string): VerificationKey => {
  const { jwk, algorithm, thumbprint } = publicKeyFromJwk(publicKey.export({ format: 'jwk' }))
  return { did, kid, publicKey, jwk, algorithm, thumbprint }
}

/** @throws Refusal rejected/key_unknown for a curve that is not verified with */
const certifiedKey = ({ publicKey, thumbprint }: Certificate, issuer: string): VerificationKey => {
  try {
    return verificationKey(publicKey, issuer, `x509_hash:${thumbprint}`)
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw rejected('key_unknown', 'The key of the certificate is on no curve that is verified with.')
  }
}

/** A certificate that cannot be read makes nobody an authority; the others on its list are none the worse for it. */
const readable = (certificates: readonly Uint8Array[]): Uint8Array[] =>
  certificates.filter(der => {
    try {
      readCertificate(der)
      return true
    } catch (error) {
      if (isRefusal(error)) return false
      throw error
    }
  })

/** When next a status of the list begins that had not begun before. */
const nextChange = (list: TrustedList, now: number): number =>
  Math.min(
    list.nextUpdate,
    ...list.services.map(({ periods }) =>
      Math.min(...periods.map(({ from }) => (from > now ? from : list.nextUpdate))),
    ),
  )

type Granted = { judge: ChainJudge; prints: ReadonlySet<string>; until: number }

/** Authorities of a list at this time, read once for as long as nothing changes. */
const openGranted = (clock: Clock) => {
  const known = new WeakMap<TrustedList, Map<string, Granted>>()
  return (list: TrustedList, serviceType: string): Granted => {
    const byType = known.get(list) ?? new Map<string, Granted>()
    known.set(list, byType)
    const now = clock.now()
    const found = byType.get(serviceType)
    if (found !== undefined && now < found.until) return found
    const anchors = readable(grantedAt(list, serviceType, now).map(({ certificate }) => certificate))
    const prints = new Set(anchors.map(der => readCertificate(der).thumbprint))
    const made = { judge: trustAnchors(anchors), prints, until: nextChange(list, now) }
    byType.set(serviceType, made)
    return made
  }
}

/** did:x509 (version 0): the authority by its fingerprint, and the subject that it certified. */
const nameOfSubject = ({ leaf, anchor }: TrustedChain): string => {
  const name = leaf.subject.commonName
  const subject = name === undefined ? '' : `::subject:CN:${encodeURIComponent(name)}`
  return `did:x509:0:sha256:${anchor.thumbprint}${subject}`
}

/** SD-JWT VC, section 3.5: what the credential calls its issuer has to be a name of the certificate. */
const issuerOf = (opened: Opened, chain: TrustedChain): string => {
  const { issuer } = opened
  if (issuer === '') return nameOfSubject(chain)
  const { leaf } = chain
  const isUri = leaf.alternativeNames.some(({ type, value }) => type === 'uri' && value === issuer)
  const host = URL.canParse(issuer) && issuer.startsWith('https://') ? new URL(issuer).hostname : undefined
  if (isUri || (host !== undefined && speaksFor(leaf, host))) return issuer
  throw rejected('key_of_another', 'The certificate of the signer does not bear the name of the issuer.')
}

const purposeOf = ({ mdoc }: Opened): ChainOptions =>
  mdoc === undefined
    ? { notAlone: partyUsages }
    : { purposes: [documentSignerUsage], purposeRequired: mdoc.docType === drivingLicenceType }

/** ISO/IEC 18013-5, section 9.3.1: an mdoc is signed while the certificate of its signer is valid. */
const assertSignedThen = ({ mdoc, issuedAt }: Opened, { notBefore, notAfter }: Certificate): void => {
  if (mdoc === undefined || issuedAt === undefined || (issuedAt >= notBefore && issuedAt <= notAfter)) return
  throw rejected('certificate_expired', 'The mdoc was signed outside the validity of its signer’s certificate.')
}

/** Whoever is asked for in a certificate chain, by certificates that are trusted. */
const vouchByChain = (opened: Opened, judge: ChainJudge, now: number): { chain: TrustedChain; vouched: Vouched } => {
  const ders = opened.foreign?.chain ?? []
  if (ders.length === 0) throw untrusted('The credential brings no certificate of its signer (x5c).')
  const chain = judge.validate(ders, now, purposeOf(opened))
  assertSignedThen(opened, chain.leaf)
  const issuer = issuerOf(opened, chain)
  const validUntil = Math.min(...chain.certificates.map(({ notAfter }) => notAfter), chain.anchor.notAfter)
  const { thumbprint } = chain.anchor
  const name = chain.anchor.subject.text
  const vouched = {
    ...{ key: certifiedKey(chain.leaf, issuer), validUntil, anchor: thumbprint, listIssuer: `x509 ${thumbprint}` },
    authority: name,
  }
  return { chain, vouched }
}

/** Keys that the resolved metadata of an entity names for an entity type (OpenID Federation 1.0, section 5.2.1). */
const entityKey = (chain: TrustChain, entityType: string, kid: string): VerificationKey => {
  const metadata = chain.metadata[entityType]
  if (metadata === undefined) throw untrusted(`The issuer is no ${entityType} of the federation.`)
  const key = metadata['jwks'] === undefined ? undefined : readKeySet(metadata['jwks']).get(kid)
  if (key === undefined) throw rejected('key_unknown', 'The issuer has no key of that kid in its federation.')
  return verificationKey(key, chain.subject, kid)
}

type Of<By extends TrustSource['by']> = Extract<TrustSource, { by: By }>

/** How each source of trust vouches for issuers. */
export const openSources = (needs: SourceNeeds) => {
  const { clock, keyOf } = needs
  const granted = openGranted(clock)
  const judges = new WeakMap<readonly Uint8Array[], ChainJudge>()

  const listsOf = (): TrustedLists => {
    if (needs.lists === undefined) throw new Error('a trust names a trusted list, and no lists were opened')
    return needs.lists
  }
  const federationOf = (): Federation => {
    if (needs.federation === undefined) throw new Error('a trust names a federation, and none was opened')
    return needs.federation
  }
  const judgeOf = (anchors: readonly Uint8Array[]): ChainJudge => {
    const known = judges.get(anchors) ?? trustAnchors(anchors)
    judges.set(anchors, known)
    return known
  }

  const byCertificates = (opened: Opened, { anchors }: Of<'certificates'>): Vouched =>
    vouchByChain(opened, judgeOf(anchors), clock.now()).vouched

  const byList = async (opened: Opened, source: Of<'trusted_list'>): Promise<Vouched> => {
    const list = await listsOf().current(source.url)
    const { judge } = granted(list, source.serviceType)
    const { chain, vouched } = vouchByChain(opened, judge, clock.now())
    // Granted today, and when the credential was issued.
    const then = grantedAt(list, source.serviceType, opened.issuedAt ?? clock.now())
    const { der } = chain.anchor
    const provider = then.find(({ certificate }) => Buffer.compare(certificate, der) === 0)?.provider
    if (provider === undefined) {
      throw untrusted('The trusted list had not granted the service to the authority when the credential was issued.')
    }
    return { ...vouched, authority: source.url, provider }
  }

  const resolved = async (issuer: string, source: Of<'federation'>): Promise<TrustChain> => {
    const federation = federationOf()
    const chain = await federation.resolve(issuer, source.anchors)
    const { trustMark } = source
    if (trustMark === undefined) return chain
    const mark = chain.leaf.trustMarks.find(({ type }) => type === trustMark)
    if (mark === undefined) throw untrusted('The issuer bears no trust mark of the kind that is asked for here.')
    await verifyTrustMark(mark, chain.subject, {
      ...{ now: clock.now(), anchor: chain.root },
      keysOf: async entity => (await federation.resolve(entity, [chain.anchor])).leaf.keys,
    })
    return chain
  }

  const byFederation = async (opened: Opened, source: Of<'federation'>): Promise<Vouched> => {
    const { issuer, signature, foreign } = opened
    // Nobody is asked about an issuer whose key is named otherwise.
    const isNamed = /^https?:\/\//.test(issuer) && signature.kid !== '' && (foreign?.chain ?? []).length === 0
    if (!isNamed)
      throw untrusted('The issuer is not named by an entity identifier and the kid of a key of its federation.')
    const chain = await resolved(issuer, source)
    const key = entityKey(chain, source.entityType, signature.kid)
    return { key, validUntil: chain.expiresAt, authority: chain.anchor, listIssuer: issuer }
  }

  const didKey = async (kid: string, issuer: string): Promise<VerificationKey> => {
    const found = await keyOf(keyUrl(kid, issuer), 'assertionMethod')
    if (found.controller !== issuer) {
      throw rejected('key_of_another', 'The credential is signed by a key that is not its issuer’s.')
    }
    if (found.publicKey === undefined)
      throw rejected('key_unknown', 'The key of the issuer signs nothing of this form.')
    return verificationKey(found.publicKey, issuer, keyUrl(kid, issuer))
  }

  /** The key of this name, or the only one where the header has no name (SD-JWT VC, JWT VC Issuer Metadata). */
  const urlKey = async (kid: string, issuer: string): Promise<VerificationKey> => {
    if (needs.issuers === undefined) throw untrusted('The issuer is a URL, and keys of URLs are not looked up here.')
    const keys = await needs.issuers.keysOf(issuer)
    const [only, ...others] = kid === '' ? keys : keys.filter(each => each.kid === kid)
    if (only !== undefined && others.length === 0) return { ...only.key, did: issuer, kid }
    throw rejected('key_unknown', 'The issuer publishes no key, or several, that the header may mean.')
  }

  const issuerKey = (kid: string, issuer: string): Promise<VerificationKey> =>
    issuer.startsWith('did:') ? didKey(kid, issuer) : urlKey(kid, issuer)

  const byIssuers = async ({ issuer, signature }: Opened, { issuers }: Of<'issuers'>): Promise<Vouched> => {
    if (!issuers.includes(issuer)) throw untrusted('The issuer is none of those that are trusted for this type.')
    return { key: await issuerKey(signature.kid, issuer), authority: issuer, listIssuer: issuer }
  }

  const tokenKey = async (
    signature: Signature,
    issuer: string | undefined,
    source: TrustSource,
  ): Promise<{ publicKey: KeyObject; algorithm: SignatureAlgorithm; issuer: string }> => {
    if (source.by === 'federation' || source.by === 'issuers') {
      const asked = issuer ?? signature.kid.split('#', 1)[0] ?? ''
      const opened = { issuer: asked, signature } as Opened
      const { key } = source.by === 'issuers' ? await byIssuers(opened, source) : await byFederation(opened, source)
      return { ...key, issuer: asked }
    }
    const chain = (signature.x5c ?? []).map(each => new Uint8Array(Buffer.from(each, 'base64')))
    if (chain.length === 0) throw untrusted('The status list brings no certificate of its signer (x5c).')
    const judge =
      source.by === 'certificates'
        ? judgeOf(source.anchors)
        : granted(await listsOf().current(source.url), source.serviceType).judge
    const { leaf, anchor } = judge.validate(chain, clock.now(), { notAlone: partyUsages })
    return { ...certifiedKey(leaf, ''), issuer: `x509 ${anchor.thumbprint}` }
  }

  return {
    /** @throws Refusal issuer_untrusted, certificate_untrusted, certificate_expired, key_of_another, key_unknown, those of lists and of a federation */
    async vouch(opened: Opened, source: TrustSource): Promise<Vouched> {
      if (source.by === 'certificates') return byCertificates(opened, source)
      if (source.by === 'trusted_list') return byList(opened, source)
      return source.by === 'federation' ? byFederation(opened, source) : byIssuers(opened, source)
    },
    /** Who signed a Status List Token, by the same source as the credential. @throws Refusal as `vouch` */
    tokenKey,
    /** Whether the source still vouches for the key. In memory for certificates and lists. @throws Refusal */
    async stillVouches(
      source: TrustSource,
      was: { issuer: string; kid: string; thumbprint: string; anchor?: string | undefined },
    ): Promise<void> {
      if (source.by === 'certificates') return
      if (source.by === 'trusted_list') {
        const { prints } = granted(listsOf().known(source.url), source.serviceType)
        if (was.anchor !== undefined && prints.has(was.anchor)) return
        throw untrusted('The trusted list no longer grants the service to the authority of the issuer.')
      }
      const { issuer, kid } = was
      const key =
        source.by === 'issuers'
          ? await issuerKey(kid, issuer)
          : entityKey(await resolved(issuer, source), source.entityType, kid)
      if (key.thumbprint !== was.thumbprint) {
        throw rejected('key_unknown', 'The key that signed this credential is no longer its issuer’s.')
      }
    },
  }
}

export type Sources = ReturnType<typeof openSources>
