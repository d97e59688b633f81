import { open, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { AnvilRpc } from './anvil.ts'

const stateFile = (dir: string): string => join(dir, 'state.json.gz')

/** After a crash at any moment the file is whole: either the old one or the new one. Mode 0600. */
export const atomicWrite = async (path: string, content: string | Uint8Array): Promise<void> => {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** The node hands out its whole state, blocks and receipts included, as gzip in hex. */
export const dumpState = async (call: AnvilRpc, dir: string): Promise<void> => {
  const dump = await call<string>('anvil_dumpState', [])
  await atomicWrite(stateFile(dir), Buffer.from(dump.slice(2), 'hex'))
}

/** @returns the path of the state in the form which the node reads at its start; `undefined` before the first dump. */
export const unpackState = async (dir: string): Promise<string | undefined> => {
  const packed = await readFile(stateFile(dir)).catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (packed === undefined) return undefined
  const path = join(dir, 'state.json')
  await writeFile(path, await promisify(gunzip)(packed), { mode: 0o600 })
  return path
}
