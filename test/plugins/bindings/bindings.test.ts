import { Wallet } from 'ethers'
import fc from 'fast-check'
import { anonymous, type Caller, type HolderCaller } from '../../../src/kernel/gate.ts'
import type { ChainWrite } from '../../../src/kernel/ports.ts'
import { retention } from '../../../src/plugins/bindings/entities.ts'
import { bindingsMost, keepMs } from '../../../src/plugins/bindings/policy.ts'
import { walletStatement } from '../../../src/plugins/bindings/statement.ts'
import { erase } from '../../../src/store/retention.ts'
import { citizenOf, codeOf, domain, type Issuer, issuer, onBothDatabases, start } from './fixture.ts'

const rows = (at: Issuer) => at.store.read('SELECT * FROM wallet_bindings ORDER BY id')
const staff = (...scopes: string[]): Caller => ({ kind: 'apiKey', id: 'k', scopes })
const messageOf = (answer: Record<string, unknown>) =>
  (answer['typedData'] as { message: Record<string, string | number> }).message

/** Places in binding lists whose bits these writes set. */
const bitsOf = (writes: readonly ChainWrite[]): string[] =>
  writes
    .filter(({ method }) => method === 'setBitsIn')
    .flatMap(({ args }) => {
      const [, lists, words, masks] = args as [string, number[], number[], bigint[]]
      return lists.flatMap((list, at) => {
        if (list < 32_768) return []
        const bits = [
          ...BigInt(masks[at] as bigint)
            .toString(2)
            .padStart(256, '0'),
        ]
        return bits.flatMap((bit, index) => (bit === '1' ? [`${list}:${(words[at] as number) * 256 + index}`] : []))
      })
    })

