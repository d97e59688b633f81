import { openKeys } from '../../src/identity/keys.ts'
import { parseMasterKey } from '../../src/identity/seal.ts'
import { serveSigner } from '../../src/identity/signer.ts'

const { KEY_DIRECTORY = '', MASTER_KEY = '' } = process.env
const masterKey = parseMasterKey(MASTER_KEY)
const keys = await openKeys({ agency: 'test', directory: KEY_DIRECTORY, masterKey, clock: Date }).catch(() => {
  process.exit(1)
})
await serveSigner({ keys, input: process.stdin, output: process.stdout })
await keys.close()
