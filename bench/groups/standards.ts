import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { measure } from '../child.ts'
import type { Figure, Group } from '../harness.ts'
import { exampleOf, Ground } from '../issuers.ts'
import type { IntegrityResult, IntegrityRun } from '../standards/credential.ts'
import type { Oid4vciPeerResult, Oid4vciPeerRun } from '../standards/oid4vci-peer.ts'
import type { Oid4vciResult, Oid4vciRun } from '../standards/oid4vci-run.ts'
import type { Oid4vpPeerResult, Oid4vpPeerRun } from '../standards/oid4vp-peer.ts'
import type { Oid4vpResult, Oid4vpRun } from '../standards/oid4vp-run.ts'
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
    const oid4vci: Figure = {
      ...{ name: 'oid4vci.flow', unit: '1/s', better: 'more', goal: { atLeast: 300 } },
      async run() {
        const claims = exampleOf('driving-licence')
        const run: Oid4vciRun = { ...(await ground.service('transport-authority')), claims, inFlight: 64, ...times }
        const result = await measure<Oid4vciResult>('standards/oid4vci-run.ts', run)
        const input: Oid4vciPeerRun = { claims, flows: quick ? 300 : 1_500, warm: 200 }
        const peer = await measure<Oid4vciPeerResult>('standards/oid4vci-peer.ts', input)
        const cpu = `${result.cpuMicros.toFixed(0)} µs of the service's CPU each, ${result.mainMicros.toFixed(0)} of them on its main thread, and ${result.walletMicros.toFixed(0)} of the wallets'`
        const note = `four calls over HTTP: the office makes the offer, the wallet takes up its code with a DPoP proof, asks for a nonce, and gets an SD-JWT VC for a proof of its key with another DPoP proof; the first, second and fourth are kept and journalled; 64 wallets at a time on the same machine; ${cpu}; the library in process, without HTTP and keeping nothing`
        return { value: result.perSecond, peer: { name: '@openid4vc/openid4vci 0.4.6', value: peer.perSecond }, note }
      },
    }
    const oid4vp: Figure = {
      ...{ name: 'oid4vp.flow', unit: '1/s', better: 'more', goal: { atLeast: 400 } },
      async run() {
        const { credentials, jwk } = await ground.prepared()
        const [credential = ''] = credentials
        const shown = { credential, jwk }
        const run: Oid4vpRun = { ...(await ground.service('transport-authority')), ...shown, inFlight: 64, ...times }
        const result = await measure<Oid4vpResult>('standards/oid4vp-run.ts', run)
        const input: Oid4vpPeerRun = { ...shown, flows: quick ? 300 : 1_500, warm: 200 }
        const peer = await measure<Oid4vpPeerResult>('standards/oid4vp-peer.ts', input)
        const cpu = `${result.cpuMicros.toFixed(0)} µs of the service's CPU each, ${result.mainMicros.toFixed(0)} of them on its main thread, and ${result.walletMicros.toFixed(0)} of the wallets'`
        const note = `three calls over HTTP: the office asks (journalled), the wallet fetches the signed request by POST, and posts an SD-JWT with key binding, encrypted, which is judged with every check and kept (journalled); 64 wallets at a time on the same machine; ${cpu}; the library in process, without HTTP, keeping nothing, and not looking at trust and status`
        return { value: result.perSecond, peer: { name: '@openid4vc/openid4vp 0.4.6', value: peer.perSecond }, note }
      },
    }
    return { figures: [figure('issue'), figure('verify'), sdJwt, oid4vci, oid4vp], close: () => ground.close() }
  },
}
