import { statfsSync } from 'node:fs'
import { join } from 'node:path'

/** Databases of tests stand in memory where there is room for them: on a disk they would wait for it more than they work. */
const memory = '/dev/shm'
const roomWanted = 4 * 2 ** 30
const roomIn = folder => {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return 0
  }
}
if (process.env.TMPDIR === undefined && roomIn(memory) >= roomWanted) process.env.TMPDIR = memory

/** Processes that tests start load their modules as the one before compiled them: half of the time until they do something. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/chancery')

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }],
  },
  testTimeout: 60_000,
  // More than cores: suites that start services wait for them more than they work.
  maxWorkers: 3,
}
