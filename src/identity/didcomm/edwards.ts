import { convertEd25519PublicKeyToX25519 } from '@veramo/utils'

/** The key agreement key that the did:key method derives from a signing key (RFC 7748, section 4.1). */
export const ed25519ToX25519 = (raw: Uint8Array): Buffer => Buffer.from(convertEd25519PublicKeyToX25519(raw))
