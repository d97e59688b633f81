import type { Store } from '../kernel/ports.ts'
import { retention as aliasRetention } from '../plugins/aliases/entities.ts'
import { retention as bindingRetention } from '../plugins/bindings/entities.ts'
import { retention as cbdcRetention } from '../plugins/cbdc/entities.ts'
import { retention as certificateRetention } from '../plugins/certificates/entities.ts'
import { retention as credentialRetention } from '../plugins/credentials/entities.ts'
import { retention as didcommRetention } from '../plugins/didcomm/entities.ts'
import { retention as didRetention } from '../plugins/dids/entities.ts'
import { retention as federationRetention } from '../plugins/federation/entities.ts'
import { retention as gateRetention } from '../plugins/gate/entities.ts'
import { retention as mandateRetention } from '../plugins/mandates/entities.ts'
import { authorizationRetention } from '../plugins/openid4vci/authorization/entities.ts'
import { issuerRetention } from '../plugins/openid4vci/entities.ts'
import { retention as presentationRetention } from '../plugins/openid4vp/entities.ts'
import { retention as pseudonymRetention } from '../plugins/pseudonyms/entities.ts'
import { retention as registryRetention } from '../plugins/registry/entities.ts'
import { retention as stablecoinRetention } from '../plugins/stablecoin/entities.ts'
import { retention as exchangeRetention } from '../plugins/vc-api/entities.ts'
import { retention as walletRetention } from '../plugins/wallet/entities.ts'
import { erase as eraseDue, type RetentionRule, storeRetention } from '../store/retention.ts'
import { assertStarted, type Desk, recordCommand, withStore } from './desk.ts'

/** How long each table of an agency is kept, and why. A table without a statement stops the command. */
export const retention: RetentionRule[] = [
  ...storeRetention,
  ...credentialRetention,
  ...certificateRetention,
  ...didRetention,
  ...didcommRetention,
  ...federationRetention,
  ...walletRetention,
  ...exchangeRetention,
  ...gateRetention,
  ...presentationRetention,
  ...registryRetention,
  ...mandateRetention,
  ...issuerRetention,
  ...authorizationRetention,
  ...pseudonymRetention,
  ...bindingRetention,
  ...aliasRetention,
  ...cbdcRetention,
  ...stablecoinRetention,
  { table: 'outbox', keep: 'forever', why: 'A nonce belongs to one row for ever; that is why nothing is sent twice.' },
  { table: 'api_keys', keep: 'forever', why: 'Who a key was given to act stays traceable; the secret is not stored.' },
  { table: 'migrations', keep: 'forever', why: 'Which form the database has.' },
]

export const tablesOf = async (store: Store): Promise<string[]> => {
  const sql =
    store.dialect === 'sqlite'
      ? `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
      : `SELECT table_name AS name FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`
  return (await store.read<{ name: string }>(sql)).map(row => row.name)
}

export const erase = async (desk: Desk): Promise<void> => {
  const { clock, config } = desk
  assertStarted(desk, 'agency.sqlite')
  await withStore(desk, async store => {
    const unstated = (await tablesOf(store)).filter(table => !retention.some(rule => rule.table === table))
    if (unstated.length > 0) throw new Error(`No retention period is stated for ${unstated.join(', ')}.`)
    const erased = await eraseDue(store, clock, retention)
    await recordCommand(desk, store, 'erase', erased)
    for (const [table, rows] of Object.entries(erased)) desk.out(`${table} ${rows}`)
    desk.note(`rows of ${config.name} that had outlived their period are erased, by table`)
  })
}
