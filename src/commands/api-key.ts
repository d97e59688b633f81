import { createApiKeys, everyScope, type KeyOptions, type KeySummary } from '../http/api-keys.ts'
import { Refusal } from '../kernel/refusal.ts'
import type { Requirement } from '../kernel/requirement.ts'
import { requires as credentialRequires } from '../plugins/credentials/policy.ts'
import { requires as walletRequires } from '../plugins/wallet/policy.ts'
import { assertStarted, type Desk, recordCommand, withStore } from './desk.ts'

const requirements: Requirement[] = [...Object.values(credentialRequires), ...Object.values(walletRequires)]

/** What a key may be given; a misspelt scope would be a key that opens nothing. */
export const knownScopes: readonly string[] = [
  ...new Set(requirements.flatMap(required => (required.by === 'staff' ? [required.scope] : []))),
  everyScope,
].sort()

const scopesOf = (text: string | undefined): string[] => {
  const scopes = [...new Set((text ?? '').split(',').filter(scope => scope !== ''))]
  const detail = `Give --scopes one or more of ${knownScopes.join(', ')}, separated by commas.`
  if (scopes.length === 0) throw new Refusal('malformed', 'scopes_missing', detail)
  if (!scopes.every(scope => knownScopes.includes(scope))) throw new Refusal('malformed', 'scope_unknown', detail)
  return scopes
}

const expiryOf = (text: string | undefined, now: number): { expires?: number } => {
  if (text === undefined) return {}
  const expires = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(expires)) {
    throw new Refusal(
      'malformed',
      'expiry_malformed',
      '--expires is a date-time with a time zone: 2027-01-31T00:00:00Z.',
    )
  }
  if (expires <= now) throw new Refusal('rejected', 'expiry_past', '--expires lies in the past.')
  return { expires }
}

const isoOf = (ms: number): string => new Date(ms).toISOString()

const stateOf = ({ expires, revoked }: KeySummary, now: number): string => {
  if (revoked !== undefined) return `revoked ${isoOf(revoked)}`
  if (expires === undefined) return 'valid'
  return expires <= now ? `expired ${isoOf(expires)}` : `valid until ${isoOf(expires)}`
}

export type KeyWishes = { scopes?: string | undefined; expires?: string | undefined }

export const createKey = async (desk: Desk, wishes: KeyWishes): Promise<void> => {
  const { clock } = desk
  const options: KeyOptions = { scopes: scopesOf(wishes.scopes), ...expiryOf(wishes.expires, clock.now()) }
  assertStarted(desk, 'agency.sqlite')
  await withStore(desk, async store => {
    const { id, key } = await createApiKeys(store, clock).create(options)
    await recordCommand(desk, store, 'api-key create', { id, ...options })
    desk.out(key)
    desk.note(`key ${id} for ${options.scopes.join(', ')}; it is shown this once`)
  })
}

export const revokeKey = async (desk: Desk, id: string): Promise<void> => {
  assertStarted(desk, 'agency.sqlite')
  await withStore(desk, async store => {
    const keys = createApiKeys(store, desk.clock)
    const found = (await keys.list()).find(known => known.id === id)
    if (found === undefined)
      throw new Refusal('not_found', 'api_key_unknown', 'There is no key with this id; see api-key list.')
    if (found.revoked !== undefined) throw new Refusal('conflict', 'api_key_revoked', 'The key is revoked already.')
    await keys.revoke(id)
    await recordCommand(desk, store, 'api-key revoke', { id })
    desk.out(`${id} is revoked; running processes follow within five seconds`)
  })
}

export const listKeys = async (desk: Desk): Promise<void> => {
  assertStarted(desk, 'agency.sqlite')
  await withStore(desk, async store => {
    for (const key of await createApiKeys(store, desk.clock).list()) {
      desk.out(`${key.id}  ${key.scopes.join(',')}  created ${isoOf(key.created)}  ${stateOf(key, desk.clock.now())}`)
    }
  })
}
