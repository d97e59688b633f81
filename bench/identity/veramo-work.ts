import type { DIDDocument } from 'did-resolver'
import { answer, readInput } from '../child.ts'
import { spin } from './spin.ts'
import { createIssuer, issue, issuerKinds, openVeramo, type VeramoAgent } from './veramo.ts'

/** Plain Veramo at the same work: the same claims, and our own VC-JWT 1.1 tokens as well as its own. */

export type VeramoWork = {
  task: 'verify' | 'issue'
  type: string
  subjects: Record<string, unknown>[]
  /** VC-JWT 1.1 as our agency signed them, and the document that verifies them. */
  tokens: string[]
  document: DIDDocument
  scratchDir: string
  seconds: number
  warmSeconds: number
}
/** A second, by variant. */
export type VeramoResult = Record<string, number>

const work = await readInput<VeramoWork>()

const verifyAll = async (agent: VeramoAgent, tokens: string[]): Promise<number> => {
  const check = async (piece: number): Promise<void> => {
    const { verified, error } = await agent.verifyCredential({ credential: tokens[piece % tokens.length] ?? '' })
    if (!verified) throw new Error(`Veramo did not verify: ${JSON.stringify(error)}`)
  }
  return (await spin(check, { ...work, inFlight: 16 })).perSecond
}

const verify = async (): Promise<VeramoResult> => {
  const agent = await openVeramo({ known: { [work.document.id]: work.document } })
  const result: VeramoResult = { 'ES256, our tokens': await verifyAll(agent, work.tokens) }
  for (const kind of issuerKinds) {
    const issuer = await createIssuer(agent, kind)
    const tokens: string[] = []
    for (const subject of work.subjects) {
      tokens.push(((await issue(agent, issuer, work.type, subject)).proof as { jwt: string }).jwt)
    }
    result[kind] = await verifyAll(agent, tokens)
  }
  return result
}

const save = async (): Promise<VeramoResult> => {
  const result: VeramoResult = {}
  const variants = [false, true].flatMap(wal => issuerKinds.map(kind => ({ wal, kind })))
  for (const [at, { wal, kind }] of variants.entries()) {
    const agent = await openVeramo({ wal, file: `${work.scratchDir}/veramo-${process.pid}-${at}.sqlite` })
    const issuer = await createIssuer(agent, kind)
    const { subjects } = work
    const keep = async (piece: number): Promise<void> => {
      const subject = subjects[piece % subjects.length] ?? {}
      const verifiableCredential = await issue(agent, issuer, work.type, subject)
      await agent.dataStoreSaveVerifiableCredential({ verifiableCredential })
    }
    // One after the other: with overlapping saves TypeORM on SQLite fails.
    result[`${kind}${wal ? ', WAL' : ''}`] = (await spin(keep, { ...work, inFlight: 1 })).perSecond
  }
  return result
}

answer(work.task === 'verify' ? await verify() : await save())
