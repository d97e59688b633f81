import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newKey, newWalletHolder } from '../../test/holder.ts'
import { exampleOf } from '../../test/service.ts'
import { freePort, launch, measure } from '../child.ts'
import type { BenchOptions, Figure } from '../harness.ts'
import type { SearchResult, SearchRun } from './search-run.ts'

/** The registry: entries granted in bulk by an officer in a session, and searches of a large register. */

const agency = 'business-registry'
const register = 'business-licences'

const lineOf = (at: number): string =>
  JSON.stringify({
    ...{ holder: newKey().did, legalBasis: 'Licensing Act, s. 4' },
    fields: {
      ...{ legalName: `Company ${at}`, registrationNumber: `C-${at}`, licenceClass: 'retail' },
      activities: [{ scheme: 'NACE-2.1', code: '47.1' }],
    },
  })

/** Over HTTP: each line is checked, numbered, signed, and entered with history, index, credential and token. */
const grantFigure = (directory: string, { quick, say }: BenchOptions): Figure => ({
  ...{ name: 'registry.grant', unit: 'entries/s', better: 'more', goal: { atLeast: 500 } },
  async run() {
    const count = quick ? 1_024 : 4_096
    const port = await freePort()
    const dataDir = join(directory, 'nation')
    const agencies = ['root-authority', agency].map(name => `agents/${name}.yml`)
    const service = await launch(['src/main.ts', ...agencies], { DATA_DIR: dataDir, PORT: String(port) })
    try {
      const officer = newWalletHolder({ url: `http://localhost:${port}`, dataDir })
      await officer.receive(agency, 'PublicOfficer', {
        ...{ ...exampleOf('public-officer'), competences: [`registry:${register}:decide`] },
      })
      const session = await officer.openSession(agency)
      const send = async (lines: number): Promise<number> => {
        const text = Array.from({ length: lines }, (_, at) => `${lineOf(at)}\n`).join('')
        const from = performance.now()
        const answer = await session.call('POST', `/registry/registers/${register}/grants`, text)
        const seconds = (performance.now() - from) / 1_000
        const granted = String(answer.body['text']).match(/"entry":/g)?.length ?? 0
        if (granted !== lines) throw new Error(`${granted} of ${lines}: ${JSON.stringify(answer.body).slice(0, 300)}`)
        return lines / seconds
      }
      await send(256)
      say(`registry: ${count} entries are granted`)
      const value = await send(count)
      return {
        value,
        note: `${count} entries in one request, each durable with its credential and its token’s transaction`,
      }
    } finally {
      await service.stop()
    }
  },
})

const searchFigure = (directory: string, { quick, say }: BenchOptions): Figure => ({
  ...{ name: 'registry.search', unit: 'ms', better: 'less', goal: { atMost: 20 } },
  async run() {
    const entries = quick ? 100_000 : 1_000_000
    say(`registry: a register of ${entries} entries is filled`)
    const run: SearchRun = { directory, entries, searches: 1_000 }
    const { p99Ms, slowest, fillSeconds } = await measure<SearchResult>('./registry/search-run.ts', run)
    const filled = `${entries} entries, filled in ${fillSeconds.toFixed(0)} s`
    return {
      value: p99Ms,
      note: `99 of 100 pages take no longer; of the slowest kind (${slowest.name}) half take ${slowest.medianMs.toFixed(1)} ms; ${filled}`,
    }
  },
})

export const openRegisterFigures = (options: BenchOptions): { figures: Figure[]; close(): Promise<void> } => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-bench-registry-'))
  return {
    figures: [grantFigure(directory, options), searchFigure(directory, options)],
    close: () => rm(directory, { recursive: true, force: true }),
  }
}
