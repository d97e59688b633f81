import { hash } from 'node:crypto'
import { canonical } from '../../kernel/canonical.ts'
import { toBase58btc } from '../multibase.ts'
import { placeholder } from './identifier.ts'

const sha256Code = Buffer.from([0x12, 0x20])

const multihash = (text: string): string =>
  toBase58btc(Buffer.concat([sha256Code, hash('sha256', text, 'buffer')])).slice(1)

/** `base58btc(multihash(JCS(entry)))`: of an entry without its proof, whose `versionId` is that of the one before. */
export const entryHash = (entry: object): string => multihash(canonical(entry))

/** Pre-Rotation Key Hash Generation: of a multikey. */
export const keyHash = (multikey: string): string => multihash(multikey)

/** Verify SCID, steps 4 to 7: of a first entry without its proof. */
export const scidOf = (entry: object, scid: string): string => {
  const text = JSON.stringify({ ...entry, versionId: placeholder })
  return multihash(canonical(JSON.parse(scid === placeholder ? text : text.replaceAll(scid, placeholder))))
}
