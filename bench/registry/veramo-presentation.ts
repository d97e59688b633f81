import { answer, readInput } from '../child.ts'
import { createIssuer, issue, openVeramo } from '../identity/veramo.ts'

/**
 * Plain Veramo at a presentation of two credentials. Its verifyPresentation does not look at what is inside, so whoever
 * relies on it has to verify each credential as well; that is counted.
 */

export type VeramoRun = { types: string[]; subject: Record<string, unknown>; count: number }
export type VeramoPresented = { micros: number }

const run = await readInput<VeramoRun>()
const agent = await openVeramo({})
const issuer = await createIssuer(agent, 'EdDSA did:key')
const holder = await createIssuer(agent, 'EdDSA did:key')
const credentials: string[] = []
for (const type of run.types) {
  const credential = await issue(agent, issuer, type, { ...run.subject, id: holder.did })
  credentials.push((credential.proof as { jwt: string }).jwt)
}
const domain = 'https://office.example'
const presentations: { challenge: string; jwt: string }[] = []
for (let at = 0; at < run.count; at++) {
  const challenge = `nonce-${at}`
  const made = await agent.createVerifiablePresentation({
    ...{ challenge, domain, proofFormat: 'jwt' },
    presentation: { holder: holder.did, verifiableCredential: credentials, verifier: [domain] },
  })
  presentations.push({ challenge, jwt: (made.proof as { jwt: string }).jwt })
}

const judge = async ({ challenge, jwt }: { challenge: string; jwt: string }): Promise<void> => {
  const results = [await agent.verifyPresentation({ presentation: jwt, challenge, domain })]
  for (const credential of credentials) results.push(await agent.verifyCredential({ credential }))
  const bad = results.find(({ verified }) => !verified)
  if (bad !== undefined) throw new Error(`Veramo did not verify: ${JSON.stringify(bad.error)}`)
}

const warm = Math.ceil(presentations.length / 4)
for (const each of presentations.slice(0, warm)) await judge(each)
const from = performance.now()
for (const each of presentations.slice(warm)) await judge(each)
answer({ micros: ((performance.now() - from) * 1_000) / (presentations.length - warm) } satisfies VeramoPresented)
