import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type AgencyConfig, ConfigError, readAgencies } from '../config/agency.ts'
import { readEnvironment, type Variables } from '../environment.ts'
import { scrub } from '../http/log.ts'
import type { Clock } from '../kernel/ports.ts'
import { isRefusal, Refusal } from '../kernel/refusal.ts'
import { createKey, type KeyWishes, listKeys, revokeKey } from './api-key.ts'
import type { Desk } from './desk.ts'
import { backup, rekey, restore } from './keys.ts'
import { reconcile } from './reconcile.ts'
import { erase } from './records.ts'
import { rotateKey } from './rotate-key.ts'

export type World = {
  env: Variables
  agentsFolder: string
  clock: Clock
  out(line: string): void
  note(line: string): void
}

export const usage = `npm run agency -- <command> <agency> …

  <agency> is a name in agents/, or an agency file of your own (ending in .yml).

  backup <agency> <file>    all keys and identifiers in one file, encrypted under BACKUP_PASSPHRASE
  restore <agency> <file>   puts a backup into an empty key store, sealed under MASTER_KEY[_FILE]
  rekey <agency>            moves the keys from MASTER_KEY[_FILE] to NEW_MASTER_KEY[_FILE]
  rotate-key <agency>       makes, registers and activates the next signing key; run it again if it was interrupted
  erase <agency>            erases what has outlived its retention period
  reconcile <agency>        holds the registers against their tokens on chain and the ledger of money against its entries, and
                            prints every difference
    --repair                also queues what brings the chain to what the registers say, once however often it is run
  api-key create <agency> --scopes <a,b> [--expires <date-time>]
  api-key list <agency>
  api-key revoke <agency> <id>

  Secrets come from the environment, never from arguments. DATA_DIR, DATABASE_URL, CHAIN_RPC_URL, CHAIN_CONTRACTS and
  MASTER_KEY[_FILE] are those of the service. End the service before restore and rekey; start it again after rekey and
  rotate-key. A process has one master key: if it serves several agencies, rekey each of them.`

class UsageError extends Error {}

type Wishes = KeyWishes & { repair?: boolean | undefined }
type Parsed = { rest: string[]; wishes: Wishes }
type Command = { takes: number; options?: readonly (keyof Wishes)[]; run(desk: Desk, parsed: Parsed): Promise<void> }

/** By name; `takes` counts the arguments after the agency. */
const commands: Record<string, Command> = {
  backup: { takes: 1, run: (desk, { rest }) => backup(desk, rest) },
  restore: { takes: 1, run: (desk, { rest }) => restore(desk, rest) },
  rekey: { takes: 0, run: desk => rekey(desk) },
  'rotate-key': { takes: 0, run: desk => rotateKey(desk) },
  erase: { takes: 0, run: desk => erase(desk) },
  reconcile: { takes: 0, options: ['repair'], run: (desk, { wishes }) => reconcile(desk, wishes) },
  'api-key create': {
    ...{ takes: 0, options: ['scopes', 'expires'] },
    run: (desk, { wishes }) => createKey(desk, wishes),
  },
  'api-key revoke': { takes: 1, run: (desk, { rest }) => revokeKey(desk, rest[0] ?? '') },
  'api-key list': { takes: 0, run: desk => listKeys(desk) },
}

const parse = (args: string[]): { command: Command; agency: string } & Parsed => {
  const { values, positionals } = readArguments(args)
  const words = positionals[0] === 'api-key' ? 2 : 1
  const name = positionals.slice(0, words).join(' ')
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new UsageError(name === '' ? 'Name a command.' : 'There is no such command.')
  const [agency, ...rest] = positionals.slice(words)
  if (agency === undefined) throw new UsageError(`${name} needs the name of an agency.`)
  // What is too much may be a secret that does not belong here, so it is not repeated.
  if (rest.length !== command.takes) throw new UsageError(`${name} takes ${command.takes + 1} arguments.`)
  const { options = [] } = command
  const strange = Object.keys(values).find(option => !options.some(known => known === option))
  if (strange !== undefined) {
    throw new UsageError(options.length === 0 ? `${name} has no options.` : `${name} has no --${strange}.`)
  }
  return { command, agency, rest, wishes: values }
}

const readArguments = (args: string[]) => {
  const options = { scopes: { type: 'string' }, expires: { type: 'string' }, repair: { type: 'boolean' } } as const
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (cause) {
    throw new UsageError('There is an option that no command has.', { cause })
  }
}

const findAgency = (agency: string, folder: string): AgencyConfig => {
  const own = agency.endsWith('.yml')
  const files = own
    ? [agency]
    : readdirSync(folder)
        .filter(name => name.endsWith('.yml'))
        .map(name => join(folder, name))
  const found = own ? readAgencies(files)[0] : readAgencies(files).find(config => config.name === agency)
  if (found !== undefined) return found
  throw new Refusal('not_found', 'agency_unknown', 'agents/ has no agency of this name.')
}

const secretNames = ['BACKUP_PASSPHRASE', 'MASTER_KEY', 'NEW_MASTER_KEY', 'DATABASE_URL', 'CHAIN_RPC_URL']

/** A message of a library may repeat what it was given; secrets are taken out again. */
const withoutSecrets = (text: string, env: Variables): string => {
  let safe = scrub(text)
  const known = secretNames.flatMap(name => env[name] ?? [])
  for (const url of known.filter(value => value.includes('://'))) {
    if (URL.canParse(url)) known.push(decodeURIComponent(new URL(url).password))
  }
  for (const secret of known) if (secret.trim() !== '') safe = safe.replaceAll(secret.trim(), '[secret]')
  return safe
}

const explain = (error: unknown): string => {
  if (error instanceof UsageError) return `${error.message}\n\n${usage}`
  if (isRefusal(error)) return `refused (${error.code}): ${error.message}`
  if (error instanceof ConfigError) return `refused (config_invalid): ${error.message}`
  return `failed: ${error instanceof Error ? error.message : 'for a reason that has no words'}`
}

/** Runs one command. Never throws. @returns the exit code: 0, or 1 with the reason on standard error. */
export const runCommand = async (args: string[], world: World): Promise<number> => {
  const { env, clock, out, note } = world
  if (args[0] === 'help' || args[0] === '--help') {
    out(usage)
    return 0
  }
  try {
    const { command, agency, ...parsed } = parse(args)
    const config = findAgency(agency, world.agentsFolder)
    await command.run({ config, environment: readEnvironment(env), env, clock, out, note }, parsed)
    return 0
  } catch (error) {
    note(withoutSecrets(explain(error), env))
    return 1
  }
}
