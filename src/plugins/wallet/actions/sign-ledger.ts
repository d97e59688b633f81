import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Row } from '../../../kernel/ports.ts'
import type { TypedDomain } from '../../../kernel/typed-domain.ts'
import { ledgerForeign, recordDamaged } from '../errors.ts'
import { entryOf, ledgerOf, signEntry, type WantedEntry } from '../ledger.ts'
import { requires } from '../policy.ts'
import { vaultOf } from '../sessions.ts'
import { ledgerKeyOf } from './ledger-keys.ts'
import type { DisclosureRecord } from './present.ts'
import type { Desk } from './prove.ts'

type Body = { keyId: string; domain: TypedDomain; entry: WantedEntry }
/** As it is sealed, so that the same idempotency key gives the same bytes: another signature would be another record. */
type Signed = { record: string; digest: string }

/**
 * Signs a record of a ledger with the citizen's key of that ledger. What was signed is in the citizen's history before it
 * leaves; whether the ledger takes it is the ledger's to say.
 * @throws Refusal ledger_key_unknown, ledger_foreign, ledger_record_malformed
 */
export const signLedgerRecord = async (desk: Desk, context: Context): Promise<Answer> => {
  const { keyId, domain, entry: wanted } = context.body as Body
  const vault = vaultOf(context.caller)
  const entry = entryOf(wanted)
  const { ledger, jwk } = await ledgerKeyOf(desk, vault, keyId)
  if (ledger !== ledgerOf(domain)) throw ledgerForeign()
  const { record, digest, signed } = signEntry(entry, { domain, jwk, keccak: desk.keccak })
  const disclosure: DisclosureRecord = {
    ...{ type: 'LedgerRecord', issuer: ledger, audience: ledger, challenge: digest },
    ...{ shown: Object.keys(signed.members), at: desk.house.clock.now(), signed },
  }
  const id = desk.newId()
  const kept = await perform(desk.house, {
    operation: 'signLedgerRecord',
    requires: requires.citizen,
    caller: context.caller,
    input: vault.evidence({ keyId, domain, entry: wanted }),
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const sealed = vault.seal('wallet_disclosures', id, disclosure)
      const copy = vault.seal('wallet_disclosures presentation', id, { record, digest } satisfies Signed)
      tx.insert('wallet_disclosures', [{ id, citizen: vault.citizen, credential: keyId, sealed, presentation: copy }])
      // Answers are remembered in the clear, so nothing but the id is one; the rest is read back through the vault.
      return { id }
    },
  })
  const body = kept.id === id ? { record, digest } : await signedBefore(desk, context, kept.id)
  return { status: 201, body: { ...body, disclosureId: kept.id } }
}

const signedBefore = async (desk: Desk, context: Context, id: string): Promise<Signed> => {
  const vault = vaultOf(context.caller)
  const sql = 'SELECT presentation FROM wallet_disclosures WHERE id = ? AND citizen = ?'
  const [row] = await desk.house.store.read<Row & { presentation: Uint8Array | null }>(sql, [id, vault.citizen])
  if (row === undefined || row.presentation === null) throw recordDamaged()
  return vault.open<Signed>('wallet_disclosures presentation', id, row.presentation)
}
