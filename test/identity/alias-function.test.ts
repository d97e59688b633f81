import { randomBytes } from 'node:crypto'
import { aliasInfo, aliasTag, openAliasFunction } from '../../src/identity/alias-function.ts'
import { blindInput, domainInfo, evaluateBlinded, finalizeEvaluated, oprfKeyFrom } from '../../src/identity/oprf.ts'
import { openEvaluator } from '../../src/identity/oprf-evaluator.ts'

const key = oprfKeyFrom(Buffer.alloc(32, 1))
const other = oprfKeyFrom(Buffer.alloc(32, 2))
const directory = openAliasFunction(key, openEvaluator(key))
const phone = '+99912345678'
const ask = (kind: string, alias: string, publicKey = key.publicKey, by = directory) =>
  aliasTag({ kind, alias, publicKey, evaluate: elements => by.evaluate(kind, elements) })

describe('the tag of an alias', () => {
  it('is the same for whoever asks and for the directory itself, and 32 bytes', async () => {
    const tag = await ask('phone', phone)
    expect(Buffer.from(tag, 'base64url')).toHaveLength(32)
    expect(await ask('phone', phone)).toBe(tag)
    expect(await directory.tagOf('phone', phone)).toBe(tag)
  })

  it('is another for another alias, kind or key, and no pseudonym', async () => {
    const secondDirectory = openAliasFunction(other, openEvaluator(other))
    const tags = [
      await ask('phone', phone),
      await ask('phone', `${phone}0`),
      await ask('national-id', phone),
      await ask('phone', phone, other.publicKey, secondDirectory),
    ]
    const info = domainInfo('phone')
    const blinded = blindInput(Buffer.from(phone), { publicKey: key.publicKey, info })
    const [pseudonym] = finalizeEvaluated([blinded], evaluateBlinded([blinded.element], { ...key, info }), info)
    tags.push(Buffer.from(pseudonym as Uint8Array).toString('base64url'))
    expect(new Set(tags).size).toBe(tags.length)
  })

  it('is asked for by an element that differs each time, so the directory cannot tell that it is the same alias', async () => {
    const sent: string[] = []
    for (let n = 0; n < 3; n++) {
      await aliasTag({
        ...{ kind: 'phone', alias: phone, publicKey: key.publicKey },
        async evaluate(elements) {
          sent.push(...elements.map(each => Buffer.from(each).toString('hex')))
          return evaluateBlinded(elements, { ...key, info: aliasInfo('phone') })
        },
      })
    }
    expect(new Set(sent).size).toBe(3)
  })

  it.each([
    ['another key than the published one', { ...other, info: aliasInfo('phone') }],
    ['the function of another kind', { ...key, info: aliasInfo('national-id') }],
  ])('is not taken from whoever answers under %s', async (_, by) => {
    const evaluate = async (elements: readonly Uint8Array[]) => evaluateBlinded(elements, by)
    const asked = aliasTag({ kind: 'phone', alias: phone, publicKey: key.publicKey, evaluate })
    await expect(asked).rejects.toMatchObject({ code: 'pseudonym_proof_invalid' })
  })
})

describe('what the directory ties to its key', () => {
  it('never changes with the same key, and differs by purpose, text and key', () => {
    const text = randomBytes(8).toString('hex')
    const again = openAliasFunction(key, openEvaluator(key))
    const second = openAliasFunction(other, openEvaluator(other))
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    expect(hex(again.keyed('decoy', text))).toBe(hex(directory.keyed('decoy', text)))
    const all = [
      directory.keyed('decoy', text),
      directory.keyed('asker', text),
      directory.keyed('decoy', `${text}.`),
      second.keyed('decoy', text),
    ]
    expect(new Set(all.map(hex)).size).toBe(4)
  })
})
