import { createHash, createPublicKey, generateKeyPairSync, hkdfSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import type { RecordProof, Store } from '../../src/kernel/ports.ts'
import { timeId } from '../../src/kernel/time-id.ts'
import { type JournalDetails, journal, journalSchemes, verifyDetails, verifyField } from '../../src/store/journal.ts'
import { openLogProofs } from '../../src/store/log-proofs.ts'
import { openSequencer } from '../../src/store/sequencer.ts'
import { parseVerifierKey, signNote, verifierKey } from '../../src/store/tlog-note.ts'
import { parseProof, proofText, verifyLogged, verifyProof } from '../../src/store/tlog-proof.ts'
import { onBothDatabases } from './backends.ts'

const origin = 'agency.example/log'
const keyPair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12), privateKey }
}
const { publicKey, privateKey } = keyPair()
const signing = async (data: Uint8Array) => sign(null, data, privateKey)
const vkey = verifierKey({ name: origin, publicKey })

const logOver = (store: Store) => {
  const clock = { now: () => 1_000_000 }
  const sequencer = openSequencer({ store, clock, origin, publicKey, sign: signing })
  return { sequencer, proofs: openLogProofs(store, sequencer) }
}

const act = async (store: Store, effects: string[] = []): Promise<string> => {
  const id = timeId(Date.now())
  await store.transaction(async tx =>
    journal.record(tx, {
      ...{ id, operation: 'grant', input: Buffer.alloc(32), authority: 'holder', rules: [], effects },
      ...{ caller: { kind: 'holder', id: 'did:key:z6Mk', credentials: [] }, outcome: 'done', at: 1_750_000_000_000 },
    }),
  )
  return id
}
const acts = (store: Store, count: number) => Promise.all(Array.from({ length: count }, () => act(store)))

const proved = async (proof: Promise<RecordProof | undefined>): Promise<RecordProof> => {
  const found = await proof
  if (found === undefined) throw new Error('the record has no proof')
  return found
}

const bytes = (text: string): Buffer => Buffer.from(text, 'base64')
const claimOf = (proof: RecordProof) => ({
  ...{ leaf: bytes(proof.leaf), index: proof.leafIndex, path: proof.path.map(bytes) },
  ...{ checkpoint: proof.checkpoint, verifierKey: vkey },
})

/** The Merkle root by the definition of RFC 6962, without a line of ours. */
const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()
const rootBy = (leaf: Buffer, index: number, size: number, path: Buffer[]): Buffer => {
  if (size === 1) return sha256(Buffer.of(0), leaf)
  let half = 1
  while (half * 2 < size) half *= 2
  const [below, sibling] = [path.slice(0, -1), path.at(-1) ?? Buffer.alloc(0)]
  return index < half
    ? sha256(Buffer.of(1), rootBy(leaf, index, half, below), sibling)
    : sha256(Buffer.of(1), sibling, rootBy(leaf, index - half, size - half, below))
}

