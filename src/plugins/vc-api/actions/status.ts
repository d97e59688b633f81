import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import {
  instanceCredentialUnknown,
  instanceEntryDiffers,
  instanceListUnknown,
  instanceStatusAbsent,
  instanceStatusNone,
  issuerUnknown,
  refreshFinal,
  statusValueUnknown,
} from '../errors.ts'
import type { Document, Instance, IssuingNeeds, SignedList, VcApiNeeds } from '../needs.ts'
import {
  allotOwn,
  bitsOfOwn,
  changeOwn,
  type OwnList,
  type OwnPlace,
  type OwnStatus,
  partsOfOwn,
  readOwn,
  storeOwn,
  termsOf,
} from '../own-lists.ts'
import { listLength, listTtlMs, ownListsFrom, type Purpose, purposes, requires } from '../policy.ts'
import { type AskedStatus, valueFor } from '../status-options.ts'
import { instanceOf } from './issue.ts'

/**
 * Where a credential stands in the lists of its instance: the `position`-th that the instance gave a status for `pair`, one or both of the
 * purposes whose lists come in pairs; and a place for each other purpose.
 */
export type Places = { position: number; pair: readonly Purpose[]; own: readonly OwnPlace[] }

const listUrl = (publicUrl: string, issuer: string, list: number): string =>
  `${publicUrl}/issuers/${issuer}/status/${list}`

/** Lists come in pairs: an even number for revocation, the next one for suspension. */
const listOf = (position: number, purpose: Purpose): number =>
  Math.floor(position / listLength) * purposes.length + purposes.indexOf(purpose)

/** Bitstring Status List 1.0, section 2.1. */
const entryAt = (url: string, index: number, purpose: AskedStatus['purpose']): Document => ({
  id: `${url}#${index}`,
  type: 'BitstringStatusListEntry',
  statusPurpose: purpose,
  statusListIndex: String(index),
  statusListCredential: url,
})

const pairEntryOf = (publicUrl: string, issuer: string, position: number, purpose: Purpose): Document =>
  entryAt(listUrl(publicUrl, issuer, listOf(position, purpose)), position % listLength, purpose)

export const entriesOf = (publicUrl: string, issuer: string, { position, pair, own }: Places): Document[] => [
  ...pair.map(purpose => pairEntryOf(publicUrl, issuer, position, purpose)),
  ...own.map(({ list, index, asked }) => ({
    ...entryAt(listUrl(publicUrl, issuer, list), index, asked.purpose),
    ...termsOf(asked),
  })),
]

const nextPosition = (needs: VcApiNeeds, issuer: string): Promise<number> =>
  needs.house.store.transaction(async tx => {
    const [row] = await tx.query(
      `INSERT INTO instance_heads (issuer, next) VALUES (?, 1)
       ON CONFLICT (issuer) DO UPDATE SET next = instance_heads.next + 1 RETURNING next`,
      [issuer],
    )
    return Number(row?.['next']) - 1
  })

const isOwn = (asked: AskedStatus): asked is OwnStatus => asked.purpose === 'refresh' || asked.purpose === 'message'

/** The next places of an instance. Those that are then not used are never set. */
export const allot = async (needs: VcApiNeeds, { name }: Instance, asked: readonly AskedStatus[]): Promise<Places> => {
  const pair = purposes.filter(each => asked.some(({ purpose }) => purpose === each))
  const position = pair.length === 0 ? -1 : await nextPosition(needs, name)
  const own: OwnPlace[] = []
  for (const each of asked.filter(isOwn)) own.push(await allotOwn(needs.house.store, name, each))
  return { position, pair, own }
}

/** Keeps where a credential stands with the act that hands it over. */
export const storePlaces = (
  tx: Tx,
  { position, pair, own }: Places,
  { issuer, id, issuedAt }: { issuer: string; id: string; issuedAt: number },
): void => {
  storeOwn(tx, issuer, id, own)
  if (pair.length === 0) return
  const unset = (purpose: Purpose): number => (pair.includes(purpose) ? 0 : -1)
  const bits = { revocation: unset('revocation'), suspension: unset('suspension') }
  tx.insert('instance_credentials', [{ issuer, position, id, ...bits, issued_at: issuedAt }])
}

/** VCALM 1.0, Update Status. The entry may be named as well; then it is that of the credential. */
type StatusBody = {
  credentialId: string
  credentialStatus: { statusPurpose?: AskedStatus['purpose'] } & Record<string, unknown>
  status?: boolean | string
}

/** @throws Refusal rejected/status_entry_differs */
const assertEntry = (named: StatusBody['credentialStatus'], entries: readonly Document[]): void => {
  const members = ['id', 'statusListIndex', 'statusListCredential'] as const
  const fits = entries.some(entry => members.every(name => named[name] === undefined || named[name] === entry[name]))
  if (!fits) throw instanceEntryDiffers()
}

type Change = { issuer: string; credentialId: string; purpose: AskedStatus['purpose']; value: number }

const isPair = (purpose: AskedStatus['purpose']): purpose is Purpose => purposes.some(each => each === purpose)

