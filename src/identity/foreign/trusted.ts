import type { ForeignView } from '../../kernel/dcql.ts'
import type { ForeignStanding, TrustBasis } from '../../kernel/identity.ts'
import type { Clock, TrustReader } from '../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import type { VerificationKey } from '../did-keys.ts'
import type { FetchBounds, Fetched } from '../fetch-bounded.ts'
import type { ForeignStatus, Opened } from '../formats/format.ts'
import { sameJson } from '../formats/json.ts'
import { verifyProofs } from '../integrity/proofs.ts'
import type { PresentedMdoc } from '../mdoc/device-response.ts'
import type { OpenedMdoc } from '../mdoc/issuer-signed.ts'
import { assertCountry } from '../mdoc/issuer-signed.ts'
import { clockSkewMs, judgeAdmission, judgeDates, statusRefusals } from '../standing.ts'
import { type ForeignLists, openForeignLists } from '../status-lists/foreign.ts'
import type { Checks } from '../verdict.ts'
import { readCertificate } from '../x509/certificate.ts'
import type { Methods } from './keys.ts'
import { openForeignStatus } from './status.ts'
import type { Trust, TrustSource } from './trust.ts'
import { openTrusted, openTrustedMdoc } from './trusted-open.ts'
import { openSources, type SourceNeeds, type Vouched } from './trusted-sources.ts'

export type ForeignTrustNeeds = SourceNeeds & {
  clock: Clock
  trusts: readonly Trust[]
  keyOf: Methods
  /** Admitted schemas. */
  trust: Pick<TrustReader, 'schemaAdmitted'>
  /** Whether a DID is of our own chain. */
  isOwn(did: string): boolean
  /** Fetches status lists. */
  fetch(url: string, bounds: FetchBounds): Promise<Fetched>
}

/** What judging a foreign credential came to; what failed stands in the checks. */
export type ForeignJudgement = {
  key?: VerificationKey
  holderKey?: string
  basis?: TrustBasis
  standing?: ForeignStanding
}

/** Credentials of issuers that the registry on chain does not know, judged by the sources of trust that the configuration names. */
export type ForeignTrusts = {
  /** @returns undefined for what no trust is for. @throws Refusal for what one is for and cannot be read */
  open(input: unknown): Opened | undefined
  openMdoc(mdoc: OpenedMdoc | PresentedMdoc, compact: string): Opened | undefined
  judge(
    opened: Opened,
    asked: {
      at?: number | undefined
      checks: Checks
      judgeHolder(opened: Opened, checks: Checks): Promise<string | undefined>
    },
  ): Promise<ForeignJudgement>
  /** How wallets are asked for the credentials that count as one of a type. */
  views(typeId: string): ForeignView[]
  /** Judges a proven credential again. @throws Refusal of the first thing that no longer stands */
  recheck(standing: ForeignStanding): Promise<void>
}

const rejected = (code: string, detail: string): Refusal => new Refusal('rejected', code, detail)

/** Of several reasons the one that says most: what may be otherwise in a moment comes first. */
const mostTelling = (reasons: readonly Refusal[]): Refusal =>
  reasons.find(({ kind }) => kind === 'unavailable') ??
  reasons[0] ??
  rejected('issuer_untrusted', 'Nobody who is trusted here vouches for the issuer.')

const expandedDates = (opened: Opened, vouched: Vouched): { validUntil?: number } => {
  const ends = [opened.validUntil, vouched.validUntil].filter(each => each !== undefined)
  return ends.length === 0 ? {} : { validUntil: Math.min(...ends) }
}

/** Every proof is by the issuer, over the contexts that were agreed on. */
const judgeProofs = async (opened: Opened, keyOf: Methods, now: number): Promise<void> => {
  const { document, issuer } = opened
  const { proofs, document: proven } = await verifyProofs(document, { now, proofPurpose: 'assertionMethod' }, keyOf)
  if (!sameJson(proven['@context'], document['@context'])) {
    throw rejected('context_untrusted', 'Contexts were added to the credential after it was signed.')
  }
  for (const { controller, created } of proofs) {
    if (controller !== issuer) throw rejected('key_of_another', 'A proof of the credential is not its issuer’s.')
    if (created !== undefined && created > now + clockSkewMs) {
      throw rejected('credential_not_yet_valid', 'A proof of the credential is from the future.')
    }
  }
}

/** The key of the first proof, by which the credential is judged again later. */
const methodOf = (document: Record<string, unknown>): string => {
  const [proof] = [document['proof']].flat() as { verificationMethod?: unknown }[]
  return typeof proof?.verificationMethod === 'string' ? proof.verificationMethod : ''
}

