import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from '../child.ts'
import type { Figure, Group } from '../harness.ts'
import { Ground } from '../issuers.ts'
import type { IntegrityResult, IntegrityRun } from '../standards/credential.ts'
import type { SdJwtResult, SdJwtRun } from '../standards/sd-jwt-run.ts'

/** Open formats and protocols, beside the libraries that others would use for them. */

const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let kept: Promise<T> | undefined
  return () => {
    kept ??= work()
    return kept
  }
}

export const group: Group = {
  name: 'standards',
  open({ quick, say }) {
    const times = quick ? { seconds: 3, warmSeconds: 1 } : { seconds: 10, warmSeconds: 3 }
    const integrity = (who: IntegrityRun['who']) =>
      once(() => {
        say(`eddsa-rdfc-2022, ${who}`)
        return measure<IntegrityResult>('standards/integrity.ts', { who, ...times } satisfies IntegrityRun)
      })
    const own = integrity('own')
    const peer = integrity('peer')
    const figure = (act: keyof IntegrityResult): Figure => ({
      name: `di.${act}`,
      unit: '1/s',
      better: 'more',
      goal: { atLeast: 1_500 },
      run: async () => ({
        value: (await own())[act],
        peer: { name: '@digitalbazaar/vc 7.3.0', value: (await peer())[act] },
      }),
    })
    const ground = new Ground()
    const sdJwt: Figure = {
      ...{ name: 'sdjwt.verify', unit: '1/s', better: 'more', goal: { atLeast: 6_000 } },
      async run() {
        const { credentials, jwk } = await ground.prepared()
        const scratchDir = join(ground.dir, 'sd-jwt')
        mkdirSync(scratchDir, { recursive: true })
        const run: SdJwtRun = {
          credential: credentials[0] ?? '',
          jwk,
          nationDir: ground.nationDir,
          scratchDir,
          ...times,
        }
        const result = await measure<SdJwtResult>('standards/sd-jwt-run.ts', run)
        const note = `with key binding; ${result.cpuMicros.toFixed(0)} µs of CPU each, ${result.mainMicros.toFixed(0)} of them on the main thread; the library does not look at trust and status`
        return { value: result.own, peer: { name: '@sd-jwt/core 0.19.0', value: result.peer }, note }
      },
    }
    return { figures: [figure('issue'), figure('verify'), sdJwt], close: () => ground.close() }
  },
}
