import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../../src/kernel/plugin.ts'
import { verifyBatch } from '../../../src/plugins/credentials/actions/verify.ts'
import type { CredentialsNeeds } from '../../../src/plugins/credentials/needs.ts'

const context = { caller: { kind: 'apiKey', id: 'k', scopes: ['credentials:verify'] } } as unknown as Context
const lines = async function* () {
  for (let n = 0; n < 3; n++) yield { verifiableCredential: String(n) }
}

describe('verifying many credentials', () => {
  it('throws a defect when its line has its turn, and leaves no rejection that nobody handles', async () => {
    const verify = async (credential: unknown) => {
      if (credential === '1') throw new Error('the disk is gone')
      await sleep(50)
      return { verified: true, checks: [], at: 0 }
    }
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    const answers: unknown[] = []
    const work = (async () => {
      const needs = { identity: { verify } } as unknown as CredentialsNeeds
      for await (const answer of verifyBatch(needs, context, lines())) answers.push(answer)
    })()
    await expect(work).rejects.toThrow('the disk is gone')
    await sleep(10)
    process.off('unhandledRejection', note)
    expect([answers.length, unhandled.length]).toEqual([1, 0])
  })
})
