import type { Certificates } from '../../kernel/identity.ts'
import type { Clock, SignatureAlgorithm, Signer } from '../../kernel/ports.ts'
import { isRefusal, Refusal } from '../../kernel/refusal.ts'
import { sealJws, toDateTime } from '../formats/jose.ts'
import { statusListUrl, tokenStatusListUrl } from '../formats/w3c.ts'
import { addProof } from '../integrity/proofs.ts'
import { suiteNamed } from '../integrity/suites.ts'
import type { IssuerKey } from '../issue.ts'
import { compressBitstring } from './bitstring.ts'
import { aggregationOf, type ListDraft, sealListCwt, sealListJwt } from './token.ts'

/** How long a reader may keep a published list. */
export const listTtlMs = 60_000
const listValidityMs = 24 * 3_600_000
const aggregatedMost = 10_000

export type ListBits = {
  /** Raw bits of one of our lists, index 0 the most significant bit of byte 0; undefined where no list is open. */
  bits(list: number): Uint8Array | undefined
}

type Document = Readonly<Record<string, unknown>>
type Published = string | Uint8Array | Document

const unknown = (): Refusal => new Refusal('not_found', 'status_list_unknown', 'This agency has no such status list.')

const wholeSeconds = (time: number): string => toDateTime(Math.floor(time / 1_000) * 1_000)

