import { DOMParser } from '@xmldom/xmldom'
import { listMalformed } from './refusals.ts'

/** XML as it may come from a stranger: no document type, no entities of its own, no instructions, bounded. */

const depthMost = 64
const elementsMost = 1_000_000

/**
 * What declares a document type could define entities that grow without bounds or point elsewhere; none of it belongs into a
 * trusted list. Comments and CDATA hide text from one reader that another sees.
 */
const forbidden = /<!DOCTYPE|<!ENTITY|<!\[CDATA\[|<\?(?!xml[\s?])/i

const assertShape = (root: Element): void => {
  let elements = 0
  const walk = (element: Element, depth: number): void => {
    if (depth > depthMost) throw listMalformed('The XML is nested too deep.')
    if (++elements > elementsMost) throw listMalformed('The XML has too many elements.')
    for (let child = element.firstChild; child !== null; child = child.nextSibling) {
      if (child.nodeType === 1) walk(child as Element, depth + 1)
    }
  }
  walk(root, 0)
}

/** @returns the one element at the top. @throws Refusal malformed/trusted_list_malformed */
export const parseXml = (text: string): Element => {
  if (text.includes('\0') || forbidden.test(text)) {
    throw listMalformed('The XML has a document type, a CDATA section or a processing instruction.')
  }
  const refuse = (message: unknown): never => {
    throw listMalformed(`The XML is malformed: ${String(message).split('\n', 1)[0]?.slice(0, 120)}`)
  }
  const parser = new DOMParser({ errorHandler: { warning: refuse, error: refuse, fatalError: refuse } })
  const document = parser.parseFromString(text, 'text/xml')
  const root = document?.documentElement
  if (root === undefined || root === null) throw listMalformed('The XML has no element.')
  for (let node = document.firstChild; node !== null; node = node.nextSibling) {
    if (node.nodeType === 1 && node !== root) throw listMalformed('The XML has two elements at the top.')
  }
  assertShape(root)
  return root
}

const isNamed = (element: Element, namespace: string, name: string): boolean =>
  element.namespaceURI === namespace && element.localName === name

/** Children of a name, in one namespace; nothing deeper. */
export const childrenNamed = (parent: Element, namespace: string, name: string): Element[] => {
  const found: Element[] = []
  for (let child = parent.firstChild; child !== null; child = child.nextSibling) {
    if (child.nodeType === 1 && isNamed(child as Element, namespace, name)) found.push(child as Element)
  }
  return found
}

/** All elements of a name below, however deep. */
export const elementsNamed = (root: Element, namespace: string, name: string): Element[] =>
  Array.from(root.getElementsByTagNameNS(namespace, name))

/** The one child of a name, or undefined. @throws Refusal malformed/trusted_list_malformed where there are two */
export const childNamed = (parent: Element, namespace: string, name: string): Element | undefined => {
  const [found, more] = childrenNamed(parent, namespace, name)
  if (more !== undefined) throw listMalformed(`${name} stands twice in ${parent.localName}.`)
  return found
}

/** The text of an element that holds nothing else. @throws Refusal malformed/trusted_list_malformed */
export const textOfElement = (element: Element): string => {
  let text = ''
  for (let child = element.firstChild; child !== null; child = child.nextSibling) {
    // A comment in the middle of a text has made readers see half of it.
    if (child.nodeType !== 3) throw listMalformed(`${element.localName} holds more than a text.`)
    text += child.nodeValue ?? ''
  }
  return text.trim()
}
