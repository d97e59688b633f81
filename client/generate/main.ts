import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generated } from './files.ts'

/* `npm run client`: writes the typed client and the collection anew. */

const project = new URL('../../', import.meta.url)
const files = generated()
rmSync(new URL('collection', project), { recursive: true, force: true })
for (const [path, text] of Object.entries(files)) {
  const file = fileURLToPath(new URL(path, project))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
process.stdout.write(`${Object.keys(files).length} files are written\n`)
