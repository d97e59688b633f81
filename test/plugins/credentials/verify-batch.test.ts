import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../../service.ts'

/** Jest keeps unhandled rejections from the process, so this runs in one of its own. */
const script = `
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyBatch } from './src/plugins/credentials/actions/verify.ts'
const verify = async credential => {
  if (credential === '1') throw new Error('the disk is gone')
  await sleep(50)
  return { verified: true, checks: [], at: 0 }
}
const lines = async function* () {
  for (let n = 0; n < 3; n++) yield { verifiableCredential: String(n) }
}
const context = { caller: { kind: 'apiKey', id: 'k', scopes: ['credentials:verify'] } }
try {
  for await (const answer of verifyBatch({ identity: { verify } }, context, lines())) console.log(answer.line)
} catch (error) {
  console.log(error.message)
}
`

describe('verifying many credentials', () => {
  it('throws a defect when its line has its turn, and does not end the process before', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: root })
    expect(stdout).toBe('1\nthe disk is gone\n')
  })
})
