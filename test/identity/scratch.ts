import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import type { MasterKey } from '../../src/identity/seal.ts'

/** A directory of the test file's own, gone after its last test. */
export const scratch = () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-identity-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return {
    path(name: string): string {
      const path = join(directory, name)
      mkdirSync(path, { recursive: true })
      return path
    },
    masterKey: (): MasterKey => ({ bytes: randomBytes(32), generated: false }),
  }
}
