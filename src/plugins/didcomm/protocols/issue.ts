import { createHash } from 'node:crypto'
import { canonical } from '../../../kernel/canonical.ts'
import type { IssuedCredential } from '../../../kernel/identity.ts'
import { isRecord } from '../../../kernel/record.ts'
import type { Desk } from '../desk.ts'
import { attachmentMissing, bodyMalformed, holderUnproven, requestDeviates } from '../errors.ts'
import type { Exchange, PreparedCredential } from '../exchanges.ts'
import { answering, attachedIn, type Handler, type Handling, replyTo } from '../handling.ts'
import type { IssuableType, Message, Reply } from '../needs.ts'
import { attachmentFormats, protocols } from '../policy.ts'

/**
 * Issue Credential 3.0: the holder takes up an invitation with a proposal, is offered the credential, requests it for a key that
 * they prove, and gets it. An `ldp_vc` goes by aries/ld-proof-vc (Aries RFC 0593); the other formats by attachments of ours.
 */

const { ldDetail, ldCredential, detail, credential } = attachmentFormats

export const typeOf = (desk: Desk, { type, version }: Pick<PreparedCredential, 'type' | 'version'>): IssuableType => {
  const found = desk.types.find(each => each.id === type && each.version === version)
  if (found === undefined) throw requestDeviates('The type of the credential is issued no more.')
  return found
}

/** RFC 0593: the credential as it is going to be issued, without proof and status. */
const ldDetailOf = (desk: Desk, prepared: PreparedCredential): Record<string, unknown> => {
  const type = typeOf(desk, prepared)
  const { claims, validUntil, challenge } = prepared
  return {
    credential: {
      ...{ '@context': [...type.contexts], type: ['VerifiableCredential', type.id], issuer: desk.did },
      validFrom: new Date(desk.house.clock.now()).toISOString(),
      ...(validUntil === undefined ? {} : { validUntil: new Date(validUntil).toISOString() }),
      credentialSubject: claims,
    },
    options: {
      ...{ proofType: 'DataIntegrityProof', cryptosuite: 'ecdsa-rdfc-2019', proofPurpose: 'assertionMethod' },
      ...{ challenge, domain: desk.publicUrl },
    },
  }
}

const detailOf = (desk: Desk, prepared: PreparedCredential): Record<string, unknown> => {
  const { type, version, format, claims, validUntil, challenge } = prepared
  return {
    ...{ type, version, format, claims, challenge, domain: desk.publicUrl },
    ...(validUntil === undefined ? {} : { validUntil: new Date(validUntil).toISOString() }),
  }
}

/** What offers the credential on a thread. */
export const offerBody = (
  desk: Desk,
  prepared: PreparedCredential,
): { body: Record<string, unknown>; attachments: Record<string, unknown>[] } => {
  const isLd = prepared.format === 'ldp_vc'
  const json = isLd ? ldDetailOf(desk, prepared) : detailOf(desk, prepared)
  const format = isLd ? ldDetail : detail
  return {
    body: { goal_code: 'issue-vc', comment: `${desk.title} offers a credential.` },
    attachments: [{ id: 'offer', media_type: 'application/json', format, data: { json } }],
  }
}

/** The holder takes up an invitation, or asks again for what was offered. */
export const proposed: Handler = async handling => {
  const { desk, message, sender } = handling
  const { pthid: invitation, thid: thread } = message
  if (invitation === undefined) throw bodyMalformed('A proposal names the invitation that it takes up as pthid.')
  return answering(handling, async tx => {
    const wanted = { kind: 'issue' as const, invitation, peer: sender, thread }
    const { prepared } = await desk.exchanges.takeUp<PreparedCredential>(tx, wanted)
    const { body, attachments } = offerBody(desk, prepared)
    return replyTo(handling, `${protocols.issue}/offer-credential`, body, attachments)
  })
}

type Wanted = { holder: string; proof: string | undefined }

const assertSame = (given: unknown, offered: unknown, what: string): void => {
  if (given !== undefined && canonical(given) !== canonical(offered)) {
    throw requestDeviates(`The request changes ${what} of what is offered.`)
  }
}

