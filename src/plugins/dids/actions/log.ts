import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { DidsNeeds } from '../needs.ts'

/** did:webvh 1.0, The DID Log File. */
export const getDidLog = async (needs: DidsNeeds, _context: Context): Promise<Answer> => ({
  status: 200,
  body: await needs.didLog(),
  contentType: 'text/jsonl',
  headers: { 'Cache-Control': 'public, max-age=60' },
})
