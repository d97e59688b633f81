import { verifyCredential } from '../../src/identity/verify.ts'
import { answer, readInput } from '../child.ts'
import { followNation } from './nation.ts'
import { type Spun, spin } from './spin.ts'

/**
 * Verification in process: a verifier with a follower of its own on the nation's chain, every check on. Each credential
 * of the pool comes round again after all the others; nothing of its verdict is kept anywhere.
 */

export type VerifyRun = {
  credentials: string[]
  nationDir: string
  scratchDir: string
  seconds: number
  warmSeconds: number
  inFlight: number
}
export type VerifyResult = Spun

const run = await readInput<VerifyRun>()
const needs = await followNation(run.nationDir, run.scratchDir)

const { credentials } = run
const result = await spin(async piece => {
  const verdict = await verifyCredential(credentials[piece % credentials.length], needs)
  if (!verdict.verified || verdict.block === undefined) throw new Error(JSON.stringify(verdict.refusal))
}, run)
answer(result satisfies VerifyResult)
