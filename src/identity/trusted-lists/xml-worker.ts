import { parentPort } from 'node:worker_threads'
import { Refusal } from '../../kernel/refusal.ts'
import type { Reply } from '../own-thread.ts'
import { schemeOperators } from './operators.ts'
import type { XmlWork } from './reader.ts'
import { readTrustServices } from './ts119612.ts'

/** A list of several megabytes takes seconds to canonicalize, which nobody else should wait for. */
parentPort?.on('message', ({ id, xml, operators, now }: { id: number } & XmlWork) => {
  const reply = (message: Reply) => parentPort?.postMessage(message)
  try {
    reply({ id, result: readTrustServices(xml, schemeOperators(operators), now) })
  } catch (error) {
    const refusal =
      error instanceof Refusal
        ? { kind: error.kind, code: error.code, detail: error.message }
        : { kind: 'malformed' as const, code: 'trusted_list_malformed', detail: 'The list cannot be read.' }
    reply({ id, refusal })
  }
})
