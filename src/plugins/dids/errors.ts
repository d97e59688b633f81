import { Refusal } from '../../kernel/refusal.ts'

export const didLogBehind = (cause: unknown): Refusal =>
  new Refusal(
    'unavailable',
    'did_log_behind',
    'The log of this agency’s did:webvh cannot say now what its DID document says; ask again later.',
    { cause },
  )
