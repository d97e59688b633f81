import type { Client } from './client.ts'
import { readDetails } from './details.ts'
import {
  boundKeyDiffers,
  challengeRefused,
  issuerStateUnknown,
  nothingPrepared,
  parameterMissing,
  parameterTooLong,
  requestObjectUnsupported,
  responseModeUnsupported,
  responseTypeUnsupported,
  scopeInvalid,
  targetInvalid,
} from './errors.ts'
import { issuanceOfState } from './grants.ts'
import type { AuthorizationDesk } from './needs.ts'
import { clientIdMost, stateMost } from './policy.ts'
import { assertRedirect } from './redirect.ts'

/** Parameters as they came; those that are not known are passed over (RFC 6749, section 3.1). */
export type Parameters = Readonly<Record<string, string | undefined>>

/** An authorization request that was found good. */
export type AuthorizationRequest = {
  clientId: string
  /** A name for people: of the wallet as its provider attests it, or as it is registered. */
  clientName?: string | undefined
  /** Of the wallet that its provider attested. */
  instance?: string | undefined
  /** Of the key that tokens are to be bound to. */
  thumbprint?: string | undefined
  redirectUri: string
  /** Whether somebody vouched for that address, by registering or attesting the wallet. */
  vouched: boolean
  state?: string | undefined
  challenge: string
  configurationIds: readonly string[]
  /** `authorization_details` were sent, so that the answer has them too. */
  details: boolean
  /** What was offered, where the request came of an offer. */
  issuance?: string | undefined
}

const challengeForm = /^[A-Za-z0-9_-]{43}$/
const thumbprintForm = /^[A-Za-z0-9_-]{43}$/

/** RFC 7636, section 4.3, with S256 alone (FAPI 2.0, HAIP 1.0). */
const challengeOf = ({ code_challenge: challenge, code_challenge_method: method }: Parameters): string => {
  if (method !== 'S256' || challenge === undefined || !challengeForm.test(challenge)) throw challengeRefused()
  return challenge
}

/** OpenID4VCI 1.0, section 5.1.2: each scope by itself; those that are not known are passed over. */
const configurationsOfScope = ({ configurations }: AuthorizationDesk, scope: string): string[] => {
  const words = new Set(scope.split(' '))
  return [...configurations].flatMap(([id, { scope: own }]) => (own !== undefined && words.has(own) ? [id] : []))
}

type Wanted = { configurationIds: string[]; details: boolean; issuance: string | undefined }

const wantedOf = async (desk: AuthorizationDesk, parameters: Parameters): Promise<Wanted> => {
  const { scope, authorization_details: details, issuer_state: issuerState, resource } = parameters
  if (resource !== undefined && resource !== desk.publicUrl) throw targetInvalid()
  const known = { issuer: desk.publicUrl, isConfiguration: (id: string) => desk.configurations.has(id) }
  const detailed = details === undefined ? [] : readDetails(details, known)
  const scoped = scope === undefined ? [] : configurationsOfScope(desk, scope)
  const asked = [...new Set([...detailed, ...scoped])]
  if ((scope !== undefined || issuerState === undefined) && asked.length === 0) throw scopeInvalid()
  const issuance = issuerState === undefined ? undefined : await issuanceOfState(desk, issuerState)
  const offered = issuance === undefined ? undefined : await desk.issuances.find(issuance)
  if (issuerState !== undefined && offered === undefined) throw issuerStateUnknown()
  const open = offered?.configurationIds ?? asked
  const configurationIds = asked.length === 0 ? [...open] : asked.filter(id => open.includes(id))
  if (configurationIds.length === 0) throw scopeInvalid()
  if (offered === undefined && (await desk.issuances.identification(configurationIds)) === undefined) {
    throw nothingPrepared()
  }
  return { configurationIds, details: details !== undefined, issuance }
}

/** The key of the proof at this request and the one that is named have to be one (RFC 9449, section 10.1). */
const boundKeyOf = ({ dpop_jkt: named }: Parameters, { possession }: Client): string | undefined => {
  if (named === undefined) return possession?.thumbprint
  if (!thumbprintForm.test(named) || (possession !== undefined && possession.thumbprint !== named))
    throw boundKeyDiffers()
  return named
}

/**
 * The address to which the answer to a request goes, good or bad.
 * @throws Refusal malformed/parameter_missing, redirect_forbidden
 */
export const redirectOf = (
  { redirect_uri: redirectUri }: Parameters,
  { registered, attested }: Pick<Client, 'registered' | 'attested'>,
): string => {
  if (redirectUri === undefined) throw parameterMissing('redirect_uri')
  assertRedirect(redirectUri, { registered, vouched: attested !== undefined })
  return redirectUri
}

/**
 * Reads an authorization request (RFC 6749, section 4.1.1; OpenID4VCI 1.0, section 5.1), whether it was pushed or came with the
 * citizen's browser.
 * @throws Refusal malformed: parameter_missing, parameter_too_long, redirect_forbidden, unsupported_response_type,
 * code_challenge_refused, invalid_scope, invalid_authorization_details, invalid_target, issuer_state_unknown …;
 * forbidden/issuance_unprepared
 */
export const readRequest = async (
  desk: AuthorizationDesk,
  parameters: Parameters,
  client: Client & { id: string },
): Promise<AuthorizationRequest> => {
  const redirectUri = redirectOf(parameters, client)
  if (client.id.length > clientIdMost) throw parameterTooLong('client_id', clientIdMost)
  if ((parameters['state'] ?? '').length > stateMost) throw parameterTooLong('state', stateMost)
  if (parameters['request'] !== undefined) throw requestObjectUnsupported()
  if (parameters['response_type'] !== 'code') throw responseTypeUnsupported()
  if ((parameters['response_mode'] ?? 'query') !== 'query') throw responseModeUnsupported()
  const challenge = challengeOf(parameters)
  const thumbprint = boundKeyOf(parameters, client)
  const wanted = await wantedOf(desk, parameters)
  const { registered, attested } = client
  return {
    ...{
      clientId: client.id,
      clientName: attested?.name ?? registered?.name,
      instance: attested?.instance,
      thumbprint,
    },
    ...{ redirectUri, vouched: registered !== undefined || attested !== undefined },
    ...{ state: parameters['state'], challenge, ...wanted },
  }
}
