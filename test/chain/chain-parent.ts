import { startEmbedded } from '../../src/chain/embedded.ts'

/** Starts a chain in the directory given, tells its pid and url, and waits to be killed. */
const [, , dir = ''] = process.argv
const { pid, url } = await startEmbedded({ dir })
process.stdout.write(JSON.stringify({ pid, url }))
setInterval(() => undefined, 1_000)
