import { isRefusal } from '../../kernel/refusal.ts'
import { compactJwsHolds, readCompactJws } from '../formats/compact-jws.ts'
import { isRecord } from '../formats/json.ts'
import type { Certificate } from '../x509/certificate.ts'
import { certificatesOfX5c } from '../x509/certificate.ts'
import {
  certificateIn,
  certificatesMost,
  inOrder,
  type ServicePeriod,
  servicesMost,
  type TrustedList,
  type TrustedService,
  timeIn,
} from './list.ts'
import { type Operators, signerAmong } from './operators.ts'
import { listMalformed, listUnsigned } from './refusals.ts'

type Part = Record<string, unknown>

const recordIn = (value: unknown, name: string): Part => {
  if (isRecord(value)) return value
  throw listMalformed(`${name} is missing, or is not an object.`)
}

const listIn = (value: unknown, name: string, most: number): unknown[] => {
  if (Array.isArray(value) && value.length <= most) return value
  throw listMalformed(`${name} is not a list of a bearable length.`)
}

const textIn = (value: unknown, name: string): string => {
  if (typeof value === 'string' && value !== '') return value
  throw listMalformed(`${name} is missing, or is not a text.`)
}

/** The first of a text in several languages (clause 6.2.4.2). */
const nameIn = (value: unknown, name: string): string => {
  const [first] = listIn(value, name, 64)
  return textIn(recordIn(first, name)['value'], name)
}

/** Clause 6.6.3. Identities other than certificates are of no use to a verifier of certificates. */
const certificatesIn = (identity: unknown): Uint8Array[] => {
  const { X509Certificates: listed } = recordIn(identity, 'ServiceDigitalIdentity')
  if (listed === undefined) return []
  return listIn(listed, 'X509Certificates', certificatesMost).map(each =>
    certificateIn(recordIn(each, 'X509Certificates')['val']),
  )
}

/** Clauses 6.6 and 6.7: the service as it is, or as it was. */
const periodIn = (value: unknown, isNow: boolean, type?: string): ServicePeriod => {
  const information = recordIn(value, 'ServiceInformation')
  const { ServiceStatus: status, StatusStartingTime: start, ServiceTypeIdentifier: named } = information
  if ((status === undefined) !== (start === undefined) || (!isNow && status === undefined)) {
    throw listMalformed('A status of a service stands with the time from which it holds, and not without.')
  }
  return {
    from: start === undefined ? Number.NEGATIVE_INFINITY : timeIn(start, 'StatusStartingTime'),
    status: status === undefined ? undefined : textIn(status, 'ServiceStatus'),
    type: named === undefined ? (type ?? '') : textIn(named, 'ServiceTypeIdentifier'),
    certificates: certificatesIn(information['ServiceDigitalIdentity']),
  }
}

const servicesIn = (entity: unknown): TrustedService[] => {
  const { TrustedEntityInformation: about, TrustedEntityServices: services } = recordIn(entity, 'A trusted entity')
  const provider = nameIn(recordIn(about, 'TrustedEntityInformation')['TEName'], 'TEName')
  return listIn(services, 'TrustedEntityServices', servicesMost).map(each => {
    const { ServiceInformation: now, ServiceHistory: history = [] } = recordIn(each, 'A service')
    const current = periodIn(now, true)
    const past = listIn(history, 'ServiceHistory', 256).map(instance => periodIn(instance, false, current.type))
    return { provider, periods: inOrder([current, ...past]) }
  })
}

/** Clause 6.3: the form that is read here is version 1. */
const readList = (payload: Readonly<Part>): TrustedList => {
  const list = recordIn(payload['LoTE'], 'LoTE')
  const scheme = recordIn(list['ListAndSchemeInformation'], 'ListAndSchemeInformation')
  const { LoTEVersionIdentifier: version, LoTESequenceNumber: sequenceNumber } = scheme
  if (version !== 1) throw listMalformed('The list is of a version that is not read here; 1 is.')
  if (!Number.isSafeInteger(sequenceNumber) || Number(sequenceNumber) < 1) {
    throw listMalformed('LoTESequenceNumber is not a whole number of 1 or more.')
  }
  const { LoTEType: type, SchemeTerritory: territory } = scheme
  const entities = listIn(list['TrustedEntitiesList'] ?? [], 'TrustedEntitiesList', servicesMost)
  const services = entities.flatMap(servicesIn)
  if (services.length > servicesMost) throw listMalformed(`A list has at most ${servicesMost} services.`)
  return {
    ...{ form: 'TS 119 602', sequenceNumber: sequenceNumber as number, services },
    type: type === undefined ? undefined : textIn(type, 'LoTEType'),
    operator: nameIn(scheme['SchemeOperatorName'], 'SchemeOperatorName'),
    territory: territory === undefined ? undefined : textIn(territory, 'SchemeTerritory'),
    issuedAt: timeIn(scheme['ListIssueDateTime'], 'ListIssueDateTime'),
    nextUpdate: timeIn(scheme['NextUpdate'], 'NextUpdate'),
  }
}

/** Members of a JAdES header (ETSI TS 119 182-1, clause 5) that may be critical and are understood here. */
const critical = ['sigT']

/**
 * Reads a list of trusted entities in JSON (ETSI TS 119 602, clause 6 and annex A), which its scheme operator signed as a compact
 * JAdES (ETSI TS 119 182-1, baseline B).
 * @throws Refusal malformed/trusted_list_malformed, rejected/trusted_list_unsigned, rejected/trusted_list_of_another,
 *   rejected/certificate_expired
 */
export const readTrustedEntities = async (compact: string, operators: Operators, now: number): Promise<TrustedList> => {
  let signer: Certificate
  const jws = (() => {
    try {
      return readCompactJws(compact, { bytesMost: Math.max(compact.length, 1), critical })
    } catch (cause) {
      throw isRefusal(cause) ? listUnsigned(`The list is not signed as it has to be: ${cause.message}`, cause) : cause
    }
  })()
  const { x5c } = jws.header
  if (x5c === undefined) throw listUnsigned('The header of the list names no certificate (x5c).')
  try {
    signer = signerAmong(certificatesOfX5c(x5c), operators, now)
  } catch (cause) {
    if (isRefusal(cause) && cause.kind === 'malformed') throw listUnsigned('x5c of the list is malformed.', cause)
    throw cause
  }
  if (!(await compactJwsHolds(jws, signer.publicKey))) throw listUnsigned('The signature does not fit the list.')
  return readList(jws.payload)
}
