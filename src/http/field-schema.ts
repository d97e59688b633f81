import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, code: { optimize: false } })
formats.default(ajv)

/**
 * Compiles a JSON Schema (draft 2020-12) that stands by itself; the check says what is wrong with a value: where and
 * which rule, never the value.
 * @throws Error for what is no schema, has an unknown keyword or format, or refers to another document.
 */
export const compileFieldSchema = (schema: Readonly<Record<string, unknown>>) => {
  const check = ajv.compile(schema)
  return (value: unknown): string | undefined => {
    if (check(value)) return undefined
    const first = check.errors?.[0]
    const extra = first?.params['additionalProperty']
    const at = `${first?.instancePath ?? ''}${typeof extra === 'string' ? `/${extra}` : ''}`
    return `${at.slice(0, 200) || '/'} ${first?.message ?? 'does not fit'}`
  }
}