/** Statuses of foreign credentials, their lists fetched, verified by the source of trust and kept by their own rules. */
const openStatuses = (needs: ForeignTrustNeeds, sources: ReturnType<typeof openSources>) => {
  const bySource = new Map<string, ForeignLists>()
  const bitstrings = openForeignStatus({
    ...{ clock: needs.clock, keyOf: needs.keyOf, didsOf: () => [], fetch: needs.fetch },
  })

  const listsOf = (name: string, source: TrustSource): ForeignLists => {
    const known = bySource.get(name)
    if (known !== undefined) return known
    const lists = openForeignLists({
      ...{ clock: needs.clock, fetch: needs.fetch, ahead: true, limits: { keptBytes: keptBytesMost } },
      async verifyListToken({ signature, issuer }, credential) {
        const named = issuer ?? (signature.kid.startsWith('did:') ? undefined : credential.issuer)
        const key = await sources.tokenKey(signature, named, source)
        if (key.algorithm === signature.algorithm && (await signature.holds(key))) return { issuer: key.issuer }
        throw rejected('signature_invalid', 'The signature does not fit the status list.')
      },
      async verifyListCredential() {
        throw new Error('lists of this kind are read elsewhere')
      },
    })
    bySource.set(name, lists)
    return lists
  }

  return async (
    statuses: readonly ForeignStatus[],
    by: { name: string; source: TrustSource; listIssuer: string },
    checks?: Checks,
  ): Promise<void> => {
    for (const status of statuses) {
      if (status.kind === 'bitstring') {
        checks?.tell(await bitstrings(status, by.listIssuer))
        continue
      }
      const lists = listsOf(by.name, by.source)
      const { meaning } = await lists.token({ uri: status.uri, index: status.index }, { issuer: by.listIssuer })
      if (meaning === 'suspended') throw statusRefusals.suspended
      if (meaning !== 'valid') throw statusRefusals.revoked
    }
  }
}
const keptBytesMost = 16_777_216

const standingOf = (
  opened: Opened & { foreign: NonNullable<Opened['foreign']> },
  vouched: Vouched,
  sourceAt: number,
): ForeignStanding | undefined => {
  const { type, issuedAt, validFrom, foreign } = opened
  if (issuedAt === undefined) return undefined
  const { key, anchor, listIssuer } = vouched
  return {
    foreign: {
      ...{ trust: foreign.trust, source: sourceAt, listIssuer, statuses: [...foreign.statuses] },
      ...(anchor === undefined ? {} : { anchor }),
    },
    ...{ issuer: key.did, kid: key.kid, thumbprint: key.thumbprint },
    ...{ type: type.id, schemaId: type.schemaId, schemaDigest: type.schemaDigest, issuedAt },
    ...(validFrom === undefined ? {} : { validFrom }),
    ...expandedDates(opened, vouched),
  }
}

const credentialIri = 'https://www.w3.org/2018/credentials#VerifiableCredential'

/** OpenID4VP 1.0, appendices B.1.1, B.2.3 and B.3.5. */
const viewOf = ({ credential, claims, type }: Trust): ForeignView => {
  const rules = Object.entries(claims ?? {}).flatMap(([name, rule]) =>
    'path' in rule ? [[name, rule.path] as const] : [],
  )
  const paths = Object.fromEntries(rules)
  if (credential.format === 'dc+sd-jwt') {
    return { format: credential.format, meta: { vct_values: [credential.vct] }, claims: paths }
  }
  if (credential.format === 'mso_mdoc') {
    const { elements = {}, namespace = '' } = (claims === undefined ? type.mdoc : undefined) ?? {}
    const known = Object.entries(elements).map(([name, element]) => [name, [namespace, element]] as const)
    const meta = { doctype_value: credential.docType }
    return { format: credential.format, meta, claims: claims === undefined ? Object.fromEntries(known) : paths }
  }
  const subject = rules.map(([name, path]) => [name, ['credentialSubject', ...path]] as const)
  const types = [...new Set([credentialIri, ...credential.types])]
  const format = credential.format === 'jwt_vc' ? 'jwt_vc_json' : credential.format
  return { format, meta: { type_values: [types] }, claims: Object.fromEntries(subject) }
}