onBothDatabases(({ fresh }) => {
  test('a record has no proof before it has a place, and none before a checkpoint covers that place', async () => {
    const store = await fresh()
    const { sequencer, proofs } = logOver(store)
    const id = await act(store)
    expect(await proofs.proofOf(id)).toBeUndefined()
    await expect(proofs.proofAt(0)).rejects.toMatchObject({ kind: 'not_found', code: 'not_logged' })
    const away = () => Promise.reject(new Error('the key is away'))
    const silent = openSequencer({ store, clock: { now: () => 1 }, origin, publicKey, sign: away })
    await expect(silent.runOnce()).rejects.toThrow('the key is away')
    expect(await sequencer.position(id)).toBe(0)
    expect(await proofs.proofOf(id)).toBeUndefined()
    await sequencer.runOnce()
    expect(verifyLogged(claimOf(await proved(proofs.proofOf(id))))).toBe(true)
  })

  test('what was never journalled has no proof', async () => {
    const store = await fresh()
    const { sequencer, proofs } = logOver(store)
    await acts(store, 3)
    await sequencer.runOnce()
    expect(await proofs.proofOf(timeId(Date.now()))).toBeUndefined()
    for (const index of [3, -1, 0.5, Number.NaN, 2 ** 60]) {
      await expect(proofs.proofAt(index)).rejects.toMatchObject({ code: 'not_logged' })
    }
  })

  test('a holder of one step shows offline that the step stands in the log, and nothing else of the record', async () => {
    const store = await fresh()
    const { sequencer, proofs } = logOver(store)
    await acts(store, 700)
    const step = createHash('sha256').update('parcel 12 is sold').digest('hex')
    const id = await act(store, ['00'.repeat(32), step])
    await sequencer.runOnce()
    const proof: RecordProof = JSON.parse(JSON.stringify(await proved(proofs.proofOf(id))))
    expect(proof.treeSize).toBe(701)
    const opening = proof.effects
    if (opening === undefined) throw new Error('the effects are not opened')
    expect(opening.value).toContain(step)
    expect(verifyField(bytes(proof.leaf), opening)).toBe(true)
    expect(verifyField(bytes(proof.leaf), { ...opening, value: [step] })).toBe(false)
    expect(verifyProof(proof.text, bytes(proof.leaf), vkey)).toBe(true)
    const [, head = '', root = ''] = proof.checkpoint.split('\n')
    expect(Number(head)).toBe(proof.treeSize)
    const rebuilt = rootBy(bytes(proof.leaf), proof.leafIndex, proof.treeSize, proof.path.map(bytes))
    expect(rebuilt.toString('base64')).toBe(root)
    expect(JSON.stringify(proof)).not.toContain('did:key')
  })

  test('the opening is gone with the readable record; the proof of place stays', async () => {
    const store = await fresh()
    const { sequencer, proofs } = logOver(store)
    const id = await act(store, ['ab'.repeat(32)])
    await sequencer.runOnce()
    await store.transaction(tx => tx.query('DELETE FROM journal_details'))
    const proof = await proved(proofs.proofOf(id))
    expect('effects' in proof).toBe(false)
    expect(verifyLogged(claimOf(proof))).toBe(true)
  })

  test('a record from before effects were journalled proves its place, and opens none', async () => {
    const store = await fresh()
    const { sequencer, proofs } = logOver(store)
    const id = timeId(1)
    const salt = Buffer.alloc(32, 1)
    const old = Object.fromEntries(journalSchemes['chancery journal v1'].map(field => [field, 'x'])) as JournalDetails
    // As the first version wrote it.
    const salts = Buffer.from(hkdfSync('sha256', salt, '', 'chancery journal v1', 9 * 32))
    const fields = Array.from({ length: 9 }, (_, at) =>
      sha256(salts.subarray(at * 32, at * 32 + 32), Buffer.from('"x"')),
    )
    const commitment = sha256(Buffer.from('chancery journal v1'), ...fields)
    expect(verifyDetails(commitment, salt, old)).toBe(true)
    await store.transaction(async tx => {
      tx.insert('journal', [{ id, commitment }])
      tx.insert('journal_details', [{ id, salt, record: JSON.stringify(old) }])
      tx.insert('journal_pending', [{ id, commitment }])
    })
    await acts(store, 2)
    await sequencer.runOnce()
    const proof = await proved(proofs.proofOf(id))
    expect(proof.effects).toBeUndefined()
    expect(verifyLogged(claimOf(proof))).toBe(true)
  })

  test('a proof takes five statements at most, wherever the record stands', async () => {
    const store = await fresh()
    const { sequencer } = logOver(store)
    const ids = await acts(store, 600)
    await sequencer.runOnce()
    let statements = 0
    const counted: Store = {
      ...store,
      read: (sql, params) => {
        statements += 1
        return store.read(sql, params)
      },
    }
    const proofs = openLogProofs(
      counted,
      openSequencer({
        ...{ store: counted, clock: { now: () => 1 }, origin, publicKey, sign: signing },
      }),
    )
    for (const id of [ids[0], ids[255], ids[256], ids[599]]) {
      statements = 0
      await proved(proofs.proofOf(id ?? ''))
      expect(statements).toBeLessThanOrEqual(5)
    }
  })

  test('every record of a random journal proves; a changed leaf, index, path or size does not', async () => {
    const store = await fresh()
    const { sequencer, proofs } = logOver(store)
    const ids: string[] = []
    const round = async (count: number, which: number, bit: number) => {
      ids.push(...(await acts(store, count)))
      await sequencer.runOnce()
      const proof = await proved(proofs.proofOf(ids[which % ids.length] ?? ''))
      const claim = claimOf(proof)
      expect(verifyLogged(claim)).toBe(true)
      expect(verifyProof(proof.text, claim.leaf, vkey)).toBe(true)
      for (const wrong of wrongs(proof, bit)) expect(verifyLogged({ ...claim, ...wrong })).toBe(false)
    }
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 90 }), fc.nat(), fc.nat(), round), { numRuns: 25 })
    for (const id of ids) expect(verifyLogged(claimOf(await proved(proofs.proofOf(id))))).toBe(true)
  })
})

