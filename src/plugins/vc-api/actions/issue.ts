import { randomUUID } from 'node:crypto'
import { perform } from '../../../kernel/perform.ts'
import type { Answer, Context } from '../../../kernel/plugin.ts'
import type { Tx } from '../../../kernel/ports.ts'
import { isRecord } from '../document.ts'
import {
  instanceCredentialTaken,
  instanceStatusNone,
  issueOptionUnsupported,
  issuerForeign,
  issuerUnknown,
} from '../errors.ts'
import type { Document, Instance, IssuingNeeds, VcApiNeeds } from '../needs.ts'
import { requires } from '../policy.ts'
import { readStatusOptions } from '../status-options.ts'
import { allot, entriesOf, type Places, storePlaces } from './status.ts'

export type IssueBody = {
  credential: Document
  options?: { credentialId?: string; mandatoryPointers?: string[]; credentialStatus?: unknown }
}

/** @throws Refusal not_found/issuer_unknown */
export const instanceNamed = (needs: IssuingNeeds, name: string): Instance => {
  const instance = needs.instances.get(name)
  if (instance === undefined) throw issuerUnknown()
  return instance
}

export const instanceOf = (needs: VcApiNeeds, context: Context): Instance =>
  instanceNamed(needs, context.params['issuer'] ?? '')

/** The credential in the instance's name. What is malformed stays so: the data model's rules refuse it by its name. */
const inName = (credential: Document, did: string): Document => {
  const { issuer } = credential
  if (issuer === undefined) return { ...credential, issuer: did }
  if (isRecord(issuer) && issuer['id'] === undefined) return { ...credential, issuer: { ...issuer, id: did } }
  const named = isRecord(issuer) ? issuer['id'] : issuer
  if (typeof named === 'string' && named !== did) throw issuerForeign()
  return credential
}

/** The statuses that an instance gives a credential. @throws Refusal malformed/status_option_malformed, rejected/status_not_kept */
const statusesFor = ({ status }: Instance, { credentialStatus }: NonNullable<IssueBody['options']>) => {
  if (status) return readStatusOptions(credentialStatus)
  if (credentialStatus !== undefined) throw instanceStatusNone()
  return []
}

const withStatus = (needs: VcApiNeeds, instance: Instance, credential: Document, places: Places): Document => {
  const own = entriesOf(needs.publicUrl, instance.name, places)
  const given = credential['credentialStatus']
  const entries = given === undefined ? own : [given, ...own].flat()
  return { ...credential, credentialStatus: entries }
}

/** A credential that is signed, and what is to be kept of it with the act that hands it over. */
export type Prepared = {
  input: unknown
  issued: { verifiableCredential: unknown; credentialId?: string }
  /** @throws Refusal conflict/credential_id_taken */
  store(tx: Tx): Promise<void>
}

/** Secures what it is handed; only an instance of a conformance profile does that. */
const prepareAny = async (needs: VcApiNeeds, instance: Instance, body: IssueBody): Promise<Prepared> => {
  const { credential: given, options = {} } = body
  const named = inName(given, instance.did)
  const asked = statusesFor(instance, options)
  const places = asked.length === 0 ? undefined : await allot(needs, instance, asked)
  const id = options.credentialId ?? (typeof named['id'] === 'string' ? named['id'] : `urn:uuid:${randomUUID()}`)
  // VCALM 1.0: the name by which its status is changed need not stand in the credential, where only a URL can.
  const needsId = places !== undefined && named['id'] === undefined && URL.canParse(id)
  const identified = needsId ? { ...named, id } : named
  const credential = places === undefined ? identified : withStatus(needs, instance, identified, places)
  const verifiableCredential = await instance.secure(credential, options)
  const store = async (tx: Tx): Promise<void> => {
    if (places === undefined) return
    const named = await tx.query(
      'INSERT INTO instance_credential_ids (issuer, id) VALUES (?, ?) ON CONFLICT (issuer, id) DO NOTHING RETURNING id',
      [instance.name, id],
    )
    if (named.length === 0) throw instanceCredentialTaken()
    storePlaces(tx, places, { issuer: instance.name, id, issuedAt: needs.house.clock.now() })
  }
  return { input: { issuer: instance.name, credential }, issued: { verifiableCredential }, store }
}

/** Signs a credential with an instance, by the agency's rules where it has any. Nothing is kept yet. */
export const prepareIssue = async (needs: VcApiNeeds, instance: Instance, body: IssueBody): Promise<Prepared> => {
  if (instance.issueKnown === undefined) return prepareAny(needs, instance, body)
  const [option] = Object.entries(body.options ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (option !== undefined) throw issueOptionUnsupported(option.slice(0, 80))
  const { verifiableCredential, credentialId, store } = await instance.issueKnown(body.credential)
  return { input: body, issued: { verifiableCredential, credentialId }, store: async tx => store(tx) }
}

/** VC API `/credentials/issue` of one instance. */
export const issueByInstance = async (needs: VcApiNeeds, context: Context): Promise<Answer> => {
  const prepared = await prepareIssue(needs, instanceOf(needs, context), context.body as IssueBody)
  const body = await perform(needs.house, {
    operation: 'issueByInstance',
    requires: requires.issue,
    caller: context.caller,
    input: prepared.input,
    idempotencyKey: context.headers['idempotency-key'],
    act: async tx => {
      await prepared.store(tx)
      return prepared.issued
    },
  })
  return { status: 201, body }
}

/** The instances of this agency, for whoever wants to know under which path a suite is. */
export const listIssuers = async (needs: VcApiNeeds): Promise<Answer> => ({
  status: 200,
  body: {
    items: [...needs.instances.values()].map(({ name, suite, did, verificationMethod }) => ({
      ...{ name, suite, issuer: did, verificationMethod },
      url: `${needs.publicUrl}/issuers/${name}`,
    })),
  },
})
