import * as bbsSuite from '@digitalbazaar/bbs-2023-cryptosuite'
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey'
import * as ecdsaSdSuite from '@digitalbazaar/ecdsa-sd-2023-cryptosuite'
import { Ed25519Signature2020 } from '@digitalbazaar/ed25519-signature-2020'
import * as vc from '@digitalbazaar/vc'
import { expect } from '@jest/globals'
import { bbsKeyPair, bbsSign } from '../../src/identity/bbs.ts'
import { derive, type SecuringKey } from '../../src/identity/foreign/secure.ts'
import type { BbsSigner } from '../../src/identity/integrity/bbs-2023.ts'
import { toMultikey } from '../../src/identity/multikey.ts'
import { DataIntegrityProof, documentLoader, pairOf, theirs } from '../identity/integrity/others.ts'
import type { Curve } from '../identity/integrity/signers.ts'
import type { Json } from '../identity/sd-jwt/parts.ts'
import type { Cells, Row } from './cells.ts'
import { challenge, changed, credentialBy, domain, judge, judgePresentation, presentationBy, securing } from './ours.ts'

/** Data Integrity proofs with the libraries of Digital Bazaar: their JSON-LD, their canonicalization, their suites. */

const protocol = 'Data Integrity 1.0'

type TheirSuite = { cryptosuite: unknown; signer?: unknown }
const verifying = (suite: unknown, given: Json) => ({ ...structuredClone(given), suite, documentLoader })

const theyJudge = async (credential: unknown, suite: unknown): Promise<boolean> =>
  (await vc.verifyCredential(verifying(suite, { credential }))).verified

const theyJudgePresentation = async (presentation: unknown, suite: unknown, asked = challenge): Promise<boolean> =>
  (await vc.verify(verifying(suite, { presentation, challenge: asked, domain }))).verified

/** An issuer or a holder with a key of their own, as one of ours and as one of theirs. */
const openParty = async (name: keyof typeof theirs, curve: Curve) => {
  const { signer, pair } = await pairOf(curve)
  const { sign, verify } = theirs[name]
  const theirSuite = (parts: TheirSuite) => new DataIntegrityProof(parts)
  const signing = () => theirSuite({ signer: pair.signer(), cryptosuite: sign })
  const ours = securing(name, signer)
  return {
    did: signer.did,
    verifier: theirSuite({ cryptosuite: verify }),
    weIssue: async () => (await ours.secure(credentialBy(signer.did), {})) as Json,
    theyIssue: (): Promise<Json> =>
      vc.issue({ credential: credentialBy(signer.did), suite: signing(), documentLoader }),
    wePresent: (credential: Json) => ours.present(presentationBy(signer.did, credential), { challenge, domain }),
    theyPresent: (credential: Json): Promise<Json> => {
      const presentation = vc.createPresentation({ verifiableCredential: credential, holder: signer.did })
      return vc.signPresentation({ presentation, suite: signing(), challenge, domain, documentLoader })
    },
  }
}

const proofCells = (name: keyof typeof theirs, curve: Curve): Cells => {
  const open = async () => ({ issuer: await openParty(name, curve), holder: await openParty(name, curve) })
  return {
    'our issuer, their verifier': async () => {
      const { issuer } = await open()
      const credential = await issuer.weIssue()
      expect(await theyJudge(credential, issuer.verifier)).toBe(true)
      expect(await theyJudge(changed(credential), issuer.verifier)).toBe(false)
    },
    'their issuer, our verifier': async () => {
      const { issuer } = await open()
      const credential = await issuer.theyIssue()
      expect(await judge(credential)).toBe('verified')
      expect(await judge(changed(credential))).toBe('signature_invalid')
    },
    'our issuer, their wallet': async () => {
      const { issuer, holder } = await open()
      const presentation = await holder.theyPresent(await issuer.weIssue())
      expect(await judgePresentation(presentation)).toBe('verified')
      expect(await judgePresentation(presentation, 'another')).toBe('challenge_mismatch')
    },
    'their issuer, our wallet': async () => {
      const { issuer, holder } = await open()
      const presentation = await holder.wePresent(await issuer.theyIssue())
      expect(await theyJudgePresentation(presentation, issuer.verifier)).toBe(true)
      expect(await theyJudgePresentation(presentation, issuer.verifier, 'another')).toBe(false)
      expect(await judgePresentation(presentation)).toBe('verified')
    },
    'our wallet, their verifier': async () => {
      const { issuer, holder } = await open()
      const presentation = await holder.wePresent(await issuer.weIssue())
      expect(await theyJudgePresentation(presentation, issuer.verifier)).toBe(true)
      expect(await theyJudgePresentation(presentation, issuer.verifier, 'another')).toBe(false)
    },
    'their wallet, our verifier': async () => {
      const { issuer, holder } = await open()
      const presentation = await holder.theyPresent(await issuer.theyIssue())
      expect(await judgePresentation(presentation)).toBe('verified')
      expect(await judgePresentation({ ...presentation, holder: issuer.did })).toBe('signature_invalid')
    },
  }
}

