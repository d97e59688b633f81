import type { Requirement } from '../../kernel/requirement.ts'

export const requires = {
  anyone: { by: 'anyone' },
  offer: { by: 'staff', scope: 'credentials:issue' },
  request: { by: 'staff', scope: 'presentations:request' },
  read: { by: 'staff', scope: 'presentations:read' },
} as const satisfies Record<string, Requirement>

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** How long it is remembered that a message came: longer than one that says when it was made counts; and of those that do not. */
export const rememberedMs = 30 * day
export const undatedRememberedMs = 400 * day
/** How long an invitation can be taken up and its exchange goes on, if nobody says, and at most. */
export const exchangeLifeMs = hour
export const exchangeLifeMost = 7 * day
/** How long it can be read what an exchange came to. */
export const exchangeKeptMs = 30 * day
/** How long what was presented can be read. */
export const answerKeptMs = day

/** How long an answer is tried to be delivered, how often, and how long one try may take. */
export const outgoingLifeMs = day
export const outgoingBackoffMs = 5_000
/** Shorter than the lease of the round that sends. */
export const outgoingTryMs = 8_000
export const outgoingAtOnce = 32
export const outgoingAttemptsMost = 12
/** Answers on their way to others than those who wait for them; more are refused. */
export const outgoingMost = 10_000

/** What a mediator keeps for one who asked it to. */
export const mediation = {
  /** Of all together. */
  requestersMost: 10_000,
  recipientsMost: 100,
  messagesMost: 500,
  bytesMost: 5_000_000,
  lifeMs: 14 * day,
  /** After so long without a sign of them, whoever asked is forgotten. */
  idleMs: 400 * day,
  /** After so long without a DID of theirs, they give way to others. */
  unnamedMs: day,
} as const
/** Of one answer to a delivery request. */
export const deliveryMost = { messages: 50, bytes: 400_000 } as const

export const messageBytesMost = 262_144
export const sweepEveryMs = minute

const base = 'https://didcomm.org'
export const protocols = {
  ping: `${base}/trust-ping/2.0`,
  discover: `${base}/discover-features/2.0`,
  problem: `${base}/report-problem/2.0`,
  empty: `${base}/empty/1.0`,
  outOfBand: `${base}/out-of-band/2.0`,
  issue: `${base}/issue-credential/3.0`,
  present: `${base}/present-proof/3.0`,
  mediation: `${base}/coordinate-mediation/3.0`,
  routing: `${base}/routing/2.0`,
  pickup: `${base}/messagepickup/3.0`,
} as const

/** Formats of attachments; those that no specification names go by names of ours. */
export const attachmentFormats = {
  ldDetail: 'aries/ld-proof-vc-detail@v1.0',
  ldCredential: 'aries/ld-proof-vc@v1.0',
  detail: 'urn:chancery:didcomm:credential-detail:1',
  credential: 'urn:chancery:didcomm:credential:1',
  definition: 'dif/presentation-exchange/definitions@v1.0',
  submission: 'dif/presentation-exchange/submission@v1.0',
  dcql: 'urn:chancery:didcomm:dcql:1',
  vpToken: 'urn:chancery:didcomm:vp-token:1',
} as const
