import { eddsaJcs2022 } from '../integrity/eddsa.ts'
import { addProof } from '../integrity/proofs.ts'
import { entryHash, keyHash, scidOf } from './hash.ts'
import { placeholder } from './identifier.ts'
import { methodVersion } from './parameters.ts'
import { methodOfMultikey } from './proofs.ts'

/** An Ed25519 key that makes entries of a log. */
export type UpdateKey = { multikey: string; sign(data: Uint8Array): Promise<Uint8Array> }

export type EntryDraft = {
  /** Milliseconds. */
  time: number
  key: UpdateKey
  /** The key of the next entry, announced by its hash (Pre-Rotation). */
  nextMultikey: string
  /** The DID document; in a first entry `{SCID}` stands for the SCID. */
  state: Record<string, unknown>
}

/** Whole seconds where it can be; an entry within the second of the one before it needs more. */
const timeText = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z')

const rotation = ({ key, nextMultikey }: EntryDraft) => ({
  updateKeys: [key.multikey],
  nextKeyHashes: [keyHash(nextMultikey)],
})

const sealed = async (entry: Record<string, unknown>, { key, time }: EntryDraft): Promise<string> => {
  const verificationMethod = methodOfMultikey(key.multikey)
  const secured = await addProof(entry, {
    suite: eddsaJcs2022,
    signer: { verificationMethod, algorithm: 'EdDSA', sign: key.sign },
    proofPurpose: 'assertionMethod',
    created: `${new Date(time).toISOString().slice(0, 19)}Z`,
  })
  return JSON.stringify({ ...secured, proof: [secured['proof']] })
}

/** did:webvh 1.0, Create (Register), steps 4 to 6: the first line of a log that can be moved and announces its next key. */
export const firstEntry = async (draft: EntryDraft): Promise<string> => {
  const preliminary = {
    versionId: placeholder,
    versionTime: timeText(draft.time),
    parameters: { method: methodVersion, scid: placeholder, portable: true, ...rotation(draft) },
    state: draft.state,
  }
  const scid = scidOf(preliminary, placeholder)
  const entry = JSON.parse(JSON.stringify(preliminary).replaceAll(placeholder, scid)) as typeof preliminary
  return sealed({ ...entry, versionId: `1-${entryHash(entry)}` }, draft)
}

/** did:webvh 1.0, Update (Rotate), steps 3 to 9. */
export const nextEntry = async (draft: EntryDraft, before: { versionId: string; number: number }): Promise<string> => {
  const { versionId, number } = before
  const { time, state } = draft
  const preliminary = { versionId, versionTime: timeText(time), parameters: rotation(draft), state }
  return sealed({ ...preliminary, versionId: `${number + 1}-${entryHash(preliminary)}` }, draft)
}
