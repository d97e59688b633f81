import { statfsSync } from 'node:fs'

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

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }],
  },
  testTimeout: 60_000,
  maxWorkers: 2,
}
