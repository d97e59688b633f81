import { createIssuer, issuerKinds, openVeramo } from './veramo.ts'

/** Plain Veramo as a process at rest: keys, DIDs and credentials in one SQLite file. Arguments: file, how many DIDs. */

const [file = '', count = '1'] = process.argv.slice(2)
const agent = await openVeramo({ file, keysInFile: true })
const known = await agent.didManagerFind()
for (let made = known.length; made < Number(count); made++) await createIssuer(agent, issuerKinds[0])
console.log('ready')
setInterval(() => undefined, 60_000)
