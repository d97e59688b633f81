import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** The environment as main.ts and commands.ts read it; nothing else asks for a variable. */
export type Environment = {
  dataDir: string
  production: boolean
  /** Where the master key stands; see identity/seal.ts. */
  masterKey: { value: string | undefined; file: string | undefined; demoDirectory: string; production: boolean }
  port: number
  publicOrigin: string | undefined
  databaseUrl: string | undefined
  rpcUrls: string[]
  contractsFile: string | undefined
  tls: { cert: string; key: string } | undefined
  /** Proxies before the process: from so many of them it believes whose address a call comes from (X-Forwarded-For). */
  proxies: number
  logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export type Variables = Record<string, string | undefined>

/** A variable that is set to nothing is not set. */
export const textOf = (env: Variables, name: string): string | undefined => (env[name] === '' ? undefined : env[name])

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const

const tlsOf = (env: Variables): Environment['tls'] => {
  const cert = textOf(env, 'TLS_CERT_FILE')
  const key = textOf(env, 'TLS_KEY_FILE')
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined) throw new Error('TLS_CERT_FILE and TLS_KEY_FILE are named together.')
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

const proxiesOf = (env: Variables): number => {
  const text = textOf(env, 'TRUSTED_PROXIES') ?? '0'
  if (!/^\d$/.test(text)) throw new Error('TRUSTED_PROXIES is the number of proxies before the process, 0 to 9.')
  return Number(text)
}

const originOf = (env: Variables): string | undefined => {
  const text = textOf(env, 'PUBLIC_ORIGIN')
  if (text === undefined || (URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text)) return text
  throw new Error('PUBLIC_ORIGIN is an origin, such as https://agency.example, without a slash at the end.')
}

const levelOf = (env: Variables): Environment['logLevel'] => {
  const text = textOf(env, 'LOG_LEVEL') ?? 'warn'
  const level = levels.find(each => each === text)
  if (level === undefined) throw new Error(`LOG_LEVEL is one of ${levels.join(', ')}.`)
  return level
}

export const readEnvironment = (env: Variables): Environment => {
  const dataDir = resolve(textOf(env, 'DATA_DIR') ?? 'data')
  const production = env['NODE_ENV'] === 'production'
  return {
    dataDir,
    production,
    masterKey: {
      value: textOf(env, 'MASTER_KEY'),
      file: textOf(env, 'MASTER_KEY_FILE'),
      demoDirectory: dataDir,
      production,
    },
    port: Number(textOf(env, 'PORT') ?? 3000),
    publicOrigin: originOf(env),
    databaseUrl: textOf(env, 'DATABASE_URL'),
    rpcUrls: (textOf(env, 'CHAIN_RPC_URL') ?? '').split(',').filter(url => url !== ''),
    contractsFile: textOf(env, 'CHAIN_CONTRACTS'),
    tls: tlsOf(env),
    proxies: proxiesOf(env),
    logLevel: levelOf(env),
  }
}
