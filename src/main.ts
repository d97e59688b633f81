import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type AgencyConfig, ConfigError, readAgencies } from './config/agency.ts'
import { demoAgencies, servedAs } from './conformance.ts'
import { withSuites } from './conformance-suites.ts'
import { readEnvironment } from './environment.ts'
import { readMasterKey } from './identity/seal.ts'
import { isRefusal } from './kernel/refusal.ts'
import { startServer } from './server.ts'

/** Reads agency files and the environment, starts and stops the process. */

const { env, argv } = process

/** The files that are named, or the demo's. */
const agenciesOf = (files: string[]): AgencyConfig[] =>
  files.length > 0 ? readAgencies(files) : demoAgencies(readAgencies(everyFile()))

const everyFile = (): string[] => {
  const folder = resolve(import.meta.dirname, '../agents')
  return readdirSync(folder)
    .filter(name => name.endsWith('.yml'))
    .sort()
    .map(name => join(folder, name))
}

const start = async () => {
  const began = performance.now()
  const { masterKey: source, ...environment } = readEnvironment(env)
  const named = agenciesOf(argv.slice(2))
  const served = await servedAs(environment, named)
  const clock = { now: () => Date.now() }
  const agencies = await withSuites(named, { ...served, clock })
  const starting = startServer({
    ...{ ...served, agencies },
    masterKey: readMasterKey(source),
    clock,
    say: line => console.log(line),
  })
  let stopping = false
  // What comes while it starts is heard as well: what it has begun to bring up has to be brought down.
  const stop = (signal: string) => {
    if (stopping) return
    stopping = true
    console.log(`${signal}: finishing what is under way`)
    starting
      .then(server => server.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error)
          process.exit(1)
        },
      )
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  const server = await starting
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  console.log(`ready in ${seconds} s at ${server.url}`)
  for (const { name, title } of agencies) console.log(`  ${server.url}/${name}/docs  ${title}`)
}

start().catch((error: unknown) => {
  const known = error instanceof ConfigError || isRefusal(error) || error instanceof Error
  console.error(known ? `cannot start: ${(error as Error).message}` : error)
  if (env['LOG_LEVEL'] === 'debug') console.error(error)
  process.exit(1)
})
