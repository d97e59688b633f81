import type { DcqlPath } from '../../../kernel/dcql-query.ts'
import { isRecord } from '../../formats/json.ts'

/** An element that a claims path pointer selects, and where it stands. */
export type Selected = { at: (string | number)[]; value: unknown }

/**
 * `nowhere` where processing is to be aborted (section 7.1.1): an element of the wrong kind, as against one that lacks
 * what is asked of it.
 */
const stepped = (from: Selected, step: string | number | null, shifted: boolean): Selected[] | 'nowhere' => {
  const { at, value } = from
  if (typeof step === 'string') {
    if (!isRecord(value)) return 'nowhere'
    return Object.hasOwn(value, step) ? [{ at: [...at, step], value: value[step] }] : []
  }
  if (!Array.isArray(value)) return 'nowhere'
  const all = (value as unknown[]).map((item, index) => ({ at: [...at, index], value: item }))
  if (step === null) return all
  return shifted ? all.slice(0, step + 1) : all.slice(step, step + 1)
}

/**
 * What a claims path pointer selects of a JSON document (OpenID4VP 1.0, section 7.1.1). Nothing stands for an error too.
 * @param shifted of an SD-JWT as it is presented: elements that are kept back are gone, so that what was at a position may
 *   stand at any before it.
 */
export const selectPath = (root: Record<string, unknown>, path: DcqlPath, shifted = false): Selected[] => {
  let selected: Selected[] = [{ at: [], value: root }]
  for (const step of path) {
    const next: Selected[] = []
    for (const each of selected) {
      const found = stepped(each, step, shifted)
      if (found === 'nowhere') return []
      next.push(...found)
    }
    selected = next
  }
  return selected
}

/** A data element by its namespace and name (section 7.2.1). */
export const selectElement = (
  namespaces: Readonly<Record<string, unknown>>,
  [namespace, element, ...more]: DcqlPath,
): Selected[] => {
  if (typeof namespace !== 'string' || typeof element !== 'string' || more.length > 0) return []
  const elements = Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined
  if (!isRecord(elements) || !Object.hasOwn(elements, element)) return []
  return [{ at: [namespace, element], value: elements[element] }]
}
