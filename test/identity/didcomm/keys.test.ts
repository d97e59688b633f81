import { PrivateKey } from '@veramo/data-store'
import { agreementJwk, ephemeralKey, obtainAgreementKeys } from '../../../src/identity/didcomm/agreement-keys.ts'
import { openKeys } from '../../../src/identity/keys.ts'
import { scratch } from '../scratch.ts'

const files = scratch()
const did = 'did:web:transport.example'

describe('keys for key agreement', () => {
  const masterKey = files.masterKey()
  const open = (directory: string) =>
    openKeys({ agency: 'transport', directory, masterKey, clock: { now: () => 1_700_000_000_000 } })

  it('are made once, one a curve, found again after a restart, and lead to what the other side computes', async () => {
    const directory = files.path('again')
    const keys = await open(directory)
    const made = await obtainAgreementKeys(keys, did)
    expect(made.map(({ curve }) => curve)).toEqual(['X25519', 'P-384', 'P-256'])
    expect(made[0]?.kid).toMatch(/^did:web:transport\.example#z6LS/)
    await keys.close()
    const again = await open(directory)
    const found = await obtainAgreementKeys(again, did)
    expect(found.map(({ kid }) => kid)).toEqual(made.map(({ kid }) => kid))
    for (const own of found) {
      const theirs = ephemeralKey(own.curve)
      expect(await own.agree(theirs.publicKey)).toEqual(await theirs.agree(own.publicKey))
    }
    await again.close()
  })

  it('take the place of one that a start left half made', async () => {
    const keys = await open(files.path('stray'))
    const stray = { alias: 'didcomm.1', type: 'X25519' as const, privateKeyHex: 'sealed' }
    await keys.store.dataSource.getRepository(PrivateKey).save(stray)
    const [first] = await obtainAgreementKeys(keys, did)
    const theirs = ephemeralKey('X25519')
    expect(await first?.agree(theirs.publicKey)).toHaveLength(32)
    await keys.close()
  })

  it('are sealed at rest, and no signing key is among them', async () => {
    const keys = await open(files.path('sealed'))
    const [first] = await obtainAgreementKeys(keys, did)
    const rows = await keys.store.dataSource.getRepository(PrivateKey).find()
    const { privateKeyHex } = rows.find(({ alias }) => alias === 'didcomm.1') as PrivateKey
    expect(privateKeyHex.length).toBeGreaterThan(64)
    expect(agreementJwk((first as { publicKey: Parameters<typeof agreementJwk>[0] }).publicKey).crv).toBe('X25519')
    const signing = await keys.obtain({ kind: 'P-256', alias: 'signing' })
    const theirs = ephemeralKey('P-256')
    await expect(keys.agree(signing.keyId, theirs.publicKey)).rejects.toMatchObject({ code: 'algorithm_mismatch' })
    await expect(keys.agree('nobody.1', theirs.publicKey)).rejects.toMatchObject({ code: 'key_unknown' })
    await keys.close()
  })
})