const flipped = (data: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(data)
  const at = bit % (copy.length * 8)
  copy[at >> 3] = (copy[at >> 3] ?? 0) ^ (1 << (at & 7))
  return copy
}

/** A claim spoilt in one place: the smallest step away from the true one, in every direction. */
const wrongs = (proof: RecordProof, bit: number): Partial<ReturnType<typeof claimOf>>[] => {
  const { leaf, index, path, checkpoint } = claimOf(proof)
  const [name = '', size = '', root = '', ...rest] = checkpoint.split('\n')
  const head = (over: { size?: number; root?: Buffer; name?: string }) =>
    [over.name ?? name, over.size ?? size, (over.root ?? bytes(root)).toString('base64'), ...rest].join('\n')
  return [
    { leaf: flipped(leaf, bit) },
    { leaf: Buffer.concat([leaf, Buffer.of(0)]) },
    ...[index + 1, index - 1, index + proof.treeSize].map(wrong => ({ index: wrong })),
    ...path.map((hash, at) => ({ path: path.with(at, flipped(hash, bit)) })),
    ...path.map((_, at) => ({ path: path.toSpliced(at, 1) })),
    { path: [...path, leaf] },
    { path: [leaf, ...path] },
    { checkpoint: head({ size: proof.treeSize + 1 }) },
    { checkpoint: head({ size: Math.max(0, proof.treeSize - 1) }) },
    { checkpoint: head({ root: flipped(bytes(root), bit) }) },
    { checkpoint: head({ name: 'another.example/log' }) },
  ]
}

describe('a proof as a text', () => {
  const path = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
  const text = proofText({ index: 5, path, checkpoint: 'a\n\n— b AAAAAAA=\n' })

  it('is written as C2SP tlog-proof has it', () => {
    expect(text).toBe(
      `c2sp.org/tlog-proof@v1\nindex 5\n${'AQEB'.repeat(10)}AQE=\n${'AgIC'.repeat(10)}AgI=\n\na\n\n— b AAAAAAA=\n`,
    )
    expect(proofText({ index: 0, path: [], checkpoint: 'c\n' })).toBe('c2sp.org/tlog-proof@v1\nindex 0\n\nc\n')
  })

  it('reads back as what it was, whatever that was', () => {
    const hashes = fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 53 })
    fc.assert(
      fc.property(fc.nat(), hashes, fc.string(), (index, siblings, checkpoint) => {
        const read = parseProof(proofText({ index, path: siblings, checkpoint }))
        expect(read).toEqual({ index, path: siblings.map(hash => Buffer.from(hash)), checkpoint })
      }),
    )
  })

  it('may carry extra data, which prove nothing and change nothing', () => {
    expect(parseProof(text.replace('index', 'extra AAEC\nindex'))).toEqual(parseProof(text))
  })

  it.each([
    ['another version', text.replace('@v1', '@v2')],
    ['no index', text.replace('index 5\n', '')],
    ['an index with a zero in front', text.replace('index 5', 'index 05')],
    ['a negative index', text.replace('index 5', 'index -1')],
    ['an index beyond what a number holds', text.replace('index 5', 'index 9999999999999999')],
    ['two lines of extra data', text.replace('index', 'extra AAEC\nextra AAEC\nindex')],
    ['extra data after the index', text.replace('index 5\n', 'index 5\nextra AAEC\n')],
    ['a hash of 31 bytes', text.replace('AQE=', 'AQ==')],
    ['a hash in another alphabet', text.replace('AQEB', '____')],
    ['spaces after a hash', text.replace('AQE=', 'AQE= ')],
    ['line ends of another system', text.replaceAll('\n', '\r\n')],
    ['no checkpoint', text.slice(0, text.indexOf('\n\n'))],
    ['a path longer than any tree is high', proofText({ index: 5, path: Array(54).fill(path[0]), checkpoint: 'a\n' })],
    ['nothing', ''],
  ])('with %s is none', (_, spoilt) => {
    expect(parseProof(spoilt)).toBeUndefined()
    expect(verifyProof(spoilt, Buffer.alloc(32), vkey)).toBe(false)
  })

  it('never makes a reader stumble', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), (any, leaf) => {
        expect(verifyProof(any, leaf, vkey)).toBe(false)
        expect(verifyProof(`c2sp.org/tlog-proof@v1\nindex 0\n\n${any}`, leaf, vkey)).toBe(false)
      }),
    )
  })
})

