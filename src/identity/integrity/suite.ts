import type { KeyObject } from 'node:crypto'

/** What a key of a verification method can do: the curve, and with it the signature. */
export type ProofAlgorithm = 'EdDSA' | 'ES256' | 'ES384' | 'ES512' | 'ES256K' | 'BBS'

/** The verification method a proof is made with. */
export type ProofSigner = {
  /** DID URL. */
  verificationMethod: string
  algorithm: ProofAlgorithm
  /** BBS only: the raw public key, 96 octets, which a base proof carries. */
  publicKey?: Uint8Array
  /** Ed25519: 64 octets; ECDSA: r and s in big endian, side by side (IEEE P1363). */
  sign(data: Uint8Array): Promise<Uint8Array>
  /** BBS only: signs a list of messages under a header (draft-irtf-cfrg-bbs-signatures, CoreSign). */
  signMessages?(header: Uint8Array, messages: readonly Uint8Array[]): Promise<Uint8Array>
}

/** The public key that a verification method names. */
export type ProofKey = {
  algorithm: ProofAlgorithm
  /** Absent for BBS, which node:crypto does not know. */
  publicKey?: KeyObject
  /** The raw key: compressed point for ECDSA, 32 octets for Ed25519, 96 for BLS12-381 G2. */
  raw: Uint8Array
}

/** A document without its `proof`. */
export type Unsecured = Record<string, unknown>
/** A proof as it stands in a document, `proofValue` included once it is made. */
export type DataIntegrityProof = Record<string, unknown>

/** A way to secure a document (Data Integrity 1.0, section 3.1). */
export type Cryptosuite = {
  /** As in `cryptosuite`; a legacy suite has the name of its proof type. */
  name: string
  type: string
  algorithms: readonly ProofAlgorithm[]
  /** @param proof the proof options: everything but `proofValue`. @returns the whole proof. */
  create(
    document: Unsecured,
    proof: DataIntegrityProof,
    signer: ProofSigner,
    options?: CreateOptions,
  ): Promise<DataIntegrityProof>
  /** @throws Refusal malformed/proof_malformed for a proof that cannot be read. */
  verify(document: Unsecured, proof: DataIntegrityProof, key: ProofKey): Promise<boolean>
  /** Suites with selective disclosure: the document with chosen parts and a derived proof. */
  derive?(document: Unsecured, proof: DataIntegrityProof, options: DeriveOptions): Promise<Record<string, unknown>>
}

export type CreateOptions = {
  /** JSON pointers (RFC 6901) to what every derived proof has to show. */
  mandatoryPointers?: readonly string[]
}

export type DeriveOptions = {
  /** JSON pointers to what is shown beside the mandatory parts. */
  selectivePointers: readonly string[]
  /** BBS only: octets bound into the derived proof. */
  presentationHeader?: Uint8Array
}
