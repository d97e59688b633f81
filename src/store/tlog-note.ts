import { createHash, createPublicKey, verify } from 'node:crypto'

/** The head of a log as C2SP tlog-checkpoint writes it. */
export type Checkpoint = { origin: string; size: number; root: Uint8Array }

/** An Ed25519 key under its name, as C2SP signed-note knows it. `publicKey` is the raw 32 bytes. */
export type NoteKey = { name: string; publicKey: Uint8Array }

export type NoteSignature = { name: string; keyId: Buffer; signature: Buffer }

const ed25519 = 0x01
const spki = Buffer.from('302a300506032b6570032100', 'hex')

/** Names are without spaces, control characters and plus signs, so that notes and verifier keys can be taken apart. */
export const isNoteName = (name: string): boolean => /^[^\s+\p{Cc}]+$/u.test(name)

/** The first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key). */
export const keyIdOf = ({ name, publicKey }: NoteKey): Buffer =>
  createHash('sha256').update(name).update(Buffer.of(0x0a, ed25519)).update(publicKey).digest().subarray(0, 4)

/** The verifier key to hand to others: `name+keyid+base64(0x01 ‖ public key)`. */
export const verifierKey = (key: NoteKey): string =>
  `${key.name}+${keyIdOf(key).toString('hex')}+${Buffer.concat([Buffer.of(ed25519), key.publicKey]).toString('base64')}`

/** @returns undefined for what is not the verifier key of an Ed25519 key. */
export const parseVerifierKey = (text: string): NoteKey | undefined => {
  const found = /^([^\s+\p{Cc}]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text)
  const bytes = Buffer.from(found?.[3] ?? '', 'base64')
  if (found?.[1] === undefined || bytes.length !== 33 || bytes[0] !== ed25519) return undefined
  const key = { name: found[1], publicKey: bytes.subarray(1) }
  return keyIdOf(key).toString('hex') === found[2] ? key : undefined
}

/** The text that is signed; it ends with a newline. */
export const checkpointText = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`

export const signatureLine = ({ name, keyId, signature }: NoteSignature): string =>
  `— ${name} ${Buffer.concat([keyId, signature]).toString('base64')}\n`

/** @param sign gives the raw Ed25519 signature (64 bytes) over the text. */
export const signNote = async (
  text: string,
  key: NoteKey,
  sign: (data: Uint8Array) => Promise<Uint8Array>,
): Promise<string> => {
  if (!text.endsWith('\n')) throw new TypeError('the text of a note ends with a newline')
  const signature = Buffer.from(await sign(Buffer.from(text)))
  const note = `${text}\n${signatureLine({ name: key.name, keyId: keyIdOf(key), signature })}`
  // A signer with another key would publish what nobody can check.
  if (!verifyNote(note, key)) throw new Error(`the signer does not hold the key of ${key.name}`)
  return note
}

/** @returns undefined for what is not a signed note. */
export const parseNote = (note: string): { text: string; signatures: NoteSignature[] } | undefined => {
  const at = note.lastIndexOf('\n\n')
  if (at < 0 || !note.endsWith('\n')) return undefined
  const signatures: NoteSignature[] = []
  for (const line of note.slice(at + 2, -1).split('\n')) {
    const found = /^— ([^\s+\p{Cc}]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line)
    const bytes = Buffer.from(found?.[2] ?? '', 'base64')
    if (found?.[1] === undefined || bytes.length < 5) return undefined
    signatures.push({ name: found[1], keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) })
  }
  return { text: note.slice(0, at + 1), signatures }
}

/** Is the note signed by this key? Signatures of other keys are ignored, a wrong one of this key never passes. */
export const verifyNote = (note: string, key: NoteKey): boolean => {
  const parsed = parseNote(note)
  if (parsed === undefined || !isNoteName(key.name)) return false
  const publicKey = createPublicKey({ key: Buffer.concat([spki, key.publicKey]), format: 'der', type: 'spki' })
  const own = parsed.signatures.filter(({ name, keyId }) => name === key.name && keyId.equals(keyIdOf(key)))
  return own.length > 0 && own.every(({ signature }) => verify(null, Buffer.from(parsed.text), publicKey, signature))
}

/** @returns undefined for what is not a checkpoint. Extension lines are allowed and ignored. */
export const parseCheckpoint = (text: string): Checkpoint | undefined => {
  const [origin, size, root] = text.split('\n')
  if (origin === undefined || origin === '' || size === undefined || root === undefined) return undefined
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return undefined
  const bytes = Buffer.from(root, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== root) return undefined
  return { origin, size: Number(size), root: bytes }
}
