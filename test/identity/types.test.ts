import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCredentialTypes } from '../../src/identity/types.ts'
import { isRefusal } from '../../src/kernel/refusal.ts'
import { schemas } from './world.ts'

type File = Record<string, unknown> & {
  schema: { $id: string; properties: Record<string, Record<string, unknown>>; required: string[] }
  disclosable: string[][]
  example: Record<string, unknown>
}

const licence = 'driving-licence.v1.json'
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

const copied = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'schemas-'))
  folders.push(folder)
  cpSync(schemas, folder, { recursive: true })
  return folder
}

/** The folder with one type changed, or another file written beside it. */
const changed = (change: (file: File) => unknown, name = licence): string => {
  const folder = copied()
  const file = JSON.parse(readFileSync(join(folder, licence), 'utf8')) as File
  const text = change(file) ?? file
  writeFileSync(join(folder, name), typeof text === 'string' ? text : JSON.stringify(text))
  return folder
}

describe('the credential types', () => {
  const types = loadCredentialTypes(schemas)

  it('are all found by id, by schema and by vct', () => {
    for (const type of types.all) {
      expect(types.byId(type.id)).toBe(type)
      expect(types.bySchemaId(type.schemaId)).toBe(type)
      expect(types.byVct(type.vct)).toBe(type)
    }
  })

  it('are refused by name when unknown', () => {
    for (const work of [() => types.byId('Diploma'), () => types.byId('DrivingLicence', 2)]) {
      let code: string | undefined
      try {
        work()
      } catch (error) {
        if (isRefusal(error)) code = error.code
      }
      expect(code).toBe('type_unknown')
    }
    expect(types.bySchemaId('urn:x')).toBeUndefined()
    expect(types.byVct('__proto__')).toBeUndefined()
  })

  it('take a whole subject, and a disclosed one without what can be kept back', () => {
    const type = types.byId('DrivingLicence')
    const whole = { id: 'did:key:x', ...type.example }
    const { familyName: _kept, ...less } = whole as Record<string, unknown>
    expect(type.check(whole)).toBeUndefined()
    expect(type.check(less)).toMatch(/familyName/)
    expect(type.checkDisclosed(less)).toBeUndefined()
    const { issuingCountry: _open, ...open } = whole as Record<string, unknown>
    expect(type.checkDisclosed(open)).toMatch(/issuingCountry/)
    expect(type.checkDisclosed({ ...whole, isAdmin: true })).toMatch(/isAdmin/)
  })

  it('give the newest version when none is named', () => {
    const folder = changed(file => {
      const schema = { ...file.schema, $id: 'urn:chancery:schema:driving-licence:2' }
      return { ...file, version: 2, vct: 'urn:chancery:vct:driving-licence:2', schema }
    }, 'driving-licence.v2.json')
    const both = loadCredentialTypes(folder)
    expect(both.byId('DrivingLicence').version).toBe(2)
    expect(both.byId('DrivingLicence', 1).version).toBe(1)
  })

  it.each<[string, string | RegExp, (file: File) => unknown, string?]>([
    ['a part is missing', 'the part "display" is missing', file => void delete file['display']],
    ['it is not JSON', `schemas/${licence} is not JSON`, () => '{'],
    ['its name says another version', 'version 2 inside', file => ({ ...file, version: 2 })],
    ['a file has another name', 'is named <type>.v<version>.json', () => ({}), 'notes.txt'],
    ['a format is unknown', 'unknown format "mdoc"', file => ({ ...file, formats: ['mdoc'] })],
    ['it has no format', 'at least one format', file => ({ ...file, formats: [] })],
    ['it has no status', 'without status', file => ({ ...file, statusPurposes: [] })],
    ['its example does not fit', 'example does not pass', file => ({ ...file, example: {} })],
    [
      'its schema is none',
      /strict mode|must be|unknown/,
      file => ({ ...file, schema: { ...file.schema, type: 'thing' } }),
    ],
    [
      'a disclosable claim does not exist',
      'no disclosable claim nickname',
      file => ({ ...file, disclosable: [['nickname']] }),
    ],
    [
      'a disclosable claim below another does not exist',
      'no disclosable claim birthPlace.street',
      file => ({ ...file, disclosable: [['birthPlace', 'street']] }),
    ],
    ['a disclosable path is too long', 'one or two steps', file => ({ ...file, disclosable: [['a', 'b', 'c']] })],
    ['the holder is disclosable', 'no disclosable claim id', file => ({ ...file, disclosable: [['id']] })],
    [
      'a parent requires a disclosable claim',
      'required by its parent',
      file => ({ ...file, disclosable: [['birthPlace', 'country']] }),
    ],
    [
      'a claim has a name that a JWT uses',
      'cannot be named "status"',
      ({ schema, ...file }) => ({
        ...file,
        schema: { ...schema, properties: { ...schema.properties, status: { type: 'string' } } },
      }),
    ],
    ['two types share a vct', 'share one vct', file => ({ ...file, vct: 'urn:chancery:vct:residence:1' })],
    [
      'two types share a schema',
      /already exists|share one schemaId/,
      file => ({ ...file, schema: { ...file.schema, $id: 'urn:chancery:schema:residence:1' } }),
    ],
  ])('stop the start when %s', (_title, message, change, ...[name]) => {
    expect(() => loadCredentialTypes(changed(change, name))).toThrow(message)
  })

  it('stop the start when there is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'schemas-'))
    folders.push(folder)
    expect(() => loadCredentialTypes(folder)).toThrow('holds no credential type')
  })

  it('have a digest that another order of members does not change and another limit does', () => {
    const digest = (change: (file: File) => unknown) =>
      loadCredentialTypes(changed(change)).byId('DrivingLicence').schemaDigest
    const original = types.byId('DrivingLicence').schemaDigest
    const turned = (file: File) => ({ ...file, schema: Object.fromEntries(Object.entries(file.schema).reverse()) })
    expect(original).toMatch(/^0x[0-9a-f]{64}$/)
    expect(digest(turned)).toBe(original)
    const wider = (file: File) => {
      const { familyName } = file.schema.properties
      if (familyName !== undefined) familyName['maxLength'] = 151
    }
    expect(digest(wider)).not.toBe(original)
  })
})
