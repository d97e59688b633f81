import { randomUUID } from 'node:crypto'
import { canonical } from '../../../kernel/canonical.ts'
import { admit } from '../../../kernel/gate.ts'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import { workflowExists, workflowMalformed } from '../errors.ts'
import { readConfiguration, workflowUrl } from '../exchanges/exchange.ts'
import { parseWorkflow, type Workflow } from '../exchanges/workflow.ts'
import type { Document, VcApiNeeds } from '../needs.ts'
import { requires, workflowBytesMost } from '../policy.ts'

/** A presentation is for this agency and not for another, whatever its workflow says. */
const assertDomains = ({ steps }: Workflow, publicUrl: string): void => {
  for (const { verifiablePresentationRequest: request } of Object.values(steps)) {
    const { domain } = request ?? {}
    if (domain === undefined || domain === publicUrl || domain === new URL(publicUrl).origin) continue
    throw workflowMalformed(
      'The domain of a request is this agency’s URL or origin; without it, the URL of the exchange.',
    )
  }
}

/** VCALM 1.0, Create Workflow. Workflows are not changed afterwards: exchanges are under way in them. */
export const createWorkflow = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.exchange)
  const { id, ...configuration } = context.body as Document & { id?: string }
  const workflow = parseWorkflow(configuration, needs)
  assertDomains(workflow, needs.publicUrl)
  const text = canonical(configuration)
  if (Buffer.byteLength(text) > workflowBytesMost) throw workflowMalformed('A workflow is 256 KiB at most.')
  const name = await perform(needs.house, {
    operation: 'createWorkflow',
    requires: requires.exchange,
    caller: context.caller,
    input: context.body,
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      const given = id ?? randomUUID()
      const [row] = await tx.query(
        'INSERT INTO workflows (id, configuration, created) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id',
        [given, text, needs.house.clock.now()],
      )
      if (row === undefined) throw workflowExists()
      return given
    },
  })
  const location = workflowUrl(needs.publicUrl, name)
  return { status: 201, body: { id: name, ...configuration }, headers: { location } }
}

/** VCALM 1.0, Get Workflow Configuration. */
export const getWorkflow = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  admit(context.caller, requires.exchange)
  const id = context.params['workflow'] ?? ''
  return { status: 200, body: { id, ...(await readConfiguration(needs, id)) } }
}
