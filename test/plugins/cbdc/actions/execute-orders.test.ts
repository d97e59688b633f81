import { anonymous } from '../../../../src/kernel/gate.ts'
import { decodeEntry, type Entry } from '../../../../src/kernel/ledger-entry.ts'
import { openStructs } from '../../../../src/kernel/ledger-typed-data.ts'
import { leafHash, merklePath, merkleRoot } from '../../../../src/kernel/merkle.ts'
import type { BookItem } from '../../../../src/plugins/cbdc/actions/book.ts'
import { allOf } from '../../../../src/plugins/cbdc/actions/execute.ts'
import { verifyInclusion } from '../../../../src/store/tlog.ts'
import { expectFolded } from '../folded.ts'
import { type Ground, onBothLedgers, orderId, own, p256Owner, secp256k1Owner } from '../ground.ts'

const settled = async (work: Promise<unknown>[]): Promise<string[]> =>
  (await Promise.allSettled(work)).map(each => (each.status === 'fulfilled' ? 'entered' : each.reason.code))

onBothLedgers(({ fresh }) => {
  type Kept = { id: string; record: string }
  const effectsOf = async (ground: Ground): Promise<string[][]> =>
    (await ground.store.read<Kept>('SELECT id, record FROM journal_details ORDER BY id')).map(
      row => JSON.parse(row.record).effects,
    )

  test('each request has one journal record, which commits to its own entries and then to the batch', async () => {
    const ground = await fresh()
    const payers = await Promise.all(Array.from({ length: 3 }, () => ground.customer(undefined, {}, 100n)))
    const before = (await effectsOf(ground)).length
    const requests = await Promise.all(
      payers.map(({ owner, number }) =>
        ground.desk.attest([0, 1].map(nonce => ground.signed(owner, ground.transfer(number, own.bank, 5n, { nonce })))),
      ),
    )
    const written = await Promise.all(requests.map(async items => allOf((await ground.execute([items])).outcomes)))
    const effects = (await effectsOf(ground)).slice(before)
    expect(effects).toHaveLength(3)
    const [first] = written.flat()
    const [batch] = await ground.store.read<{ first_entry: number; root: Buffer }>(
      'SELECT first_entry, root FROM cbdc_batches WHERE number = ?',
      [first?.batch ?? 0],
    )
    const leaf = ({ number, raw }: { number: number; raw: Buffer }): Buffer => {
      const place = Buffer.alloc(8)
      place.writeBigUInt64BE(BigInt(number))
      return leafHash(Buffer.concat([place, raw]))
    }
    const leaves = written.flat().map(leaf)
    expect(written.flat().every(entry => entry.batch === first?.batch)).toBe(true)
    const root = batch?.root ?? Buffer.alloc(0)
    expect(effects).toEqual(written.map(own => [merkleRoot(own.map(leaf)).toString('hex'), root.toString('hex')]))
    for (const [position, hash] of leaves.entries()) {
      const proof = merklePath(leaves, position).map(sibling => Buffer.from(sibling))
      expect(verifyInclusion({ leaf: hash, position, size: leaves.length, root, proof })).toBe(true)
    }
  })

  test('a request that enters nothing commits to no batch of others', async () => {
    const ground = await fresh()
    const payer = await ground.customer(undefined, {}, 100n)
    const record = ground.signed(payer.owner, ground.transfer(payer.number, own.bank, 5n))
    await ground.submit(record)
    const before = (await effectsOf(ground)).length
    const next = ground.signed(payer.owner, ground.transfer(payer.number, own.bank, 5n, { nonce: 1 }))
    await Promise.all([ground.submit(record), ground.submit(next)])
    expect(
      (await effectsOf(ground))
        .slice(before)
        .map(({ length }) => length)
        .sort(),
    ).toEqual([0, 2])
  })

  test('under one idempotency key an order is executed once, and another order is refused', async () => {
    const ground = await fresh()
    const before = await ground.account(own.bank)
    const mint = (amount: bigint, key: string) =>
      ground.desk.ledger.execute({
        ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, idempotencyKey: key },
        input: { amount: String(amount) },
        chains: [
          [{ entry: { kind: 'mint', from: 1, to: own.bank, currency: 1, amount, order: orderId }, signer: undefined }],
        ],
        answer: (_held, outcomes) => allOf(outcomes).map(({ number }) => number),
      })
    const [one, two] = await Promise.all([mint(5n, 'k'), mint(5n, 'k')])
    expect(two).toEqual(one)
    expect(await mint(5n, 'k')).toEqual(one)
    await expect(mint(6n, 'k')).rejects.toMatchObject({ code: 'idempotency_mismatch' })
    expect((await ground.account(own.bank)).creditsPosted).toBe(before.creditsPosted + 5n)
  })

  test('an order that refuses in its answer, or breaks, takes back its entries and fails nobody else', async () => {
    const ground = await fresh()
    const payers = await Promise.all(Array.from({ length: 6 }, () => ground.customer(undefined, {}, 100n)))
    const items = await Promise.all(
      payers.map(({ owner, number }) =>
        ground.desk.attest([ground.signed(owner, ground.transfer(number, own.bank, 7n))]),
      ),
    )
    const order = (chain: BookItem[], fails: 'no' | 'refusal' | 'defect') =>
      ground.desk.ledger.execute({
        ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, input: {} },
        chains: [chain, [{ entry: { kind: 'expire', reservation: 9 }, signer: undefined }]],
        answer: (_held, outcomes) => {
          if (fails === 'defect') throw new TypeError('a defect')
          return fails === 'refusal' ? allOf(outcomes).length : outcomes.length
        },
      })
    const kinds = ['no', 'refusal', 'defect', 'no', 'defect', 'no'] as const
    const results = await Promise.allSettled(kinds.map((kind, at) => order(items[at] as BookItem[], kind)))
    expect(
      results.map(result => (result.status === 'fulfilled' ? 'done' : (result.reason.code ?? result.reason.message))),
    ).toEqual([...['done', 'reservation_unknown', 'a defect', 'done', 'a defect', 'done']])
    expect((await ground.account(own.bank)).creditsPosted).toBe(21n)
    await expectFolded(ground.store)
  })

  test('an order that refuses after it has written leaves nothing of it, and fails nobody else', async () => {
    const ground = await fresh()
    const before = await ground.account(own.bank)
    const write = { currency: 99, valid_from: 1, policy: '{}', record: 'x' }
    const order = (version: number, how: 'insert' | 'query' | 'afterCommit', refuses: boolean) =>
      ground.desk.ledger.execute({
        ...{ operation: 'trial', requires: { by: 'anyone' }, caller: anonymous, input: {} },
        chains: [
          [{ entry: mintOf(1n), signer: undefined }],
          [{ entry: { kind: 'expire', reservation: 9 }, signer: undefined }],
        ],
        answer: async ({ tx }, outcomes) => {
          if (how === 'insert') tx.insert('cbdc_policies', [{ ...write, version }])
          if (how === 'query') {
            const values = '(currency, version, valid_from, policy, record) VALUES (99, ?, 1, ?, ?)'
            await tx.query(`INSERT INTO cbdc_policies ${values}`, [version, '{}', 'x'])
          }
          if (how === 'afterCommit') tx.afterCommit(() => after.push(version))
          return refuses ? allOf(outcomes).length : version
        },
      })
    const mintOf = (amount: bigint): Entry => ({
      ...{ kind: 'mint', from: own.issuance, to: own.bank, currency: 1, amount, order: orderId },
    })
    const after: number[] = []
    const hows = ['insert', 'query', 'afterCommit'] as const
    const work = Array.from({ length: 18 }, (_, at) => order(10 + at, hows[at % 3] ?? 'insert', at % 2 === 0))
    expect(await settled(work)).toEqual(work.map((_, at) => (at % 2 === 0 ? 'reservation_unknown' : 'entered')))
    const kept = await ground.store.read<{ version: number }>('SELECT version FROM cbdc_policies WHERE version > 9')
    expect(kept.map(({ version }) => version).sort()).toEqual([11, 13, 17, 19, 23, 25])
    expect(after.sort()).toEqual([15, 21, 27])
    expect((await ground.account(own.bank)).creditsPosted).toBe(before.creditsPosted + 9n)
    await expectFolded(ground.store)
  })

  test('every signed entry that stands was signed by the key that its account had then', async () => {
    const ground = await fresh()
    const payer = await ground.customer(p256Owner(), {}, 100n)
    const later = secp256k1Owner()
    const pay = (nonce: number, owner = payer.owner) =>
      ground.submit(ground.signed(owner, ground.transfer(payer.number, own.bank, 5n, { nonce })))
    await pay(0)
    const validUntil = Math.floor(ground.state.now / 1_000) + 60
    await ground.submit(
      ground.signed(payer.owner, {
        ...{ kind: 'keyChange', account: payer.number, ...later.key, nonce: 1, validUntil, signature: '' },
      }),
    )
    await expect(pay(2)).rejects.toMatchObject({ code: 'signature_invalid' })
    await pay(2, later)
    const { claims, entries } = await expectFolded(ground.store)
    expect(claims).toHaveLength(3)
    const structOf = openStructs(ground.needs.signatures.keccak)
    const verified = await ground.needs.signatures.verify(
      claims.map(({ entry, key }) => ({
        ...{ struct: structOf(entry), scheme: key.scheme, signature: Buffer.from(entry.signature, 'hex') },
        key: Buffer.from(`0${key.prefix}${key.x}`, 'hex'),
      })),
    )
    expect(verified).toEqual([true, true, true])
    expect(entries.filter(({ raw }) => decodeEntry(raw)?.kind === 'keyChange')).toHaveLength(1)
  })
})