const ecdsaIssuer = async () => {
  const { signer, pair } = await pairOf('P-256')
  return { key: signer as SecuringKey, theirSigner: pair.signer() }
}

const bbsIssuer = async () => {
  const { secretKey, publicKey } = await bbsKeyPair()
  const multikey = toMultikey({ kind: 'BLS12-381-G2', raw: Buffer.from(publicKey) })
  const did = `did:key:${multikey}`
  const key: SecuringKey & BbsSigner = {
    ...{ did, verificationMethod: `${did}#${multikey}`, algorithm: 'BBS', publicKey },
    sign: () => Promise.reject(new Error('BBS signs messages')),
    signMessages: (header, messages) => bbsSign({ secretKey, publicKey, header, messages }),
  }
  const algorithm = Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256
  const pair = await Bls12381Multikey.fromRaw({ algorithm, secretKey, publicKey })
  Object.assign(pair, { id: key.verificationMethod, controller: did })
  return { key, theirSigner: pair.signer() }
}

const selective = {
  'ecdsa-sd-2023': { theirs: ecdsaSdSuite, open: ecdsaIssuer },
  'bbs-2023': { theirs: bbsSuite, open: bbsIssuer },
}

const mandatoryPointers = ['/issuer', '/validFrom']
const selectivePointers = ['/credentialSubject/degree/name']

const derivedAlone = 'A base proof is for the holder, who derives one for each verifier.'

/** Selective disclosure: the wallet derives a proof of what it shows. */
const selectiveCells = (name: keyof typeof selective): Cells => {
  const { theirs: library, open } = selective[name]
  const verifier = new DataIntegrityProof({ cryptosuite: library.createVerifyCryptosuite() })
  const weIssue = async () => {
    const { key } = await open()
    return (await securing(name, key).secure(credentialBy(key.did), { mandatoryPointers })) as Json
  }
  const theyIssue = async (): Promise<Json> => {
    const { key, theirSigner } = await open()
    const cryptosuite = library.createSignCryptosuite({ mandatoryPointers })
    const suite = new DataIntegrityProof({ signer: theirSigner, cryptosuite })
    return vc.issue({ credential: credentialBy(key.did), suite, documentLoader })
  }
  const weDerive = (credential: Json) => derive(credential, { selectivePointers })
  const theyDerive = (credential: Json): Promise<Json> => {
    const suite = new DataIntegrityProof({ cryptosuite: library.createDiscloseCryptosuite({ selectivePointers }) })
    return vc.derive({ verifiableCredential: structuredClone(credential), suite, documentLoader })
  }
  const showsTheDegreeAlone = (derived: Json): void => {
    expect(derived['credentialSubject']).toMatchObject({ degree: { name: 'B \u{1F600}\n"x"' } })
    expect(derived).toHaveProperty('validFrom')
  }
  const acceptedThere = async (derived: Json): Promise<void> => {
    showsTheDegreeAlone(derived)
    expect(await theyJudge(derived, verifier)).toBe(true)
    expect(await theyJudge(changed(derived), verifier)).toBe(false)
  }
  const acceptedHere = async (derived: Json): Promise<void> => {
    showsTheDegreeAlone(derived)
    expect(await judge(derived)).toBe('verified')
    expect(await judge(changed(derived))).toBe('signature_invalid')
  }
  return {
    ...{ 'our issuer, their verifier': derivedAlone, 'their issuer, our verifier': derivedAlone },
    'our issuer, their wallet': async () => acceptedHere(await theyDerive(await weIssue())),
    'their issuer, our wallet': async () => acceptedThere(await weDerive(await theyIssue())),
    'our wallet, their verifier': async () => acceptedThere(await weDerive(await weIssue())),
    'their wallet, our verifier': async () => acceptedHere(await theyDerive(await theyIssue())),
  }
}

