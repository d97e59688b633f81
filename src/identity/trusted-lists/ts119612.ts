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
import type { Operators } from './operators.ts'
import { listMalformed } from './refusals.ts'
import { openSignedXml } from './xml-signature.ts'
import { childNamed, childrenNamed, textOfElement } from './xml-tree.ts'

/** TS 119 612, annex C: the namespace of versions 5 and 6 of the list. */
const tsl = 'http://uri.etsi.org/02231/v2#'
const versions = ['5', '6']

const child = (parent: Element, name: string): Element => {
  const found = childNamed(parent, tsl, name)
  if (found === undefined) throw listMalformed(`${name} is missing in ${parent.localName}.`)
  return found
}
const text = (parent: Element, name: string): string => textOfElement(child(parent, name))
const optionalText = (parent: Element, name: string): string | undefined => {
  const found = childNamed(parent, tsl, name)
  return found === undefined ? undefined : textOfElement(found)
}

/** The first of a name in several languages. */
const name = (parent: Element, element: string): string => {
  const [first] = childrenNamed(child(parent, element), tsl, 'Name')
  if (first === undefined) throw listMalformed(`${element} holds no name.`)
  return textOfElement(first)
}

/** Clause 5.5.3. Past services may be named by their key identifier alone, by which nothing is verified here. */
const certificatesIn = (service: Element): Uint8Array[] => {
  const ids = childrenNamed(child(service, 'ServiceDigitalIdentity'), tsl, 'DigitalId')
  const certificates = ids.flatMap(each => childrenNamed(each, tsl, 'X509Certificate'))
  if (certificates.length > certificatesMost) throw listMalformed('A service has too many certificates.')
  return certificates.map(each => certificateIn(textOfElement(each)))
}

/** Clauses 5.5 and 5.6: the service as it is, or as it was. */
const periodIn = (service: Element): ServicePeriod => ({
  from: timeIn(text(service, 'StatusStartingTime'), 'StatusStartingTime'),
  status: text(service, 'ServiceStatus'),
  type: text(service, 'ServiceTypeIdentifier'),
  certificates: certificatesIn(service),
})

const serviceIn = (service: Element, provider: string): TrustedService => {
  const history = childNamed(service, tsl, 'ServiceHistory')
  const past = history === undefined ? [] : childrenNamed(history, tsl, 'ServiceHistoryInstance')
  if (past.length > 256) throw listMalformed('A service has too long a history.')
  const current = periodIn(child(service, 'ServiceInformation'))
  // An identity that the history leaves out is that of today.
  const before = past.map(periodIn).map(period => ({
    ...period,
    certificates: period.certificates.length > 0 ? period.certificates : current.certificates,
  }))
  return { provider, periods: inOrder([current, ...before]) }
}

const servicesIn = (provider: Element): TrustedService[] => {
  const named = name(child(provider, 'TSPInformation'), 'TSPName')
  return childrenNamed(child(provider, 'TSPServices'), tsl, 'TSPService').map(each => serviceIn(each, named))
}

/** Clause 5.3.15: an empty element closes the list for good. */
const nextUpdateIn = (scheme: Element): number => {
  const until = childNamed(child(scheme, 'NextUpdate'), tsl, 'dateTime')
  if (until === undefined) throw listMalformed('The list is closed: it names no next update.')
  return timeIn(textOfElement(until), 'NextUpdate')
}

/**
 * Reads a trusted list in XML (ETSI TS 119 612, versions 5 and 6 of the form), which its scheme operator signed with XAdES.
 * @throws Refusal malformed/trusted_list_malformed, rejected/trusted_list_unsigned, rejected/trusted_list_of_another,
 *   rejected/certificate_expired
 */
export const readTrustServices = (xml: string, operators: Operators, now: number): TrustedList => {
  const root = openSignedXml(xml, operators, now)
  if (root.namespaceURI !== tsl || root.localName !== 'TrustServiceStatusList') {
    throw listMalformed('What is signed is not a TrustServiceStatusList.')
  }
  const scheme = child(root, 'SchemeInformation')
  if (!versions.includes(text(scheme, 'TSLVersionIdentifier'))) {
    throw listMalformed('The list is of a version that is not read here; 5 and 6 are.')
  }
  const sequenceNumber = text(scheme, 'TSLSequenceNumber')
  if (!/^[1-9][0-9]{0,14}$/.test(sequenceNumber)) throw listMalformed('TSLSequenceNumber is not a positive number.')
  const providers = childNamed(root, tsl, 'TrustServiceProviderList')
  const services = (providers === undefined ? [] : childrenNamed(providers, tsl, 'TrustServiceProvider')).flatMap(
    servicesIn,
  )
  if (services.length > servicesMost) throw listMalformed(`A list has at most ${servicesMost} services.`)
  return {
    ...{ form: 'TS 119 612', sequenceNumber: Number(sequenceNumber), services },
    type: text(scheme, 'TSLType'),
    operator: name(scheme, 'SchemeOperatorName'),
    territory: optionalText(scheme, 'SchemeTerritory'),
    issuedAt: timeIn(text(scheme, 'ListIssueDateTime'), 'ListIssueDateTime'),
    nextUpdate: nextUpdateIn(scheme),
  }
}
