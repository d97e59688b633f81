import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { instanceCredentialUnknown, instanceListUnknown, instanceStatusNone, issuerUnknown } from '../errors.ts'
import type { Document, Instance, IssuingNeeds, VcApiNeeds } from '../needs.ts'
import { listLength, listTtlMs, type Purpose, purposes, requires } from '../policy.ts'
import { instanceOf } from './issue.ts'

/** Where a credential stands in the lists of its instance: the `position`-th that the instance gave a status. */
export type Place = { position: number }

const listUrl = (publicUrl: string, issuer: string, list: number): string =>
  `${publicUrl}/issuers/${issuer}/status/${list}`

/** Lists come in pairs: an even number for revocation, the next one for suspension. */
const listOf = ({ position }: Place, purpose: Purpose): number =>
  Math.floor(position / listLength) * purposes.length + purposes.indexOf(purpose)

/** Bitstring Status List 1.0, section 2.1. */
export const entryOf = (publicUrl: string, issuer: string, place: Place, purpose: Purpose): Document => {
  const url = listUrl(publicUrl, issuer, listOf(place, purpose))
  const index = place.position % listLength
  return {
    id: `${url}#${index}`,
    type: 'BitstringStatusListEntry',
    statusPurpose: purpose,
    statusListIndex: String(index),
    statusListCredential: url,
  }
}

/** The next place of an instance. One that is then not used is never set. */
export const allot = (needs: VcApiNeeds, { name }: Instance): Promise<Place> =>
  needs.house.store.transaction(async tx => {
    const [row] = await tx.query(
      `INSERT INTO instance_heads (issuer, next) VALUES (?, 1)
       ON CONFLICT (issuer) DO UPDATE SET next = instance_heads.next + 1 RETURNING next`,
      [name],
    )
    return { position: Number(row?.['next']) - 1 }
  })

type StatusBody = {
  credentialId: string
  credentialStatus: { type?: string; statusPurpose?: Purpose }
  status?: boolean
}

/** VC API `/credentials/status` of one instance. */
export const updateInstanceStatus = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const instance = instanceOf(needs, context)
  if (!instance.status) throw instanceStatusNone()
  const { credentialId, credentialStatus, status = true } = context.body as StatusBody
  const purpose = purposes.find(each => each === (credentialStatus.statusPurpose ?? 'revocation')) as Purpose
  await perform(needs.house, {
    operation: 'updateInstanceStatus',
    requires: requires.status,
    caller: context.caller,
    input: { issuer: instance.name, credentialId, purpose, status },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const changed = await tx.query(
        `UPDATE instance_credentials SET ${purpose} = ? WHERE issuer = ? AND id = ? RETURNING id`,
        [status ? 1 : 0, instance.name, credentialId],
      )
      if (changed.length === 0) throw instanceCredentialUnknown()
    },
  })
  return { status: 200, body: { credentialId, statusPurpose: purpose, status } }
}

const bitsOf = async (needs: IssuingNeeds, issuer: string, list: number): Promise<Uint8Array> => {
  const purpose = purposes[list % purposes.length] as Purpose
  const from = Math.floor(list / purposes.length) * listLength
  const [head] = await needs.house.store.read('SELECT next FROM instance_heads WHERE issuer = ?', [issuer])
  if (head === undefined || Number(head['next']) <= from) throw instanceListUnknown()
  const rows = await needs.house.store.read(
    `SELECT position FROM instance_credentials WHERE issuer = ? AND position >= ? AND position < ? AND ${purpose} = 1`,
    [issuer, from, from + listLength],
  )
  const bits = new Uint8Array(listLength / 8)
  for (const row of rows) {
    const index = Number(row['position']) - from
    bits[index >> 3] = (bits[index >> 3] ?? 0) | (0x80 >> (index & 7))
  }
  return bits
}

/**
 * The list as a credential of the same instance (Bitstring Status List 1.0, section 2.2).
 * @throws Refusal not_found/issuer_unknown, not_found/status_list_unknown
 */
export const statusListOf = async (needs: IssuingNeeds, issuer: string, list: number): Promise<unknown> => {
  const instance = needs.instances.get(issuer)
  if (instance === undefined) throw issuerUnknown()
  const bits = await bitsOf(needs, instance.name, list)
  const url = listUrl(needs.publicUrl, instance.name, list)
  const now = Math.floor(needs.house.clock.now() / 1_000) * 1_000
  return instance.secure(
    {
      '@context': ['https://www.w3.org/ns/credentials/v2'],
      id: url,
      type: ['VerifiableCredential', 'BitstringStatusListCredential'],
      issuer: instance.did,
      validFrom: new Date(now).toISOString().replace('.000Z', 'Z'),
      credentialSubject: {
        id: `${url}#list`,
        type: 'BitstringStatusList',
        statusPurpose: purposes[list % purposes.length],
        encodedList: await needs.encodeList(bits),
        ttl: listTtlMs,
      },
    },
    {},
  )
}

export const getInstanceStatusList = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const body = await statusListOf(needs, context.params['issuer'] ?? '', Number(context.params['list']))
  const headers = { 'cache-control': `public, max-age=${listTtlMs / 1_000}` }
  return { status: 200, body, contentType: 'application/vc', headers }
}
