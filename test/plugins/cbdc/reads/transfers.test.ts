import fc from 'fast-check'
import { merklePath, merkleRoot } from '../../../../src/kernel/merkle.ts'
import { rootOf, verifyReceipt } from '../../../../src/plugins/cbdc/ledger/receipt.ts'
import { type Ground, onBothLedgers, own } from '../ground.ts'
import { openReading, refusalOf, signingKey } from './reading.ts'

const did = 'did:ethr:0x7a69:0xcb'
type Payload = Record<string, unknown> & {
  entry: Record<string, unknown>
  batch: Record<string, unknown>
  path: string[]
}

const payloadOf = (receipt: string): Payload =>
  JSON.parse(Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString()) as Payload

describe('the way from a leaf to the root', () => {
  const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 })

  test('ends at the root for every leaf of every tree, and for no other position, size or path', () => {
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(60), (leaves, seed, other) => {
        const [position, size] = [seed % leaves.length, leaves.length]
        const root = merkleRoot(leaves)
        const path = merklePath(leaves, position)
        const mine = leaves[position] as Uint8Array
        expect(rootOf(mine, { position, size }, path)).toEqual(root)
        expect(rootOf(mine, { position: size, size }, path)).toBeUndefined()
        expect(rootOf(mine, { position: -1, size }, path)).toBeUndefined()
        expect(rootOf(mine, { position, size }, [...path, root])).toBeUndefined()
        if (path.length > 0) expect(rootOf(mine, { position, size }, path.slice(1))).not.toEqual(root)
        if (other < size && Buffer.compare(leaves[other] as Uint8Array, mine) !== 0) {
          expect(rootOf(leaves[other] as Uint8Array, { position, size }, path)).not.toEqual(root)
        }
      }),
    )
  })
})

