import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import {
  instanceCredentialUnknown,
  instanceEntryDiffers,
  instanceListUnknown,
  instanceStatusNone,
  issuerUnknown,
} from '../errors.ts'
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

/** VCALM 1.0, Update Status. The entry may be named as well; then it is that of the credential. */
type StatusBody = {
  credentialId: string
  credentialStatus: { statusPurpose?: Purpose } & Record<string, unknown>
  status?: boolean
}

/** @throws Refusal rejected/status_entry_differs */
const assertEntry = (named: StatusBody['credentialStatus'], entries: readonly Document[]): void => {
  const members = ['id', 'statusListIndex', 'statusListCredential'] as const
  const fits = entries.some(entry => members.every(name => named[name] === undefined || named[name] === entry[name]))
  if (!fits) throw instanceEntryDiffers()
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
        `UPDATE instance_credentials SET ${purpose} = ? WHERE issuer = ? AND id = ? RETURNING position`,
        [status ? 1 : 0, instance.name, credentialId],
      )
      if (changed.length === 0) throw instanceCredentialUnknown()
      const places = changed.map(row => ({ position: Number(row['position']) }))
      assertEntry(
        credentialStatus,
        places.map(place => entryOf(needs.publicUrl, instance.name, place, purpose)),
      )
      for (const list of new Set(places.map(place => listOf(place, purpose)))) {
        await tx.query(
          `INSERT INTO instance_lists (issuer, list, version) VALUES (?, ?, 1)
           ON CONFLICT (issuer, list) DO UPDATE SET version = instance_lists.version + 1`,
          [instance.name, list],
        )
      }
    },
  })
  return { status: 200, body: { credentialId, statusPurpose: purpose, status } }
}

const firstOf = (list: number): number => Math.floor(list / purposes.length) * listLength

/** @throws Refusal not_found/status_list_unknown */
const versionOf = async (needs: IssuingNeeds, issuer: string, list: number): Promise<number> => {
  const [row] = await needs.house.store.read(
    `SELECT h.next AS next, coalesce(l.version, 0) AS version FROM instance_heads h
     LEFT JOIN instance_lists l ON l.issuer = h.issuer AND l.list = ? WHERE h.issuer = ?`,
    [list, issuer],
  )
  if (row === undefined || Number(row['next']) <= firstOf(list)) throw instanceListUnknown()
  return Number(row['version'])
}

const bitsOf = async (needs: IssuingNeeds, issuer: string, list: number): Promise<Uint8Array> => {
  const purpose = purposes[list % purposes.length] as Purpose
  const from = firstOf(list)
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
 * The list as a credential of the same instance (Bitstring Status List 1.0, section 2.2). It is packed and signed when a status
 * has changed, and when the one that is kept is as old as its time to live.
 * @throws Refusal not_found/issuer_unknown, not_found/status_list_unknown
 */
export const statusListOf = async (needs: IssuingNeeds, issuer: string, list: number): Promise<unknown> => {
  const instance = needs.instances.get(issuer)
  if (instance === undefined) throw issuerUnknown()
  const name = `${instance.name} ${list}`
  const version = await versionOf(needs, instance.name, list)
  const known = needs.signedLists.get(name)
  if (known?.version === version && needs.house.clock.now() < known.until) return known.credential
  const until = needs.house.clock.now() + listTtlMs
  const credential = await signedList(needs, instance, list)
  needs.signedLists.set(name, { version, until, credential })
  return credential
}

/** The bits are read after the version: what is kept may be newer than its version says, and never older. */
const signedList = async (needs: IssuingNeeds, instance: Instance, list: number): Promise<unknown> => {
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
