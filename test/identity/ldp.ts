import { addProof } from '../../src/identity/integrity/proofs.ts'
import { suiteNamed } from '../../src/identity/integrity/suites.ts'
import { type Party, signBytes } from './world.ts'

export type Document = Record<string, unknown>

/** A document with a proof by hand, by whom and for what a test wants; one that is there already goes. */
export const secured = (
  { proof: _, ...document }: Document,
  party: Party,
  options: Partial<Parameters<typeof addProof>[1]> & { cryptosuite?: string } = {},
): Promise<Document> => {
  const { cryptosuite = party.algorithm === 'EdDSA' ? 'eddsa-rdfc-2022' : 'ecdsa-rdfc-2019', ...others } = options
  return addProof(document, {
    suite: suiteNamed(cryptosuite),
    signer: {
      verificationMethod: party.kid,
      algorithm: party.algorithm,
      sign: async data => signBytes(party, data),
    },
    proofPurpose: 'assertionMethod',
    created: new Date().toISOString(),
    ...others,
  })
}

/** The same document with other members; the proof stays what it was. */
export const edited = (document: Document, change: (document: Document) => void): Document => {
  const copy = structuredClone(document)
  change(copy)
  return copy
}
