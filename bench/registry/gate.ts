import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from '../child.ts'
import type { BenchOptions, Figure } from '../harness.ts'
import { exampleOf, Ground, wanted } from '../issuers.ts'
import type { GateResult, GateRun } from './gate-run.ts'
import type { VeramoPresented, VeramoRun } from './veramo-presentation.ts'

/** What a call costs at the gate: in a session that is open, and with two credentials presented for it. */

export const openGateFigures = ({ quick }: BenchOptions): { figures: Figure[]; close(): Promise<void> } => {
  const ground = new Ground()
  const types = wanted.map(({ type }) => type)

  const measured = async (task: GateRun['task'], count: number, inFlight: number): Promise<GateResult> => {
    const holder = await ground.prepared()
    const scratchDir = join(ground.dir, task)
    mkdirSync(scratchDir, { recursive: true })
    const run: GateRun = { task, ...holder, types, nationDir: ground.nationDir, scratchDir, count, inFlight }
    return measure<GateResult>('registry/gate-run.ts', run)
  }

  const figures: Figure[] = [
    {
      ...{ name: 'gate.session', unit: 'µs', better: 'less', goal: { atMost: 100 } },
      async run() {
        const inFlight = 16
        const { micros, mainMicros, joseMicros = 0 } = await measured('session', quick ? 4_000 : 40_000, inFlight)
        const note = `an admission in an open session with two credentials, ${inFlight} in flight; ${mainMicros.toFixed(0)} µs of it on the main thread`
        return { value: micros, peer: { name: 'jose, a JWT and DPoP', value: joseMicros }, note }
      },
    },
    {
      ...{ name: 'gate.presentation', unit: 'ms', better: 'less', goal: { atMost: 1 } },
      async run() {
        const { micros, mainMicros } = await measured('presentation', quick ? 500 : 3_000, 1)
        const input: VeramoRun = { types, subject: exampleOf(wanted[0].slug), count: quick ? 60 : 400 }
        const veramo = await measure<VeramoPresented>('registry/veramo-presentation.ts', input)
        const note = `two SD-JWTs, four signatures, one after the other; ${mainMicros.toFixed(0)} µs on the main thread`
        return { value: micros / 1_000, peer: { name: 'Veramo 7.0.1', value: veramo.micros / 1_000 }, note }
      },
    },
  ]
  return { figures, close: () => ground.close() }
}
