import { isRecord, readJson } from '../formats/json.ts'
import type { ReadLog, Version } from './log.ts'
import { multikeyOf, witnessHolds } from './proofs.ts'
import { witnessesMissing } from './refusals.ts'

/** What is larger is not read. */
export const witnessBounds = { bytes: 1_048_576, proofs: 2_000 }

type Approval = { id: string; number: number; versionId: string; proof: Record<string, unknown> }

const malformed = (cause?: unknown) =>
  witnessesMissing('did-witness.json is no list of objects of a versionId and its proofs.', cause)

const parse = (body: Buffer): unknown => {
  try {
    return readJson(body.toString('utf8'), 'witness file')
  } catch (cause) {
    throw malformed(cause)
  }
}

/** Proofs over entries of this very log; all others say nothing about it (Verifying Witness Proofs, step 3). */
const approvalsIn = (body: Buffer, versions: readonly Version[]): Approval[] => {
  const file = body.length > witnessBounds.bytes ? undefined : parse(body)
  if (!Array.isArray(file)) throw malformed()
  const numbers = new Map(versions.map(({ versionId, number }) => [versionId, number]))
  const approvals: Approval[] = []
  for (const item of file) {
    if (!isRecord(item) || typeof item['versionId'] !== 'string') throw malformed()
    const { versionId, proof = [] } = item
    const number = numbers.get(versionId as string)
    if (number === undefined) continue
    for (const each of Array.isArray(proof) ? proof : [proof]) {
      const multikey = isRecord(each) ? multikeyOf(each['verificationMethod']) : undefined
      if (multikey === undefined) continue
      approvals.push({ id: `did:key:${multikey}`, number, versionId: versionId as string, proof: each })
    }
  }
  if (approvals.length > witnessBounds.proofs) throw malformed()
  return approvals
}

/** Each approval is verified when it is first needed, and once. */
const openJudge = (now: number) => {
  const judged = new Map<Approval, boolean>()
  return async (approval: Approval): Promise<boolean> => {
    const known = judged.get(approval)
    if (known !== undefined) return known
    const holds = await witnessHolds(approval.versionId, approval.proof, now)
    judged.set(approval, holds)
    return holds
  }
}

/** Witness Threshold Algorithm: how many of the witnesses approved this entry or a later one. */
const isWitnessed = async (
  { number, witnesses }: Version,
  byWitness: ReadonlyMap<string, readonly Approval[]>,
  holds: (approval: Approval) => Promise<boolean>,
): Promise<boolean> => {
  if (witnesses === undefined) return true
  let approved = 0
  for (const id of witnesses.ids) {
    for (const approval of byWitness.get(id) ?? []) {
      if (approval.number < number || !(await holds(approval))) continue
      approved++
      break
    }
    if (approved >= witnesses.threshold) return true
  }
  return false
}

export const needsWitnesses = ({ versions }: ReadLog): boolean =>
  versions.some(({ witnesses }) => witnesses !== undefined)

/**
 * The log as far as its witnesses approved it (did:webvh 1.0, Verifying Witness Proofs During Resolution).
 * @param body `did-witness.json`; undefined where there is none.
 * @throws Refusal rejected/did_log_witness when not even the first entry is approved
 */
export const witnessedLog = async (log: ReadLog, body: Buffer | undefined, now: number): Promise<ReadLog> => {
  if (!needsWitnesses(log)) return log
  const approvals = body === undefined ? [] : approvalsIn(body, log.versions)
  // The newest first: one of them approves everything before it.
  approvals.sort((a, b) => b.number - a.number)
  const byWitness = new Map<string, Approval[]>()
  for (const approval of approvals) byWitness.set(approval.id, [...(byWitness.get(approval.id) ?? []), approval])
  const holds = openJudge(now)
  for (const [at, version] of log.versions.entries()) {
    if (await isWitnessed(version, byWitness, holds)) continue
    const failure = witnessesMissing(`Entry ${version.number} of the log was not approved by enough of its witnesses.`)
    if (at === 0) throw failure
    return { versions: log.versions.slice(0, at), failure }
  }
  return log
}