describe('whose proof it is', () => {
  const leaf = Buffer.from('an entry')
  const claimUnder = async (name: string, signer = privateKey, shown = publicKey) => {
    const text = `${name}\n1\n${sha256(Buffer.of(0), leaf).toString('base64')}\n`
    const note = await signNote(text, { name: origin, publicKey: shown }, async data => sign(null, data, signer))
    return { leaf, index: 0, path: [], checkpoint: note, verifierKey: vkey }
  }

  it('is that of the log whose key signed it', async () => {
    expect(verifyLogged(await claimUnder(origin))).toBe(true)
  })

  it('is not that of another log which the same key signs for', async () => {
    expect(verifyLogged(await claimUnder('agency.example/other'))).toBe(false)
  })

  it('is not that of a key which only goes by the same name', async () => {
    const other = keyPair()
    expect(verifyLogged(await claimUnder(origin, other.privateKey, other.publicKey))).toBe(false)
  })

  it('can be told with nothing but the key itself', async () => {
    const { checkpoint } = await claimUnder(origin)
    const [signed = '', line = ''] = checkpoint.split('\n\n')
    const raw = bytes(vkey.split('+').slice(2).join('+')).subarray(1)
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw])
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    const signature = bytes(line.trim().split(' ')[2] ?? '').subarray(4)
    expect(verify(null, Buffer.from(`${signed}\n`), key, signature)).toBe(true)
  })
})

describe('a verifier key', () => {
  it('reads back as the key it was written from', () => {
    for (let round = 0; round < 50; round += 1) {
      const key = { name: origin, publicKey: keyPair().publicKey }
      expect(parseVerifierKey(verifierKey(key))).toEqual(key)
    }
  })

  const [name = '', id = '', ...key] = vkey.split('+')
  it.each([
    ['another name than its id was made for', ['other.example', id, ...key].join('+')],
    ['another id', [name, id === '00000000' ? '11111111' : '00000000', ...key].join('+')],
    ['an id in capitals', [name, 'ABCDEF01', ...key].join('+')],
    ['another algorithm', [name, id, Buffer.alloc(33, 2).toString('base64')].join('+')],
    ['a key too short', [name, id, Buffer.alloc(32, 1).toString('base64')].join('+')],
    ['a name with a space', [`a ${name}`, id, ...key].join('+')],
    ['no key', `${name}+${id}`],
    ['nothing', ''],
  ])('with %s is none, and nothing verifies under it', (_, spoilt) => {
    expect(parseVerifierKey(spoilt)).toBeUndefined()
    expect(
      verifyLogged({
        leaf: Buffer.alloc(1),
        index: 0,
        path: [],
        checkpoint: 'x\n\n— x AAAAAAA=\n',
        verifierKey: spoilt,
      }),
    ).toBe(false)
  })
})