onBothLedgers(({ fresh }) => {
  const open = async (key?: ReturnType<typeof signingKey>) => {
    const ground: Ground = await fresh({
      more: async () => (key === undefined ? {} : { signStatement: payload => key.seal(payload) }),
    })
    const reading = openReading(ground)
    const anna = await reading.person('anna', 1_000n)
    const ben = await reading.person('ben')
    const carol = await reading.person('carol')
    return { ground, reading, anna, ben, carol }
  }

  test('the parties of a transfer read it by its id, each with a balance of their own only', async () => {
    const { reading, anna, ben } = await open()
    const { id, written } = await anna.pay(ben.number, 300n)
    const common = { id, entry: written?.number, kind: 'transfer', amountMinor: '300', debit: anna.number }
    const mine = await anna.read('getTransfer', { transfer: id })
    expect(mine).toMatchObject({ ...common, debitBalanceMinor: '700' })
    expect(mine).not.toHaveProperty('creditBalanceMinor')
    const theirs = await ben.read('getTransfer', { transfer: id.toUpperCase() })
    expect(theirs).toMatchObject({ ...common, creditBalanceMinor: '300' })
    expect(theirs).not.toHaveProperty('debitBalanceMinor')
    expect(await reading.asBank('getTransfer', { transfer: id })).toMatchObject({
      debitBalanceMinor: '700',
      creditBalanceMinor: '300',
    })
    expect(await reading.journalled('getTransfer')).toBe(3)
  })

  test('others are told no more of a transfer than of one that never was', async () => {
    const { ground, reading, anna, ben, carol } = await open()
    const { id } = await anna.pay(ben.number, 300n)
    for (const operation of ['getTransfer']) {
      expect(await refusalOf(carol.read(operation, { transfer: id }))).toBe('transfer_not_yours')
      expect(await refusalOf(anna.read(operation, { transfer: ground.newId() }))).toBe('transfer_not_yours')
      expect(await refusalOf(reading.asOther(operation, { transfer: id }))).toBe('participant_unknown')
    }
    expect(await reading.journalled('getTransfer')).toBe(0)
  })

  test('payer, payee and arbiter read a reservation and what became of it; others do not', async () => {
    const { ground, anna, ben, carol } = await open()
    const dave = await openReading(ground).person('dave')
    await ground.store.transaction(tx =>
      tx.query(`UPDATE cbdc_accounts SET class = 'arbiter' WHERE number = ?`, [carol.number]),
    )
    const expiry = Math.floor(ground.state.now / 1_000) + 3_600
    const reserve = {
      ...{ kind: 'reserve' as const, from: anna.number, to: ben.number, currency: 1, amount: 400n, fee: 0, expiry },
      ...{ lockHash: '00'.repeat(32), arbiter: carol.number, nonce: 0, validUntil: expiry, signature: '' },
    }
    await ground.submit(ground.signed(anna.owner, reserve))
    const pending = { state: 'pending', amountMinor: '400', remainingMinor: '400', postedMinor: '0', endedBy: null }
    for (const party of [anna, ben, carol]) {
      expect(await party.read('getReservation', { reservation: 1 })).toMatchObject(pending)
    }
    expect(await refusalOf(dave.read('getReservation', { reservation: 1 }))).toBe('reservation_not_yours')
    expect(await refusalOf(anna.read('getReservation', { reservation: 2 }))).toBe('reservation_not_yours')
    expect(await anna.read('getAccount', { account: anna.number })).toMatchObject({
      ...{ balanceMinor: '1000', availableMinor: '600', pendingDebitMinor: '400' },
    })
    const post = {
      ...{ kind: 'post' as const, reservation: 1, amount: 150n, remaining: 400n, last: 1, by: carol.number },
      ...{ preimage: '00'.repeat(32), signature: '' },
    }
    const [written] = await ground.submit(ground.signed(carol.owner, post))
    const ended = { state: 'posted', remainingMinor: '0', postedMinor: '150', endedBy: written?.number }
    expect(await ben.read('getReservation', { reservation: 1 })).toMatchObject(ended)
  })

  test('anyone reads a batch, and learns nothing of its entries', async () => {
    const { reading, anna, ben } = await open()
    const { written } = await anna.pay(ben.number, 300n)
    const batch = await reading.call('getBatch', { params: { batch: String(written?.batch) } })
    expect(Object.keys(batch).sort()).toEqual(['at', 'entries', 'firstEntry', 'journal', 'number', 'root'])
    expect(batch).toMatchObject({ number: written?.batch, firstEntry: written?.number, entries: 1 })
    expect(await refusalOf(reading.call('getBatch', { params: { batch: '999999' } }))).toBe('batch_unknown')
  })

  test('a receipt holds by the ledger’s key alone, and names a record that commits to the batch', async () => {
    const key = signingKey()
    const { ground, anna, ben } = await open(key)
    // Several requests in one batch: the path is not empty.
    const records = [0, 1, 2, 3, 4].map(nonce =>
      ground.signed(anna.owner, ground.transfer(anna.number, ben.number, 10n, { nonce })),
    )
    await ground.submit(...records)
    for (const { id } of records) {
      const { receipt } = (await ben.read('getReceipt', { transfer: id })) as { receipt: string }
      const verdict = verifyReceipt(receipt, { key: key.jwk, ledger: did })
      expect(verdict).toMatchObject({
        holds: true,
        entry: { kind: 'transfer', amount: 10n },
        statement: { entry: { id } },
      })
      const { journal, batch } = payloadOf(receipt)
      const [row] = await ground.store.read<{ record: string }>('SELECT record FROM journal_details WHERE id = ?', [
        String(journal),
      ])
      expect((JSON.parse(row?.record ?? '{}') as { effects: string[] }).effects).toContain(batch['root'])
    }
  })

  test('a receipt that was changed in any part does not hold', async () => {
    const key = signingKey()
    const { ground, anna, ben } = await open(key)
    const records = [0, 1, 2].map(nonce =>
      ground.signed(anna.owner, ground.transfer(anna.number, ben.number, 10n, { nonce })),
    )
    await ground.submit(...records)
    const { receipt } = (await anna.read('getReceipt', { transfer: records[1]?.id ?? '' })) as { receipt: string }
    const expected = { key: key.jwk, ledger: did }
    const faultOf = (text: string, by: Parameters<typeof verifyReceipt>[1] = expected) => {
      const verdict = verifyReceipt(text, by)
      return verdict.holds ? undefined : verdict.fault
    }
    expect(faultOf(receipt)).toBeUndefined()
    const [header = '', payload = '', signature = ''] = receipt.split('.')
    const flipped = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`
    const stated = payloadOf(receipt)
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    // By somebody without the key.
    expect(faultOf(`${header}.${payload}.${flipped}`)).toBe('signature')
    expect(faultOf(`${header}.${encoded({ ...stated, iat: 1 })}.${signature}`)).toBe('signature')
    expect(faultOf(receipt, { ...expected, key: signingKey().jwk })).toBe('signature')
    expect(faultOf(receipt, { ...expected, ledger: 'did:ethr:0x7a69:0xdd' })).toBe('ledger')
    for (const text of ['', 'a.b', `${receipt}.x`, `${receipt}=`, `${header}.${payload}.`])
      expect(faultOf(text)).toBe('form')
    expect(faultOf(`${header}.${'A'.repeat(20_000)}.${signature}`)).toBe('form')
    // By the ledger's own key, which may not say what the tree does not.
    const resealed = async (change: Partial<Payload>, more: Record<string, unknown> = {}) =>
      faultOf(await key.seal({ ...stated, ...change }, more))
    const withEntry = (change: Record<string, unknown>) => resealed({ entry: { ...stated.entry, ...change } })
    const withBatch = (change: Record<string, unknown>) => resealed({ batch: { ...stated.batch, ...change } })
    expect(await resealed({}, { typ: 'JWT' })).toBe('type')
    expect(await resealed({}, { alg: 'none' })).toBe('type')
    expect(await resealed({}, { crit: ['b64'] })).toBe('type')
    expect(await withEntry({ number: Number(stated.entry['number']) - 1 })).toBe('path')
    expect(await withBatch({ entries: 2 })).toBe('path')
    expect(await withBatch({ firstEntry: 1 })).toBe('path')
    expect(await withBatch({ root: '00'.repeat(32) })).toBe('path')
    expect(await resealed({ path: stated.path.toReversed() })).toBe('path')
    expect(await resealed({ path: stated.path.slice(1) })).toBe('path')
    expect(await resealed({ path: [...stated.path, '11'.repeat(32)] })).toBe('path')
    const raw = Buffer.from(String(stated.entry['record']), 'base64url')
    for (const at of raw.keys()) {
      const other = Buffer.from(raw)
      // Another kind is of another length.
      other[at] = (other[at] ?? 0) ^ 2
      expect(await withEntry({ record: other.toString('base64url') })).toBe(at === 0 ? 'record' : 'path')
    }
    expect(await withEntry({ record: `${stated.entry['record']}=` })).toBe('statement')
    expect(await withEntry({ record: 'AA' })).toBe('record')
    expect(await resealed({ path: ['xyz'] })).toBe('statement')
    expect(await resealed({ path: Array.from({ length: 60 }, () => '00'.repeat(32)) })).toBe('statement')
    for (const name of ['iat', 'entry', 'batch', 'path', 'journal']) {
      const { [name]: _, ...rest } = stated
      expect(faultOf(await key.seal(rest))).toBe('statement')
    }
  })

  test('no receipt goes to others, and none is given without a key to sign it', async () => {
    const { reading, anna, ben, carol } = await open(signingKey())
    const { id } = await anna.pay(ben.number, 300n)
    expect(await refusalOf(carol.read('getReceipt', { transfer: id }))).toBe('transfer_not_yours')
    expect(await refusalOf(reading.asOther('getReceipt', { transfer: id }))).toBe('participant_unknown')
    const without = await open()
    const paid = await without.anna.pay(own.bank, 1n)
    expect(await refusalOf(without.anna.read('getReceipt', { transfer: paid.id }))).toBe('receipts_unavailable')
  })
})