onBothDatabases((open, place) => {
  it('binds a wallet to the pseudonym of its holder, with a place of its own and what the attestation says', async () => {
    const at = await open()
    const { caller, wallet, bodyOf, number, kyc } = await citizenOf(at)
    const answer = await at.call('bindWallet', caller, await bodyOf())
    const [row] = await rows(at)
    expect(messageOf(answer)).toMatchObject({
      ...{ issuer, wallet: wallet.address.toLowerCase(), level: 2, jurisdiction: '0x584e', list: 32_768, index: 0 },
      ...{ expiry: Math.floor(Date.parse('2027-03-02T00:00:00Z') / 1_000), deadline: start / 1_000 + 86_400 },
    })
    expect(at.state.asked).toEqual([number])
    expect(row).toMatchObject({
      wallet: wallet.address.toLowerCase(),
      holder: kyc.holder,
      credential: kyc.credentialId,
      relay: null,
    })
    expect(answer).toMatchObject({ relayed: false, expires: '2027-03-02T00:00:00.000Z' })
    expect(at.state.sent).toEqual([])
  })

  it('hands the binding in for the citizen who asks for it', async () => {
    const at = await open()
    const { caller, bodyOf } = await citizenOf(at)
    const answer = await at.call('bindWallet', caller, await bodyOf({ relay: true }))
    const [write] = at.state.sent.flat()
    expect(write).toMatchObject({ contract: 'WalletRegistry', method: 'bind', account: issuer })
    expect(write?.args[1]).toBe(answer['signature'])
    expect((await rows(at))[0]?.['relay']).not.toBeNull()
  })

  it('binds no longer than the credential lasts, if that ends before the attestation', async () => {
    const at = await open()
    const { caller, bodyOf } = await citizenOf(at, { validUntil: start + 3_600_000 })
    const answer = await at.call('bindWallet', caller, await bodyOf())
    expect(answer).toMatchObject({ expires: '2026-06-01T13:00:00.000Z', handInBefore: '2026-06-01T13:00:00.000Z' })
  })

  it('takes attestations that were joined by a pseudonym', async () => {
    const at = await open()
    const { caller, kyc, identity, bodyOf } = await citizenOf(at)
    const matched = { kycPairwise: kyc, identityPairwise: identity }
    expect(await at.call('bindWallet', { ...caller, matched }, await bodyOf())).toMatchObject({ relayed: false })
  })

  it('names a wallet that is replaced', async () => {
    const at = await open()
    const { caller, bodyOf } = await citizenOf(at)
    const replaces = Wallet.createRandom().address
    const answer = await at.call('bindWallet', caller, await bodyOf({ replaces }))
    expect(messageOf(answer)['replaces']).toBe(replaces.toLowerCase())
  })

  it('gives the same answer under the same key, and takes no second place', async () => {
    const at = await open()
    const { caller, bodyOf } = await citizenOf(at)
    const body = await bodyOf({ relay: true })
    const answers = [
      await at.call('bindWallet', caller, body, { key: 'a' }),
      await at.call('bindWallet', caller, body, { key: 'a' }),
    ]
    expect(answers[1]).toEqual(answers[0])
    expect([await rows(at), at.state.sent].map(({ length }) => length)).toEqual([1, 1])
    expect(await codeOf(at.call('bindWallet', caller, await bodyOf(), { key: 'a' }))).toBe('idempotency_mismatch')
  })

  describe('refuses to bind', () => {
    it('for anybody but the holder of both attestations', async () => {
      const at = await open()
      const { caller, kyc, bodyOf } = await citizenOf(at)
      const body = await bodyOf()
      const one: HolderCaller = { ...caller, credentials: [kyc], matched: { kyc } }
      const codes = [anonymous, staff('bindings:revoke'), one].map(each => codeOf(at.call('bindWallet', each, body)))
      expect(await Promise.all(codes)).toEqual(['unauthenticated', 'holder_only', 'credential_missing'])
      expect(at.state.asked).toEqual([])
    })

    it.each<[string, (of: Awaited<ReturnType<typeof citizenOf>>) => Promise<Record<string, unknown>>]>([
      [
        'another wallet than the one that signed',
        async ({ bodyOf }) => ({ ...(await bodyOf()), wallet: Wallet.createRandom().address }),
      ],
      ['a wallet of somebody else', async ({ bodyOf }) => bodyOf({}, Wallet.createRandom())],
      ['another domain than the wallet signed', async ({ bodyOf }) => ({ ...(await bodyOf()), domain: 'cbdc:xne' })],
      [
        'another time than the wallet signed',
        async ({ bodyOf }) => ({ ...(await bodyOf()), signedAt: new Date(start - 1_000).toISOString() }),
      ],
      ['no signature at all', async ({ bodyOf }) => ({ ...(await bodyOf()), walletSignature: `0x${'00'.repeat(65)}` })],
      [
        'a statement for another institution',
        async ({ bodyOf, wallet, kyc }) => {
          const body = await bodyOf()
          const of = { wallet: wallet.address, domain, signedAt: String(body['signedAt']), holderKey: kyc.holderKey }
          const statement = walletStatement({ ...of, institution: 'https://other.example' })
          return { ...body, walletSignature: await wallet.signMessage(statement) }
        },
      ],
      [
        'a statement for another holder',
        async ({ bodyOf, wallet }) => {
          const body = await bodyOf()
          const of = { wallet: wallet.address, domain, signedAt: String(body['signedAt']), holderKey: 'other' }
          const statement = walletStatement({ ...of, institution: 'https://bank.example' })
          return { ...body, walletSignature: await wallet.signMessage(statement) }
        },
      ],
    ])('%s', async (_, bodyFor) => {
      const at = await open()
      const citizen = await citizenOf(at)
      expect(await codeOf(at.call('bindWallet', citizen.caller, await bodyFor(citizen)))).toBe(
        'wallet_signature_invalid',
      )
      expect([at.state.asked, await rows(at)]).toEqual([[], []])
    })

    it('on a signature from long ago or from the future', async () => {
      const at = await open()
      const { caller, bodyOf } = await citizenOf(at)
      for (const ms of [-600_001, 61_000]) {
        const body = await bodyOf({ signedAt: new Date(start + ms).toISOString() })
        expect(await codeOf(at.call('bindWallet', caller, body))).toBe('wallet_signature_old')
      }
    })

    it('a wallet in its own place', async () => {
      const at = await open()
      const { caller, wallet, bodyOf } = await citizenOf(at)
      const body = await bodyOf({ replaces: wallet.address.toLowerCase() })
      expect(await codeOf(at.call('bindWallet', caller, body))).toBe('wallet_replaces_itself')
    })

    it('while the root does not let the institution, and before anything is derived', async () => {
      const at = await open()
      at.state.mayBind = false
      const { caller, bodyOf } = await citizenOf(at)
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('binding_right_missing')
      expect(at.state.asked).toEqual([])
    })

    it('while the root authority does not answer', async () => {
      const at = await open()
      at.state.rootAnswers = false
      const { caller, bodyOf } = await citizenOf(at)
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('pseudonyms_unavailable')
      expect(await rows(at)).toEqual([])
    })

    it('a wallet that stands for another person, not one that stands for this one', async () => {
      const at = await open()
      const { caller, wallet, bodyOf } = await citizenOf(at)
      const bound = {
        valid: true as const,
        wallet: '',
        domain: '',
        issuer,
        level: 2,
        jurisdiction: 'XN',
        expiry: 0,
        list: 0,
        index: 0,
      }
      const key = wallet.address.toLowerCase()
      at.state.standings.set(key, { ...bound, pseudonym: 'another' })
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('wallet_taken')
      at.state.standings.clear()
      const answer = await at.call('bindWallet', caller, await bodyOf())
      const pseudonym = Buffer.from(String(messageOf(answer)['pseudonym']).slice(2), 'hex').toString('base64url')
      at.state.standings.set(key, { ...bound, pseudonym })
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('it went through')
    })

    it.each(['revocation', 'suspension'] as const)('under an attestation after its %s', async purpose => {
      const at = await open()
      const { caller, credentialId, bodyOf } = await citizenOf(at)
      await at.decide([credentialId], purpose)
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('kyc_ended')
      if (purpose === 'revocation') return
      await at.decide([credentialId], purpose, false)
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('it went through')
    })

    it('under an attestation that this agency does not have', async () => {
      const at = await open()
      const { caller, bodyOf } = await citizenOf(at, { credentialId: 'urn:uuid:other' })
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('kyc_ended')
    })

    it('more than one attestation may carry', async () => {
      const at = await open()
      const { caller, bodyOf } = await citizenOf(at)
      for (let n = 0; n < bindingsMost; n++) await at.call('bindWallet', caller, await bodyOf())
      expect(await codeOf(at.call('bindWallet', caller, await bodyOf()))).toBe('bindings_exhausted')
    })

    it.each([
      ['a malformed address', { wallet: '0x12' }],
      ['a malformed domain', { domain: 'A' }],
      ['a time without a zone', { signedAt: '2026-06-01T12:00:00' }],
      ['more than it knows', { pseudonym: 'x' }],
    ])('with %s', async (_, changes) => {
      const at = await open()
      const { caller, bodyOf } = await citizenOf(at)
      expect(await codeOf(at.call('bindWallet', caller, { ...(await bodyOf()), ...changes }))).toBe('body_invalid')
    })
  })

  describe('a decision about attestations', () => {
    it.each(['revocation', 'suspension'] as const)(
      'sets the bits of their bindings with the %s, each once',
      async purpose => {
        const at = await open()
        const people = [await citizenOf(at), await citizenOf(at), await citizenOf(at)]
        for (const { caller, bodyOf } of people) {
          for (const name of [domain, 'register:land'])
            await at.call('bindWallet', caller, await bodyOf({ domain: name }))
        }
        await at.decide(
          people.slice(0, 2).map(({ credentialId }) => credentialId),
          purpose,
        )
        expect(at.state.sent.map(({ length }) => length)).toEqual([1])
        expect(bitsOf(at.state.sent.flat()).sort()).toEqual(['32768:0', '32768:1', '32768:2', '32768:3'])
        const ended = (await rows(at)).map(row => [Number(row['ended_at']), row['ended_why']])
        expect(ended).toEqual([...Array(4).fill([start, purpose]), ...Array(2).fill([0, null])])
        at.state.sent.length = 0
        if (purpose === 'suspension') await at.decide([people[0]?.credentialId as string], 'suspension', false)
        expect(bitsOf(at.state.sent.flat())).toEqual([])
      },
    )

    it('that is refused sets none', async () => {
      const at = await open()
      const { caller, credentialId, bodyOf } = await citizenOf(at)
      await at.call('bindWallet', caller, await bodyOf())
      expect(await codeOf(at.decide([credentialId, 'urn:uuid:other'], 'revocation'))).toBe('credential_unknown')
      expect([at.state.sent, (await rows(at))[0]?.['ended_at']]).toEqual([[], null])
    })

    it('and bindings at the same moment leave no binding alive, in whatever order they come', async () => {
      const where = await place()
      const [one, other] = [await open(where), await open(where)]
      let index = 1_000
      for (const each of [one, other]) each.needs.allot = async () => ({ list: 32_768, index: index++ })
      for (let round = 0; round < 5; round++) {
        const { caller, credentialId, bodyOf } = await citizenOf(one)
        const bodies = await Promise.all([bodyOf(), bodyOf(), bodyOf()])
        const work = [
          ...bodies.map((body, n) => (n % 2 ? one : other).call('bindWallet', caller, body)),
          new Promise(done => setTimeout(done, round)).then(() => one.decide([credentialId], 'revocation')),
        ]
        await Promise.allSettled(work)
        const alive = await one.store.read('SELECT id FROM wallet_bindings WHERE ended_at IS NULL')
        expect(alive).toEqual([])
      }
    })
  })

  describe('ending a binding', () => {
    const bound = async (at: Issuer) => {
      const citizen = await citizenOf(at)
      const { id } = await at.call('bindWallet', citizen.caller, await citizen.bodyOf())
      return {
        ...citizen,
        end: (caller: Caller) => at.call('endWalletBinding', caller, undefined, { params: { binding: String(id) } }),
        revoke: (caller: Caller, reason = 'reported stolen') =>
          at.call('revokeWalletBinding', caller, { reason }, { params: { binding: String(id) } }),
      }
    }

    it('sets its bit for its holder', async () => {
      const at = await open()
      const { caller, end } = await bound(at)
      expect(await end(caller)).toMatchObject({ state: 'ended', chain: 'queued' })
      expect(bitsOf(at.state.sent.flat())).toEqual(['32768:0'])
      expect((await rows(at))[0]).toMatchObject({ ended_why: 'holder' })
    })

    it('sets its bit for staff, who say why', async () => {
      const at = await open()
      const { revoke } = await bound(at)
      await revoke(staff('bindings:revoke'))
      expect((await rows(at))[0]).toMatchObject({ ended_why: 'reported stolen' })
    })

    it('is refused to everybody else', async () => {
      const at = await open()
      const { caller, kyc, end, revoke } = await bound(at)
      const stranger = await citizenOf(at)
      const foreign: HolderCaller = { ...caller, credentials: [{ ...kyc, own: false }] }
      const without: HolderCaller = { ...caller, credentials: [] }
      expect(await codeOf(end(anonymous))).toBe('unauthenticated')
      expect(await codeOf(end(staff('bindings:revoke')))).toBe('holder_only')
      for (const each of [caller, anonymous]) expect(await codeOf(revoke(each))).toMatch(/staff_only|unauthenticated/)
      expect(await codeOf(revoke(staff('credentials:issue')))).toBe('scope_missing')
      expect(await codeOf(revoke(staff('bindings:revoke'), ''))).toBe('body_invalid')
      for (const each of [stranger.caller, foreign, without]) expect(await codeOf(end(each))).toBe('binding_unknown')
      expect(await codeOf(end({ kind: 'agency', id: 'did:x' }))).toBe('holder_only')
      expect(await codeOf(at.call('endWalletBinding', caller, undefined, { params: { binding: 'x' } }))).toBe(
        'binding_unknown',
      )
      expect(at.state.sent).toEqual([])
    })

    it('happens once, however many ask at the same moment, and not after a revocation', async () => {
      const at = await open()
      const { caller, end, revoke, credentialId } = await bound(at)
      const answers = await Promise.allSettled([end(caller), revoke(staff('bindings:revoke')), end(caller)])
      const refused = answers.flatMap(answer => (answer.status === 'rejected' ? [answer.reason.code] : []))
      expect(refused).toEqual(['binding_ended', 'binding_ended'])
      at.state.sent.length = 0
      await at.decide([credentialId], 'revocation')
      expect(bitsOf(at.state.sent.flat())).toEqual([])
      expect(await codeOf(end(caller))).toBe('binding_ended')
    })
  })

  it('lists a citizen’s own bindings by what has become of them', async () => {
    const at = await open()
    const { caller, wallet, kyc, bodyOf } = await citizenOf(at)
    const stranger = await citizenOf(at)
    await at.call('bindWallet', stranger.caller, await stranger.bodyOf())
    const { id } = await at.call('bindWallet', caller, await bodyOf())
    const list = async () => {
      const answer = await at.call('listWalletBindings', { ...caller, matched: { kyc } })
      return answer['items'] as unknown as { id: string; state: string; wallet: string }[]
    }
    const states: string[] = []
    const look = async () => states.push((await list()).map(item => item.state).join())
    await look()
    const standing = {
      wallet: '',
      domain,
      pseudonym: '',
      issuer,
      level: 2,
      jurisdiction: 'XN',
      expiry: 0,
      list: 32_768,
    }
    at.state.standings.set(wallet.address.toLowerCase(), { valid: true, ...standing, index: 1 })
    await look()
    at.state.standings.set(wallet.address.toLowerCase(), { valid: true, ...standing, index: 0 })
    await look()
    at.state.now = start + 25 * 3_600_000
    await look()
    at.state.now = Date.parse('2027-03-03T00:00:00Z')
    await look()
    await at.call('endWalletBinding', caller, undefined, { params: { binding: String(id) } })
    await look()
    expect(states).toEqual(['signed', 'bound', 'signed', 'lapsed', 'expired', 'ended'])
    expect(await list()).toMatchObject([{ id, wallet: wallet.address.toLowerCase() }])
    expect(await codeOf(at.call('listWalletBindings', anonymous))).toBe('unauthenticated')
    expect(await codeOf(at.call('listWalletBindings', staff('bindings:revoke')))).toBe('holder_only')
  })

  it('forgets who stood behind a wallet five years after the binding ran out', async () => {
    const at = await open()
    const { caller, bodyOf } = await citizenOf(at)
    await at.call('bindWallet', caller, await bodyOf())
    at.state.now = Date.parse('2027-03-02T00:00:00Z') + keepMs
    expect(await erase(at.store, at.clock, [...retention])).toEqual({ wallet_bindings: 0 })
    at.state.now += 1
    expect(await erase(at.store, at.clock, [...retention])).toEqual({ wallet_bindings: 1 })
  })
})

describe('the statement that a wallet signs', () => {
  it('tells any two requests apart', () => {
    const line = fc.stringMatching(/^[!-~]{1,12}$/)
    const of = fc.record({ wallet: line, institution: line, domain: line, holderKey: line, signedAt: line })
    fc.assert(
      fc.property(of, of, (one, other) => {
        const isSame = JSON.stringify(one) === JSON.stringify(other)
        expect(walletStatement(one) === walletStatement(other)).toBe(isSame)
      }),
    )
  })

  it('is what the contract of the operation says', () => {
    const of = { wallet: '0xW', institution: 'https://i', domain: 'd', holderKey: 'k', signedAt: 't' }
    const lines = [
      'I bind this wallet to me.',
      '',
      'Wallet: 0xW',
      'Institution: https://i',
      'Domain: d',
      'Holder key: k',
      'Signed at: t',
    ]
    expect(walletStatement(of)).toBe(lines.join('\n'))
  })
})
