import { type ActRecord, perform } from '../../kernel/perform.ts'
import type { Context } from '../../kernel/plugin.ts'
import type { Tx } from '../../kernel/ports.ts'
import type { Desk } from './desk.ts'
import { bodyMalformed, replayed } from './errors.ts'
import type { Message, Received, Reply } from './needs.ts'
import { rememberedMs, requires, undatedRememberedMs } from './policy.ts'

/** A message under way, whose sender is proven. */
export type Handling = {
  desk: Desk
  context: Context
  message: Message
  sender: string
  signer: string | undefined
  dialect: Received['dialect']
  /** By which the message is told from others. */
  digest: string
}

/** @returns what answers the message, if anything does. */
export type Handler = (handling: Handling) => Promise<Reply | undefined>

/** @throws Refusal didcomm_replayed */
export const remember = async ({ house }: Desk, tx: Tx, digest: string, { created }: Message): Promise<void> => {
  const expires = house.clock.now() + (created === undefined ? undatedRememberedMs : rememberedMs)
  const sql =
    'INSERT INTO didcomm_received (digest, expires) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING RETURNING digest'
  if ((await tx.query(sql, [digest, expires])).length === 0) throw replayed()
}

/**
 * One message, one act: that it came is remembered with what it brings about, and so is an answer that has to find its own way.
 * @throws Refusal didcomm_replayed
 */
export const answering = async (
  handling: Handling,
  act: (tx: Tx, record: ActRecord) => Promise<Reply | undefined>,
): Promise<Reply | undefined> => {
  const { desk, context, message, sender, dialect, digest } = handling
  const reply = await perform(desk.house, {
    operation: 'receiveDidcommMessage',
    requires: requires.anyone,
    caller: context.caller,
    input: { message: digest, type: message.type },
    act: async (tx, record) => {
      await remember(desk, tx, digest, message)
      const made = await act(tx, record)
      if (made !== undefined && !message.returnRoute) {
        await desk.outbox.assertRoom(tx)
        desk.outbox.add(tx, { peer: sender, dialect }, made)
      }
      return made ?? null
    },
  })
  return reply ?? undefined
}

/**
 * What is kept for somebody goes to whoever waits for the answer, and is not put on the way itself: a short question would have
 * much sent to wherever its sender says.
 */
export const assertConnected = ({ message }: Pick<Handling, 'message'>): void => {
  if (!message.returnRoute) throw bodyMalformed('Messages of this type are sent with return_route all.')
}

/** An answer on the thread of the message. */
export const replyTo = (
  { desk, message }: Pick<Handling, 'desk' | 'message'>,
  type: string,
  body: Record<string, unknown>,
  attachments?: Record<string, unknown>[],
): Reply => ({ id: desk.newId(), type, thid: message.thid, body, ...(attachments && { attachments }) })

/** The JSON of the first attachment in one of these formats, and in which. */
export const attachedIn = <Format extends string>(
  { attachments }: Message,
  formats: readonly Format[],
): { format: Format; json: unknown } | undefined => {
  for (const { format, json } of attachments) {
    const known = formats.find(each => each === format)
    if (known !== undefined && json !== undefined) return { format: known, json }
  }
  return undefined
}

/** @throws Refusal didcomm_body_malformed */
export const wholeNumber = (value: unknown, name: string, least: number, most: number): number => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return Math.min(value, most)
  throw bodyMalformed(`${name} is a whole number from ${least}.`)
}

/** DID Core, 3.1; and `=`, which did:peer writes. */
const did = /^did:[a-z0-9]+:[A-Za-z0-9._:%=~-]{1,4080}$/
export const isDid = (value: unknown): value is string => typeof value === 'string' && did.test(value)