/** Opens the judgement of foreign credentials over the trusts of the configuration. */
export const openForeignTrusts = (needs: ForeignTrustNeeds): ForeignTrusts => {
  const { clock, trusts, keyOf, isOwn } = needs
  const byId = new Map(trusts.map(trust => [trust.id, trust]))
  const sources = openSources(needs)
  const judgeStatuses = openStatuses(needs, sources)

  /** The first source that vouches for the issuer. */
  const vouch = async (opened: Opened, trust: Trust): Promise<{ vouched: Vouched; at: number }> => {
    const reasons: Refusal[] = []
    for (const [at, source] of trust.sources.entries()) {
      try {
        return { vouched: await sources.vouch(opened, source), at }
      } catch (error) {
        if (!isRefusal(error)) throw error
        reasons.push(error)
      }
    }
    throw mostTelling(reasons)
  }

  const judgeSignature = async (opened: Opened, { key }: Vouched, now: number): Promise<void> => {
    if (opened.format === 'ldp_vc') {
      await judgeProofs(opened, keyOf, now)
      return
    }
    if (key.algorithm !== opened.signature.algorithm) {
      throw rejected('algorithm_mismatch', 'The header names another algorithm than the key has.')
    }
    if (!(await opened.signature.holds(key))) {
      throw rejected('signature_invalid', 'The signature does not fit the credential.')
    }
  }

  const statusesOf = (opened: Opened, trust: Trust): readonly ForeignStatus[] => {
    const statuses = opened.foreign?.statuses ?? []
    if (statuses.length > 0 || trust.status === 'optional') return statuses
    throw rejected('status_missing', 'The credential carries no status although the trust in its issuer demands one.')
  }

  return {
    open: input => openTrusted(input, trusts, isOwn),
    openMdoc: (mdoc, compact) => openTrustedMdoc(mdoc, compact, trusts, isOwn),
    views: typeId => trusts.filter(({ type }) => type.id === typeId).map(viewOf),
    async judge(opened, { at, checks, judgeHolder }) {
      const { foreign } = opened
      const trust = byId.get(foreign?.trust ?? '')
      if (foreign === undefined || trust === undefined) throw new Error('a foreign credential was opened by a trust')
      const now = at ?? clock.now()
      if (opened.format === 'ldp_vc') opened.signature.kid = methodOf(opened.document)
      const found = await checks.runAsync('accreditation', () => {
        // Sources say who is trusted today; of yesterday they say nothing that could be relied on.
        if (at !== undefined) throw rejected('time_not_known', 'Foreign credentials are judged as of now alone.')
        return vouch(opened, trust)
      })
      if (found === undefined) return {}
      const { vouched } = found
      const source = trust.sources[found.at] as TrustSource
      opened.issuer = vouched.key.did
      const { authority, provider } = vouched
      const basis = { source: source.by, authority, ...(provider === undefined ? {} : { provider }) }
      const signed = await checks.runAsync('signature', async () => {
        await judgeSignature(opened, vouched, now)
        return true
      })
      if (signed === undefined) return { basis }
      const holderKey = await judgeHolder(opened, checks)
      checks.run('dates', () => judgeDates({ ...opened, ...expandedDates(opened, vouched) }, now, clock.now()))
      checks.run('schema', () => {
        if (foreign.mdoc !== undefined) assertCountry(foreign.mdoc, readCertificate(foreign.chain[0] as Uint8Array))
        // One that is bound to nobody has no subject to name, which our schemas ask for.
        const problem = trust.type.checkShown({ id: 'did:key:nobody', ...opened.claims })
        if (problem !== undefined) {
          throw rejected('schema_violated', `The claims do not fit ${trust.type.schemaId}: ${problem}.`)
        }
        judgeAdmission(trust.type, needs.trust)
      })
      checks.skip('key')
      // Of what has failed already nothing is fetched: whose lists are asked for is not for everybody to say.
      if (checks.failed()) checks.skip('status')
      else {
        const by = { name: `${trust.id} ${found.at}`, source, listIssuer: vouched.listIssuer }
        await checks.runAsync('status', async () => judgeStatuses(statusesOf(opened, trust), by, checks))
      }
      const standing = standingOf({ ...opened, foreign }, vouched, found.at)
      return {
        ...{ key: vouched.key, basis },
        ...(holderKey === undefined ? {} : { holderKey }),
        ...(standing === undefined ? {} : { standing }),
      }
    },
    async recheck(standing) {
      const { foreign, schemaId, schemaDigest, type } = standing
      const trust = byId.get(foreign.trust)
      const source = trust?.sources[foreign.source]
      if (source === undefined) throw rejected('issuer_untrusted', 'The agency no longer trusts the issuer.')
      const now = clock.now()
      judgeDates(standing, now, now)
      judgeAdmission({ id: type, schemaId, schemaDigest }, needs.trust)
      const { issuer, kid, thumbprint } = standing
      await sources.stillVouches(source, { issuer, kid, thumbprint, anchor: foreign.anchor })
      const by = { name: `${foreign.trust} ${foreign.source}`, source, listIssuer: foreign.listIssuer }
      await judgeStatuses(foreign.statuses, by)
    },
  }
}
