#!/usr/bin/env node
// The command line that forge expects of a compiler, over the solc of package-lock.json: nothing is downloaded.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import solc from 'solc'

const basePath = process.argv[process.argv.indexOf('--base-path') + 1] ?? '.'

/** forge names the same library file by two paths and hands over one; the other is looked up below the base path. */
function readImport(path) {
  try {
    return { contents: readFileSync(resolve(basePath, path), 'utf8') }
  } catch (cause) {
    return { error: String(cause) }
  }
}

if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler\nVersion: ${solc.version()}\n`)
} else {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8'), { import: readImport }))
}
