import type { Answer, Context } from '../../../kernel/plugin.ts'
import { logTileUnknown } from '../errors.ts'
import type { CredentialsNeeds } from '../needs.ts'

/** The agency's transparency log, as the C2SP formats publish it: anyone can check that nothing was rewritten. */

export const getLog = async ({ log }: CredentialsNeeds): Promise<Answer> => ({
  status: 200,
  body: { origin: log.origin, verifierKey: log.verifierKey },
})

export const getLogCheckpoint = async ({ log }: CredentialsNeeds): Promise<Answer> => {
  const note = await log.checkpoint()
  if (note === undefined) throw logTileUnknown()
  return { status: 200, body: note, contentType: 'text/plain', headers: { 'cache-control': 'no-cache' } }
}

export const getLogTile = async ({ log }: CredentialsNeeds, context: Context): Promise<Answer> => {
  const tile = await log.tile(`tile/${context.params['tilePath'] ?? ''}`)
  if (tile === undefined) throw logTileUnknown()
  const headers = { 'cache-control': 'public, max-age=31536000, immutable' }
  return { status: 200, body: tile, contentType: 'application/octet-stream', headers }
}

/** A proof grows old with its checkpoint, but never wrong. @throws Refusal not_logged */
export const getLogProof = async ({ log }: CredentialsNeeds, context: Context): Promise<Answer> => ({
  status: 200,
  body: await log.proofAt(Number(context.params['index'])),
  headers: { 'cache-control': 'no-cache' },
})