const ldWanted = (json: unknown, desk: Desk, prepared: PreparedCredential): Wanted => {
  const { credential: asked, options } = isRecord(json) ? json : {}
  const { credentialSubject: subject, type, issuer } = isRecord(asked) ? asked : {}
  const { id: holder, ...claims } = isRecord(subject) ? subject : {}
  if (typeof holder !== 'string') throw bodyMalformed('credentialSubject names its holder as id.')
  assertSame(Object.keys(claims).length === 0 ? undefined : claims, prepared.claims, 'the claims')
  assertSame(type, ['VerifiableCredential', typeOf(desk, prepared).id], 'the type')
  assertSame(issuer, desk.did, 'the issuer')
  const { challenge, proof } = isRecord(options) ? options : {}
  assertSame(challenge, prepared.challenge, 'the challenge')
  return { holder, proof: isRecord(proof) && typeof proof['jwt'] === 'string' ? proof['jwt'] : undefined }
}

const ownWanted = (json: unknown, prepared: PreparedCredential): Wanted => {
  const { holder, proof, claims, challenge } = isRecord(json) ? json : {}
  if (typeof holder !== 'string') throw bodyMalformed('holder is the DID that the credential is bound to.')
  assertSame(claims, prepared.claims, 'the claims')
  assertSame(challenge, prepared.challenge, 'the challenge')
  return { holder, proof: isRecord(proof) && typeof proof['jwt'] === 'string' ? proof['jwt'] : undefined }
}

const wantedOf = (desk: Desk, message: Message, prepared: PreparedCredential): Wanted => {
  const format = prepared.format === 'ldp_vc' ? ldDetail : detail
  const attached = attachedIn(message, [format])
  if (attached === undefined) throw attachmentMissing([format])
  return format === ldDetail ? ldWanted(attached.json, desk, prepared) : ownWanted(attached.json, prepared)
}

/** A did:key of Ed25519, whose key agreement key is the same key: whoever sent the message has it. */
const isSenderKey = (holder: string, sender: string): boolean => holder === sender && holder.startsWith('did:key:z6Mk')

/** @throws Refusal didcomm_holder_unproven, key_proof_refused */
const assertProven = async (handling: Handling, wanted: Wanted, challenge: string): Promise<void> => {
  const { desk, sender, signer } = handling
  const { holder, proof } = wanted
  if (isSenderKey(holder, sender) || signer?.split('#')[0] === holder) return
  if (proof === undefined) throw holderUnproven()
  const proven = await desk.proveKey(proof, { audience: [desk.publicUrl, desk.messages.did], nonce: challenge })
  if (proven.did !== holder) throw holderUnproven()
}

const mediaTypes: Readonly<Record<string, string>> = {
  'dc+sd-jwt': 'application/dc+sd-jwt',
  'vc+jwt': 'application/vc+jwt',
  jwt_vc: 'application/jwt',
}

type Issued = Pick<IssuedCredential, 'id' | 'format' | 'compact'>

const issuedAttachment = ({ id, format, compact }: Issued): Record<string, unknown> =>
  format === 'ldp_vc'
    ? { id, media_type: 'application/ld+json', format: ldCredential, data: { json: JSON.parse(compact) } }
    : {
        ...{ id, media_type: mediaTypes[format], format: credential },
        data: { base64: Buffer.from(compact).toString('base64url') },
      }

const issueMessage = (handling: Handling, issued: Issued): Reply => {
  const body = { goal_code: 'issue-vc', comment: `${handling.desk.title} issues the credential.` }
  return replyTo(handling, `${protocols.issue}/issue-credential`, body, [issuedAttachment(issued)])
}

/** Signed first, kept with the act that ends the exchange. Whoever lost the answer may ask again, and gets the same. */
export const requested: Handler = async handling => {
  const { desk, message, sender } = handling
  const before = await desk.exchanges.issuedOn(sender, message.thid)
  const [known] = before === undefined ? [] : await desk.issued([before])
  if (known !== undefined) return answering(handling, async () => issueMessage(handling, known))
  const exchange = await desk.exchanges.onThread<PreparedCredential>('issue', sender, message.thid)
  const { prepared } = exchange
  const wanted = wantedOf(desk, message, prepared)
  await assertProven(handling, wanted, prepared.challenge)
  const issued = await issueTo(desk, exchange, wanted.holder)
  return answering(handling, async (tx, record) => {
    await desk.exchanges.stillOpen(tx, exchange.id)
    desk.issuance.store(tx, issued)
    record.effect(createHash('sha256').update(issued.compact).digest())
    await desk.exchanges.end(tx, exchange.id, 'done', { credential: issued.id })
    return issueMessage(handling, issued)
  })
}

const issueTo = (
  desk: Desk,
  { prepared }: Exchange<PreparedCredential> & { prepared: PreparedCredential },
  holder: string,
): Promise<IssuedCredential> => {
  const { type, version, format, claims, validUntil } = prepared
  return desk.issuance.issue({ type, version, format, validUntil, subject: { ...claims, id: holder } })
}