/** The published views of one truth, signed, kept until a bit changes or their time to live ends. */
export const openPublishedLists = (needs: {
  source: ListBits
  signer: Signer
  issuer: () => IssuerKey
  /** Of the key that signs, for tokens: HAIP 1.0, section 6.1. */
  certificates?: Pick<Certificates, 'issuer'> | undefined
  clock: Clock
  baseUrl: string
  /** Where `aggregation` is served (Token Status List section 9.2); named in each list when given. */
  aggregationUri?: string
}) => {
  const { source, signer, clock, baseUrl, aggregationUri } = needs
  const kept = new Map<string, { bits: Buffer; at: number; made: Promise<Published> }>()

  const bitsOf = (list: number): Buffer => {
    const bits = source.bits(list)
    if (bits === undefined) throw unknown()
    return Buffer.from(bits)
  }

  /** Those who ask at one time wait for one signature. */
  const publish = async <Made extends Published>(
    name: string,
    bits: Buffer,
    make: (now: number) => Promise<Made>,
  ): Promise<Made> => {
    const now = clock.now()
    const known = kept.get(name)
    // A name stands for one serialisation, so what is kept under it is of the kind that is asked for.
    if (known !== undefined && now - known.at < listTtlMs && known.bits.equals(bits)) return known.made as Promise<Made>
    const entry = { bits, at: now, made: make(now) }
    kept.set(name, entry)
    try {
      return await entry.made
    } catch (error) {
      if (kept.get(name) === entry) kept.delete(name)
      throw error
    }
  }

  const signerOf =
    ({ keyId }: IssuerKey) =>
    (algorithm: SignatureAlgorithm, data: Uint8Array) =>
      signer.sign(keyId, algorithm, data)

  /** The even list of a pair is for revocation, the odd one after it for suspension. */
  const pairOf = (list: number): { revoked: Buffer; suspended: Buffer } => {
    if (list % 2 !== 0) throw unknown()
    const revoked = bitsOf(list)
    return { revoked, suspended: Buffer.from(source.bits(list + 1) ?? Buffer.alloc(revoked.length)) }
  }

  /** Statuses are published whether or not there are certificates for it. */
  const certified = async (): Promise<{ key: IssuerKey; x5c: readonly string[] | undefined }> => {
    const key = needs.issuer()
    try {
      const found = await needs.certificates?.issuer()
      return { key, x5c: found?.keyId === key.keyId ? found.x5c : undefined }
    } catch (error) {
      if (isRefusal(error)) return { key, x5c: undefined }
      throw error
    }
  }

  const bitstringCredential = async (list: number, bits: Buffer, issuer: string, now: number) => {
    const url = statusListUrl(baseUrl, list)
    return {
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      id: url,
      type: ['VerifiableCredential', 'BitstringStatusListCredential'],
      issuer,
      validFrom: wholeSeconds(now),
      validUntil: wholeSeconds(now + listValidityMs),
      credentialSubject: {
        id: `${url}#list`,
        type: 'BitstringStatusList',
        statusPurpose: list % 2 === 0 ? 'revocation' : 'suspension',
        encodedList: await compressBitstring(bits),
        ttl: listTtlMs,
      },
    }
  }

  const tokenDraft = (
    list: number,
    { revoked, suspended }: ReturnType<typeof pairOf>,
    issuedAt: number,
  ): Omit<ListDraft, 'issuer'> => ({
    ...{ uri: tokenStatusListUrl(baseUrl, list), aggregationUri },
    ...{ issuedAt, expiresAt: issuedAt + listValidityMs, ttlMs: listTtlMs },
    list: { bits: 2, bytes: twoBits(revoked, suspended) },
  })

  return {
    /** W3C Bitstring Status List 1.0 credential (vc+jwt). Even lists are for revocation, odd ones for suspension. */
    bitstring(list: number): Promise<string> {
      const bits = bitsOf(list)
      return publish(`bitstring:${list}`, bits, async now => {
        const key = needs.issuer()
        const header = { alg: key.algorithm, kid: key.kid, typ: 'vc+jwt', cty: 'vc' }
        return sealJws(header, await bitstringCredential(list, bits, key.did, now), signerOf(key))
      })
    },

    /** The same with a proof in it, for those who read Data Integrity alone, in the suite that an `ldp_vc` has unless asked otherwise. */
    bitstringWithProof(list: number): Promise<Document> {
      const bits = bitsOf(list)
      return publish(`proof:${list}`, bits, async now => {
        const { did, kid, keyId, algorithm } = needs.issuer()
        return addProof(await bitstringCredential(list, bits, did, now), {
          suite: suiteNamed('ecdsa-rdfc-2019'),
          signer: { verificationMethod: kid, algorithm, sign: data => signer.sign(keyId, algorithm, data) },
          ...{ proofPurpose: 'assertionMethod', created: wholeSeconds(now) },
        })
      })
    },

    /** IETF Token Status List (JWT): two bits a token, 0 valid, 1 revoked, 2 suspended; revoked wins. */
    token(list: number): Promise<string> {
      const pair = pairOf(list)
      return publish(`token:${list}`, Buffer.concat([pair.revoked, pair.suspended]), async now => {
        const { key, x5c } = await certified()
        return sealListJwt({ ...tokenDraft(list, pair, now), issuer: key.did }, { ...key, x5c }, signerOf(key))
      })
    },

    /** The same as CWT, for those who ask for `application/statuslist+cwt`. */
    tokenCwt(list: number): Promise<Uint8Array> {
      const pair = pairOf(list)
      return publish(`cwt:${list}`, Buffer.concat([pair.revoked, pair.suspended]), async now => {
        const { key, x5c } = await certified()
        const { algorithm, kid } = key
        if (algorithm === 'BBS') throw new Error('a status list is not signed by BBS')
        return sealListCwt({ ...tokenDraft(list, pair, now), issuer: key.did }, { algorithm, kid, x5c }, signerOf(key))
      })
    },

    /** Status List Aggregation: where all our lists stand. Lists are opened in pairs, one after the other. */
    aggregation(): { status_lists: string[] } {
      const uris: string[] = []
      for (let list = 0; uris.length < aggregatedMost && source.bits(list) !== undefined; list += 2) {
        uris.push(tokenStatusListUrl(baseUrl, list))
      }
      return aggregationOf(uris)
    },
  }
}

const isSet = (bits: Buffer, index: number): boolean => (((bits[index >> 3] ?? 0) >> (7 - (index & 7))) & 1) === 1

/** Merges two bitmaps (most significant bit first) into two-bit statuses (least significant bits first). */
export const twoBits = (revoked: Buffer, suspended: Buffer): Buffer => {
  const result = Buffer.alloc(revoked.length * 2)
  for (let byte = 0; byte < revoked.length; byte++) {
    if (revoked[byte] === 0 && suspended[byte] === 0) continue
    for (let index = byte * 8; index < byte * 8 + 8; index++) {
      const status = isSet(revoked, index) ? 1 : isSet(suspended, index) ? 2 : 0
      const at = index >> 2
      result[at] = (result[at] ?? 0) | (status << ((index & 3) * 2))
    }
  }
  return result
}
