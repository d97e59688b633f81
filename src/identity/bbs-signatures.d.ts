declare module '@digitalbazaar/bbs-signatures' {
  type Suite = { ciphersuite: string }
  type Signed = { header: Uint8Array; messages: Uint8Array[] }
  type Proven = { header: Uint8Array; presentationHeader: Uint8Array; disclosedMessageIndexes: number[] }
  export const CIPHERSUITES: { BLS12381_SHAKE256: string; BLS12381_SHA256: string }
  export function generateKeyPair(
    options: Suite & { seed?: Uint8Array },
  ): Promise<{ secretKey: Uint8Array; publicKey: Uint8Array }>
  export function secretKeyToPublicKey(options: Suite & { secretKey: Uint8Array }): Promise<Uint8Array>
  export function sign(options: Suite & Signed & { secretKey: Uint8Array; publicKey?: Uint8Array }): Promise<Uint8Array>
  export function verifySignature(
    options: Suite & Signed & { publicKey: Uint8Array; signature: Uint8Array },
  ): Promise<boolean>
  export function deriveProof(
    options: Suite & Signed & Proven & { publicKey: Uint8Array; signature: Uint8Array },
  ): Promise<Uint8Array>
  export function verifyProof(
    options: Suite & Proven & { publicKey: Uint8Array; proof: Uint8Array; disclosedMessages: Uint8Array[] },
  ): Promise<boolean>
}