/** Sets the status. @returns the entries of the credential and their lists, none where it has none for the purpose. */
const change = async (tx: Tx, publicUrl: string, { issuer, credentialId, purpose, value }: Change) => {
  if (isPair(purpose)) {
    const rows = await tx.query(
      `UPDATE instance_credentials SET ${purpose} = ? WHERE issuer = ? AND id = ? AND ${purpose} >= 0 RETURNING position`,
      [value, issuer, credentialId],
    )
    return rows.map(row => {
      const position = Number(row['position'])
      return { list: listOf(position, purpose), entry: pairEntryOf(publicUrl, issuer, position, purpose) }
    })
  }
  const changed = await changeOwn(tx, { issuer, id: credentialId, purpose, status: value })
  if (changed === undefined) return []
  const { list, index, size } = changed
  if (value >= 2 ** size) throw statusValueUnknown()
  return [{ list, entry: entryAt(listUrl(publicUrl, issuer, list), index, purpose) }]
}

/** @throws Refusal not_found/credential_unknown, rejected/status_entry_missing */
const noneChanged = async (tx: Tx, { issuer, credentialId }: Change): Promise<never> => {
  const [known] = await tx.query('SELECT id FROM instance_credential_ids WHERE issuer = ? AND id = ?', [
    issuer,
    credentialId,
  ])
  throw known === undefined ? instanceCredentialUnknown() : instanceStatusAbsent()
}

/** VC API `/credentials/status` of one instance. */
export const updateInstanceStatus = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const instance = instanceOf(needs, context)
  if (!instance.status) throw instanceStatusNone()
  const { credentialId, credentialStatus, status = true } = context.body as StatusBody
  const purpose = credentialStatus.statusPurpose ?? 'revocation'
  const input: Change = { issuer: instance.name, credentialId, purpose, value: valueFor(purpose, status) }
  // Bitstring Status List 1.0, section 2.1: refresh is not reversible.
  if (purpose === 'refresh' && input.value === 0) throw refreshFinal()
  await perform(needs.house, {
    operation: 'updateInstanceStatus',
    requires: requires.status,
    caller: context.caller,
    input: { issuer: instance.name, credentialId, purpose, status },
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const changed = await change(tx, needs.publicUrl, input)
      if (changed.length === 0) return noneChanged(tx, input)
      assertEntry(
        credentialStatus,
        changed.map(({ entry }) => entry),
      )
      for (const list of new Set(changed.map(each => each.list))) {
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

/** What a list says, and its bits as they are when they are read. */
type ListState = Omit<OwnList, 'purpose'> & { purpose: string; bits(): Promise<Uint8Array> }

/** @throws Refusal not_found/status_list_unknown */
const stateOf = async (needs: IssuingNeeds, issuer: string, list: number): Promise<ListState> => {
  const { store } = needs.house
  if (list >= ownListsFrom) {
    const own = await readOwn(store, issuer, list)
    if (own === undefined) throw instanceListUnknown()
    return { ...own, bits: () => bitsOfOwn(store, issuer, list, own.size) }
  }
  const [row] = await store.read(
    `SELECT h.next AS next, coalesce(l.version, 0) AS version FROM instance_heads h
     LEFT JOIN instance_lists l ON l.issuer = h.issuer AND l.list = ? WHERE h.issuer = ?`,
    [list, issuer],
  )
  if (row === undefined || Number(row['next']) <= firstOf(list)) throw instanceListUnknown()
  const purpose = purposes[list % purposes.length] as Purpose
  const version = Number(row['version'])
  return { purpose, version, size: 1, messages: undefined, bits: () => bitsOf(needs, issuer, list) }
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
  const state = await stateOf(needs, instance.name, list)
  const { version } = state
  const known = needs.signedLists.get(name)
  if (known?.version === version && needs.house.clock.now() < known.until) return known.credential
  const until = needs.house.clock.now() + listTtlMs
  // Those who ask at one time wait for one signature.
  const signed: SignedList = { version, until, credential: signedList(needs, instance, list, state) }
  needs.signedLists.set(name, signed)
  try {
    return await signed.credential
  } catch (error) {
    if (needs.signedLists.get(name) === signed) needs.signedLists.delete(name)
    throw error
  }
}

/** The bits are read after the version: what is kept may be newer than its version says, and never older. */
const signedList = async (
  needs: IssuingNeeds,
  instance: Instance,
  list: number,
  state: ListState,
): Promise<unknown> => {
  const bits = await state.bits()
  const url = listUrl(needs.publicUrl, instance.name, list)
  const now = Math.floor(needs.house.clock.now() / 1_000) * 1_000
  const { contexts, subject } = partsOfOwn(state)
  return instance.secure(
    {
      '@context': ['https://www.w3.org/ns/credentials/v2', ...contexts],
      id: url,
      type: ['VerifiableCredential', 'BitstringStatusListCredential'],
      issuer: instance.did,
      validFrom: new Date(now).toISOString().replace('.000Z', 'Z'),
      credentialSubject: {
        id: `${url}#list`,
        type: 'BitstringStatusList',
        statusPurpose: state.purpose,
        encodedList: await needs.encodeList(bits),
        ttl: listTtlMs,
        ...subject,
      },
    },
    {},
  )
}

/** Broader names of the same document, for readers that ask for JSON and do not know `application/vc`. */
const listTypes = ['application/vc', 'application/ld+json', 'application/json'] as const

const listTypeFor = (accept = ''): string => {
  const named = accept.toLowerCase().split(',', 32)
  const asked = named.map(range => (range.split(';')[0] ?? '').trim())
  return listTypes.find(type => asked.includes(type)) ?? 'application/vc'
}

export const getInstanceStatusList = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const body = await statusListOf(needs, context.params['issuer'] ?? '', Number(context.params['list']))
  const headers = { 'cache-control': `public, max-age=${listTtlMs / 1_000}`, vary: 'accept' }
  return { status: 200, body, contentType: listTypeFor(context.headers['accept']), headers }
}
