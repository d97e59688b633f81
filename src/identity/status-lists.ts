import { promisify } from 'node:util'
import { deflate, gzip } from 'node:zlib'
import type { Clock, Signer } from '../kernel/ports.ts'
import { Refusal } from '../kernel/refusal.ts'
import { sealJws, toDateTime } from './formats/jose.ts'
import { statusListUrl, tokenStatusListUrl } from './formats/w3c.ts'
import type { IssuerKey } from './issue.ts'

const gzipped = promisify(gzip)
const deflated = promisify(deflate)

/** How long a reader may keep a published list. */
export const listTtlMs = 60_000
const listValidityMs = 24 * 3_600_000

export type ListBits = {
  /** Raw bits of one of our lists, index 0 the most significant bit of byte 0; undefined where no list is open. */
  bits(list: number): Uint8Array | undefined
}

/** The two published views of one truth, signed, kept until a bit changes or their time to live ends. */
export const openPublishedLists = (needs: {
  source: ListBits
  signer: Signer
  issuer: () => IssuerKey
  clock: Clock
  baseUrl: string
}) => {
  const { source, signer, clock, baseUrl } = needs
  const kept = new Map<string, { bits: Buffer; at: number; text: string }>()

  const bitsOf = (list: number): Buffer => {
    const bits = source.bits(list)
    if (bits === undefined)
      throw new Refusal('not_found', 'status_list_unknown', 'This agency has no such status list.')
    return Buffer.from(bits)
  }

  const publish = async (name: string, bits: Buffer, make: (now: number) => Promise<string>): Promise<string> => {
    const now = clock.now()
    const known = kept.get(name)
    if (known !== undefined && now - known.at < listTtlMs && known.bits.equals(bits)) return known.text
    const text = await make(now)
    kept.set(name, { bits, at: now, text })
    return text
  }

  const sign = (typ: string, extra: Record<string, unknown>, payload: Record<string, unknown>) => {
    const key = needs.issuer()
    return sealJws({ alg: key.algorithm, kid: key.kid, typ, ...extra }, payload, (algorithm, data) =>
      signer.sign(key.keyId, algorithm, data),
    )
  }

  return {
    /** W3C Bitstring Status List 1.0 credential (vc+jwt). Even lists are for revocation, odd ones for suspension. */
    bitstring(list: number): Promise<string> {
      const bits = bitsOf(list)
      return publish(`bitstring:${list}`, bits, async now => {
        const url = statusListUrl(baseUrl, list)
        return sign(
          'vc+jwt',
          { cty: 'vc' },
          {
            '@context': ['https://www.w3.org/ns/credentials/v2'],
            id: url,
            type: ['VerifiableCredential', 'BitstringStatusListCredential'],
            issuer: needs.issuer().did,
            validFrom: toDateTime(Math.floor(now / 1_000) * 1_000),
            validUntil: toDateTime(Math.floor((now + listValidityMs) / 1_000) * 1_000),
            credentialSubject: {
              id: `${url}#list`,
              type: 'BitstringStatusList',
              statusPurpose: list % 2 === 0 ? 'revocation' : 'suspension',
              encodedList: `u${(await gzipped(bits)).toString('base64url')}`,
              ttl: listTtlMs,
            },
          },
        )
      })
    },

    /** IETF Token Status List (JWT): two bits a token, 0 valid, 1 revoked, 2 suspended; revoked wins. */
    token(list: number): Promise<string> {
      if (list % 2 !== 0) throw new Refusal('not_found', 'status_list_unknown', 'This agency has no such status list.')
      const revoked = bitsOf(list)
      const suspended = Buffer.from(source.bits(list + 1) ?? Buffer.alloc(revoked.length))
      return publish(`token:${list}`, Buffer.concat([revoked, suspended]), async now => {
        const lst = (await deflated(twoBits(revoked, suspended))).toString('base64url')
        const iat = Math.floor(now / 1_000)
        const sub = tokenStatusListUrl(baseUrl, list)
        const exp = iat + listValidityMs / 1_000
        return sign(
          'statuslist+jwt',
          {},
          { sub, iss: needs.issuer().did, iat, exp, ttl: listTtlMs / 1_000, status_list: { bits: 2, lst } },
        )
      })
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