/** VC Data Model 1.1 with the legacy suite, which is read here and not written. */
const legacyCells = (): Cells => {
  const open = async () => {
    const { signer, pair } = await pairOf('Ed25519')
    return { did: signer.did, suite: () => new Ed25519Signature2020({ signer: pair.signer() }) }
  }
  const theyIssue = async (): Promise<Json> => {
    const { did, suite } = await open()
    const credential = {
      '@context': ['https://www.w3.org/2018/credentials/v1', 'https://www.w3.org/2018/credentials/examples/v1'],
      type: ['VerifiableCredential', 'UniversityDegreeCredential'],
      issuer: did,
      issuanceDate: '2023-01-01T00:00:00Z',
      credentialSubject: { id: 'did:example:a', degree: { type: 'BachelorDegree', name: 'Bachelor of Science' } },
    }
    return vc.issue({ credential, suite: suite(), documentLoader })
  }
  const readAlone = '`Ed25519Signature2020` is verified here and not written.'
  return {
    ...{ 'our issuer, their verifier': readAlone, 'our issuer, their wallet': readAlone },
    ...{ 'their issuer, our wallet': readAlone, 'our wallet, their verifier': readAlone },
    'their issuer, our verifier': async () => {
      const credential = await theyIssue()
      expect(credential['proof']).toMatchObject({ type: 'Ed25519Signature2020' })
      expect(await judge(credential)).toBe('verified')
      expect(await judge({ ...credential, issuanceDate: '2024-01-01T00:00:00Z' })).toBe('signature_invalid')
    },
    'their wallet, our verifier': async () => {
      const { did, suite } = await open()
      const options = { verifiableCredential: await theyIssue(), holder: did, version: 1.0 }
      const presentation = vc.createPresentation(options)
      const signed = await vc.signPresentation({ presentation, suite: suite(), challenge, domain, documentLoader })
      expect(await judgePresentation(signed)).toBe('verified')
      expect(await judgePresentation(signed, 'another')).toBe('challenge_mismatch')
    },
  }
}

const row = (format: string, cells: Cells, ...packages: string[]): Row => ({
  ...{ format, protocol, cells },
  libraries: ['@digitalbazaar/vc', ...packages.map(name => `@digitalbazaar/${name}`)],
})

export const dataIntegrity = {
  rows: [
    row('`eddsa-rdfc-2022`', proofCells('eddsa-rdfc-2022', 'Ed25519'), 'eddsa-rdfc-2022-cryptosuite'),
    row('`eddsa-jcs-2022`', proofCells('eddsa-jcs-2022', 'Ed25519'), 'eddsa-jcs-2022-cryptosuite'),
    row('`ecdsa-rdfc-2019`, P-256', proofCells('ecdsa-rdfc-2019', 'P-256'), 'ecdsa-rdfc-2019-cryptosuite'),
    row('`ecdsa-rdfc-2019`, P-384', proofCells('ecdsa-rdfc-2019', 'P-384'), 'ecdsa-rdfc-2019-cryptosuite'),
    row('`ecdsa-jcs-2019`, P-256', proofCells('ecdsa-jcs-2019', 'P-256'), 'ecdsa-jcs-2019-cryptosuite'),
    row('`ecdsa-jcs-2019`, P-384', proofCells('ecdsa-jcs-2019', 'P-384'), 'ecdsa-jcs-2019-cryptosuite'),
    row('`ecdsa-sd-2023`', selectiveCells('ecdsa-sd-2023'), 'ecdsa-sd-2023-cryptosuite'),
    row('`bbs-2023`', selectiveCells('bbs-2023'), 'bbs-2023-cryptosuite'),
    row('`Ed25519Signature2020`, VC 1.1', legacyCells(), 'ed25519-signature-2020'),
  ],
}
