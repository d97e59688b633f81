import fc from 'fast-check'
import { Refusal } from '../../../src/kernel/refusal.ts'
import { openChallenges } from '../../../src/plugins/gate/challenges.ts'

const clock = { time: 1_760_000_000_000, now: () => clock.time }
const secret = Buffer.alloc(32, 7)
const audience = 'https://office.example'
const challenges = openChallenges({ secret, clock, audience })

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'good'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

const digest = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/)
const params = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ maxLength: 20 }), { maxKeys: 3 })
const act = fc.record({ operationId: fc.stringMatching(/^[a-z]{1,12}$/), params, bodySha256: digest })

describe('a challenge for one act', () => {
  it('is good for exactly the act that it was given out for', () => {
    fc.assert(
      fc.property(act, act, (one, other) => {
        const { challenge } = challenges.forAct(one)
        expect(codeOf(() => challenges.checkAct(challenge, one))).toBe('good')
        const mixed = [
          { ...one, operationId: other.operationId },
          { ...one, params: other.params },
          { ...one, bodySha256: other.bodySha256 },
        ]
        for (const each of mixed) {
          const isSame = JSON.stringify(each) === JSON.stringify(one)
          if (!isSame) expect(codeOf(() => challenges.checkAct(challenge, each))).toBe('challenge_mismatch')
        }
      }),
    )
  })

  it('is nobody’s when a character of it is changed', () => {
    const one = { operationId: 'pay', params: { to: 'x' }, bodySha256: 'A'.repeat(43) }
    const { challenge } = challenges.forAct(one)
    fc.assert(
      fc.property(fc.nat(challenge.length - 1), fc.constantFrom('A', 'b', '0', '.', '~'), (at, letter) => {
        fc.pre(challenge[at] !== letter)
        const changed = challenge.slice(0, at) + letter + challenge.slice(at + 1)
        expect(['challenge_unknown', 'challenge_mismatch']).toContain(codeOf(() => challenges.checkAct(changed, one)))
      }),
    )
    expect(codeOf(() => challenges.checkAct(`${challenge}.x`, one))).toBe('challenge_mismatch')
  })

  it('is not good for a session, at another agency, or at the same agency under another address', () => {
    const one = { operationId: 'pay', params: {}, bodySha256: 'A'.repeat(43) }
    const { challenge } = challenges.forAct(one)
    const [nonce = ''] = challenge.split('.')
    expect(codeOf(() => challenges.checkSession(nonce, ''))).toBe('challenge_mismatch')
    const stranger = openChallenges({ secret: Buffer.alloc(32, 8), clock, audience })
    expect(codeOf(() => stranger.checkAct(challenge, one))).toBe('challenge_unknown')
    const moved = openChallenges({ secret, clock, audience: 'https://elsewhere.example' })
    expect(codeOf(() => moved.checkAct(challenge, one))).toBe('challenge_mismatch')
  })
})

describe('a challenge for a session', () => {
  it('is good for one key, for five minutes, in every process that has the secret', () => {
    const { challenge, expires } = challenges.forSession('key-1')
    expect(expires - clock.time).toBe(300_000)
    const second = openChallenges({ secret, clock, audience })
    expect(codeOf(() => second.checkSession(challenge, 'key-1'))).toBe('good')
    expect(codeOf(() => second.checkSession(challenge, 'key-2'))).toBe('challenge_mismatch')
    clock.time += 300_000
    expect(codeOf(() => challenges.checkSession(challenge, 'key-1'))).toBe('challenge_expired')
  })
})
